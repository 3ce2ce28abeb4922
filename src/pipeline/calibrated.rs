//! Calibrated logits and probabilities of a text or of a part of it, label by label.

use std::ops::Range;

use super::occlusion::Occluded;
use crate::domain::{Probability, probability::softmax};
use crate::inference::DocumentScores;
use crate::model::{Activation, Head};

/// One head of the manifest and where it stands in the network's outputs.
#[derive(Debug, Clone)]
pub(super) struct PlacedHead<'m> {
    pub(super) head: &'m Head,
    /// Place among the heads.
    pub(super) place: usize,
    /// Its range of the label axis.
    pub(super) labels: Range<usize>,
}

impl PlacedHead<'_> {
    /// Calibrated logits for the whole text.
    pub(super) fn logits(&self, scores: &DocumentScores) -> Vec<f64> {
        self.labels.clone().map(|label| self.logit(scores, label)).collect()
    }

    /// The calibrated logit of a label of the label axis.
    pub(super) fn logit(&self, scores: &DocumentScores, label: usize) -> f64 {
        if scores.plain_windows().is_empty() {
            return self.calibrate(label, scores.logit(label));
        }
        self.calibrate(label, self.centred(label, |label| scores.logit(label)))
    }

    /// What a piece of the text adds to the calibrated logit of a label of the label axis.
    pub(super) fn effect(&self, occluded: &Occluded, piece: usize, label: usize) -> f64 {
        let effect = self.centred(label, |label| occluded.effect(piece, label));
        self.head.scale[label - self.labels.start] * effect
    }

    /// The calibrated logit that a label starts from where words are covered.
    pub(super) fn blank(&self, occluded: &Occluded, label: usize) -> f64 {
        self.calibrate(label, self.centred(label, |label| occluded.bias(label)))
    }

    /// A label's value against the head's other labels where one of them holds: the softmax does not see what all of them
    /// share, and a network that was not made for it leaves that in.
    fn centred(&self, label: usize, value: impl Fn(usize) -> f64) -> f64 {
        match self.head.activation {
            Activation::Sigmoid => value(label),
            Activation::Softmax => {
                let mean = self.labels.clone().map(&value).sum::<f64>() / self.labels.len() as f64;
                value(label) - mean
            }
        }
    }

    /// Calibrated logits for a part of the text; `None` when no attention falls on it.
    pub(super) fn part_logits(&self, scores: &DocumentScores, tokens: &Range<usize>) -> Option<Vec<f64>> {
        self.labels
            .clone()
            .map(|label| {
                let logit = scores.part_logit(tokens.clone(), label, self.place)?;
                Some(self.calibrate(label, logit))
            })
            .collect()
    }

    /// What a token adds to the calibrated logit of a label of the label axis.
    pub(super) fn contribution(&self, scores: &DocumentScores, token: usize, label: usize) -> f64 {
        self.head.scale[label - self.labels.start] * scores.contribution(token, label)
    }

    /// The calibrated logit that a label starts from.
    pub(super) fn bias(&self, scores: &DocumentScores, label: usize) -> f64 {
        self.calibrate(label, scores.bias(label))
    }

    /// Probabilities of calibrated logits.
    pub(super) fn probabilities(&self, logits: &[f64]) -> Vec<Probability> {
        match self.head.activation {
            Activation::Softmax => softmax(logits),
            Activation::Sigmoid => logits.iter().map(|l| Probability::of_logit(*l)).collect(),
        }
    }

    fn calibrate(&self, label: usize, logit: f64) -> f64 {
        let own = label - self.labels.start;
        self.head.scale[own] * logit + self.head.shift[own]
    }
}
