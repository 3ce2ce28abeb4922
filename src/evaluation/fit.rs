//! Fits one label's calibration and threshold, and the temperature of a distribution, as the training recipe does.
//!
//! Sources: Platt, "Probabilistic outputs for support vector machines", 1999; Guo et al., "On calibration of modern
//! neural networks", ICML 2017 (temperature). The logits that go in are already calibrated by the model's own manifest,
//! so that the pull towards the identity is a pull towards what the model has.

use super::metrics::f1_at;
use crate::domain::probability;

/// The ridge towards the identity is worth this many observations.
const PRIOR: f64 = 8.0;
/// The shift is pulled less than the scale: an observation at p = ½ has this much weight in the log loss.
const SHIFT_PRIOR: f64 = 0.25 * PRIOR;
/// A scale below this would make every text alike.
const LEAST_SCALE: f64 = 0.05;
/// Newton's method takes some five steps; more of them would not help.
const STEPS: usize = 100;
/// Temperatures are looked for between 0.3 and 3, in this many equal steps of their logarithm.
const TEMPERATURES: i32 = 200;
/// Log loss takes no probability below this.
const LEAST: f64 = 1e-12;
/// Thresholds that are tried: 0.04, 0.05, … 0.89.
const HUNDREDTHS: std::ops::Range<u32> = 4..90;
/// F1 is averaged over this many thresholds on each side, so that a label doesn't get one by chance.
const NEIGHBOURS: usize = 3;
/// The pull of a threshold towards `USUAL` has the weight of this many positives.
const PULL: f64 = 6.0;
/// Where the best thresholds of rare labels lie.
const USUAL: f64 = 1.0 / 3.0;

/// New logit = scale · logit + shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Above 0.
    pub scale: f64,
    /// Finite.
    pub shift: f64,
}

impl Line {
    /// Changes nothing.
    pub const IDENTITY: Self = Self { scale: 1.0, shift: 0.0 };

    /// The line applied to a logit.
    pub fn at(self, logit: f64) -> f64 {
        self.scale * logit + self.shift
    }
}

/// The logistic function.
pub fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// The logit of a probability, kept finite.
pub fn logit(probability: f64) -> f64 {
    probability::logit(probability, LEAST)
}

/// Platt's scale and shift for logits with their truths, by Newton's method.
pub fn platt(column: &[(f64, bool)]) -> Line {
    let (mut line, mut loss) = (Line::IDENTITY, penalised_loss(column, Line::IDENTITY));
    for _ in 0..STEPS {
        let Some((next, next_loss)) = better(column, line, loss) else { break };
        let moved = (next.scale - line.scale).abs().max((next.shift - line.shift).abs());
        (line, loss) = (next, next_loss);
        if moved < 1e-6 {
            break;
        }
    }
    Line { scale: line.scale.max(LEAST_SCALE), ..line }
}

/// The Newton step, halved until it lowers the loss; `None` when nothing does.
fn better(column: &[(f64, bool)], line: Line, loss: f64) -> Option<(Line, f64)> {
    let step = newton(column, line)?;
    let shorter = (0..20).map(|halving| 0.5f64.powi(halving)).map(|part| {
        let next = Line { scale: line.scale - part * step.scale, shift: line.shift - part * step.shift };
        (next, penalised_loss(column, next))
    });
    shorter.into_iter().find(|(_, next)| *next < loss)
}

/// Gradient over curvature of the penalised loss.
fn newton(column: &[(f64, bool)], line: Line) -> Option<Line> {
    let (mut g0, mut g1) = (PRIOR * (line.scale - 1.0), SHIFT_PRIOR * line.shift);
    let (mut h00, mut h01, mut h11) = (PRIOR, 0.0, SHIFT_PRIOR);
    for (z, truth) in column {
        let p = sigmoid(line.at(*z));
        let (error, weight) = (p - f64::from(u8::from(*truth)), (p * (1.0 - p)).max(1e-6));
        g0 += error * z;
        g1 += error;
        h00 += weight * z * z;
        h01 += weight * z;
        h11 += weight;
    }
    let determinant = h00 * h11 - h01 * h01;
    let usable = determinant.is_finite() && determinant > 0.0;
    usable.then(|| Line {
        scale: (g0 * h11 - g1 * h01) / determinant,
        shift: (g1 * h00 - g0 * h01) / determinant,
    })
}

fn penalised_loss(column: &[(f64, bool)], line: Line) -> f64 {
    let ridge = 0.5 * (PRIOR * (line.scale - 1.0).powi(2) + SHIFT_PRIOR * line.shift.powi(2));
    ridge + column.iter().map(|(z, truth)| binary_loss(line.at(*z), *truth)).sum::<f64>()
}

