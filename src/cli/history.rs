//! Conversations with their outcome, one JSON object a line. What is wrong is said by line and field, never by the text.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::{Map, Value};

use crate::domain::{Channel, Conversation, Outcome, Role, Turn};
use crate::error::{Error, ErrorKind};
use crate::escalation::risk::Account;

/// Longest line, in bytes: a conversation of a thousand long mails.
const LINE_BYTES: u64 = 16 << 20;
/// Most conversations of a file; what the model says of their turns is kept until the end, some kilobytes each.
const CONVERSATIONS: usize = 50_000;
/// Most turns of a conversation.
const TURNS: usize = 10_000;
/// Most account values of a conversation: each becomes a column of a fit.
const ACCOUNT: usize = 64;

/// A line.
#[derive(Debug)]
pub(super) struct Record {
    /// From 1.
    pub(super) line: usize,
    pub(super) conversation: Conversation,
    pub(super) account: Account,
    /// `None` when the line has no outcome.
    pub(super) outcome: Option<Outcome>,
}

/// Reads a file. Errors name it and the line.
pub(super) fn read(path: &Path) -> Result<Vec<Record>, Error> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|e| Error::new(ErrorKind::NotFound, format!("{name}: {e}")))?;
    records(BufReader::new(file), &name)
}

fn records(mut source: impl BufRead, name: &str) -> Result<Vec<Record>, Error> {
    let mut found: Vec<Record> = Vec::new();
    let mut lines: HashMap<String, usize> = HashMap::new();
    for line in 1.. {
        let place = |e: Error| Error::new(e.kind(), format!("{name}, line {line}: {}", e.told()));
        let Some(bytes) = next_line(&mut source).map_err(place)? else { break };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let record = record(&bytes, line).map_err(place)?;
        if let Some(first) = lines.insert(record.conversation.id.clone(), line) {
            return Err(place(Error::invalid("id", format!("line {first} has the same one"))));
        }
        if found.len() == CONVERSATIONS {
            let message = format!("expected at most {CONVERSATIONS} conversations; take a sample of them");
            return Err(place(Error::new(ErrorKind::InvalidInput, message)));
        }
        found.push(record);
    }
    Ok(found)
}

fn next_line(source: &mut impl BufRead) -> Result<Option<Vec<u8>>, Error> {
    let mut bytes = Vec::new();
    let unread = |e: std::io::Error| Error::new(ErrorKind::Unavailable, e.to_string());
    let count = source.take(LINE_BYTES + 1).read_until(b'\n', &mut bytes).map_err(unread)?;
    if count as u64 > LINE_BYTES {
        return Err(Error::new(ErrorKind::InvalidInput, format!("is longer than {LINE_BYTES} bytes")));
    }
    Ok((count > 0).then_some(bytes))
}

fn record(bytes: &[u8], line: usize) -> Result<Record, Error> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|e| Error::new(ErrorKind::InvalidInput, format!("is no JSON, at column {}", e.column())))?;
    let top = Node::object(&value, String::new())?;
    let turns = top.list("turns", TURNS)?;
    let turns = turns.iter().map(turn).collect::<Result<Vec<Turn>, Error>>()?;
    let outcome = top.child("outcome")?.map(|node| outcome(&node, &turns)).transpose()?;
    let account = top.child("account")?.map(|node| account(&node)).transpose()?.unwrap_or_default();
    let conversation = Conversation {
        id: top.required("id")?,
        channel: channel(&top)?,
        language: top.text("language")?,
        tenant: top.text("tenant")?,
        customer: top.text("customer")?,
        metadata: BTreeMap::new(),
        turns,
    };
    Ok(Record { line, conversation, account, outcome })
}

fn channel(top: &Node<'_>) -> Result<Channel, Error> {
    let Some(name) = top.text("channel")? else { return Ok(Channel::Unknown) };
    let names = || Channel::ALL.map(Channel::name).join(", ");
    Channel::of_name(&name).ok_or_else(|| top.wrong("channel", &format!("expected one of {}", names())))
}

fn turn(node: &Node<'_>) -> Result<Turn, Error> {
    let names = || Role::ALL.map(Role::name).join(", ");
    let role = node.required("role")?;
    let role =
        Role::of_name(&role).ok_or_else(|| node.wrong("role", &format!("expected one of {}", names())))?;
    Ok(Turn {
        id: node.text("id")?,
        participant: node.text("participant")?.unwrap_or_else(|| role.name().to_owned()),
        role,
        text: node.required("text")?,
        at_ms: time(node)?,
    })
}

/// A time in RFC 3339, or milliseconds.
fn time(node: &Node<'_>) -> Result<Option<i64>, Error> {
    let expected = || node.wrong("at", "expected a time such as 2026-01-06T08:21:00Z, or whole milliseconds");
    match node.get("at") {
        None => Ok(None),
        Some(Value::String(text)) => match text.parse::<jiff::Timestamp>() {
            Ok(time) => Ok(Some(time.as_millisecond())),
            Err(_) => Err(expected()),
        },
        Some(value) => value.as_i64().map(Some).ok_or_else(expected),
    }
}

fn account(node: &Node<'_>) -> Result<Account, Error> {
    if node.object.len() > ACCOUNT {
        return Err(Error::invalid(&node.path, format!("expected at most {ACCOUNT} values")));
    }
    // Beyond these a sum of log-odds would be no number.
    let sane = -1e12..=1e12;
    let number = |(name, value): (&String, &Value)| match value.as_f64().filter(|n| sane.contains(n)) {
        Some(number) => Ok((name.clone(), number)),
        None => Err(node.wrong(name, "expected a number from -1e12 to 1e12")),
    };
    node.object.iter().map(number).collect()
}

