//! Evidence for networks that only have logits: the text is read again with some of its words covered, and a piece's
//! contribution is what the logit loses without it.
//!
//! Every run tells of all labels at once, so that the cost follows from the text and not from what is reported. The logit
//! of a window with nothing but the covering token is where every text starts from. What words say together, and what
//! stands in windows that were not looked into, is in the remainder.

use std::ops::Range;
use std::sync::Arc;

use crate::inference::window::Window;
use crate::inference::{DocumentScores, WindowOutput};

/// Windows of a text in which words are covered. Each costs up to `PIECES` runs as long as itself; four are some two thousand
/// tokens of the usual 512, more than nearly every message, and at most a hundred runs for a text of any length.
const WINDOWS: usize = 4;
/// Pieces of a window. In a message of up to 24 words each word is a piece; in a longer one neighbours share one, since people
/// mark phrases. More pieces cost as many more runs and move the spans little.
pub(super) const PIECES: usize = 24;

/// Which words of a text are to be covered together.
#[derive(Debug, PartialEq)]
pub(super) struct Plan {
    /// Pieces as ranges of the text's tokens, each with the window that owns its first one.
    pieces: Vec<(usize, Range<usize>)>,
    /// Windows that are looked into.
    windows: usize,
}

/// What the network says of a text without each of its pieces.
#[derive(Debug, PartialEq)]
pub(super) struct Occluded {
    /// The pieces, as ranges of the text's tokens, in their order.
    pub(super) pieces: Vec<Range<usize>>,
    /// Windows that were looked into.
    pub(super) windows: usize,
    labels: usize,
    /// Row-major `[pieces, labels]`: what a piece adds to the text's logit.
    effects: Vec<f64>,
    /// `[labels]`
    bias: Vec<f64>,
}

impl Plan {
    /// Joins the words of each window to at most [`PIECES`] pieces of about as many words each.
    pub(super) fn new(words: &[Range<usize>], windows: &[Window]) -> Self {
        let looked_into = &windows[..windows.len().min(WINDOWS)];
        let mut pieces = Vec::new();
        for (place, window) in looked_into.iter().enumerate() {
            let first = words.partition_point(|word| word.start < window.owned.start);
            let last = words.partition_point(|word| word.start < window.owned.end);
            let own = &words[first..last];
            let count = own.len().min(PIECES);
            for n in 0..count {
                let joined = &own[n * own.len() / count..(n + 1) * own.len() / count];
                if let (Some(first), Some(last)) = (joined.first(), joined.last()) {
                    // A word may go on in the next window.
                    pieces.push((place, first.start..last.end.min(window.tokens.end)));
                }
            }
        }
        Self { pieces, windows: looked_into.len() }
    }

    /// What is to be read: a window of the covering `token` alone, then each piece's window without it.
    pub(super) fn rows(&self, ids: &[u32], windows: &[Window], token: u32) -> Vec<Vec<u32>> {
        let covered = self.pieces.iter().map(|(place, piece)| {
            let window = &windows[*place].tokens;
            let mut row = ids[window.clone()].to_vec();
            row[piece.start - window.start..piece.end - window.start].fill(token);
            row
        });
        std::iter::once(vec![token]).chain(covered).collect()
    }

    /// What follows from the rows' outputs, which are in the order of [`Self::rows`].
    pub(super) fn finish(self, outputs: &[Arc<WindowOutput>], scores: &DocumentScores) -> Option<Occluded> {
        let (blank, covered) = outputs.split_first()?;
        let effects = self.pieces.iter().zip(covered).flat_map(|((place, _), without)| {
            let window = &scores.plain_windows()[*place];
            let logits = window.logits.iter().zip(&without.logits);
            logits.map(move |(full, without)| window.share * (full - f64::from(*without)))
        });
        Some(Occluded {
            effects: effects.collect(),
            bias: blank.logits.iter().map(|logit| f64::from(*logit)).collect(),
            labels: blank.logits.len(),
            pieces: self.pieces.into_iter().map(|(_, piece)| piece).collect(),
            windows: self.windows,
        })
    }
}

impl Occluded {
    /// What a piece adds to the text's logit of a label.
    pub(super) fn effect(&self, piece: usize, label: usize) -> f64 {
        self.effects[piece * self.labels + label]
    }

    /// The logit that every text starts from.
    pub(super) fn bias(&self, label: usize) -> f64 {
        self.bias[label]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::window::windows;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_are_whole_words_that_cover_the_first_windows_once_and_are_bounded(
            lengths in prop::collection::vec(1usize..6, 1..400),
            size in 8usize..128,
        ) {
            let mut words = Vec::new();
            for length in &lengths {
                let start = words.last().map_or(0, |word: &Range<usize>| word.end);
                words.push(start..start + length);
            }
            let count = words.last().unwrap().end;
            let windows = windows(count, size, size / 4);
            let plan = Plan::new(&words, &windows);
            prop_assert_eq!(plan.windows, windows.len().min(WINDOWS));
            prop_assert!(plan.pieces.len() <= WINDOWS * PIECES);
            for (place, window) in windows[..plan.windows].iter().enumerate() {
                let own: Vec<_> = plan.pieces.iter().filter(|(at, _)| *at == place).collect();
                prop_assert!(own.len() <= PIECES);
                for (_, piece) in &own {
                    prop_assert!(window.tokens.start <= piece.start && piece.end <= window.tokens.end);
                    prop_assert!(words.iter().any(|word| word.start == piece.start));
                }
                let of_words = words.iter().filter(|word| window.owned.contains(&word.start)).count();
                prop_assert_eq!(own.len(), of_words.min(PIECES));
            }
            let ids: Vec<u32> = (0..count as u32).map(|n| n + 1000).collect();
            let rows = plan.rows(&ids, &windows, 7);
            prop_assert_eq!(&rows[0], &[7]);
            for ((place, piece), row) in plan.pieces.iter().zip(&rows[1..]) {
                let window = windows[*place].tokens.clone();
                for (at, id) in window.zip(row) {
                    prop_assert_eq!(*id, if piece.contains(&at) { 7 } else { ids[at] });
                }
            }
        }
    }
}
