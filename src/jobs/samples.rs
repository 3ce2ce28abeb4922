//! Rows and assessments for the tests of this module.

use super::table::{Column, Layout, Row, Scored, ScoredRow};
use crate::domain::emotion::EKMAN_GROUPS;
use crate::domain::{Assessment, LabelAssessment, Probability, Sentiment, Status};

/// An assessment with this P(positive), the rest negative, and these emotions.
pub(super) fn assessment(positive: f64, emotions: &[(&str, f64)]) -> Assessment {
    let p = |value| Probability::try_new(value).unwrap();
    let label = |(label, value): &(&str, f64)| LabelAssessment {
        label: (*label).to_owned(),
        probability: p(*value),
        threshold: p(0.25),
        predicted: true,
        evidence: None,
    };
    Assessment {
        status: Status::Ok,
        language: Some("en".into()),
        language_confidence: 0.9,
        coverage: 1.0,
        token_count: 7,
        window_count: 1,
        evidence: None,
        sentiment: Some(Sentiment::new(p(1.0 - positive), p(0.0), p(positive))),
        emotions: emotions.iter().map(label).collect(),
        emotion_groups: EKMAN_GROUPS.iter().map(|(group, _)| (*group, p(0.125))).collect(),
        cues: Vec::new(),
        other_heads: Vec::new(),
        sentences: Vec::new(),
        model_id: "tiny".into(),
        model_version: "1".into(),
    }
}

/// Columns of these names.
pub(super) fn columns(names: &[&str]) -> Vec<Column> {
    names.iter().map(|name| Column { name: (*name).to_owned(), question: None }).collect()
}

/// A layout with these text columns and nothing else.
pub(super) fn layout(text: &[usize]) -> Layout {
    Layout { source: "table".into(), text: text.to_vec(), ..Layout::default() }
}

/// A row of these cells.
pub(super) fn row(number: u64, cells: &[&str]) -> Row {
    Row { number, place: number + 1, cells: cells.iter().map(|cell| (*cell).to_owned()).collect() }
}

/// A row whose texts have these outcomes.
pub(super) fn scored(row: Row, outcomes: Vec<(usize, Result<Assessment, String>)>) -> ScoredRow {
    let texts = outcomes.into_iter().map(|(column, outcome)| Scored { column, outcome }).collect();
    ScoredRow { row, texts }
}
