//! An interaction as a message: one JSON object, as `docs/worker.md` and `docs/worker/interaction.v1.schema.json` have it.
//!
//! A field that is not known is refused, so that a misspelt one is not dropped silently. Errors name the field and never what
//! is in it: they go into headers and logs. Everything that a model must read is checked later, by the use case.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::{Channel, Role, Turn};
use crate::error::Error;
use crate::pipeline::customers::interaction::TURNS;
use crate::pipeline::customers::{Content, Interaction, check_id};

/// Fields of an interaction.
pub(super) const FIELDS: [&str; 12] = [
    "tenant", "customer", "source", "id", "at", "kind", "channel", "language", "text", "turns", "nps", "csat",
];
/// Fields of a turn.
pub(super) const TURN_FIELDS: [&str; 5] = ["id", "participant", "role", "at", "text"];

/// Longest language tag, in bytes, as in calls.
const LANGUAGE_BYTES: usize = 35;
/// Longest name of an unknown field that is shown.
const SHOWN_BYTES: usize = 40;

/// Reads a message. Errors: `InvalidInput` with the field.
pub fn parse(payload: &[u8]) -> Result<Interaction, Error> {
    let object = object(payload)?;
    known(&object, &FIELDS)?;
    let interaction = Interaction {
        tenant: string(&object, "tenant")?.unwrap_or_default(),
        customer: required(&object, "customer")?,
        source: required(&object, "source")?,
        external_id: required(&object, "id")?,
        at_ms: at(&object)?.ok_or_else(|| Error::invalid("at", "is required"))?,
        channel: channel(&object)?,
        language: language(&object)?,
        nps: nps(&object)?,
        csat: number(&object, "csat")?,
        content: content(&object)?,
    };
    interaction.check().map_err(|e| flat(e, interaction.content.kind()))?;
    Ok(interaction)
}

/// The tenant that a message names, as far as that can be read; else the one without a name.
pub fn tenant(payload: &[u8]) -> String {
    let named = object(payload).ok().and_then(|object| string(&object, "tenant").ok().flatten());
    named.filter(|tenant| check_id(tenant, "tenant", false).is_ok()).unwrap_or_default()
}

/// A message has its content in fields of its own, and not below the content's name.
fn flat(error: Error, kind: &str) -> Error {
    let field =
        error.field().and_then(|field| field.strip_prefix(kind)?.strip_prefix('.')).map(str::to_owned);
    match field {
        Some(field) => Error::invalid(field, error.public()),
        None => error,
    }
}

fn object(payload: &[u8]) -> Result<Map<String, Value>, Error> {
    match serde_json::from_slice(payload) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Error::invalid("payload", "is no JSON object")),
        Err(e) => {
            let problem = format!("is no JSON, from line {}, column {}", e.line(), e.column());
            Err(Error::invalid("payload", problem))
        }
    }
}

fn known(object: &Map<String, Value>, fields: &[&str]) -> Result<(), Error> {
    let Some(unknown) = object.keys().find(|key| !fields.contains(&key.as_str())) else { return Ok(()) };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    // A name is not a customer's text, but who sends another form may have anything there.
    let shown = unknown.len() <= SHOWN_BYTES && unknown.bytes().all(plain);
    let field = if shown { unknown.as_str() } else { "a field" };
    Err(Error::invalid(field, format!("is not known; there are {}", fields.join(", "))))
}

/// A value that is there; `null` is as good as none.
fn value<'o>(object: &'o Map<String, Value>, field: &str) -> Option<&'o Value> {
    object.get(field).filter(|value| !value.is_null())
}

fn string(object: &Map<String, Value>, field: &str) -> Result<Option<String>, Error> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let read = |value| text(value).ok_or_else(|| Error::invalid(field, "expected a string"));
    value(object, field).map(read).transpose()
}

fn required(object: &Map<String, Value>, field: &str) -> Result<String, Error> {
    string(object, field)?.ok_or_else(|| Error::invalid(field, "is required"))
}

fn number(object: &Map<String, Value>, field: &str) -> Result<Option<f64>, Error> {
    let read = |value: &Value| value.as_f64().ok_or_else(|| Error::invalid(field, "expected a number"));
    value(object, field).map(read).transpose()
}

