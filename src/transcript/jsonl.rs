//! The project's own schema: one conversation per line, as `docs/transcripts.md` describes it.
//!
//! A field that the schema does not have is refused, so that a misspelt one is not dropped silently; `outcome` is left
//! to those who measure. Texts are kept as they are: nothing is cleaned.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::assemble::{Assembly, check_conversation, check_turn, line, override_with, refuse};
use super::json::{Node, of_line};
use super::{ImportOptions, TURNS};
use crate::domain::{Channel, Conversation, Role, Turn};
use crate::error::Error;

const FIELDS: [&str; 8] = ["id", "channel", "language", "tenant", "customer", "metadata", "turns", "outcome"];
const TURN_FIELDS: [&str; 5] = ["id", "participant", "role", "at", "text"];

/// Reads every line that is not blank.
pub(super) fn read(text: &str, assembly: &mut Assembly) -> Result<(), Error> {
    for (text, number) in text.lines().zip(1..).filter(|(text, _)| !text.trim().is_empty()) {
        let mut read = parse_line(text, number, assembly.options)?;
        let turns = std::mem::take(&mut read.turns);
        for turn in turns {
            assembly.turn(&mut read, turn, &line(number))?;
        }
        assembly.conversation(read, &line(number))?;
    }
    Ok(())
}

/// Reads one line, `number` in messages. Of the options, the channel, language and tenant count, and the id where the
/// line has none; without either the id is `line-` and the number. Turns may be none, and texts empty: `import` leaves
/// those out.
///
/// Errors: `InvalidInput` with the line and the JSON path.
pub fn parse_line(text: &str, number: usize, options: &ImportOptions) -> Result<Conversation, Error> {
    let document = of_line(text, number)?;
    let root = document.root();
    known_fields(&root, &FIELDS)?;
    let unnamed = || options.id.clone().unwrap_or_else(|| format!("line-{number}"));
    let owned = |key: &str| root.str(key).map(|value| value.map(str::to_owned));
    let mut read = Conversation {
        id: root.id("id")?.unwrap_or_else(unnamed),
        channel: channel(&root)?,
        language: owned("language")?,
        tenant: owned("tenant")?,
        customer: root.id("customer")?,
        metadata: metadata(&root)?,
        turns: Vec::new(),
    };
    let turns = root.need("turns")?.items()?;
    if turns.len() > TURNS {
        return Err(refuse(&line(number), format!("a conversation has at most {TURNS} turns")));
    }
    read.turns = turns.iter().map(turn).collect::<Result<_, _>>()?;
    override_with(&mut read, options);
    check_conversation(&read, &line(number))?;
    Ok(read)
}

/// A conversation as a line, without its end. `parse_line` reads it back as it was.
pub fn to_line(conversation: &Conversation) -> String {
    let mut fields = Map::new();
    fields.insert("id".into(), conversation.id.clone().into());
    if conversation.channel != Channel::Unknown {
        fields.insert("channel".into(), conversation.channel.name().into());
    }
    for (name, value) in [
        ("language", &conversation.language),
        ("tenant", &conversation.tenant),
        ("customer", &conversation.customer),
    ] {
        fields.extend(value.iter().map(|value| (name.to_owned(), value.clone().into())));
    }
    if !conversation.metadata.is_empty() {
        let pairs = conversation.metadata.iter().map(|(name, value)| (name.clone(), value.clone().into()));
        fields.insert("metadata".into(), Value::Object(pairs.collect()));
    }
    fields.insert("turns".into(), conversation.turns.iter().map(turn_value).collect());
    Value::Object(fields).to_string()
}

fn turn_value(turn: &Turn) -> Value {
    let mut fields = Map::new();
    fields.extend(turn.id.iter().map(|id| ("id".to_owned(), id.clone().into())));
    fields.insert("participant".into(), turn.participant.clone().into());
    fields.insert("role".into(), turn.role.name().into());
    fields.extend(turn.at_ms.map(|at| ("at".to_owned(), json!(at))));
    fields.insert("text".into(), turn.text.clone().into());
    Value::Object(fields)
}

fn channel(root: &Node) -> Result<Channel, Error> {
    let Some(node) = root.get("channel") else { return Ok(Channel::Unknown) };
    let names = Channel::ALL.map(Channel::name).join(", ");
    let channel = node.value().as_str().and_then(Channel::of_name);
    channel.ok_or_else(|| refuse(node.path(), format!("expected one of {names}")))
}

fn metadata(root: &Node) -> Result<BTreeMap<String, String>, Error> {
    let Some(node) = root.get("metadata") else { return Ok(BTreeMap::new()) };
    let pair = |(name, value): (&String, &Value)| {
        let value = value.as_str().ok_or_else(|| refuse(node.path(), "expected strings as values"))?;
        Ok((name.clone(), value.to_owned()))
    };
    node.fields()?.iter().map(pair).collect()
}

fn turn(node: &Node) -> Result<Turn, Error> {
    known_fields(node, &TURN_FIELDS)?;
    let stated = node.need("role")?;
    let role = stated.value().as_str().and_then(Role::of_name).ok_or_else(|| {
        refuse(stated.path(), format!("expected one of {}", Role::ALL.map(Role::name).join(", ")))
    })?;
    let text = node.str("text")?.ok_or_else(|| refuse(&format!("{}.text", node.path()), "is missing"))?;
    let turn = Turn {
        id: node.id("id")?,
        participant: node.id("participant")?.unwrap_or_else(|| role.name().to_owned()),
        role,
        text: text.to_owned(),
        at_ms: at(node)?,
    };
    check_turn(&turn, node.path())?;
    Ok(turn)
}

/// Milliseconds as a number, or a date.
fn at(node: &Node) -> Result<Option<i64>, Error> {
    match node.get("at") {
        Some(at) if at.value().is_number() => node.integer("at"),
        _ => node.date("at"),
    }
}

fn known_fields(node: &Node, known: &[&str]) -> Result<(), Error> {
    let unknown: Vec<&str> =
        node.fields()?.keys().map(String::as_str).filter(|key| !known.contains(key)).take(5).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    // A key is not a customer's text, but a file of another kind may have anything there.
    let shown: Vec<String> = unknown.iter().map(|key| key.chars().take(40).collect()).collect();
    let problem = format!("unknown field {}; the schema has {}", shown.join(", "), known.join(", "));
    Err(refuse(node.path(), problem))
}

#[cfg(test)]
#[path = "jsonl_tests.rs"]
mod tests;
