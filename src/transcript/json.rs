//! JSON with paths: every value knows where it stands, so that an error can say `Transcript[3].ParticipantId`.
//!
//! The values are read by hand and not by derived readers, whose messages quote what they did not expect.

use serde_json::Value;

use super::assemble::{line, refuse};
use crate::error::Error;

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node<'a> {
    value: &'a Value,
    path: String,
}

/// A document of a file, with what its paths begin with.
pub(super) struct Document {
    value: Value,
    place: String,
}

impl Document {
    pub(super) fn root(&self) -> Node<'_> {
        Node { value: &self.value, path: self.place.clone() }
    }
}

/// The file's documents: one, the items of an array that satisfy `is_one`, or one after the other as in JSONL.
pub(super) fn documents(text: &str, is_one: fn(&Value) -> bool) -> Result<Vec<Document>, Error> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let (mut found, mut at, mut number) = (Vec::new(), 0, 1);
    loop {
        let blank = text[at..].len() - text[at..].trim_start().len();
        number += text[at..at + blank].matches('\n').count();
        at += blank;
        match values.next() {
            None => break,
            Some(Ok(value)) => found.push(Document { value, place: format!("{}: ", line(number)) }),
            Some(Err(error)) => return Err(syntax(&error)),
        }
        let end = values.byte_offset();
        number += text[at..end].matches('\n').count();
        at = end;
    }
    match found.as_mut_slice() {
        [] => Err(refuse("file", "is empty")),
        [one] => {
            one.place.clear();
            match &mut one.value {
                Value::Array(items) if items.first().is_some_and(is_one) => {
                    let items = std::mem::take(items).into_iter().enumerate();
                    Ok(items.map(|(n, value)| Document { value, place: format!("[{n}]") }).collect())
                }
                _ => Ok(found),
            }
        }
        _ => Ok(found),
    }
}

/// One line's value. Its paths begin with the line's number.
pub(super) fn of_line(text: &str, number: usize) -> Result<Document, Error> {
    let place = format!("{}: ", line(number));
    let value = serde_json::from_str(text).map_err(|e| {
        refuse(&place, format!("is not JSON at column {}; a line holds one conversation", e.column()))
    })?;
    Ok(Document { value, place })
}

/// The first value of a text, when it begins with one.
pub(super) fn first(text: &str) -> Option<Value> {
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok()
}

fn syntax(error: &serde_json::Error) -> Error {
    let place = format!("line {}, column {}", error.line(), error.column());
    let problem = if error.is_eof() { "the JSON ends here and is not complete" } else { "is not JSON" };
    refuse(&place, problem)
}

