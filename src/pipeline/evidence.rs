//! The words that caused a label, from the per-token terms of the same pass.

use std::ops::Range;

use super::calibrated::PlacedHead;
use crate::domain::{Evidence, EvidenceSpan, Spans};
use crate::inference::{DocumentScores, TokenizedText};

/// Spans that are returned per label.
const SPANS: usize = 5;
/// A word belongs to a span when it carries at least this share of what the strongest word carries.
const SHARE: f64 = 0.2;

/// Token ranges of the words of a text: tokens with no gap between them.
pub(super) fn words(tokens: &TokenizedText) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    for (at, offset) in tokens.offsets.iter().enumerate() {
        match words.last_mut() {
            Some(word) if tokens.offsets[word.end - 1].end == offset.start => word.end = at + 1,
            _ => words.push(at..at + 1),
        }
    }
    words
}

/// Evidence for one label of the label axis: neighbouring strong words of one sign become a span.
pub(super) fn of_label(
    text: &str,
    tokens: &TokenizedText,
    words: &[Range<usize>],
    scores: &DocumentScores,
    head: &PlacedHead<'_>,
    label: usize,
) -> Evidence {
    let weight = |word: &Range<usize>| -> f64 {
        word.clone().map(|token| head.contribution(scores, token, label)).sum()
    };
    let weights: Vec<f64> = words.iter().map(weight).collect();
    let strongest = weights.iter().fold(0.0f64, |most, w| most.max(w.abs()));
    let total: f64 = weights.iter().sum();
    let mut groups: Vec<(Range<usize>, f64)> = Vec::new();
    for (at, value) in weights.iter().enumerate().filter(|(_, w)| w.abs() >= SHARE * strongest && **w != 0.0)
    {
        match groups.last_mut() {
            Some((group, sum)) if group.end == at && sum.signum() == value.signum() => {
                group.end = at + 1;
                *sum += value;
            }
            _ => groups.push((at..at + 1, *value)),
        }
    }
    groups.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    groups.truncate(SPANS);
    groups.sort_by_key(|(group, _)| group.start);
    let mut spans_of = Spans::new(text);
    let spans: Vec<EvidenceSpan> = groups
        .into_iter()
        .map(|(group, contribution)| {
            let first = tokens.offsets[words[group.start].start].start as usize;
            let last = tokens.offsets[words[group.end - 1].end - 1].end as usize;
            EvidenceSpan { span: spans_of.of(first..last), contribution }
        })
        .collect();
    let bias = head.bias(scores, label);
    let remainder = total - spans.iter().map(|s| s.contribution).sum::<f64>();
    Evidence { logit: bias + total, bias, spans, remainder }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_without_a_gap_are_one_word() {
        let tokens = TokenizedText { ids: vec![1; 5], offsets: vec![0..3, 3..4, 4..5, 6..9, 9..12] };
        assert_eq!(words(&tokens), [0..3, 3..5]);
    }
}
