//! Probabilities and the functions between them and logits.

/// A probability: finite and in [0, 1]. Once built, nobody checks again.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Probability(f64);

/// The number is not finite or lies outside [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is not a probability: it must lie between 0 and 1")]
pub struct NotAProbability(pub f64);

impl Probability {
    /// Certainty that it does not hold.
    pub const ZERO: Self = Self(0.0);

    /// Checks the range.
    pub fn try_new(value: f64) -> Result<Self, NotAProbability> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(NotAProbability(value)) }
    }

    /// The logistic function of a logit; NaN counts as certainly not.
    pub fn of_logit(logit: f64) -> Self {
        if logit.is_nan() {
            return Self::ZERO;
        }
        Self(1.0 / (1.0 + (-logit).exp()))
    }

    /// The value, in [0, 1].
    pub fn get(self) -> f64 {
        self.0
    }

    /// The probability that at least one of several independent events holds: 1 − Π(1 − p).
    pub fn any_of(all: impl IntoIterator<Item = Self>) -> Self {
        Self((1.0 - all.into_iter().map(|p| 1.0 - p.0).product::<f64>()).clamp(0.0, 1.0))
    }
}

/// The logit of a probability that counts as at least `least` and at most 1 − `least`, so that it is finite.
pub fn logit(probability: f64, least: f64) -> f64 {
    let p = probability.clamp(least, 1.0 - least);
    (p / (1.0 - p)).ln()
}

/// Softmax of `logits`, shifted by their maximum so that nothing overflows; the results add up to 1.
pub fn softmax(logits: &[f64]) -> Vec<Probability> {
    let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let terms: Vec<f64> = logits.iter().map(|l| (l - highest).exp()).collect();
    let total: f64 = terms.iter().sum();
    terms.into_iter().map(|t| Probability((t / total).clamp(0.0, 1.0))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_outside_the_range_are_refused() {
        for bad in [-0.001, 1.001, f64::NAN, f64::INFINITY] {
            assert!(Probability::try_new(bad).is_err(), "{bad}");
        }
        assert_eq!(Probability::try_new(1.0).map(Probability::get), Ok(1.0));
    }

    proptest! {
        #[test]
        fn softmax_adds_up_to_one_and_keeps_the_order(logits in prop::collection::vec(-50.0f64..50.0, 2..6)) {
            let p = softmax(&logits);
            prop_assert!((p.iter().map(|p| p.get()).sum::<f64>() - 1.0).abs() < 1e-9);
            for (a, b) in (0..p.len()).flat_map(|a| (0..p.len()).map(move |b| (a, b))) {
                prop_assert!(logits[a] <= logits[b] || p[a] >= p[b]);
            }
        }

        #[test]
        fn any_of_is_at_least_the_largest(values in prop::collection::vec(0.0f64..=1.0, 1..8)) {
            let all: Vec<_> = values.iter().map(|v| Probability::try_new(*v).unwrap()).collect();
            let largest = values.iter().copied().fold(0.0, f64::max);
            prop_assert!(Probability::any_of(all).get() >= largest - 1e-9);
        }
    }
}
