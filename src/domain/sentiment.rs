//! Sentiment: three calibrated probabilities, a score and a label.

use super::{Evidence, Probability};

/// The attitude that a text expresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SentimentLabel {
    /// Dissatisfaction, however politely put.
    Negative,
    /// Facts and questions without an attitude.
    Neutral,
    /// Satisfaction.
    Positive,
    /// Positive and negative parts both carry weight.
    Mixed,
}

impl SentimentLabel {
    /// The label's name in exports and manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
            Self::Mixed => "mixed",
        }
    }
}

/// Sentiment of a text or of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Sentiment {
    /// The likeliest class, or mixed.
    pub label: SentimentLabel,
    /// P(negative).
    pub negative: Probability,
    /// P(neutral).
    pub neutral: Probability,
    /// P(positive).
    pub positive: Probability,
    /// Evidence for the likeliest class; for a mixed text, for negative and for positive.
    pub evidence: Vec<ClassEvidence>,
}

/// Evidence for one sentiment class.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassEvidence {
    /// The class.
    pub class: SentimentLabel,
    /// The words that speak for and against it.
    pub evidence: Evidence,
}

impl Sentiment {
    /// Without evidence; the label is the likeliest class, and of equal ones the milder.
    pub fn new(negative: Probability, neutral: Probability, positive: Probability) -> Self {
        let label = if neutral >= negative && neutral >= positive {
            SentimentLabel::Neutral
        } else if negative >= positive {
            SentimentLabel::Negative
        } else {
            SentimentLabel::Positive
        };
        Self { label, negative, neutral, positive, evidence: Vec::new() }
    }

    /// P(positive) − P(negative), in [−1, 1].
    pub fn score(&self) -> f64 {
        self.positive.get() - self.negative.get()
    }
}
