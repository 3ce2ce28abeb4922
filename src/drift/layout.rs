//! Which features are watched, and the bins of each: fixed, so that two histograms can be compared.
//!
//! All bins of all features stand side by side on one axis, so that a histogram of everything is one row of numbers.

use std::ops::Range;

use super::observation::{Fate, HEADS, Language, NONE, OTHER, Observation, SCORE_BINS};

/// Form of the bins. A baseline of another form can't be compared: it has to be made again.
pub const FORM: u32 = 1;

/// Upper bounds of `unknown`'s bins after the first, which is 0: shares of a text's tokens.
const UNKNOWN: [f64; 2] = [0.02, 0.10];
/// Upper bounds of `pieces`' bins: tokens per word.
const PIECES: [f64; 6] = [1.1, 1.25, 1.4, 1.6, 2.0, 3.0];
/// Most labels that `labels` tells apart.
const LABELS: usize = 6;
/// Bins of `length`, each twice as wide as the one before.
const LENGTHS: [&str; 9] =
    ["1-4", "5-8", "9-16", "17-32", "33-64", "65-128", "129-256", "257-512", "513 or more"];
/// Features that every model has.
const FIXED: usize = 7;

/// A head as drift sees it.
#[derive(Debug, Clone, Copy)]
pub struct HeadShape<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its labels.
    pub labels: &'a [String],
    /// Whether one label holds, and not any number of them.
    pub exclusive: bool,
    /// Whether its value is P(positive) − P(negative) instead of the highest probability.
    pub signed: bool,
}

/// One histogram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// Its name in baselines, metrics and answers.
    pub name: String,
    /// What the bins hold, for people.
    pub bins: Vec<String>,
    /// Its part of the axis.
    pub range: Range<usize>,
}

/// The features of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    features: Vec<Feature>,
    /// Per watched head, whether one label holds.
    exclusive: Vec<bool>,
}

