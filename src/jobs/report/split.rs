//! How many comments are negative, neutral, positive and mixed, and their mean score.

use serde::{Deserialize, Serialize};

use super::figures::{Estimate, Sum, share};
use crate::domain::{Sentiment, SentimentLabel};

/// The classes in the order in which they are shown.
pub(super) const CLASSES: [SentimentLabel; 4] =
    [SentimentLabel::Negative, SentimentLabel::Mixed, SentimentLabel::Neutral, SentimentLabel::Positive];

/// Comments by sentiment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Split {
    counts: [u64; CLASSES.len()],
    score: Sum,
}

impl Split {
    pub(super) fn push(&mut self, sentiment: &Sentiment) {
        if let Some(at) = CLASSES.iter().position(|class| *class == sentiment.label) {
            self.counts[at] += 1;
        }
        self.score.push(sentiment.score());
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(mine, theirs)| *mine += theirs);
        self.score.merge(&other.score);
    }

    /// All comments.
    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Comments of each of [`CLASSES`].
    pub(super) fn counts(&self) -> [u64; CLASSES.len()] {
        self.counts
    }

    /// The share of each of [`CLASSES`]; empty without comments.
    pub(super) fn shares(&self) -> Vec<Estimate> {
        self.counts.iter().filter_map(|count| share(*count, self.count())).collect()
    }

    /// The share of negative comments.
    pub(super) fn negative(&self) -> Option<Estimate> {
        share(self.counts[0], self.count())
    }

    /// Mean of P(positive) − P(negative), in [−1, 1].
    pub(super) fn mean(&self) -> Option<Estimate> {
        self.score.mean()
    }
}
