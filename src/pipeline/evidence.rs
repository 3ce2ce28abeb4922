//! The words that caused a label, from what each of them, or each piece of the text, adds to its logit.

use std::ops::Range;

use crate::domain::{Evidence, EvidenceSpan, Spans};
use crate::inference::TokenizedText;

/// Spans that are returned per label.
const SPANS: usize = 5;
/// A word belongs to a span when it and its neighbours carry at least this share of what the strongest place carries.
const SHARE: f64 = 0.35;
/// What a word's neighbours, two to each side, count beside it: people mark phrases, and a phrase has weak words inside. Chosen
/// with `SHARE` on one half of the words that people marked (`tests/live/evidence.rs`): 0.2 to 0.35 agree about as well with them, and
/// the largest of these gives the shortest spans.
const KERNEL: [f64; 5] = [1.0 / 9.0, 2.0 / 9.0, 3.0 / 9.0, 2.0 / 9.0, 1.0 / 9.0];

/// What a label's calibrated logit is made of.
pub(super) struct Terms {
    /// What each word or piece adds.
    pub(super) weights: Vec<f64>,
    /// What it starts from.
    pub(super) bias: f64,
    /// What all of the text adds; more than the weights where words say something together.
    pub(super) total: f64,
}

/// Token ranges of the words of a text: tokens with no gap between them.
pub(super) fn words(tokens: &TokenizedText) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    for (at, offset) in tokens.offsets.iter().enumerate() {
        match words.last_mut() {
            Some(word) if tokens.offsets[word.end - 1].end >= offset.start => word.end = at + 1,
            _ => words.push(at..at + 1),
        }
    }
    words
}

/// Each word's weight with its neighbours'.
fn smoothed(weights: &[f64]) -> Vec<f64> {
    let half = KERNEL.len() / 2;
    (0..weights.len())
        .map(|at| {
            let near = KERNEL.iter().enumerate().filter_map(|(k, share)| {
                let place = (at + k).checked_sub(half)?;
                Some(share * weights.get(place)?)
            });
            near.sum()
        })
        .collect()
}

/// Evidence out of the words' terms: neighbouring strong words of one sign become a span.
pub(super) fn of_terms(
    text: &str,
    tokens: &TokenizedText,
    words: &[Range<usize>],
    terms: &Terms,
) -> Evidence {
    let Terms { weights, bias, total } = terms;
    let strength = smoothed(weights);
    let strongest = strength.iter().fold(0.0f64, |most, s| most.max(s.abs()));
    let mut groups: Vec<(Range<usize>, f64)> = Vec::new();
    for (at, value) in strength.iter().enumerate().filter(|(_, s)| s.abs() >= SHARE * strongest && **s != 0.0)
    {
        match groups.last_mut() {
            Some((group, _)) if group.end == at && strength[group.start].signum() == value.signum() => {
                group.end = at + 1;
            }
            _ => groups.push((at..at + 1, 0.0)),
        }
    }
    for (group, sum) in &mut groups {
        *sum = weights[group.clone()].iter().sum();
    }
    // A place that only its neighbours made strong says nothing itself.
    groups.retain(|(group, sum)| *sum != 0.0 && sum.signum() == strength[group.start].signum());
    groups.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    groups.truncate(SPANS);
    groups.sort_by_key(|(group, _)| group.start);
    let mut spans_of = Spans::new(text);
    let spans: Vec<EvidenceSpan> = groups
        .into_iter()
        .filter_map(|(group, contribution)| {
            let place = place(text, tokens, &words[group])?;
            Some(EvidenceSpan { span: spans_of.of(place), contribution })
        })
        .collect();
    let remainder = total - spans.iter().map(|s| s.contribution).sum::<f64>();
    Evidence { logit: bias + total, bias: *bias, spans, remainder }
}

/// Where words stand in the text, without white space around them; `None` when there is nothing else.
fn place(text: &str, tokens: &TokenizedText, words: &[Range<usize>]) -> Option<Range<usize>> {
    let first = tokens.offsets[words.first()?.start].start as usize;
    let last = tokens.offsets[words.last()?.end - 1].end as usize;
    let covered = text.get(first..last)?;
    let start = last - covered.trim_start().len();
    let end = start + text.get(start..last)?.trim_end().len();
    (start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_without_a_gap_are_one_word() {
        let tokens = TokenizedText { ids: vec![1; 5], offsets: vec![0..3, 3..4, 4..5, 6..9, 9..12] };
        assert_eq!(words(&tokens), [0..3, 3..5]);
        // Tokens of bytes share the place of their character.
        let tokens = TokenizedText { ids: vec![1; 4], offsets: vec![0..4, 0..4, 0..4, 5..7] };
        assert_eq!(words(&tokens), [0..3, 3..4]);
    }
}
