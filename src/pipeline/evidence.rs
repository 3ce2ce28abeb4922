//! The words that caused a label, from what each of them, or each piece of the text, adds to its logit.
//!
//! People point at phrases, so a span is the strongest run of words of a clause. How long and how strong a span must be was
//! chosen on 400 messages of the written dev split whose labels' words had been marked; `tests/live/evidence.rs` measures on others.

use std::ops::Range;

use super::segment;
use crate::domain::{Evidence, EvidenceSpan, Spans};
use crate::inference::TokenizedText;

/// Spans that are returned per label.
const SPANS: usize = 5;
/// Most words of a span.
const SPAN_WORDS: usize = 8;
/// A span is returned when it carries at least this share of what the strongest one carries, and no word of it speaks against it with
/// more than this share of its strongest word.
const SHARE: f64 = 0.3;
/// Words that are looked through for spans at once; bounds the time for a text without a comma.
const CLAUSE_WORDS: usize = 64;
/// A word belongs to a span's core when it and its neighbours carry at least this share of what the strongest place of the span
/// carries.
const CORE_SHARE: f64 = 0.35;
/// What a word's neighbours, two to each side, count beside it: a phrase has weak words inside.
const KERNEL: [f64; 5] = [1.0 / 9.0, 2.0 / 9.0, 3.0 / 9.0, 2.0 / 9.0, 1.0 / 9.0];

/// What a label's calibrated logit is made of.
pub(super) struct Terms {
    /// What each word or piece adds.
    pub(super) weights: Vec<f64>,
    /// What they are measured from.
    pub(super) bias: f64,
    /// What all of the text adds; more than the weights where words say something together.
    pub(super) total: f64,
}

/// Where evidence can stand in a text: its words or pieces, and the clauses that they make up.
pub(super) struct Places<'t> {
    text: &'t str,
    tokens: &'t TokenizedText,
    /// Ranges of tokens.
    pub(super) words: Vec<Range<usize>>,
    /// Ranges of `words`.
    clauses: Vec<Range<usize>>,
}

impl<'t> Places<'t> {
    /// `words` are ranges of tokens, `clauses` byte ranges of the text, both in ascending order.
    pub(super) fn new(
        text: &'t str,
        tokens: &'t TokenizedText,
        words: Vec<Range<usize>>,
        clauses: &[Range<usize>],
    ) -> Self {
        let mut from = 0;
        let mut parts = Vec::with_capacity(clauses.len());
        for clause in segment::tokens_in(tokens, clauses) {
            let end = words.partition_point(|word| word.start < clause.end);
            while from < end {
                let until = end.min(from + CLAUSE_WORDS);
                parts.push(from..until);
                from = until;
            }
        }
        Self { text, tokens, words, clauses: parts }
    }

    /// Evidence out of the words' terms: the strongest runs of words, each within a clause.
    pub(super) fn evidence(&self, terms: &Terms) -> Evidence {
        let Terms { weights, bias, total } = terms;
        let mut runs = Vec::new();
        for clause in &self.clauses {
            for sign in [1.0, -1.0] {
                add_runs(weights, clause.clone(), sign, &mut runs);
            }
        }
        runs.sort_by(|a, b| b.sum.abs().total_cmp(&a.sum.abs()).then(a.words.start.cmp(&b.words.start)));
        let least = runs.first().map_or(0.0, |run| SHARE * run.sum.abs());
        let mut kept: Vec<Run> = Vec::with_capacity(SPANS);
        for run in runs.into_iter().take_while(|run| run.sum.abs() >= least) {
            let apart =
                |other: &Run| run.words.end <= other.words.start || other.words.end <= run.words.start;
            if kept.len() < SPANS && kept.iter().all(apart) {
                kept.push(run);
            }
        }
        kept.sort_by_key(|run| run.words.start);
        let mut spans_of = Spans::new(self.text);
        let spans: Vec<EvidenceSpan> = kept
            .into_iter()
            .filter_map(|run| {
                let place = self.place(run.words.clone())?;
                let core = self.place(core(weights, &run)).unwrap_or_else(|| place.clone());
                let core = (core.start, core.end);
                Some(EvidenceSpan { span: spans_of.of(place), core, contribution: run.sum })
            })
            .collect();
        let remainder = total - spans.iter().map(|s| s.contribution).sum::<f64>();
        Evidence { logit: bias + total, bias: *bias, spans, remainder }
    }

