//! The comments that a person should read first, and those that contradict the score that came with them.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::figures::MICRO;
use super::labels::Weight;
use super::shown::Marked;
use crate::domain::{Assessment, SentimentLabel};

/// Comments that are kept in each list.
pub(super) const MOST: usize = 20;

/// A comment with what is said about it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Comment {
    /// The row, from 1.
    pub(super) row: u64,
    /// Its line or its row of the sheet, from 1.
    pub(super) place: u64,
    /// The row's own id.
    pub(super) id: String,
    /// The question, or the column.
    pub(super) question: String,
    /// The cell with the score.
    pub(super) score: String,
    /// The segment's value.
    pub(super) segment: String,
    /// Name of the sentiment.
    pub(super) sentiment: String,
    /// P(negative) and P(positive) in millionths.
    pub(super) probabilities: [u32; 2],
    /// Reported cues with their probability in millionths, the most pressing first.
    pub(super) cues: Vec<(String, u32)>,
    pub(super) marked: Marked,
}

/// What decides which comment comes first: how pressing its most pressing cue is, how many cues of escalation it has, a
/// probability in millionths; of equal ones the earlier row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Rank {
    pub(super) weight: Weight,
    pub(super) cues: usize,
    pub(super) probability: u32,
    row: Reverse<u64>,
    column: Reverse<usize>,
}

impl Rank {
    /// Escalation first, then P(negative).
    pub(super) fn to_read(assessment: &Assessment, row: u64, column: usize) -> Self {
        let reported = assessment.cues.iter().filter(|cue| cue.predicted);
        let weights: Vec<Weight> = reported.map(|cue| Weight::of(&cue.label)).collect();
        let heaviest = weights.iter().max().copied().unwrap_or(Weight::Other);
        let cues = weights.iter().filter(|weight| **weight > Weight::Other).count();
        let negative = assessment.sentiment.as_ref().map_or(0.0, |s| s.negative.get());
        Self {
            weight: heaviest,
            cues,
            probability: micro(negative),
            row: Reverse(row),
            column: Reverse(column),
        }
    }

    /// The surer the sentiment that contradicts the score, the earlier.
    pub(super) fn of_conflict(assessment: &Assessment, row: u64, column: usize) -> Self {
        let sure = assessment.sentiment.as_ref().map_or(0.0, |s| match s.label {
            SentimentLabel::Positive => s.positive.get(),
            _ => s.negative.get(),
        });
        let (row, column) = (Reverse(row), Reverse(column));
        Self { weight: Weight::Other, cues: 0, probability: micro(sure), row, column }
    }
}

/// A probability in millionths.
pub(super) fn micro(probability: f64) -> u32 {
    (probability.clamp(0.0, 1.0) * MICRO).round() as u32
}

/// The first comments by rank; of comments that say the same the first is kept.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Top {
    kept: Vec<(Rank, Comment)>,
}

impl Top {
    /// Adds a comment if it has a place; it is made only then.
    pub(super) fn offer(&mut self, rank: Rank, comment: impl FnOnce() -> Comment) {
        let at = self.kept.partition_point(|(kept, _)| *kept > rank);
        if at >= MOST {
            return;
        }
        let comment = comment();
        let same = self.kept.iter().position(|(_, kept)| kept.marked.text == comment.marked.text);
        match same {
            Some(earlier) if earlier < at => {}
            Some(later) => {
                self.kept.remove(later);
                self.kept.insert(at, (rank, comment));
            }
            None => {
                self.kept.insert(at, (rank, comment));
                self.kept.truncate(MOST);
            }
        }
    }

    /// In their order.
    pub(super) fn comments(&self) -> impl ExactSizeIterator<Item = &Comment> {
        self.kept.iter().map(|(_, comment)| comment)
    }
}
