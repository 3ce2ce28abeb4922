//! Shares, means and their 95 % intervals, by formula: no resampling, so the same counts always give the same figures.
//!
//! Shares: Wilson's interval ("Probable inference", JASA 1927), which Brown, Cai and DasGupta ("Interval estimation for a
//! binomial proportion", Statistical Science 2001) recommend. Means: the normal interval with the sample's variance.

use serde::{Deserialize, Serialize};

/// 97.5 % of a standard normal variable lie below.
const Z: f64 = 1.959_963_984_540_054;
/// Parts of 1 in which sums of scores and probabilities are kept: whole numbers add up to the same in any order.
pub(super) const MICRO: f64 = 1e6;

/// A figure with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// The share of `part` in `whole` with Wilson's interval, in [0, 1]; `None` of nothing.
pub(super) fn share(part: u64, whole: u64) -> Option<Estimate> {
    if whole == 0 {
        return None;
    }
    let (k, n) = (part.min(whole) as f64, whole as f64);
    let centre = (k + Z * Z / 2.0) / (n + Z * Z);
    let half = Z / (n + Z * Z) * (k * (n - k) / n + Z * Z / 4.0).sqrt();
    Some(Estimate { value: k / n, low: (centre - half).max(0.0), high: (centre + half).min(1.0) })
}

/// A sum of values with the sum of their squares, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Sum {
    count: u64,
    total: i64,
    squares: u64,
}

impl Sum {
    /// Adds a value of at most 1 in size.
    pub(super) fn push(&mut self, value: f64) {
        self.count += 1;
        self.total += (value * MICRO).round() as i64;
        self.squares += (value * value * MICRO).round() as u64;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.total += other.total;
        self.squares += other.squares;
    }

    /// The mean with its normal interval, kept within [−1, 1]; of one value the interval is everything.
    pub(super) fn mean(&self) -> Option<Estimate> {
        if self.count == 0 {
            return None;
        }
        let n = self.count as f64;
        let mean = self.total as f64 / MICRO / n;
        if self.count == 1 {
            return Some(Estimate { value: mean, low: -1.0, high: 1.0 });
        }
        let variance = ((self.squares as f64 / MICRO - n * mean * mean) / (n - 1.0)).max(0.0);
        let half = Z * (variance / n).sqrt();
        Some(Estimate { value: mean, low: (mean - half).max(-1.0), high: (mean + half).min(1.0) })
    }
}

/// Promoters minus detractors in points, in [−100, 100], from counts of low, middle and high scores.
///
/// The variance of a difference of two shares of one multinomial sample is (p + d − (p − d)²) / n (Rocks, "Interval
/// estimation for the net promoter score", The American Statistician 2016).
pub(super) fn net(bands: &[u64; 3]) -> Option<Estimate> {
    let n = bands.iter().sum::<u64>() as f64;
    if n == 0.0 {
        return None;
    }
    let (low, high) = (bands[0] as f64 / n, bands[2] as f64 / n);
    let net = high - low;
    let half = Z * ((high + low - net * net).max(0.0) / n).sqrt();
    let points = |value: f64| 100.0 * value.clamp(-1.0, 1.0);
    Some(Estimate { value: points(net), low: points(net - half), high: points(net + half) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(found: Option<Estimate>, value: f64, low: f64, high: f64) {
        let found = found.unwrap();
        for (a, b) in [(found.value, value), (found.low, low), (found.high, high)] {
            assert!((a - b).abs() < 5e-4, "{found:?}, expected {value} {low} {high}");
        }
    }

    #[test]
    fn intervals_are_those_of_the_literature() {
        // Newcombe, Statistics in Medicine 1998, table I, method 3 (the score interval without continuity correction).
        check(share(81, 263), 0.3080, 0.2553, 0.3662);
        check(share(15, 148), 0.1014, 0.0624, 0.1605);
        check(share(0, 20), 0.0, 0.0, 0.1611);
        check(share(1, 29), 0.0345, 0.0061, 0.1718);
        // 40 % promoters, 20 % detractors of 100: 20 ± 1.96 · √(.6 − .04) / 10 · 100.
        check(net(&[20, 40, 40]).map(|e| Estimate { value: e.value / 100.0, ..e }), 0.2, 5.333, 34.667);
        assert!(share(0, 0).is_none() && net(&[0; 3]).is_none() && Sum::default().mean().is_none());
    }

    #[test]
    fn a_mean_has_the_interval_of_its_samples_variance() {
        let mut sum = Sum::default();
        [-1.0, 0.0, 0.0, 1.0, 0.5].into_iter().for_each(|value| sum.push(value));
        // s² = 0.55, 1.96 · √(0.55 / 5) = 0.65.
        check(sum.mean(), 0.1, 0.1 - 0.6501, 0.1 + 0.6501);
    }

    proptest! {
        #[test]
        fn the_order_of_the_values_makes_no_difference(values in prop::collection::vec(-1.0f64..=1.0, 0..40)) {
            let (mut forth, mut back) = (Sum::default(), Sum::default());
            values.iter().for_each(|value| forth.push(*value));
            values.iter().rev().for_each(|value| back.push(*value));
            prop_assert_eq!(forth, back);
        }

        #[test]
        fn a_share_lies_within_its_interval(part in 0u64..500, more in 0u64..500) {
            if let Some(e) = share(part, part + more) {
                prop_assert!(0.0 <= e.low && e.low <= e.value + 1e-12 && e.value <= e.high + 1e-12 && e.high <= 1.0);
            }
        }
    }
}
