//! A text as the report shows it: redacted unless the caller wants it whole, cut where it is long, evidence marked.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::phrases::normal;
use crate::domain::{Assessment, Evidence, EvidenceSpan, SentimentLabel};
use crate::privacy::{Redacted, redact};

/// Longest text that is kept, in bytes: two hundred words. Of a longer one the words around the strongest evidence are.
const TEXT_BYTES: usize = 1200;
/// Bytes that are kept before the strongest evidence when it does not stand at the beginning.
const BEFORE_BYTES: usize = 400;
/// Marks that are kept per text: a model with many cues gives five spans to each.
const MARKS: usize = 60;

/// Words that speak for or against a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Bytes of the kept text.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The label's name.
    pub(super) label: String,
    /// Contribution to the label's log-odds, in thousandths.
    pub(super) milli: i64,
}

/// A text with its marks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marked {
    pub(super) text: String,
    /// Whether there is text before it.
    pub(super) begins_later: bool,
    /// Whether there is text after it.
    pub(super) goes_on: bool,
    /// By where they begin, those of one place by label.
    pub(super) marks: Vec<Mark>,
}

/// A cell as it may be shown.
pub(super) fn cell(text: &str, redacted: bool) -> String {
    if redacted { redact(text).text } else { text.to_owned() }
}

/// A text that is about to be shown.
pub(super) struct Shown {
    redacted: Redacted,
}

impl Shown {
    pub(super) fn new(text: &str, redacted: bool) -> Self {
        let whole = || Redacted { text: text.to_owned(), redactions: Vec::new() };
        Self { redacted: if redacted { redact(text) } else { whole() } }
    }

    /// The words that carry a span as a phrase that can be counted; `None` when they name a person.
    pub(super) fn phrase(&self, span: &EvidenceSpan) -> Option<String> {
        let range = self.redacted.map(span.core.0..span.core.1);
        let named = self.redacted.redactions.iter();
        let personal = named.clone().any(|r| r.placed.start < range.end && range.start < r.placed.end);
        let words = self.redacted.text.get(range).filter(|_| !personal)?;
        Some(normal(words)).filter(|phrase| !phrase.is_empty())
    }

    fn place(&self, span: &EvidenceSpan) -> Range<usize> {
        self.redacted.map(span.span.byte_start..span.span.byte_end)
    }

    /// The text with the evidence of its sentiment and its reported cues; of a long text, the part with the strongest.
    pub(super) fn marked(&self, assessment: &Assessment) -> Marked {
        let mut marks: Vec<Mark> = evidence(assessment)
            .flat_map(|(label, evidence)| evidence.spans.iter().map(move |span| (label, span)))
            .map(|(label, span)| self.mark(label, span))
            .collect();
        let kept =
            part(&self.redacted.text, marks.iter().max_by_key(|mark| mark.milli).map(|mark| mark.start));
        let within = |at: usize| at.clamp(kept.start, kept.end) - kept.start;
        marks.iter_mut().for_each(|mark| (mark.start, mark.end) = (within(mark.start), within(mark.end)));
        marks.retain(|mark| mark.start < mark.end && mark.milli != 0);
        marks.sort_by(|a, b| (a.start, a.end, &a.label).cmp(&(b.start, b.end, &b.label)));
        marks.truncate(MARKS);
        let (begins_later, goes_on) = (kept.start > 0, kept.end < self.redacted.text.len());
        Marked { text: self.redacted.text[kept].to_owned(), begins_later, goes_on, marks }
    }

    fn mark(&self, label: &str, span: &EvidenceSpan) -> Mark {
        let (range, text) = (self.place(span), &self.redacted.text);
        let (start, end) = (text.floor_char_boundary(range.start), text.floor_char_boundary(range.end));
        Mark { start, end, label: label.to_owned(), milli: (span.contribution * 1000.0).round() as i64 }
    }
}

/// The part of a text that is kept: its beginning, or what stands around `strongest`, from word to word.
fn part(text: &str, strongest: Option<usize>) -> Range<usize> {
    let beginning = strongest.is_none_or(|at| at + BEFORE_BYTES < TEXT_BYTES);
    let start = match strongest {
        Some(at) if !beginning && text.len() > TEXT_BYTES => word_start(text, at - BEFORE_BYTES),
        _ => 0,
    };
    let end = text.floor_char_boundary(start + TEXT_BYTES);
    if end == text.len() {
        return start..end;
    }
    let last = text[start..end].rfind(char::is_whitespace).filter(|length| *length > TEXT_BYTES / 2);
    start..last.map_or(end, |length| start + length)
}

/// The first word from a byte on; the byte itself, where the text has no blanks.
fn word_start(text: &str, at: usize) -> usize {
    let at = text.floor_char_boundary(at);
    let blank = text[at..].find(char::is_whitespace).filter(|length| *length < BEFORE_BYTES / 2);
    let start = blank.map_or(at, |length| at + length);
    start + text[start..].len() - text[start..].trim_start().len()
}

/// Evidence of sentiment and of reported cues, with the label's name.
fn evidence(assessment: &Assessment) -> impl Iterator<Item = (&str, &Evidence)> {
    let sentiment = assessment.sentiment.iter().flat_map(|sentiment| &sentiment.evidence);
    let classes = sentiment.filter(|class| class.class != SentimentLabel::Neutral);
    let classes = classes.map(|class| (class.class.name(), &class.evidence));
    let cues = assessment.cues.iter().filter(|cue| cue.predicted);
    classes.chain(cues.filter_map(|cue| Some((cue.label.as_str(), cue.evidence.as_ref()?))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Sentiment, Spans, Status};
    use crate::jobs::report::sample::{blank, probability};

    fn marked(text: &str, words: &str) -> Marked {
        let start = text.find(words).unwrap();
        let span = Spans::new(text).of(start..start + words.len());
        let core = (span.byte_start, span.byte_end);
        let spans = vec![EvidenceSpan { span, core, contribution: 1.5 }];
        let evidence = Evidence { logit: 0.5, bias: -1.0, spans, remainder: 0.0 };
        let mut sentiment = Sentiment::new(probability(90), probability(5), probability(5));
        sentiment.evidence.push(crate::domain::ClassEvidence { class: SentimentLabel::Negative, evidence });
        let assessment = Assessment { sentiment: Some(sentiment), ..blank(Status::Ok) };
        Shown::new(text, true).marked(&assessment)
    }

    #[test]
    fn a_long_text_is_shown_around_its_strongest_evidence() {
        let filler = "word ".repeat(600);
        for (text, begins_later, goes_on) in [
            ("it is broken".to_owned(), false, false),
            (format!("it is broken {filler}"), false, true),
            (format!("{filler} it is broken {filler}"), true, true),
            (format!("{filler} jane@example.com says it is broken"), true, false),
        ] {
            let marked = marked(&text, "broken");
            let mark = &marked.marks[0];
            assert_eq!(&marked.text[mark.start..mark.end], "broken");
            assert_eq!((marked.begins_later, marked.goes_on), (begins_later, goes_on), "{}", marked.text);
            assert!(marked.text.len() <= TEXT_BYTES && !marked.text.starts_with(' '));
        }
    }

    proptest! {
        #[test]
        fn whatever_the_text_marks_slice_what_is_kept(before in "\\PC{0,900}", after in "\\PC{0,900}") {
            let marked = marked(&format!("{before}broken{after}"), "broken");
            prop_assert!(marked.text.len() <= TEXT_BYTES);
            for mark in &marked.marks {
                prop_assert!(marked.text.get(mark.start..mark.end).is_some());
            }
        }
    }
}
