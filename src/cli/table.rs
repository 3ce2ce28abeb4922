//! An assessment for people: the text with its evidence marked, then one line per finding.

use std::io::Write;

use super::json::{evidence_method, sentiment_name, slice, status_name};
use super::paint::{BOLD, DIM, bar, evidence_ranges, marked_to, sentiment, styled, visible};
use crate::api::grpc::v1::{self, item_result::Outcome};

/// Long texts are shown up to here, in bytes.
const SHOWN: usize = 1200;
/// Width of the label column.
const LABEL: usize = 24;

/// Writes one result.
pub(super) fn render(text: &str, result: &v1::ItemResult, out: &mut Vec<u8>) {
    // Writing into a Vec can't fail.
    let _ = match &result.outcome {
        Some(Outcome::Assessment(assessment)) => write_assessment(text, assessment, out),
        Some(Outcome::Error(error)) => {
            writeln!(out, "{}\n  not scored: {}\n", marked_to(text, SHOWN, &[], BOLD), error.message)
        }
        None => writeln!(out, "  not scored: the server sent no outcome\n"),
    };
}

fn write_assessment(text: &str, a: &v1::Assessment, out: &mut Vec<u8>) -> std::io::Result<()> {
    match &a.sentiment {
        Some(feeling) => write_sentiment(text, feeling, out)?,
        None => writeln!(out, "{}", marked_to(text, SHOWN, &[], BOLD))?,
    }
    if a.status() != v1::Status::Ok {
        let language = if a.language.is_empty() { String::new() } else { format!(" ({})", a.language) };
        return writeln!(out, "  {}{language}\n", styled(DIM, status_name(a.status())));
    }
    for (title, labels) in [("emotion", &a.emotions), ("cue", &a.cues)] {
        for label in labels {
            write_label(text, title, label, out)?;
        }
    }
    for head in &a.other_heads {
        for label in &head.labels {
            write_label(text, &head.head, label, out)?;
        }
    }
    for sentence in &a.sentences {
        write_sentence(text, sentence, out)?;
    }
    let windows = if a.window_count > 1 { format!(", {} windows", a.window_count) } else { String::new() };
    let method = match (evidence_method(a.evidence_method()), a.evidence_windows) {
        (Some("occlusion"), looked) if looked > 0 && looked < a.window_count => {
            format!(", evidence by occlusion in the first {looked} windows")
        }
        (Some("occlusion"), _) => ", evidence by occlusion".to_owned(),
        _ => String::new(),
    };
    let note = format!("{} tokens{windows}, coverage {:.0} %{method}", a.token_count, a.coverage * 100.0);
    writeln!(out, "  {}\n", styled(DIM, &note))
}

fn write_sentiment(text: &str, feeling: &v1::Sentiment, out: &mut Vec<u8>) -> std::io::Result<()> {
    let (style, sign) = sentiment(feeling.label());
    writeln!(out, "{}", marked_to(text, SHOWN, &evidence_ranges(feeling), style))?;
    let name = sentiment_name(feeling.label());
    let words = feeling.evidence.iter().flat_map(|e| top_words(text, e.evidence.as_ref()));
    writeln!(
        out,
        "  {} {} {:+.2}  {}",
        styled(style, sign),
        styled(style, &format!("{name:<LABEL$}", LABEL = LABEL - 2)),
        feeling.score,
        words.collect::<Vec<_>>().join(styled(DIM, " · ").as_str())
    )
}

fn write_label(
    text: &str,
    title: &str,
    label: &v1::LabelAssessment,
    out: &mut Vec<u8>,
) -> std::io::Result<()> {
    let name = format!("{title} {}", styled(BOLD, &label.label));
    let pad = " ".repeat(LABEL.saturating_sub(title.len() + 1 + label.label.len()));
    let words = top_words(text, label.evidence.as_ref()).join(styled(DIM, " · ").as_str());
    let below = if label.predicted { "" } else { " (below its threshold)" };
    writeln!(
        out,
        "  {name}{pad} {:>4.0} % {} {words}{}",
        label.probability * 100.0,
        bar(label.probability),
        styled(DIM, below)
    )
}

fn write_sentence(text: &str, s: &v1::SentenceAssessment, out: &mut Vec<u8>) -> std::io::Result<()> {
    let span = s.span.unwrap_or_default();
    let (style, sign, score) = match &s.sentiment {
        Some(feeling) => {
            let (style, sign) = sentiment(feeling.label());
            (style, sign, feeling.score)
        }
        None => (DIM, " ", 0.0),
    };
    let others = s.other_heads.iter().flat_map(|head| &head.labels);
    let labels = s.emotions.iter().chain(&s.cues).chain(others).filter(|l| l.predicted);
    let labels: Vec<&str> = labels.map(|l| l.label.as_str()).collect();
    writeln!(
        out,
        "    {} {score:+.2} {}  {}",
        styled(style, sign),
        visible(slice(text, span.byte_start, span.byte_end)),
        styled(DIM, &labels.join(", "))
    )
}

/// The words that speak for a label, strongest first, with their contribution.
fn top_words(text: &str, evidence: Option<&v1::Evidence>) -> Vec<String> {
    let mut spans: Vec<_> = evidence.into_iter().flat_map(|e| &e.spans).collect();
    spans.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
    spans
        .into_iter()
        .filter(|s| s.contribution > 0.0)
        .take(3)
        .map(|s| {
            let span = s.span.unwrap_or_default();
            let words = visible(slice(text, span.byte_start, span.byte_end));
            format!("“{words}” {}", styled(DIM, &format!("{:+.1}", s.contribution)))
        })
        .collect()
}
