//! One JSON object per line: the cells as strings, labels as lists with their probabilities, `null` for what is not known.

use serde::Serialize;
use serde_json::Value as Json;

use super::super::table::ScoredRow;
use super::Encoder;
use super::schema::{Schema, Value, rounded};
use crate::domain::LabelAssessment;

/// Writes JSON lines.
pub(in super::super) struct Jsonl {
    pub(super) schema: Schema,
}

#[derive(Serialize)]
struct Label<'a> {
    label: &'a str,
    probability: f64,
}

impl<'a> From<&'a LabelAssessment> for Label<'a> {
    fn from(label: &'a LabelAssessment) -> Self {
        Self { label: &label.label, probability: rounded(label.probability.get()) }
    }
}

impl Encoder for Jsonl {
    fn head(&self, _: &mut Vec<u8>) {}

    fn row(&self, row: &ScoredRow, out: &mut Vec<u8>) {
        out.push(b'{');
        for (at, (name, value)) in self.schema.names().zip(self.schema.values(row)).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            put(&name, out);
            out.push(b':');
            match value {
                Value::Text(text) => put(&text, out),
                Value::Number(number) => put(&number, out),
                Value::Missing => put(&Json::Null, out),
                Value::Labels(all) => put(&all.into_iter().map(Label::from).collect::<Vec<_>>(), out),
            }
        }
        out.extend_from_slice(b"}\n");
    }
}

fn put(value: &impl Serialize, out: &mut Vec<u8>) {
    // Strings and finite numbers are always JSON, and memory always takes them.
    if let Err(error) = serde_json::to_writer(&mut *out, value) {
        debug_assert!(false, "{error}");
    }
}