/// RFC 3339, or milliseconds since 1970.
fn at(object: &Map<String, Value>) -> Result<Option<i64>, Error> {
    let read = |value: &Value| match value {
        Value::String(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond),
        other => other.as_i64(),
    };
    let wrong =
        || Error::invalid("at", "expected a time such as 2026-01-02T03:04:05Z, or milliseconds since 1970");
    value(object, "at").map(|value| read(value).ok_or_else(wrong)).transpose()
}

fn channel(object: &Map<String, Value>) -> Result<Channel, Error> {
    let Some(name) = string(object, "channel")? else { return Ok(Channel::Unknown) };
    let names = || Channel::ALL.map(Channel::name).join(", ");
    Channel::of_name(&name).ok_or_else(|| Error::invalid("channel", format!("expected one of {}", names())))
}

fn language(object: &Map<String, Value>) -> Result<Option<String>, Error> {
    let tag = string(object, "language")?;
    let is_tag = |tag: &str| {
        let fits = (1..=LANGUAGE_BYTES).contains(&tag.len());
        fits && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
        return Err(Error::invalid("language", "expected a tag of BCP 47, such as en"));
    }
    Ok(tag)
}

fn nps(object: &Map<String, Value>) -> Result<Option<u8>, Error> {
    let read = |value: &Value| value.as_u64().and_then(|nps| u8::try_from(nps).ok());
    let wrong = || Error::invalid("nps", "expected a whole number from 0 to 10");
    value(object, "nps").map(|value| read(value).ok_or_else(wrong)).transpose()
}

fn content(object: &Map<String, Value>) -> Result<Content, Error> {
    let (text, turns) = (string(object, "text")?, turns(object)?);
    let kind = string(object, "kind")?;
    let without = |field, there: bool| {
        if there { Err(Error::invalid(field, "has no place in this kind of interaction")) } else { Ok(()) }
    };
    let missing = |field| Error::invalid(field, "is required for this kind of interaction");
    match kind.as_deref().unwrap_or(if turns.is_some() { "conversation" } else { "message" }) {
        "message" => {
            without("turns", turns.is_some())?;
            text.map(Content::Message).ok_or_else(|| missing("text"))
        }
        "survey" => {
            without("turns", turns.is_some())?;
            let scored = value(object, "nps").or_else(|| value(object, "csat")).is_some();
            text.or_else(|| scored.then(String::new)).map(Content::Survey).ok_or_else(|| missing("text"))
        }
        "conversation" => {
            without("text", text.is_some())?;
            turns.map(Content::Conversation).ok_or_else(|| missing("turns"))
        }
        _ => Err(Error::invalid("kind", "expected one of message, survey, conversation")),
    }
}

fn turns(object: &Map<String, Value>) -> Result<Option<Vec<Turn>>, Error> {
    let Some(value) = value(object, "turns") else { return Ok(None) };
    let turns = value.as_array().ok_or_else(|| Error::invalid("turns", "expected a list"))?;
    if turns.len() > TURNS {
        return Err(Error::invalid("turns", format!("has {} turns, at most {TURNS} are read", turns.len())));
    }
    let read = |(place, value)| turn(value).map_err(|e: Error| e.within(&format!("turns[{place}]")));
    turns.iter().enumerate().map(read).collect::<Result<_, _>>().map(Some)
}

fn turn(value: &Value) -> Result<Turn, Error> {
    let object = value.as_object().ok_or_else(|| Error::invalid("turn", "expected an object"))?;
    known(object, &TURN_FIELDS)?;
    let names = || Role::ALL.map(Role::name).join(", ");
    let role = Role::of_name(&required(object, "role")?);
    let role = role.ok_or_else(|| Error::invalid("role", format!("expected one of {}", names())))?;
    let turn = Turn {
        id: string(object, "id")?,
        participant: string(object, "participant")?.unwrap_or_else(|| role.name().to_owned()),
        role,
        text: required(object, "text")?,
        at_ms: at(object)?,
    };
    check_id(turn.id.as_deref().unwrap_or_default(), "id", false)?;
    check_id(&turn.participant, "participant", false)?;
    Ok(turn)
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