    /// Where words stand in the text, without white space around them; `None` when there is nothing else.
    fn place(&self, words: Range<usize>) -> Option<Range<usize>> {
        let words = self.words.get(words)?;
        let first = self.tokens.offsets[words.first()?.start].start as usize;
        let last = self.tokens.offsets[words.last()?.end - 1].end as usize;
        let covered = self.text.get(first..last)?;
        let start = last - covered.trim_start().len();
        let end = start + self.text.get(start..last)?.trim_end().len();
        (start < end).then_some(start..end)
    }
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

/// Neighbouring words, the strongest of them, and what they add together.
struct Run {
    words: Range<usize>,
    peak: usize,
    sum: f64,
}

/// Adds the runs of a clause that speak in the direction of `sign`: the one around its strongest word, then those of what is
/// left on either side.
fn add_runs(weights: &[f64], clause: Range<usize>, sign: f64, runs: &mut Vec<Run>) {
    let mut left = vec![clause];
    while let Some(range) = left.pop() {
        let Some(run) = best_run(weights, &range, sign) else { continue };
        left.push(range.start..run.words.start);
        left.push(run.words.end..range.end);
        runs.push(run);
    }
}

/// The longest run of at most `SPAN_WORDS` words around the strongest word of `range` that adds something in the direction of
/// `sign`, up to words that speak clearly against it; of those of one length the one that adds most. `None` when no word does.
fn best_run(weights: &[f64], range: &Range<usize>, sign: f64) -> Option<Run> {
    let peak = range.clone().reduce(|a, b| if sign * weights[b] > sign * weights[a] { b } else { a })?;
    if sign * weights[peak] <= 0.0 {
        return None;
    }
    let agrees = |at: &usize| sign * weights[*at] >= -SHARE * sign * weights[peak];
    let begin = (range.start..peak).rev().take_while(agrees).last().unwrap_or(peak);
    let end = (peak..range.end).take_while(agrees).last().unwrap_or(peak) + 1;
    let of_length = |length: usize| {
        let first = begin.max((peak + 1).saturating_sub(length));
        let starts = first..=peak.min(end - length);
        let run = |start: usize| {
            let words = start..start + length;
            Run { sum: weights[words.clone()].iter().sum(), words, peak }
        };
        starts.map(run).reduce(|a, b| if sign * b.sum > sign * a.sum { b } else { a })
    };
    (1..=SPAN_WORDS.min(end - begin)).rev().filter_map(of_length).find(|run| sign * run.sum > 0.0)
}

/// The words of a run that carry it: its strongest one, and its neighbours as far as they and theirs are strong too.
fn core(weights: &[f64], run: &Run) -> Range<usize> {
    let half = KERNEL.len() / 2;
    let smoothed = |at: usize| -> f64 {
        let near = KERNEL.iter().enumerate().filter_map(|(k, share)| {
            let place = (at + k).checked_sub(half)?;
            Some(share * weights.get(place)?)
        });
        near.sum()
    };
    let sign = run.sum.signum();
    let least = CORE_SHARE * run.words.clone().map(|at| sign * smoothed(at)).fold(0.0, f64::max);
    let is_strong = |at: &usize| sign * smoothed(*at) >= least;
    let start = (run.words.start..run.peak).rev().take_while(is_strong).last().unwrap_or(run.peak);
    let end = (run.peak + 1..run.words.end).take_while(is_strong).last().unwrap_or(run.peak) + 1;
    start..end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A text of words between single spaces, a token each.
    fn tokens(text: &str) -> TokenizedText {
        let mut offsets = Vec::new();
        for (at, word) in text.match_indices(|c: char| !c.is_whitespace()) {
            match offsets.last_mut() {
                Some(std::ops::Range { end, .. }) if *end as usize == at => *end += word.len() as u32,
                _ => offsets.push(at as u32..(at + word.len()) as u32),
            }
        }
        TokenizedText { ids: vec![1; offsets.len()], offsets }
    }

    fn evidence(text: &str, weights: &[f64]) -> Evidence {
        let tokens = tokens(text);
        assert_eq!(tokens.offsets.len(), weights.len(), "{text}");
        let places = Places::new(text, &tokens, words(&tokens), &segment::clauses(text));
        let total = weights.iter().sum();
        places.evidence(&Terms { weights: weights.to_vec(), bias: -1.0, total })
    }

    fn spans<'t>(text: &'t str, weights: &[f64]) -> Vec<(&'t str, &'t str)> {
        let found = evidence(text, weights);
        let words = |s: &EvidenceSpan| (&text[s.span.byte_start..s.span.byte_end], &text[s.core.0..s.core.1]);
        found.spans.iter().map(words).collect()
    }

