//! Percentile bootstrap over conversations (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13):
//! how far the numbers move when other conversations of the same kind had come in. The sequence is fixed.

use super::super::judged::Judged;
use super::measures::{MEASURES, Set};
use crate::domain::ranking::quantile;

/// Seed of the resamples, so that a report can be made again.
const SEED: u64 = 20_200_427;
/// Has no interval: conversations that are drawn twice leave fewer days, so resamples lie above the estimate.
const WITHOUT: &str = "alerts_per_day";
/// Share of the resamples outside the interval, on each side.
const TAIL: f64 = 0.025;

/// Per measure; `None` where no resample had anything to measure. Empty without resamples or conversations.
pub(super) fn intervals(set: Set<'_, '_>, resamples: usize) -> Vec<Option<[f64; 2]>> {
    if resamples == 0 || set.is_empty() {
        return Vec::new();
    }
    let mut state = SEED;
    let mut found: Vec<Vec<f64>> = vec![Vec::new(); MEASURES.len()];
    for _ in 0..resamples {
        let drawn: Vec<&Judged<'_>> = set.iter().map(|_| set[below(&mut state, set.len())]).collect();
        for (values, measure) in found.iter_mut().zip(MEASURES).filter(|(_, m)| m.name != WITHOUT) {
            values.extend((measure.of)(&drawn));
        }
    }
    let interval = |values: Vec<f64>| Some([quantile(&values, TAIL)?, quantile(&values, 1.0 - TAIL)?]);
    found.into_iter().map(interval).collect()
}

/// A number below `count`, by SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
fn below(state: &mut u64, count: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((u128::from(z ^ (z >> 31)) * count as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_drawn_about_as_often() {
        let mut state = SEED;
        let mut counts = [0; 8];
        (0..8000).for_each(|_| counts[below(&mut state, 8)] += 1);
        assert!(counts.iter().all(|count| (900..1100).contains(count)), "{counts:?}");
    }
}
