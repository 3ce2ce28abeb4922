//! What scores are worth: counts, F1, calibration error, Brier score, average precision.
//!
//! Everything is a function of the rows and their weights: a whole data set weighs each row once, a bootstrap sample as
//! often as it was drawn. A ratio without a denominator is 0. `docs/evaluation.md` has the formulas and their sources.

use super::scores::{RowView, Scores, likeliest};
use crate::domain::ranking::{self, ratio};

/// Equal-width bins of the calibration error.
pub const BINS: usize = 15;

/// Correct and wrong reports of one label.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    /// Reported, and it holds.
    pub hits: f64,
    /// Reported, and it does not hold.
    pub false_alarms: f64,
    /// Not reported, and it holds.
    pub misses: f64,
}

impl Counts {
    fn add(&mut self, weight: f64, guess: bool, truth: bool) {
        match (guess, truth) {
            (true, true) => self.hits += weight,
            (true, false) => self.false_alarms += weight,
            (false, true) => self.misses += weight,
            (false, false) => {}
        }
    }

    /// Share of the reports that are right.
    pub fn precision(&self) -> f64 {
        ratio(self.hits, self.hits + self.false_alarms)
    }

    /// Share of the positives that are reported.
    pub fn recall(&self) -> f64 {
        ratio(self.hits, self.support())
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        ratio(2.0 * self.hits, 2.0 * self.hits + self.false_alarms + self.misses)
    }

    /// Rows in which it holds.
    pub fn support(&self) -> f64 {
        self.hits + self.misses
    }
}

/// One bin of a reliability diagram.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bin {
    /// Weight of the predictions in it.
    pub count: f64,
    /// Sum of their probabilities.
    pub probability: f64,
    /// Weight of those that came true.
    pub truth: f64,
}

/// Predictions by their probability.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bins(pub [Bin; BINS]);

impl Bins {
    fn add(&mut self, weight: f64, probability: f64, truth: bool) {
        let place = ((probability * BINS as f64) as usize).min(BINS - 1);
        let bin = &mut self.0[place];
        bin.count += weight;
        bin.probability += weight * probability;
        bin.truth += if truth { weight } else { 0.0 };
    }

    fn merge(&mut self, other: &Self) {
        for (bin, more) in self.0.iter_mut().zip(&other.0) {
            bin.count += more.count;
            bin.probability += more.probability;
            bin.truth += more.truth;
        }
    }

    /// Expected calibration error: how far probabilities are from frequencies, averaged over the predictions.
    pub fn error(&self) -> f64 {
        let total: f64 = self.0.iter().map(|bin| bin.count).sum();
        ratio(self.0.iter().map(|bin| (bin.probability - bin.truth).abs()).sum(), total)
    }
}

/// What one pass over the rows adds up.
#[derive(Debug, Clone, PartialEq)]
pub struct Tallies {
    /// Sum of the rows' weights.
    pub weight: f64,
    /// Per label.
    pub counts: Vec<Counts>,
    /// Per label.
    pub bins: Vec<Bins>,
    /// Per label: Σ weight · (p − truth)².
    pub squares: Vec<f64>,
    /// The likeliest label's probability against its truth.
    pub top: Bins,
    /// Weight of the rows in which some label holds.
    labelled: f64,
    /// Weight of the rows whose likeliest label holds.
    acceptable: f64,
    exclusive: bool,
    distribution: bool,
}

impl Tallies {
    /// Adds up the rows, each as often as its weight says.
    pub fn of(scores: &Scores, weights: &[u32]) -> Self {
        let width = scores.columns().labels.len();
        let mut tallies = Self {
            weight: 0.0,
            counts: vec![Counts::default(); width],
            bins: vec![Bins::default(); width],
            squares: vec![0.0; width],
            top: Bins::default(),
            labelled: 0.0,
            acceptable: 0.0,
            exclusive: scores.columns().exclusive,
            distribution: scores.columns().distribution,
        };
        for (row, weight) in scores.rows().zip(weights).filter(|(_, weight)| **weight > 0) {
            tallies.add(row, f64::from(*weight));
        }
        tallies
    }

    /// Adds up the rows, each once.
    pub fn of_all(scores: &Scores) -> Self {
        Self::of(scores, &vec![1; scores.len()])
    }