impl Layout {
    /// For a model with these heads; those after the first [`HEADS`] are not watched.
    pub fn new(heads: &[HeadShape<'_>]) -> Self {
        let mut layout = Self { features: Vec::new(), exclusive: Vec::new() };
        layout.push("language", ["of the model", "other", "unidentified"]);
        layout.push("empty", ["text", "empty"]);
        layout.push("length", LENGTHS);
        layout.push("unknown", ["none", "to 2 %", "to 10 %", "over 10 %"]);
        layout.push("pieces", below(&PIECES));
        layout.push("abstention", ["labelled", "unlabelled", "unsupported language"]);
        layout.push(
            "labels",
            (0..=LABELS).map(|n| if n < LABELS { n.to_string() } else { format!("{n} or more") }),
        );
        for head in heads.iter().take(HEADS) {
            layout.exclusive.push(head.exclusive);
            layout.push(format!("score.{}", head.name), scores(head.signed));
            let own = head.labels.iter().take(usize::from(OTHER)).cloned();
            let other = (head.labels.len() > usize::from(OTHER)).then(|| "(other labels)".to_owned());
            let none = (!head.exclusive).then(|| "(none)".to_owned());
            layout.push(format!("label.{}", head.name), own.chain(other).chain(none));
        }
        layout
    }

    fn push<B: Into<String>>(&mut self, name: impl Into<String>, bins: impl IntoIterator<Item = B>) {
        let bins: Vec<String> = bins.into_iter().map(Into::into).collect();
        let start = self.bins();
        self.features.push(Feature { name: name.into(), range: start..start + bins.len(), bins });
    }

    /// The features in their order on the axis.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// Length of the axis.
    pub fn bins(&self) -> usize {
        self.features.last().map_or(0, |last| last.range.end)
    }

    /// Names the bins that a text falls into: at most one per feature, but one per reported label in `label.*`.
    pub fn hits(&self, seen: &Observation, mut hit: impl FnMut(usize)) {
        let start = |feature: usize| self.features[feature].range.start;
        hit(start(1) + usize::from(seen.fate == Fate::Empty));
        if seen.fate == Fate::Empty {
            return;
        }
        if let Some(language) = seen.language {
            hit(start(0)
                + match language {
                    Language::OfModel => 0,
                    Language::Other => 1,
                    Language::Unidentified => 2,
                });
        }
        if seen.fate == Fate::UnsupportedLanguage {
            return hit(start(5) + 2);
        }
        hit(start(2) + length_bin(seen.tokens));
        hit(start(3) + unknown_bin(seen.unknown, seen.tokens));
        hit(start(4) + bin_below(&PIECES, share(seen.tokens, seen.words)));
        match self.labels(seen) {
            Labels::Count(labels) => {
                hit(start(5) + usize::from(labels == 0));
                hit(start(6) + labels.min(LABELS));
            }
            Labels::AlwaysOne => hit(start(5)),
            Labels::Unknown => {}
        }
        self.head_hits(seen, hit);
    }

    fn head_hits(&self, seen: &Observation, mut hit: impl FnMut(usize)) {
        for (said, pair) in seen.said.heads.iter().zip(self.features[FIXED..].chunks_exact(2)) {
            let (Some(said), [score, label]) = (said, pair) else { continue };
            hit(score.range.start + usize::from(said.score).min(score.bins.len() - 1));
            let mut bits = said.labels;
            while bits != 0 {
                let bit = bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let own = if bit == usize::from(NONE) { label.bins.len() - 1 } else { bit };
                hit((label.range.start + own).min(label.range.end - 1));
            }
        }
    }

    /// Labels that heads with any number of them reported.
    fn labels(&self, seen: &Observation) -> Labels {
        if self.exclusive.iter().all(|exclusive| *exclusive) {
            return Labels::AlwaysOne;
        }
        let open = self.exclusive.iter().zip(&seen.said.heads).filter(|(exclusive, _)| !**exclusive);
        let mut count = 0;
        for (_, said) in open {
            match said {
                Some(said) => count += usize::from(said.reported),
                None => return Labels::Unknown,
            }
        }
        Labels::Count(count)
    }
}

/// How many labels a text has.
enum Labels {
    Count(usize),
    /// Each head reports one, whatever the text.
    AlwaysOne,
    /// The caller did not ask for all heads.
    Unknown,
}

/// A model without tokens or words has nothing to divide by.
fn share(part: u32, whole: u32) -> f64 {
    f64::from(part) / f64::from(whole.max(1))
}

fn length_bin(tokens: u32) -> usize {
    let doubled = tokens.max(4) - 1;
    (doubled.ilog2() as usize).saturating_sub(1).min(LENGTHS.len() - 1)
}

fn unknown_bin(unknown: u32, tokens: u32) -> usize {
    if unknown == 0 { 0 } else { 1 + bin_below(&UNKNOWN, share(unknown, tokens)) }
}

/// The first bin whose upper bound is not below the value; the last has none.
fn bin_below(bounds: &[f64], value: f64) -> usize {
    bounds.iter().position(|bound| value <= *bound).unwrap_or(bounds.len())
}

fn below(bounds: &[f64]) -> impl Iterator<Item = String> {
    let last = bounds.last().map(|bound| format!("over {bound}"));
    bounds.iter().map(|bound| format!("to {bound}")).chain(last)
}

fn scores(signed: bool) -> impl Iterator<Item = String> {
    let (from, width) = if signed { (-1.0, 2.0) } else { (0.0, 1.0) };
    let edge = move |at: u8| from + width * f64::from(at) / f64::from(SCORE_BINS);
    (0..SCORE_BINS).map(move |bin| format!("{:.1} to {:.1}", edge(bin), edge(bin + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_fall_into_bins_that_double() {
        let cases = [
            (0, 0),
            (1, 0),
            (4, 0),
            (5, 1),
            (8, 1),
            (9, 2),
            (16, 2),
            (17, 3),
            (256, 6),
            (257, 7),
            (512, 7),
            (513, 8),
        ];
        for (tokens, bin) in cases {
            assert_eq!(length_bin(tokens), bin, "{tokens} tokens");
        }
        assert_eq!(length_bin(u32::MAX), 8);
    }

    #[test]
    fn a_share_falls_into_the_first_bin_that_reaches_it() {
        for (unknown, tokens, bin) in [(0, 10, 0), (1, 100, 1), (2, 100, 1), (1, 20, 2), (1, 5, 3), (3, 0, 3)]
        {
            assert_eq!(unknown_bin(unknown, tokens), bin, "{unknown} of {tokens}");
        }
        assert_eq!(bin_below(&PIECES, share(10, 10)), 0);
        assert_eq!(bin_below(&PIECES, share(40, 10)), PIECES.len());
    }

    #[test]
    fn an_empty_text_is_counted_as_empty_alone() {
        let layout = Layout::new(&[]);
        let mut hits = Vec::new();
        layout.hits(&Observation::empty(), |bin| hits.push(bin));
        assert_eq!(hits, [layout.features()[1].range.start + 1]);
    }

    #[test]
    fn labels_beyond_what_is_told_apart_share_a_bin_and_none_has_the_last() {
        let labels: Vec<String> = (0..100).map(|n| format!("l{n}")).collect();
        let head = HeadShape { name: "topic", labels: &labels, exclusive: false, signed: false };
        let layout = Layout::new(&[head]);
        let feature = layout.features().last().unwrap();
        assert_eq!(feature.bins.len(), 64);
        for (reported, bins) in [(vec![], vec![63]), (vec![3, 61, 62, 99], vec![3, 61, 62])] {
            let mut seen = Observation::read(None, 5, 0, 5, Said::default());
            seen.said.note(0, HeadSaid::new(reported.iter().copied(), 0.5));
            let mut hits = Vec::new();
            layout.hits(&seen, |bin| hits.push(bin));
            let own: Vec<usize> = hits
                .into_iter()
                .filter(|b| feature.range.contains(b))
                .map(|b| b - feature.range.start)
                .collect();
            assert_eq!(own, bins);
        }
    }

    use super::super::{HeadSaid, Said};
}
