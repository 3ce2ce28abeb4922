//! The columns of the output and their values: those of the input as they stood, then the flat fields per text column.
//!
//! With several text columns each field has its column's name in front. A name that the input has already gets `attune_`
//! in front; names differ by more than case, because warehouses want that.

use std::borrow::Cow;
use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::super::table::{Column, Layout, Scored, ScoredRow};
use crate::domain::{Assessment, LabelAssessment, Status};

/// A field of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    SentimentScore,
    SentimentLabel,
    EmotionTop,
    Emotions,
    Cues,
    Language,
    Coverage,
    Status,
    InputHash,
    Question,
}

const FIELDS: [(&str, Field); 9] = [
    ("sentiment_score", Field::SentimentScore),
    ("sentiment_label", Field::SentimentLabel),
    ("emotion_top", Field::EmotionTop),
    ("emotions", Field::Emotions),
    ("cues", Field::Cues),
    ("language", Field::Language),
    ("coverage", Field::Coverage),
    ("status", Field::Status),
    ("input_hash", Field::InputHash),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// A column of the input.
    Cell(usize),
    /// A field of the text at this place.
    Text(usize, Field),
    ModelVersion,
    ScoredAt,
    SourceId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct OutputColumn {
    name: String,
    origin: Origin,
}

/// What a cell of the output holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    /// Text, as it stands.
    Text(Cow<'a, str>),
    /// A finite number.
    Number(f64),
    /// Labels, likeliest first.
    Labels(Vec<&'a LabelAssessment>),
    /// Nothing is known.
    Missing,
}

/// What a column of the output holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A cell of the input: never missing.
    Cell,
    /// Text or nothing.
    Text,
    /// A number or nothing.
    Number,
}

/// The columns of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    columns: Vec<OutputColumn>,
    questions: Vec<Option<String>>,
    id: Option<usize>,
    model: String,
    scored_at: String,
}

impl Schema {
    /// For a table, a model's version, and the time that is given as that of the scores.
    pub fn new(columns: &[Column], layout: &Layout, model: &str, scored_at: &str) -> Self {
        let questions: Vec<Option<String>> =
            layout.text.iter().map(|at| columns.get(*at).and_then(|c| c.question.clone())).collect();
        let mut all: Vec<OutputColumn> = columns.iter().enumerate().map(|(at, c)| input(at, c)).collect();
        let mut taken: HashSet<String> = all.iter().map(|c| c.name.to_lowercase()).collect();
        let mut add = |name: String, origin| all.push(OutputColumn { name: free(name, &mut taken), origin });
        for (place, column) in layout.text.iter().enumerate() {
            let several = columns.get(*column).filter(|_| layout.text.len() > 1);
            let named = |field: &str| several.map_or(field.to_owned(), |c| format!("{}_{field}", c.name));
            for (name, field) in FIELDS {
                add(named(name), Origin::Text(place, field));
            }
            if questions[place].is_some() {
                add(named("question"), Origin::Text(place, Field::Question));
            }
        }
        add("model_version".into(), Origin::ModelVersion);
        add("scored_at".into(), Origin::ScoredAt);
        add("source_id".into(), Origin::SourceId);
        let (model, scored_at) = (model.to_owned(), scored_at.to_owned());
        Self { columns: all, questions, id: layout.id, model, scored_at }
    }

    /// Names of the columns, in their order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// What the columns hold, in their order.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.columns.iter().map(|column| match column.origin {
            Origin::Cell(_) => Kind::Cell,
            Origin::Text(_, Field::SentimentScore | Field::Coverage) => Kind::Number,
            Origin::Text(..) | Origin::ModelVersion | Origin::ScoredAt | Origin::SourceId => Kind::Text,
        })
    }

    /// A row's values, in the order of the columns.
    pub(super) fn values<'a>(&'a self, row: &'a ScoredRow) -> impl Iterator<Item = Value<'a>> {
        self.columns.iter().map(|column| self.value(column, row))
    }

    fn value<'a>(&'a self, column: &OutputColumn, row: &'a ScoredRow) -> Value<'a> {
        let cell = |at: usize| row.row.cells.get(at).map_or("", String::as_str);
        match column.origin {
            Origin::Cell(at) => text(cell(at)),
            Origin::ModelVersion => text(&self.model),
            Origin::ScoredAt => text(&self.scored_at),
            Origin::SourceId => match self.id.map(cell).filter(|id| !id.is_empty()) {
                Some(id) => text(id),
                None => Value::Text(row.row.number.to_string().into()),
            },
            Origin::Text(place, Field::Question) => optional(self.questions[place].as_deref()),
            Origin::Text(place, field) => match row.texts.get(place) {
                Some(scored) => field_value(field, scored, cell(scored.column)),
                None => Value::Missing,
            },
        }
    }
}

fn input(at: usize, column: &Column) -> OutputColumn {
    OutputColumn { name: column.name.clone(), origin: Origin::Cell(at) }
}

/// A name that nobody has.
fn free(name: String, taken: &mut HashSet<String>) -> String {
    let prefixed = format!("attune_{name}");
    let numbered = (2..).map(|n| format!("{prefixed}_{n}"));
    let mut candidates = [name, prefixed.clone()].into_iter().chain(numbered);
    // There is always a next number.
    candidates.find(|name| taken.insert(name.to_lowercase())).unwrap_or(prefixed)
}

fn text(text: &str) -> Value<'_> {
    Value::Text(text.into())
}

fn optional(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Missing, |text| Value::Text(text.into()))
}

fn field_value<'a>(field: Field, scored: &'a Scored, cell: &str) -> Value<'a> {
    match (field, &scored.outcome) {
        (Field::InputHash, _) => Value::Text(input_hash(cell).into()),
        (Field::Status, Err(reason)) => Value::Text(format!("error: {reason}").into()),
        (_, Ok(assessment)) => found(field, assessment),
        (_, Err(_)) => Value::Missing,
    }
}

fn found(field: Field, a: &Assessment) -> Value<'_> {
    match field {
        Field::SentimentScore => a.sentiment.as_ref().map_or(Value::Missing, |s| number(s.score())),
        Field::SentimentLabel => optional(a.sentiment.as_ref().map(|s| s.label.name())),
        Field::EmotionTop => optional(a.emotions.iter().find(|l| l.predicted).map(|l| l.label.as_str())),
        Field::Emotions => labels(&a.emotions, a.status),
        Field::Cues => labels(&a.cues, a.status),
        Field::Language => optional(a.language.as_deref()),
        Field::Coverage => number(a.coverage),
        Field::Status => text(a.status.name()),
        Field::InputHash | Field::Question => Value::Missing,
    }
}

fn labels(all: &[LabelAssessment], status: Status) -> Value<'_> {
    match status {
        Status::Ok => Value::Labels(all.iter().filter(|label| label.predicted).collect()),
        Status::Empty | Status::UnsupportedLanguage => Value::Missing,
    }
}

/// Rounded to four decimals.
pub(super) fn rounded(value: f64) -> f64 {
    // Adding zero takes the sign from a negative one.
    (value * 1e4).round() / 1e4 + 0.0
}

fn number(value: f64) -> Value<'static> {
    Value::Number(rounded(value))
}

/// The first 16 hex digits of SHA-256 over the text's UTF-8.
pub(super) fn input_hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
