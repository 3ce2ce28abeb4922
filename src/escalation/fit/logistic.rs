//! Logistic regression with an L2 penalty that draws weights to those of an earlier policy, each with the sign it may have.
//!
//! `log-odds = base + s · Σ w⁰ᵢ xᵢ + Σ dᵢ xᵢ`: the earlier policy's weights w⁰ as a whole are one column, and what departs
//! from them is another for each feature. So a strong penalty leaves the earlier policy, on a scale that suits the history,
//! a weak one leaves it behind, and a feature that is too rare to fit keeps its place among the others.
//!
//! Weights that come out with the wrong sign are taken out, the more wrong half first, and the rest is fitted again, until
//! none is left: of two features that say the same, the one with the wrong sign only corrected the other. Rows are not
//! reweighed for the rarer class: its share sits in the base, so that probabilities stay frequencies, and where an alert
//! begins is chosen afterwards.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

use crate::error::{Error, ErrorKind};

use super::super::features::Sign;

/// Steps of L-BFGS; a few hundred rows of forty features take some dozens.
const STEPS: u64 = 500;
/// Gradient at which a fit is done; weights are rounded to hundredths later.
const GRADIENT: f64 = 1e-4;

/// Rows with their labels, and what the columns' weights may be.
pub(super) struct Examples<'a> {
    /// One value per column.
    pub(super) rows: Vec<&'a [f64]>,
    /// One per row; both kinds are there.
    pub(super) truths: Vec<bool>,
    /// One per column; `None` where either sign will do.
    pub(super) signs: &'a [Option<Sign>],
    /// One per column: what it weighs before anything is known of this history.
    pub(super) prior: &'a [f64],
    /// Columns whose weight may move away from the prior.
    pub(super) usable: &'a [usize],
}

/// A base and a weight per column; 0 for a column that was taken out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) base: f64,
    pub(super) weights: Vec<f64>,
}

impl Line {
    /// Log-odds of a row.
    pub(super) fn log_odds(&self, row: &[f64]) -> f64 {
        self.base + self.weights.iter().zip(row).map(|(weight, value)| weight * value).sum::<f64>()
    }
}

impl Examples<'_> {
    /// Fits. Errors: `Precondition` when the solver finds no way, which other data or another penalty may change.
    pub(super) fn fit(&self, alpha: f64) -> Result<Line, Error> {
        let mut kept = vec![true; self.signs.len()];
        let mut start = vec![0.0; self.signs.len() + 1];
        loop {
            let line = self.solve(&kept, alpha, &mut start)?;
            let mut wrong: Vec<usize> =
                (0..kept.len()).filter(|column| self.wrong(&line, *column) > 0.0).collect();
            if wrong.is_empty() {
                return Ok(line);
            }
            wrong.sort_by(|a, b| self.wrong(&line, *b).total_cmp(&self.wrong(&line, *a)));
            wrong.iter().take(wrong.len().div_ceil(2)).for_each(|column| kept[*column] = false);
        }
    }

    /// How far a weight lies on the wrong side of 0.
    fn wrong(&self, line: &Line, column: usize) -> f64 {
        match self.signs[column] {
            Some(Sign::Risk) => -line.weights[column],
            Some(Sign::Protective) => line.weights[column],
            None => 0.0,
        }
    }

    /// `start`: where to begin, per column and for the prior; where it ended is entered, which is near where it will end
    /// with a column less.
    fn solve(&self, kept: &[bool], alpha: f64, start: &mut [f64]) -> Result<Line, Error> {
        let width = kept.len();
        let prior: Vec<f64> = (0..width).map(|c| if kept[c] { self.prior[c] } else { 0.0 }).collect();
        let mut columns: Vec<usize> = self.usable.iter().copied().filter(|column| kept[*column]).collect();
        // The prior as a whole is one column more.
        columns.extend(prior.iter().any(|weight| *weight != 0.0).then_some(width));
        if columns.is_empty() {
            return Ok(Line { base: self.base(), weights: prior });
        }
        let x = self.matrix(&columns, &prior);
        let y = Array1::from_iter(self.truths.iter().copied());
        // The library's positive class is the more frequent one.
        let flipped = |weight: f64| if self.base() < 0.0 { -weight } else { weight };
        let from = columns.iter().map(|column| start[*column]).chain([self.base()]);
        let model = LogisticRegression::default()
            .alpha(alpha)
            .max_iterations(STEPS)
            .gradient_tolerance(GRADIENT)
            .initial_params(from.map(flipped).collect());
        let fitted = model.fit(&DatasetBase::new(x, y)).map_err(unsolved)?;
        let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
        start.fill(0.0);
        columns.iter().zip(fitted.params()).for_each(|(column, weight)| start[*column] = sign * weight);
        // Turned round, the prior would say the opposite of what it means.
        let scale = start[width].max(0.0);
        let weights = prior.iter().zip(start.iter()).map(|(prior, own)| scale * prior + own).collect();
        Ok(Line { base: sign * fitted.intercept(), weights })
    }

    /// The columns' values; a column beyond them is the prior's sum.
    fn matrix(&self, columns: &[usize], prior: &[f64]) -> Array2<f64> {
        let value = |row: &[f64], column: usize| match row.get(column) {
            Some(value) => *value,
            None => row.iter().zip(prior).map(|(value, weight)| value * weight).sum(),
        };
        Array2::from_shape_fn((self.rows.len(), columns.len()), |(r, c)| value(self.rows[r], columns[c]))
    }

    /// Log-odds of the positives' share.
    fn base(&self) -> f64 {
        let positives = self.truths.iter().filter(|truth| **truth).count() as f64;
        (positives / (self.truths.len() as f64 - positives)).ln()
    }
}

