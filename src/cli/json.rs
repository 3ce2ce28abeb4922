//! Assessments as JSON: the flat field names that exports use, with evidence as text and offsets.

use serde::Serialize;

use crate::api::grpc::v1::{self, item_result::Outcome};
use crate::error::Error;

#[derive(Serialize)]
struct Row<'a> {
    text: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    coverage: f64,
    sentiment_label: Option<&'static str>,
    sentiment_score: Option<f64>,
    sentiment: Option<Probabilities>,
    sentiment_evidence: Vec<ClassEvidence<'a>>,
    emotion_top: Option<&'a str>,
    emotions: Vec<Label<'a>>,
    cues: Vec<Label<'a>>,
    /// Heads that attune has no own field for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    heads: Vec<Head<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sentences: Vec<Sentence<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence_method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence_windows: Option<u32>,
    model: Option<String>,
}

#[derive(Serialize)]
struct Probabilities {
    negative: f64,
    neutral: f64,
    positive: f64,
}

#[derive(Serialize)]
struct ClassEvidence<'a> {
    label: &'a str,
    evidence: Vec<Words<'a>>,
}

#[derive(Serialize)]
struct Label<'a> {
    label: &'a str,
    probability: f64,
    predicted: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<Words<'a>>,
}

#[derive(Serialize)]
struct Head<'a> {
    head: &'a str,
    labels: Vec<Label<'a>>,
}

#[derive(Serialize)]
struct Words<'a> {
    text: &'a str,
    char_start: u32,
    char_end: u32,
    contribution: f64,
}

#[derive(Serialize)]
struct Sentence<'a> {
    text: &'a str,
    sentiment_label: Option<&'static str>,
    sentiment_score: Option<f64>,
    emotions: Vec<Label<'a>>,
    cues: Vec<Label<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    heads: Vec<Head<'a>>,
}

/// One result as one line, with its line break.
pub(super) fn line(text: &str, result: &v1::ItemResult) -> Result<Vec<u8>, Error> {
    let mut bytes = serde_json::to_vec(&row(text, result)).map_err(Error::internal)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn row<'a>(text: &'a str, result: &'a v1::ItemResult) -> Row<'a> {
    let (assessment, error) = match &result.outcome {
        Some(Outcome::Assessment(a)) => (Some(a), None),
        Some(Outcome::Error(e)) => (None, Some(e.message.as_str())),
        None => (None, Some("the server sent no outcome")),
    };
    let model = assessment.and_then(|a| a.model.as_ref()).map(|m| format!("{}@{}", m.id, m.version));
    let Some(a) = assessment else {
        return Row { status: "error", error, model, ..empty(text) };
    };
    let sentiment = a.sentiment.as_ref();
    Row {
        text,
        status: status_name(a.status()),
        error: None,
        language: (!a.language.is_empty()).then_some(a.language.as_str()),
        coverage: a.coverage,
        sentiment_label: sentiment.map(|s| sentiment_name(s.label())),
        sentiment_score: sentiment.map(|s| rounded(s.score)),
        sentiment: sentiment.map(|s| Probabilities {
            negative: rounded(s.negative),
            neutral: rounded(s.neutral),
            positive: rounded(s.positive),
        }),
        sentiment_evidence: sentiment
            .into_iter()
            .flat_map(|s| &s.evidence)
            .map(|e| ClassEvidence { label: &e.label, evidence: words(text, e.evidence.as_ref()) })
            .collect(),
        emotion_top: a.emotions.first().map(|l| l.label.as_str()),
        emotions: labels(text, &a.emotions),
        cues: labels(text, &a.cues),
        heads: heads(text, &a.other_heads),
        evidence_method: evidence_method(a.evidence_method()),
        evidence_windows: evidence_method(a.evidence_method()).map(|_| a.evidence_windows),
        sentences: a.sentences.iter().map(|s| sentence(text, s)).collect(),
        model,
    }
}

fn empty(text: &str) -> Row<'_> {
    Row {
        text,
        status: "error",
        error: None,
        language: None,
        coverage: 0.0,
        sentiment_label: None,
        sentiment_score: None,
        sentiment: None,
        sentiment_evidence: Vec::new(),
        emotion_top: None,
        emotions: Vec::new(),
        cues: Vec::new(),
        heads: Vec::new(),
        sentences: Vec::new(),
        evidence_method: None,
        evidence_windows: None,
        model: None,
    }
}

fn sentence<'a>(text: &'a str, from: &'a v1::SentenceAssessment) -> Sentence<'a> {
    let span = from.span.unwrap_or_default();
    Sentence {
        text: slice(text, span.byte_start, span.byte_end),
        sentiment_label: from.sentiment.as_ref().map(|s| sentiment_name(s.label())),
        sentiment_score: from.sentiment.as_ref().map(|s| rounded(s.score)),
        emotions: labels(text, &from.emotions),
        cues: labels(text, &from.cues),
        heads: heads(text, &from.other_heads),
    }
}

fn heads<'a>(text: &'a str, from: &'a [v1::HeadAssessment]) -> Vec<Head<'a>> {
    from.iter().map(|h| Head { head: &h.head, labels: labels(text, &h.labels) }).collect()
}

fn labels<'a>(text: &'a str, from: &'a [v1::LabelAssessment]) -> Vec<Label<'a>> {
    from.iter()
        .map(|l| Label {
            label: &l.label,
            probability: rounded(l.probability),
            predicted: l.predicted,
            evidence: words(text, l.evidence.as_ref()),
        })
        .collect()
}

fn words<'a>(text: &'a str, from: Option<&'a v1::Evidence>) -> Vec<Words<'a>> {
    from.into_iter()
        .flat_map(|e| &e.spans)
        .map(|s| {
            let span = s.span.unwrap_or_default();
            Words {
                text: slice(text, span.byte_start, span.byte_end),
                char_start: span.char_start,
                char_end: span.char_end,
                contribution: rounded(s.contribution),
            }
        })
        .collect()
}

/// The text of a span; empty when a server's offsets don't fit the text.
pub(super) fn slice(text: &str, start: u32, end: u32) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}

pub(super) fn status_name(status: v1::Status) -> &'static str {
    match status {
        v1::Status::Unspecified => "unspecified",
        v1::Status::Ok => "ok",
        v1::Status::Empty => "empty",
        v1::Status::UnsupportedLanguage => "unsupported_language",
    }
}

/// How evidence was found; `None` where none was looked for.
pub(super) fn evidence_method(method: v1::EvidenceMethod) -> Option<&'static str> {
    match method {
        v1::EvidenceMethod::Unspecified => None,
        v1::EvidenceMethod::Contributions => Some("contributions"),
        v1::EvidenceMethod::Occlusion => Some("occlusion"),
    }
}

pub(super) fn sentiment_name(label: v1::SentimentLabel) -> &'static str {
    match label {
        v1::SentimentLabel::Unspecified => "unspecified",
        v1::SentimentLabel::Negative => "negative",
        v1::SentimentLabel::Neutral => "neutral",
        v1::SentimentLabel::Positive => "positive",
        v1::SentimentLabel::Mixed => "mixed",
    }
}

pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