/// −ln of the probability of what is true, without overflow.
fn binary_loss(logit: f64, truth: bool) -> f64 {
    let z = if truth { -logit } else { logit };
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// The factor of the logits that makes the log loss of a distribution least; 1 unless another one is better.
///
/// `rows` hold the log-probabilities of the classes and the true class.
pub fn temperature(rows: &[(Vec<f64>, usize)]) -> f64 {
    let (least, most) = (0.3f64.ln(), 3.0f64.ln());
    let at = |step: i32| (least + (most - least) * f64::from(step) / f64::from(TEMPERATURES - 1)).exp();
    let candidates = (0..TEMPERATURES).map(at).map(|factor| (factor, log_loss(rows, factor)));
    let start = (1.0, log_loss(rows, 1.0));
    candidates.fold(start, |best, next| if next.1 < best.1 { next } else { best }).0
}

/// Mean −ln of the true class's probability with the logits multiplied by `factor`.
pub fn log_loss(rows: &[(Vec<f64>, usize)], factor: f64) -> f64 {
    let total: f64 = rows.iter().map(|(logits, truth)| -log_softmax(logits, factor)[*truth]).sum();
    total / rows.len().max(1) as f64
}

/// Log-probabilities of a distribution with its logits multiplied by `factor`.
pub fn log_softmax(logits: &[f64], factor: f64) -> Vec<f64> {
    let scaled: Vec<f64> = logits.iter().map(|z| factor * z).collect();
    let highest = scaled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total = highest + scaled.iter().map(|z| (z - highest).exp()).sum::<f64>().ln();
    scaled.into_iter().map(|z| z - total).collect()
}

/// Natural logarithm of a probability, kept finite.
pub fn log_probability(probability: f64) -> f64 {
    probability.max(LEAST).ln()
}

/// The threshold with the best F1, smoothed over its neighbours and pulled to a third when positives are few.
pub fn threshold(column: &[(f64, bool)]) -> f64 {
    let grid: Vec<f64> = HUNDREDTHS.map(|hundredth| f64::from(hundredth) / 100.0).collect();
    let scores: Vec<f64> = grid.iter().map(|threshold| f1_at(column, *threshold)).collect();
    let smooth = (0..grid.len()).map(|place| smoothed(&scores, place));
    let best = grid
        .iter()
        .zip(smooth)
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map_or(USUAL, |(threshold, _)| *threshold);
    let positives = column.iter().filter(|(_, truth)| *truth).count() as f64;
    let pulled = (best * positives + USUAL * PULL) / (positives + PULL);
    (pulled * 1000.0).round() / 1000.0
}

/// Mean over a place and its neighbours; beyond the ends stands the last value.
fn smoothed(scores: &[f64], place: usize) -> f64 {
    let last = scores.len().saturating_sub(1);
    let around = (place..=place + 2 * NEIGHBOURS).map(|shifted| shifted.saturating_sub(NEIGHBOURS).min(last));
    around.map(|at| scores[at]).sum::<f64>() / (2 * NEIGHBOURS + 1) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `count` rows at a logit of which `share` percent hold.
    fn rows(logit: f64, count: usize, share: usize) -> impl Iterator<Item = (f64, bool)> {
        (0..count).map(move |row| (logit, row * 100 < share * count))
    }

    #[test]
    fn platt_finds_the_line_that_the_rows_lie_on() {
        // Frequencies .8808 and .1192 are the sigmoids of ± 2: logits of ± 4 are twice too sure.
        let column: Vec<(f64, bool)> = rows(4.0, 10_000, 88).chain(rows(-4.0, 10_000, 12)).collect();
        let line = platt(&column);
        assert!((line.scale - 0.498).abs() < 0.01 && line.shift.abs() < 0.01, "{line:?}");
    }

    #[test]
    fn a_handful_of_rows_hardly_moves_a_label() {
        let line = platt(&[(1.0, true), (-2.0, false), (0.5, true)]);
        assert!((line.scale - 1.0).abs() < 0.2 && line.shift.abs() < 0.5, "{line:?}");
        assert_eq!(platt(&[]), Line::IDENTITY);
    }

    #[test]
    fn a_distribution_that_is_too_sure_is_cooled_down() {
        // Log-odds of 4 between two classes, of which the likelier holds in 88 % of the rows: log-odds of 2.
        let sure = |truth| (vec![2.0, -2.0], truth);
        let rows: Vec<_> = (0..100).map(|row| sure(usize::from(row >= 88))).collect();
        let factor = temperature(&rows);
        assert!((factor - 0.498).abs() < 0.02, "{factor}");
    }

    #[test]
    fn a_threshold_lies_where_f1_is_best_and_near_a_third_when_positives_are_few() {
        let many: Vec<(f64, bool)> = (0..1000).map(|row| (f64::from(row) / 1000.0, row >= 600)).collect();
        assert!((threshold(&many) - 0.6).abs() < 0.05, "{}", threshold(&many));
        let few = [(0.9, true), (0.85, true), (0.1, false)];
        assert!(threshold(&few) < 0.45, "{}", threshold(&few));
    }

    proptest! {
        #[test]
        fn platt_never_raises_the_loss_and_keeps_the_order(
            column in prop::collection::vec((-30.0f64..30.0, any::<bool>()), 0..60)
        ) {
            let line = platt(&column);
            prop_assert!(line.scale >= LEAST_SCALE && line.shift.is_finite());
            // A scale at its floor may give some of it back.
            if line.scale > LEAST_SCALE {
                let loss = |line| penalised_loss(&column, line);
                prop_assert!(loss(line) <= loss(Line::IDENTITY) + 1e-9);
            }
        }

        #[test]
        fn a_fitted_temperature_never_raises_the_log_loss(
            rows in prop::collection::vec((prop::collection::vec(-20.0f64..0.0, 3), 0usize..3), 1..40)
        ) {
            prop_assert!(log_loss(&rows, temperature(&rows)) <= log_loss(&rows, 1.0));
        }

        #[test]
        fn a_threshold_is_a_probability(column in prop::collection::vec((0.0f64..=1.0, any::<bool>()), 0..60)) {
            prop_assert!((0.04..=0.89).contains(&threshold(&column)));
        }

        #[test]
        fn logit_and_sigmoid_undo_each_other(p in 0.001f64..0.999) {
            prop_assert!((sigmoid(logit(p)) - p).abs() < 1e-9);
        }
    }
}
