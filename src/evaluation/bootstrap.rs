//! Percentile bootstrap: how far the headline metrics move when other rows of the same kind had been drawn.
//!
//! Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13. Rows are drawn with replacement;
//! the sequence is fixed by a seed, so that a report can be made again.

use super::metrics::Tallies;
use super::scores::Scores;
use crate::domain::ranking;

/// Seed of the resamples and of the folds.
pub const SEED: u64 = 20_200_427;
/// Has no interval: with rows drawn twice the bins' frequencies are coarser, and resamples lie above the estimate.
const WITHOUT: &str = "ece";
/// Share of the resamples outside the interval, on each side.
const TAIL: f64 = 0.025;

/// Steele, Lea and Flood's SplitMix64 (OOPSLA 2014): small, and good enough to draw rows.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `count`, which is above 0. The bias is below count / 2⁶⁴.
    pub fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.next()) * count as u128) >> 64) as usize
    }

    /// Brings `items` into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// 2.5 % of the resamples lie below.
    pub low: f64,
    /// 2.5 % of the resamples lie above.
    pub high: f64,
}

/// Intervals of the headline metrics but for the calibration error, in their order; empty without resamples or rows.
pub fn intervals(scores: &Scores, resamples: usize) -> Vec<(&'static str, Interval)> {
    if resamples == 0 || scores.is_empty() {
        return Vec::new();
    }
    let mut random = Random::new(SEED);
    let mut drawn: Vec<(&'static str, Vec<f64>)> = Vec::new();
    for _ in 0..resamples {
        let mut headline = Tallies::of(scores, &weights(&mut random, scores.len())).headline();
        headline.retain(|(name, _)| *name != WITHOUT);
        if drawn.is_empty() {
            drawn = headline.iter().map(|(name, _)| (*name, Vec::with_capacity(resamples))).collect();
        }
        drawn.iter_mut().zip(headline).for_each(|((_, values), (_, value))| values.push(value));
    }
    drawn.into_iter().map(|(name, values)| (name, interval(&values))).collect()
}

/// How often each of `count` rows is drawn in `count` draws.
fn weights(random: &mut Random, count: usize) -> Vec<u32> {
    let mut weights = vec![0; count];
    (0..count).for_each(|_| weights[random.below(count)] += 1);
    weights
}

fn interval(values: &[f64]) -> Interval {
    Interval { low: quantile(values, TAIL), high: quantile(values, 1.0 - TAIL) }
}

/// 0 without values.
fn quantile(values: &[f64], share: f64) -> f64 {
    ranking::quantile(values, share).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::scores::tests::classes;
    use super::*;

    #[test]
    fn splitmix_gives_the_numbers_that_its_authors_give() {
        let mut random = Random::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.next(), random.next(), random.next()], expected);
    }

    #[test]
    fn quantiles_lie_between_their_neighbours() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0];
        assert_eq!((quantile(&values, 0.5), quantile(&values, 0.125)), (2.0, 0.5));
        assert_eq!(quantile(&[], 0.5), 0.0);
    }

    #[test]
    fn the_interval_of_an_accuracy_has_the_width_that_theory_gives() {
        // 400 rows of which 80 % are right: ± 1.96 · √(.8 · .2 / 400) = ± .039.
        let rows: Vec<(&[f64], usize)> =
            (0..400).map(|row| (&[0.9, 0.1][..], usize::from(row % 5 == 0))).collect();
        let found = intervals(&classes(&rows), 400);
        let accuracy = found.iter().find(|(name, _)| *name == "accuracy").unwrap().1;
        assert!(
            (accuracy.low - 0.761).abs() < 0.012 && (accuracy.high - 0.839).abs() < 0.012,
            "{accuracy:?}"
        );
        assert_eq!(intervals(&classes(&rows), 400), found);
    }

    proptest! {
        #[test]
        fn every_draw_is_counted_and_a_shuffle_loses_nothing(seed: u64, count in 1usize..60) {
            let mut random = Random::new(seed);
            prop_assert_eq!(weights(&mut random, count).iter().sum::<u32>() as usize, count);
            let mut items: Vec<usize> = (0..count).collect();
            random.shuffle(&mut items);
            items.sort_unstable();
            prop_assert_eq!(items, (0..count).collect::<Vec<_>>());
        }
    }
}