impl<'a> Node<'a> {
    pub(super) fn path(&self) -> &str {
        if self.path.is_empty() { "file" } else { &self.path }
    }

    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    /// The field, unless it is missing or null.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Self { value, path: self.child(key) })
    }

    pub(super) fn need(&self, key: &str) -> Result<Self, Error> {
        self.get(key).ok_or_else(|| refuse(&self.child(key), "is missing"))
    }

    pub(super) fn str(&self, key: &str) -> Result<Option<&'a str>, Error> {
        self.get(key).map(|node| node.value.as_str().ok_or_else(|| node.wrong("a string"))).transpose()
    }

    /// A string or a whole number, as a string; an empty one is none.
    pub(super) fn id(&self, key: &str) -> Result<Option<String>, Error> {
        let id = self.get(key).map(|node| match node.value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) if !number.is_f64() => Ok(number.to_string()),
            _ => Err(node.wrong("a string or a whole number")),
        });
        Ok(id.transpose()?.filter(|id| !id.is_empty()))
    }

    pub(super) fn integer(&self, key: &str) -> Result<Option<i64>, Error> {
        self.get(key).map(|node| node.value.as_i64().ok_or_else(|| node.wrong("a whole number"))).transpose()
    }

    pub(super) fn bool(&self, key: &str) -> Result<Option<bool>, Error> {
        self.get(key).map(|node| node.value.as_bool().ok_or_else(|| node.wrong("true or false"))).transpose()
    }

    /// The field's items; none when it is missing.
    pub(super) fn list(&self, key: &str) -> Result<Vec<Self>, Error> {
        self.get(key).map_or(Ok(Vec::new()), |node| node.items())
    }

    pub(super) fn items(&self) -> Result<Vec<Self>, Error> {
        let items = self.value.as_array().ok_or_else(|| self.wrong("an array"))?;
        let node = |(at, value)| Self { value, path: format!("{}[{at}]", self.path) };
        Ok(items.iter().enumerate().map(node).collect())
    }

    /// The object's fields.
    pub(super) fn fields(&self) -> Result<&'a serde_json::Map<String, Value>, Error> {
        self.value.as_object().ok_or_else(|| self.wrong("an object"))
    }

    /// A date in RFC 3339, in milliseconds.
    pub(super) fn date(&self, key: &str) -> Result<Option<i64>, Error> {
        let Some(text) = self.str(key)? else { return Ok(None) };
        let date = super::times::date(text);
        date.map(Some).ok_or_else(|| refuse(&self.child(key), "expected a time such as 2026-03-02T10:00:00Z"))
    }

    /// A time in Unix seconds, in milliseconds.
    pub(super) fn seconds(&self, key: &str) -> Result<Option<i64>, Error> {
        let seconds = self.integer(key)?;
        let ms = seconds.map(|seconds| {
            seconds
                .checked_mul(1000)
                .ok_or_else(|| refuse(&self.child(key), "expected a time in Unix seconds"))
        });
        ms.transpose()
    }

    pub(super) fn wrong(&self, expected: &str) -> Error {
        let found = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        refuse(self.path(), format!("expected {expected}, found {found}"))
    }

    fn child(&self, key: &str) -> String {
        let separator = if self.path.is_empty() || self.path.ends_with(": ") { "" } else { "." };
        format!("{}{separator}{key}", self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_stand_alone_in_an_array_or_one_after_the_other_with_their_lines() {
        let paths = |text: &str| {
            let found = documents(text, Value::is_object).unwrap();
            found.iter().map(|d| d.root().need("x").err().unwrap().public().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(paths("{}"), ["x: is missing"]);
        assert_eq!(paths("[{}, {\"x\": null}]"), ["[0].x: is missing", "[1].x: is missing"]);
        assert_eq!(
            paths("\n{}\n\n{\n}\n{}"),
            ["line 2: x: is missing", "line 4: x: is missing", "line 6: x: is missing"]
        );
    }

    #[test]
    fn what_is_not_json_is_named_by_line_and_column_and_never_quoted() {
        for (text, problem) in [
            ("", "file: is empty"),
            ("{\"a\": \n secret}", "line 2, column 2: is not JSON"),
            ("{\"a\": ", "line 1, column 6: the JSON ends here"),
        ] {
            let error = documents(text, Value::is_object).err().unwrap();
            assert!(error.public().starts_with(problem), "{error}");
        }
        let deep = "[".repeat(100_000);
        assert!(documents(&deep, Value::is_object).is_err());
    }

    #[test]
    fn a_wrong_type_is_named_without_the_value() {
        let value = serde_json::json!({"turns": [{"text": 7, "at": "soon", "on": 9e300}]});
        let document = Document { value, place: "line 3: ".into() };
        let turn = &document.root().list("turns").unwrap()[0];
        for (error, expected) in [
            (turn.str("text").err(), "line 3: turns[0].text: expected a string, found a number"),
            (turn.date("at").err(), "line 3: turns[0].at: expected a time such as 2026-03-02T10:00:00Z"),
            (turn.id("on").err(), "line 3: turns[0].on: expected a string or a whole number, found a number"),
            (turn.items().err(), "line 3: turns[0]: expected an array, found an object"),
        ] {
            assert_eq!(error.unwrap().public(), expected);
        }
    }
}
