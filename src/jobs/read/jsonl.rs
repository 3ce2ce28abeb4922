//! A JSON object per line; the file is read twice, first for the fields that there are.
//!
//! Values that are no strings are kept as they are written, so that long numbers lose no digit. `null` is an empty cell.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::origin::Origin;
use super::rows::{Fault, Record, Source};
use super::text::{opened, split_lines};
use super::{COLUMNS, ReadOptions};
use crate::error::Error;

/// Opens it. Errors: `InvalidInput` for more than [`COLUMNS`] different fields, `Unavailable` when no copy can be made of
/// a stream.
pub(super) fn open(origin: Origin, options: &ReadOptions) -> Result<Source, Error> {
    let (form, mut notes, text) = opened(&origin, options)?;
    let name = origin.name.clone();
    let (again, copied) = origin.again()?;
    if copied {
        notes.push("JSON lines are read twice, so they were copied to a temporary file".into());
    }
    let mut keys = Keys::default();
    for line in split_lines(again.origin(&name)?, text).flatten() {
        // A line that can't be read is told when it is read as a row.
        for (key, _) in fields(line.cells.first().map_or("", String::as_str)).unwrap_or_default() {
            keys.note(key);
        }
        if keys.names.len() > COLUMNS {
            let problem = format!("{name} has more than {COLUMNS} different fields");
            return Err(Error::invalid("file", problem));
        }
    }
    if keys.names.is_empty() {
        return Err(Error::invalid("file", format!("{name} has no line that is a JSON object with a field")));
    }
    let header = Record { place: 0, cells: keys.names.clone(), blank: false };
    let lines = split_lines(again.origin(&name)?, text).filter(|line| !line.as_ref().is_ok_and(is_blank));
    let rows = lines.map(move |line| keys.record(line?));
    let records = Box::new(std::iter::once(Ok(header)).chain(rows));
    Ok(Source { form: format!("JSON lines, {form}"), records, named: true, notes })
}

fn is_blank(line: &Record) -> bool {
    line.cells.iter().all(|cell| cell.trim().is_empty())
}

/// The fields in the order in which they first occur.
#[derive(Default)]
struct Keys {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Keys {
    fn note(&mut self, key: String) {
        if !self.places.contains_key(&key) {
            self.places.insert(key.clone(), self.names.len());
            self.names.push(key);
        }
    }

    fn record(&self, line: Record) -> Result<Record, Fault> {
        let place = line.place;
        let fault = |reason: String| Fault { place, reason, ..Fault::default() };
        let found = fields(line.cells.first().map_or("", String::as_str)).map_err(fault)?;
        let mut cells: Vec<Option<String>> = vec![None; self.names.len()];
        for (key, value) in found {
            let Some(at) = self.places.get(&key) else {
                return Err(fault("has a field that was not there when the file was read first".into()));
            };
            if cells[*at].replace(value).is_some() {
                return Err(fault(format!("has the field of column {} twice", at + 1)));
            }
        }
        let cells = cells.into_iter().map(Option::unwrap_or_default).collect();
        Ok(Record { place, cells, blank: false })
    }
}

/// The fields of an object in their order; the reason quotes nothing of it.
fn fields(line: &str) -> Result<Vec<(String, String)>, String> {
    let mut json = serde_json::Deserializer::from_str(line);
    let pairs = json.deserialize_map(Pairs).and_then(|pairs| json.end().map(|()| pairs));
    pairs.map_err(|e| match e.classify() {
        serde_json::error::Category::Data if line.trim_start().starts_with('{') => {
            "has a string that is no Unicode text".into()
        }
        serde_json::error::Category::Data => "is no JSON object".into(),
        _ => format!("is no JSON from byte {} on", e.column()),
    })
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, String)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut pairs = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
            pairs.push((key, text(value.get())?));
        }
        Ok(pairs)
    }
}

/// A value as text: a string's content, anything else as it is written.
fn text<E: serde::de::Error>(value: &str) -> Result<String, E> {
    match value {
        "null" => Ok(String::new()),
        string if string.starts_with('"') => serde_json::from_str(string).map_err(E::custom),
        other => Ok(other.to_owned()),
    }
}

#[cfg(test)]
#[path = "jsonl_tests.rs"]
mod tests;
