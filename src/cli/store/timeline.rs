//! Interactions and signals for people, a few lines each.

use super::super::paint::{BOLD, DIM, sentiment, styled, visible};
use super::profile::{feeling, signed};
use super::time;
use crate::api::grpc::v1::SentimentLabel;
use crate::storage::{SignalRow, TimelineEntry};

/// Characters of a text that are shown.
const SHOWN: usize = 160;
/// Reasons that are shown per signal.
const REASONS: usize = 3;

/// An interaction: when, where, how it feels, what was said as far as it is kept, and what was read in it.
pub(super) fn entry(of: &TimelineEntry) -> String {
    let (heard, read) = (&of.observation, &of.assessment);
    let (style, sign) = sentiment(label(of));
    let score = read.score.map_or_else(|| " ".repeat(5), signed);
    let head = styled(style, &format!("{sign} {score}"));
    let words = match &of.text.text {
        Some(text) => clipped(&visible(text)),
        None => styled(DIM, "(no text is kept)"),
    };
    let at = styled(DIM, &time(heard.at_ms));
    let mut told: Vec<String> =
        heard.cues.iter().map(|(cue, strength)| format!("{cue} {strength:.2}")).collect();
    told.extend(read.emotion.clone().filter(|emotion| emotion != "neutral"));
    told.extend(heard.nps.map(|nps| format!("nps {nps}")));
    told.extend(heard.csat.map(|csat| format!("csat {csat:.2}")));
    if read.status != "ok" {
        told.push(read.status.clone());
    }
    told.push(format!("{} {}", visible(&of.source), visible(&of.external_id)));
    format!("{at}  {:<8} {head}  {words}\n{:22}{}\n", heard.channel, "", styled(DIM, &told.join(" · ")))
}

fn label(of: &TimelineEntry) -> SentimentLabel {
    match of.assessment.label.as_deref() {
        Some("negative") => SentimentLabel::Negative,
        Some("positive") => SentimentLabel::Positive,
        Some("mixed") => SentimentLabel::Mixed,
        _ => of.assessment.score.map_or(SentimentLabel::Unspecified, feeling),
    }
}

fn clipped(words: &str) -> String {
    match words.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", words[..end].trim_end()),
        None => words.to_owned(),
    }
}

/// A signal: when, what, how much, and why.
pub(super) fn signal(row: &SignalRow) -> String {
    let signal = &row.signal;
    let why = signal.reasons.iter().take(REASONS);
    let why: Vec<String> = why.map(|reason| format!("{} {:+.2}", reason.code, reason.contribution)).collect();
    format!(
        "{:>8}  {}  {}  {:.2}  {}\n          {}\n",
        row.cursor,
        styled(DIM, &time(signal.at_ms)),
        styled(BOLD, signal.kind.name()),
        signal.value,
        visible(&row.key.customer),
        styled(DIM, &why.join(" · "))
    )
}