    #[test]
    fn tokens_without_a_gap_are_one_word() {
        let tokens = TokenizedText { ids: vec![1; 5], offsets: vec![0..3, 3..4, 4..5, 6..9, 9..12] };
        assert_eq!(words(&tokens), [0..3, 3..5]);
        // Tokens of bytes share the place of their character.
        let tokens = TokenizedText { ids: vec![1; 4], offsets: vec![0..4, 0..4, 0..4, 5..7] };
        assert_eq!(words(&tokens), [0..3, 3..4]);
    }

    #[test]
    fn a_strong_word_brings_its_clause_and_has_its_core() {
        assert_eq!(
            spans("Thanks a lot, I want a refund right now.", &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0]),
            [("I want a refund right now.", "a refund right")]
        );
    }

    #[test]
    fn a_long_clause_gives_the_eight_words_around_its_strongest_and_then_others() {
        let text = "a b c d e f g h i j k l m n o p";
        let mut weights = [0.01; 16];
        (weights[4], weights[15]) = (2.0, 1.0);
        let found = spans(text, &weights);
        assert_eq!(found[0].0.split(' ').count(), 8);
        assert!(found[0].0.contains('e') && found[1].0.ends_with('p'), "{found:?}");
    }

    #[test]
    fn what_speaks_against_a_label_is_apart_from_what_speaks_for_it() {
        let text = "the refund came, but I want a manager";
        let found = evidence(text, &[0.0, -1.0, -0.5, 0.0, 0.1, 0.2, 0.1, 2.0]);
        let signs: Vec<(&str, bool)> = found
            .spans
            .iter()
            .map(|s| (&text[s.span.byte_start..s.span.byte_end], s.contribution > 0.0))
            .collect();
        assert_eq!(signs, [("the refund came,", false), ("but I want a manager", true)]);
    }

    #[test]
    fn a_clause_that_speaks_both_ways_is_cut_where_it_turns() {
        assert_eq!(
            spans("not a nice manager today", &[-1.0, -0.9, -0.9, 2.0, -1.5]),
            [("not a nice", "not a nice"), ("manager", "manager"), ("today", "today")]
        );
    }

    #[test]
    fn a_text_without_words_has_no_spans() {
        assert_eq!(evidence("", &[]).spans, []);
        assert_eq!(evidence("a b", &[0.0, 0.0]).spans, []);
    }

    proptest! {
        #[test]
        fn spans_are_apart_in_order_strong_enough_and_add_up(
            weights in prop::collection::vec(prop_oneof![Just(0.0), -3.0f64..3.0], 0..200),
            marks in prop::collection::vec(prop_oneof![9 => Just(""), 1 => Just(","), 1 => Just(".")], 200),
        ) {
            let words: Vec<String> = (0..weights.len()).map(|n| format!("w{n}{}", marks[n])).collect();
            let text = words.join(" ");
            let found = evidence(&text, &weights);
            let sum = found.bias + found.spans.iter().map(|s| s.contribution).sum::<f64>() + found.remainder;
            prop_assert!((sum - found.logit).abs() < 1e-9);
            prop_assert!(found.spans.len() <= SPANS);
            prop_assert_eq!(found.spans.is_empty(), weights.iter().all(|w| *w == 0.0));
            let strongest = found.spans.iter().map(|s| s.contribution.abs()).fold(0.0, f64::max);
            let mut end = 0;
            for span in &found.spans {
                prop_assert!(span.span.byte_start >= end && span.span.byte_end > span.span.byte_start);
                end = span.span.byte_end;
                prop_assert!(span.contribution.abs() >= SHARE * strongest && span.contribution != 0.0);
                prop_assert!(span.core.0 >= span.span.byte_start && span.core.1 <= end && span.core.0 < span.core.1);
                let covered = &text[span.span.byte_start..end];
                prop_assert!(covered.split(' ').count() <= SPAN_WORDS);
                let number = |w: &str| w.trim_matches(|c: char| !c.is_ascii_digit()).parse::<usize>().unwrap();
                let own: Vec<f64> = covered.split(' ').map(|w| weights[number(w)]).collect();
                prop_assert!((own.iter().sum::<f64>() - span.contribution).abs() < 1e-9);
                let signed = own.iter().map(|w| w * span.contribution.signum());
                let (least, most) = (signed.clone().fold(0.0, f64::min), signed.fold(0.0, f64::max));
                prop_assert!(-least <= SHARE * most);
            }
        }
    }
}