fn outcome(node: &Node<'_>, turns: &[Turn]) -> Result<Outcome, Error> {
    let place = |key: &str| match node.get(key) {
        None => Ok(None),
        Some(value) => match value.as_u64().and_then(|place| usize::try_from(place).ok()) {
            Some(place) if turns.get(place).is_some_and(|turn| turn.role == Role::Customer) => {
                Ok(Some(place))
            }
            _ => Err(node.wrong(key, "expected the place of a customer's turn among all turns, from 0")),
        },
    };
    let escalated = node.flag("escalated")?.ok_or_else(|| node.wrong("escalated", "is missing"))?;
    let outcome = Outcome {
        escalated,
        turn: place("turn")?,
        forecastable_turn: place("forecastable_turn")?,
        recovered: node.flag("recovered")?,
    };
    if !escalated && outcome.turn.or(outcome.forecastable_turn).is_some() {
        return Err(node.wrong("turn", "is for conversations that escalated"));
    }
    if outcome.forecastable_turn.is_some_and(|onset| outcome.turn.is_none_or(|turn| onset > turn)) {
        return Err(node.wrong("forecastable_turn", "expected at most outcome.turn"));
    }
    Ok(outcome)
}

/// A JSON object and where it lies.
struct Node<'a> {
    object: &'a Map<String, Value>,
    path: String,
}

impl<'a> Node<'a> {
    fn object(value: &'a Value, path: String) -> Result<Self, Error> {
        match value.as_object() {
            Some(object) => Ok(Self { object, path }),
            None if path.is_empty() => Err(Error::new(ErrorKind::InvalidInput, "expected a JSON object")),
            None => Err(Error::invalid(path, "expected an object")),
        }
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn wrong(&self, key: &str, problem: &str) -> Error {
        Error::invalid(self.at(key), problem)
    }

    /// null is as good as nothing.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    fn child(&self, key: &str) -> Result<Option<Self>, Error> {
        self.get(key).map(|value| Self::object(value, self.at(key))).transpose()
    }

    fn text(&self, key: &str) -> Result<Option<String>, Error> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(key, "expected a string")),
        }
    }

    fn required(&self, key: &str) -> Result<String, Error> {
        self.text(key)?.ok_or_else(|| self.wrong(key, "is missing"))
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| self.wrong(key, "expected true or false"))
    }

    fn list(&self, key: &str, most: usize) -> Result<Vec<Self>, Error> {
        match self.get(key).and_then(Value::as_array) {
            Some(list) if list.len() <= most => {
                let object = |(n, value)| Self::object(value, format!("{}[{n}]", self.at(key)));
                list.iter().enumerate().map(object).collect()
            }
            _ => Err(self.wrong(key, &format!("expected a list of at most {most}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"id":"a","channel":"chat","account":{"vip":1},"turns":[{"role":"customer","text":"secret",
        "at":"2026-01-06T08:21:00Z"},{"role":"agent","participant":"maria","text":"hi","at":5}],
        "outcome":{"escalated":true,"turn":0,"recovered":null}}"#;

    fn read(text: &str) -> Result<Vec<Record>, Error> {
        records(text.replace('\n', " ").replace('|', "\n").as_bytes(), "h.jsonl")
    }

    #[test]
    fn a_line_is_read_whole_and_what_it_leaves_out_is_unknown() {
        let records = read(&format!("{GOOD}||{{\"id\":\"b\",\"turns\":[]}}|")).unwrap();
        let turns = &records[0].conversation.turns;
        assert_eq!((turns[0].at_ms, turns[1].at_ms), (Some(1_767_687_660_000), Some(5)));
        assert_eq!((turns[0].participant.as_str(), turns[1].participant.as_str()), ("customer", "maria"));
        assert_eq!(records[0].account["vip"], 1.0);
        let outcome = Outcome { escalated: true, turn: Some(0), ..Outcome::default() };
        assert_eq!((records[0].outcome, records[1].outcome), (Some(outcome), None));
        assert_eq!((records[1].line, records[1].conversation.channel), (3, Channel::Unknown));
    }

    #[test]
    fn what_is_wrong_is_said_by_line_and_field_and_never_by_the_text() {
        for (from, to, expected) in [
            ("\"chat\"", "\"fax\"", "line 1: channel: expected one of unknown, chat"),
            ("\"customer\"", "\"secret\"", "line 1: turns[0].role: expected one of customer"),
            ("\"secret\"", "7", "line 1: turns[0].text: expected a string"),
            ("\"at\":5", "\"at\":\"secret\"", "line 1: turns[1].at: expected a time"),
            ("\"vip\":1", "\"vip\":\"secret\"", "line 1: account.vip: expected a number"),
            ("\"turn\":0", "\"turn\":1", "line 1: outcome.turn: expected the place of a customer's turn"),
            ("\"turn\":0", "\"turn\":9", "line 1: outcome.turn: expected the place of a customer's turn"),
            ("true,", "false,", "line 1: outcome.turn: is for conversations that escalated"),
            ("\"escalated\":true,", "", "line 1: outcome.escalated: is missing"),
            ("\"turn\":0", "\"forecastable_turn\":0", "line 1: outcome.forecastable_turn: expected at most"),
            ("\"id\":\"a\",", "", "line 1: id: is missing"),
            ("[", "{", "line 1: is no JSON, at column"),
        ] {
            let error = read(&GOOD.replacen(from, to, 1)).unwrap_err();
            assert!(error.public().contains(expected), "{}", error.public());
            assert!(!error.public().contains("secret"), "{}", error.public());
        }
        assert!(read(&format!("{GOOD}|{GOOD}")).unwrap_err().public().contains("line 2: id: line 1 has"));
    }
}