    fn add(&mut self, row: RowView<'_>, weight: f64) {
        self.weight += weight;
        let labels = self.counts.iter_mut().zip(&mut self.bins).zip(&mut self.squares);
        let values = row.probabilities.iter().zip(row.guesses).zip(row.truths);
        for (((counts, bins), squares), ((p, guess), truth)) in labels.zip(values) {
            counts.add(weight, *guess, *truth);
            bins.add(weight, *p, *truth);
            *squares += weight * (p - f64::from(u8::from(*truth))).powi(2);
        }
        if let Some(top) = likeliest(row.probabilities) {
            let holds = row.truths[top];
            self.top.add(weight, row.probabilities[top], holds);
            self.labelled += if row.truths.contains(&true) { weight } else { 0.0 };
            self.acceptable += if holds { weight } else { 0.0 };
        }
    }

    /// Mean over the labels that hold somewhere: F1 of a label without positives says nothing.
    fn macro_of(&self, value: impl Fn(&Counts) -> f64) -> f64 {
        let seen: Vec<f64> = self.counts.iter().filter(|c| c.support() > 0.0).map(value).collect();
        ratio(seen.iter().sum(), seen.len() as f64)
    }

    fn total(&self) -> Counts {
        self.counts.iter().fold(Counts::default(), |sum, c| Counts {
            hits: sum.hits + c.hits,
            false_alarms: sum.false_alarms + c.false_alarms,
            misses: sum.misses + c.misses,
        })
    }

    /// Of the top class for a distribution, else the mean over labels.
    fn calibration_error(&self) -> f64 {
        if self.distribution {
            return self.top.error();
        }
        ratio(self.bins.iter().map(Bins::error).sum(), self.bins.len() as f64)
    }

    /// Summed over the classes of a distribution (Brier's own form, 0 to 2), else the mean over labels (0 to 1).
    fn brier(&self) -> f64 {
        let total: f64 = self.squares.iter().sum();
        let labels = if self.distribution { 1.0 } else { self.squares.len() as f64 };
        ratio(total, labels * self.weight)
    }

    /// What a reliability diagram shows: the top class of a distribution, else all labels together.
    pub fn reliability(&self) -> Bins {
        if self.distribution {
            return self.top;
        }
        self.bins.iter().fold(Bins::default(), |mut all, bins| {
            all.merge(bins);
            all
        })
    }

    /// The numbers that stand for the whole, by name.
    pub fn headline(&self) -> Vec<(&'static str, f64)> {
        let mut headline = vec![
            ("macro_f1", self.macro_of(Counts::f1)),
            ("micro_f1", self.total().f1()),
            ("macro_precision", self.macro_of(Counts::precision)),
            ("macro_recall", self.macro_of(Counts::recall)),
        ];
        if self.exclusive {
            let hits: f64 = self.counts.iter().map(|c| c.hits).sum();
            headline.push(("accuracy", ratio(hits, self.weight)));
        } else {
            headline.push(("top_label_acceptable", ratio(self.acceptable, self.labelled)));
        }
        headline.extend([("ece", self.calibration_error()), ("brier", self.brier())]);
        headline
    }
}

/// Average precision as in [`ranking::average_precision`]; `None` without positives.
pub fn average_precision(column: &[(f64, bool)]) -> Option<f64> {
    column.iter().any(|(_, truth)| *truth).then(|| ranking::average_precision(column))
}

/// The threshold with the best F1 out of 0.01, 0.02, … 0.99, and that F1; of equal ones the lowest.
pub fn sweep(column: &[(f64, bool)]) -> (f64, f64) {
    let candidates = (1..100).map(|hundredth| {
        let threshold = f64::from(hundredth) / 100.0;
        (threshold, f1_at(column, threshold))
    });
    candidates.reduce(|best, next| if next.1 > best.1 { next } else { best }).unwrap_or((0.5, 0.0))
}

/// F1 of a label that is reported from `threshold` on.
pub fn f1_at(column: &[(f64, bool)], threshold: f64) -> f64 {
    let mut counts = Counts::default();
    column.iter().for_each(|(p, truth)| counts.add(1.0, *p >= threshold, *truth));
    counts.f1()
}

/// Rows by true (outer) and guessed (inner) class, for scores of which exactly one class holds.
pub fn confusion(scores: &Scores) -> Vec<Vec<u64>> {
    let width = scores.columns().labels.len();
    let mut table = vec![vec![0; width]; width];
    let place = |values: &[bool]| values.iter().position(|value| *value);
    for row in scores.rows() {
        if let (Some(truth), Some(guess)) = (place(row.truths), place(row.guesses)) {
            table[truth][guess] += 1;
        }
    }
    table
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
