//! How two models differ over the texts that both have read: counts and sums, whose size follows from the models alone.
//!
//! Sums are whole numbers of a billionth, so that the order of the texts does not matter, not even to the last digit.

use std::ops::Range;
use std::time::Duration;

use super::plan::{HeadPlan, LabelPlan, Plan};
use crate::model::Activation;

/// What probabilities are counted in.
const BILLION: f64 = 1e9;

/// How the candidate differs so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// Texts that both have read.
    pub compared: u64,
    /// Texts that the candidate could not read.
    pub failed: u64,
    /// Microseconds of these texts, from the text to its scores, of the model and of the candidate.
    micros: [u64; 2],
    /// In the order of the plan.
    pub heads: Vec<HeadTally>,
}

/// How they differ in a head.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadTally {
    /// Texts with the same likeliest label; of softmax heads.
    pub agreed: u64,
    /// The model's negative, neutral, positive as rows, the candidate's as columns; of sentiment heads.
    pub confusion: [u64; 9],
    /// In the order of the plan.
    pub labels: Vec<LabelTally>,
}

/// How they differ in a label.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LabelTally {
    /// Texts for which only the candidate reports it; of sigmoid heads.
    pub gained: u64,
    /// Texts for which only the model reports it; of sigmoid heads.
    pub lost: u64,
    billionths: u128,
    /// Largest absolute difference of its probability.
    pub largest: f64,
}

impl Tally {
    /// Of no text.
    pub fn new(plan: &Plan) -> Self {
        let head = |head: &HeadPlan| HeadTally {
            agreed: 0,
            confusion: [0; 9],
            labels: vec![LabelTally::default(); head.labels.len()],
        };
        Self { compared: 0, failed: 0, micros: [0; 2], heads: plan.heads.iter().map(head).collect() }
    }

    /// Adds a text, by the probabilities on the label axes of both models, and the time that each took.
    pub fn add(&mut self, plan: &Plan, model: &[f64], candidate: &[f64], took: [Duration; 2]) {
        self.compared += 1;
        for (sum, took) in self.micros.iter_mut().zip(took) {
            *sum = sum.saturating_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
        for (tally, head) in self.heads.iter_mut().zip(&plan.heads) {
            tally.add(head, model, candidate);
        }
    }

    /// Counts a text that the candidate could not read.
    pub fn fail(&mut self) {
        self.failed += 1;
    }

    /// Seconds per text of the model and of the candidate; 0 before the first text.
    pub fn seconds(&self) -> [f64; 2] {
        self.micros.map(|sum| sum as f64 / 1e6 / self.compared.max(1) as f64)
    }
}

impl HeadTally {
    fn add(&mut self, plan: &HeadPlan, model: &[f64], candidate: &[f64]) {
        for (tally, label) in self.labels.iter_mut().zip(&plan.labels) {
            tally.add(label, plan.activation, [at(model, label.places[0]), at(candidate, label.places[1])]);
        }
        if plan.activation == Activation::Softmax {
            let likeliest = [likeliest(model, &plan.ranges[0]), likeliest(candidate, &plan.ranges[1])];
            // A label that only one of them has agrees with none.
            self.agreed += u64::from(plan.labels.iter().any(|label| label.places == likeliest));
            if plan.sentiment {
                let place = |n: usize| likeliest[n] - plan.ranges[n].start;
                if let Some(count) = self.confusion.get_mut(place(0) * 3 + place(1)) {
                    *count += 1;
                }
            }
        }
    }

    /// Mean and largest absolute difference over all labels and `texts` texts.
    pub fn difference(&self, texts: u64) -> [f64; 2] {
        let all = self.labels.len().max(1) as f64;
        let mean = self.labels.iter().map(|label| label.mean(texts)).sum::<f64>() / all;
        [mean, self.labels.iter().map(|label| label.largest).fold(0.0, f64::max)]
    }
}

impl LabelTally {
    fn add(&mut self, plan: &LabelPlan, activation: Activation, [model, candidate]: [f64; 2]) {
        let difference = (model - candidate).abs().min(1.0);
        self.billionths += (difference * BILLION).round() as u128;
        self.largest = self.largest.max(difference);
        if activation == Activation::Sigmoid {
            let reported = [model >= plan.thresholds[0], candidate >= plan.thresholds[1]];
            self.gained += u64::from(reported == [false, true]);
            self.lost += u64::from(reported == [true, false]);
        }
    }

    /// Mean absolute difference of its probability over `texts` texts; 0 for none.
    pub fn mean(&self, texts: u64) -> f64 {
        self.billionths as f64 / BILLION / texts.max(1) as f64
    }
}

/// A probability on the axis; what is not there is taken for impossible.
fn at(axis: &[f64], place: usize) -> f64 {
    axis.get(place).copied().unwrap_or(0.0)
}

/// The place of the highest probability in a range; of equal ones the first.
fn likeliest(axis: &[f64], range: &Range<usize>) -> usize {
    range.clone().rev().max_by(|a, b| at(axis, *a).total_cmp(&at(axis, *b))).unwrap_or(range.start)
}

#[cfg(test)]
#[path = "tally_tests.rs"]
mod tests;
