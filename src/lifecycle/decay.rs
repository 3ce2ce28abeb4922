//! How fast what was said loses its say: exponential decay by half-lives, and means that lean on a prior while they know
//! little.
//!
//! An interaction of `d` days ago weighs `2^(−d / half-life)` (exponential smoothing for irregular times: R. G. Brown,
//! *Smoothing, Forecasting and Prediction*, 1963). Weights of one half-life shrink together, so sums that are kept can be
//! read at any later time without going over the interactions again.

use serde::{Deserialize, Serialize};

/// Milliseconds of a day.
pub const DAY_MS: f64 = 86_400_000.0;

/// Days from one time to a later one, both in milliseconds since 1970; 0 when it is not later.
pub fn days(from_ms: i64, to_ms: i64) -> f64 {
    // As floats: the difference of two integers may not fit into one.
    ((to_ms as f64 - from_ms as f64) / DAY_MS).max(0.0)
}

/// What is left after so many days, in [0, 1].
pub fn left(days: f64, half_life_days: f64) -> f64 {
    (-days / half_life_days).exp2()
}

/// A weighted sum of values in [−1, 1], and the sum of its weights.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Mean {
    /// Σ weight · value.
    pub sum: f64,
    /// Σ weight: how many interactions of now it is worth.
    pub weight: f64,
}

impl Mean {
    /// Adds a value.
    pub fn add(&mut self, value: f64, weight: f64) {
        self.sum += value * weight;
        self.weight += weight;
    }

    /// The same, with so much left of it.
    pub fn times(self, left: f64) -> Self {
        Self { sum: self.sum * left, weight: self.weight * left }
    }

    /// The mean, drawn to a prior that counts as `strength` interactions of now; the prior itself without weight.
    ///
    /// The posterior mean of a normal mean with a normal prior, as in empirical-Bayes shrinkage (B. Efron, C. Morris,
    /// *Stein's Estimation Rule and Its Competitors*, JASA 68, 1973); `strength` is the variance within over the variance
    /// between.
    pub fn drawn_to(self, prior: f64, strength: f64) -> f64 {
        // The clamp is for rounding alone.
        ((self.sum + strength * prior) / (self.weight + strength)).clamp(-1.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn half_is_left_after_a_half_life_and_nothing_is_older_than_now() {
        assert_eq!(left(30.0, 30.0), 0.5);
        assert_eq!(left(0.0, 30.0), 1.0);
        assert_eq!(days(0, 86_400_000), 1.0);
        assert_eq!(days(5, 0), 0.0);
        assert!(days(i64::MIN, i64::MAX).is_finite());
    }

    proptest! {
        #[test]
        fn a_mean_lies_between_its_prior_and_its_values_and_goes_to_the_prior(
            values in prop::collection::vec((-1.0..=1.0f64, 0.0..=1.0f64), 0..20),
            prior in -1.0..=1.0f64,
        ) {
            let mut mean = Mean::default();
            values.iter().for_each(|(value, weight)| mean.add(*value, *weight));
            let low = values.iter().map(|v| v.0).fold(prior, f64::min) - 1e-12;
            let high = values.iter().map(|v| v.0).fold(prior, f64::max) + 1e-12;
            let mut before = f64::INFINITY;
            for halves in 0..60 {
                let level = mean.times(left(f64::from(halves), 1.0)).drawn_to(prior, 1.0);
                prop_assert!((low..=high).contains(&level));
                prop_assert!((level - prior).abs() <= before + 1e-12);
                before = (level - prior).abs();
            }
            prop_assert!(before < 1e-12);
        }
    }
}
