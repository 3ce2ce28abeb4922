//! How far apart two histograms over the same bins are.
//!
//! With counts a of A and b of B, shares p = a/A and q = b/B, over the k bins that either uses:
//!
//! - **Population stability index**, Σ (p' − q') · ln(p'/q') (Siddiqi, *Credit Risk Scorecards*, 2006; it is Jeffreys' symmetric
//!   divergence). Both are smoothed towards their mean, p' = (1 − λ)p + λ(p + q)/2 with λ = [`SMOOTHING`]: a bin that one
//!   lacks counts for much and not for infinity, equal shares stay equal, and what neither has counts nothing.
//! - **Its chance part.** Two samples of one distribution have an index of (k − 1)(1/A + 1/B) on average, with a standard
//!   deviation of √(2(k − 1)) · (1/A + 1/B): it is a χ² with k − 1 degrees of freedom, scaled (Yurdakul, *Statistical
//!   properties of population stability index*, 2018). The mean is taken off; what is left of nothing is 0.
//! - **Jensen–Shannon distance**, the square root of the divergence to the base 2 (Lin 1991; a metric: Endres and Schindelin
//!   2003). In [0, 1], without smoothing, and without a correction.

/// λ: share of the mean that is mixed in before the index is computed. Bounds ln(p'/q') by ln(199).
pub const SMOOTHING: f64 = 0.01;

/// How far apart two histograms are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Divergence {
    /// Population stability index without its chance part, at least 0.
    pub psi: f64,
    /// Standard deviation of the index between two samples of one distribution.
    pub noise: f64,
    /// Jensen–Shannon distance, in [0, 1].
    pub js: f64,
}

impl Divergence {
    /// Compares two histograms over the same bins; `None` when one of them is empty.
    pub fn of(a: &[u32], b: &[u32]) -> Option<Self> {
        let (of_a, of_b) = (total(a), total(b));
        if of_a == 0 || of_b == 0 {
            return None;
        }
        let (of_a, of_b) = (of_a as f64, of_b as f64);
        let used = a.iter().zip(b).filter(|(a, b)| **a > 0 || **b > 0);
        let (mut psi, mut js, mut bins) = (0.0, 0.0, 0u32);
        for (a, b) in used {
            let (p, q) = (f64::from(*a) / of_a, f64::from(*b) / of_b);
            psi += term(p, q);
            js += half_js(p, q) + half_js(q, p);
            bins += 1;
        }
        let (freedom, scale) = (f64::from(bins - 1), 1.0 / of_a + 1.0 / of_b);
        Some(Self {
            psi: (psi - freedom * scale).max(0.0),
            noise: (2.0 * freedom).sqrt() * scale,
            js: js.clamp(0.0, 1.0).sqrt(),
        })
    }
}

/// All counts together.
pub fn total(counts: &[u32]) -> u64 {
    counts.iter().map(|count| u64::from(*count)).sum()
}

/// What one bin adds to the index: at least 0.
pub fn term(p: f64, q: f64) -> f64 {
    let mean = SMOOTHING * (p + q) / 2.0;
    let (p, q) = ((1.0 - SMOOTHING) * p + mean, (1.0 - SMOOTHING) * q + mean);
    if p <= 0.0 || q <= 0.0 { 0.0 } else { (p - q) * (p / q).ln() }
}

/// Half of what one bin adds to the divergence, seen from p.
fn half_js(p: f64, q: f64) -> f64 {
    if p <= 0.0 { 0.0 } else { p * (2.0 * p / (p + q)).log2() / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn two() -> impl Strategy<Value = (Vec<u32>, Vec<u32>)> {
        let count = || prop_oneof![Just(0u32), 1u32..50, 0u32..100_000];
        (2usize..40).prop_flat_map(move |bins| {
            (prop::collection::vec(count(), bins), prop::collection::vec(count(), bins))
        })
    }

    proptest! {
        #[test]
        fn both_measures_are_symmetric_and_keep_to_their_ranges((a, b) in two()) {
            let (there, back) = (Divergence::of(&a, &b), Divergence::of(&b, &a));
            prop_assert_eq!(there.is_some(), total(&a) > 0 && total(&b) > 0);
            if let (Some(there), Some(back)) = (there, back) {
                prop_assert!(there.psi >= 0.0 && there.psi < 10.6 && there.noise >= 0.0, "{:?}", there);
                prop_assert!((0.0..=1.0).contains(&there.js), "{:?}", there);
                prop_assert!((there.psi - back.psi).abs() < 1e-9 && (there.js - back.js).abs() < 1e-9);
            }
        }

        #[test]
        fn equal_shares_are_no_distance_apart_whatever_their_numbers((a, _) in two(), times in 1u32..20) {
            let more: Vec<u32> = a.iter().map(|count| count * times).collect();
            if let Some(found) = Divergence::of(&a, &more) {
                prop_assert!(found.psi == 0.0 && found.js < 1e-6, "{:?}", found);
            }
        }

        #[test]
        fn no_bin_pulls_the_index_down(p in 0.0f64..=1.0, q in 0.0f64..=1.0) {
            prop_assert!(term(p, q) >= 0.0);
        }
    }

    #[test]
    fn worked_examples_come_out_as_by_hand() {
        let none = Divergence::of(&[50, 50, 0], &[500, 500, 0]).unwrap();
        assert_eq!((none.psi, none.js), (0.0, 0.0));
        // (0.3 - 0.5) ln(0.3/0.5) + (0.7 - 0.5) ln(0.7/0.5) = 0.1695, smoothed and without 1/1e6 + 1/1e6.
        let half = Divergence::of(&[300_000, 700_000], &[500_000, 500_000]).unwrap();
        assert!((half.psi - 0.1661).abs() < 5e-4, "{half:?}");
        assert!((half.js - 0.1744).abs() < 1e-3, "{half:?}");
        let apart = Divergence::of(&[1000, 0], &[0, 1000]).unwrap();
        assert!((apart.js - 1.0).abs() < 1e-12 && apart.psi > 10.0, "{apart:?}");
    }

    #[test]
    fn samples_of_one_distribution_have_no_index_left_on_average() {
        let shares = [0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.05, 0.05];
        let mut random = 7u64;
        let mut draw = || {
            // Knuth's MMIX generator.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut left = (random >> 11) as f64 / (1u64 << 53) as f64;
            shares
                .iter()
                .position(|share| {
                    left -= share;
                    left < 0.0
                })
                .unwrap_or(shares.len() - 1)
        };
        let mut sample = |texts: usize| {
            let mut counts = [0u32; 8];
            (0..texts).for_each(|_| counts[draw()] += 1);
            counts
        };
        let baseline = sample(12_000);
        let found: Vec<Divergence> =
            (0..200).map(|_| Divergence::of(&baseline, &sample(500)).unwrap()).collect();
        let mean = found.iter().map(|d| d.psi).sum::<f64>() / 200.0;
        let worst = found.iter().map(|d| d.psi / d.noise).fold(0.0, f64::max);
        assert!(mean < found[0].noise && worst < 6.0, "mean {mean}, worst {worst} deviations");
    }
}