fn unsolved(error: linfa_logistic::error::Error) -> Error {
    let message = "the weights could not be fitted to this history; is one of its account values huge?";
    Error::new(ErrorKind::Precondition, message).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows on a grid, each as often as its probability says.
    fn grid(base: f64, weights: [f64; 2]) -> (Vec<[f64; 2]>, Vec<bool>) {
        let (mut rows, mut truths) = (Vec::new(), Vec::new());
        for place in 0..121 {
            let row = [f64::from(place % 11) / 10.0, f64::from(place / 11) / 10.0];
            let p = 1.0 / (1.0 + (-(base + weights[0] * row[0] + weights[1] * row[1])).exp());
            let positives = (100.0 * p).round() as usize;
            rows.extend([row; 100]);
            truths.extend((0..100).map(|n| n < positives));
        }
        (rows, truths)
    }

    fn fitted(base: f64, weights: [f64; 2], signs: [Option<Sign>; 2]) -> Line {
        let (rows, truths) = grid(base, weights);
        let rows = rows.iter().map(|row| &row[..]).collect();
        Examples { rows, truths, signs: &signs, prior: &[0.0, 0.0], usable: &[0, 1] }.fit(0.01).unwrap()
    }

    #[test]
    fn known_weights_are_found_again_whichever_class_is_the_rarer() {
        for base in [-3.0, 1.0] {
            let line = fitted(base, [4.0, -2.0], [Some(Sign::Risk), Some(Sign::Protective)]);
            assert!((line.base - base).abs() < 0.1, "{line:?}");
            assert!((line.weights[0] - 4.0).abs() < 0.15 && (line.weights[1] + 2.0).abs() < 0.15, "{line:?}");
        }
    }

    #[test]
    fn a_weight_with_the_wrong_sign_is_taken_out_and_the_rest_fitted_anew() {
        let line = fitted(-1.0, [3.0, -2.0], [Some(Sign::Risk), Some(Sign::Risk)]);
        assert!(line.weights[0] > 2.0 && line.weights[1] == 0.0, "{line:?}");
        let line = fitted(-1.0, [-3.0, -2.0], [Some(Sign::Risk), None]);
        assert!(line.weights[0] == 0.0 && line.weights[1] < -1.0, "{line:?}");
        let line = fitted(-1.0, [-3.0, -2.0], [Some(Sign::Risk), Some(Sign::Risk)]);
        assert!(line.weights == [0.0, 0.0] && line.base < -2.0, "{line:?}");
    }
}
