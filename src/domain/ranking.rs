//! How well a score puts some things before others, whatever the threshold.

/// Average precision, Σ (Rₙ − Rₙ₋₁) · Pₙ over falling scores, equal ones together: the area under the curve of
/// precision over recall, in [0, 1]. 0 without positives.
pub fn average_precision(scored: &[(f64, bool)]) -> f64 {
    let positives = scored.iter().filter(|(_, truth)| *truth).count();
    let mut falling = scored.to_vec();
    falling.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut taken, mut hits, mut area) = (0, 0, 0.0);
    for equal in falling.chunk_by(|a, b| a.0 == b.0) {
        let new = equal.iter().filter(|(_, truth)| *truth).count();
        taken += equal.len();
        hits += new;
        area += new as f64 * hits as f64 / taken as f64;
    }
    ratio(area, positives as f64)
}

/// How many of the highest scores must be taken to have `share` of the positives, at least one; `None` without any.
/// Of equal scores the positives come last, so that the number can be relied on.
pub fn taken_for(scored: &[(f64, bool)], share: f64) -> Option<usize> {
    let positives = scored.iter().filter(|(_, truth)| *truth).count();
    let wanted = ((share * positives as f64).ceil() as usize).max(1);
    let mut falling = scored.to_vec();
    falling.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let found = falling.iter().enumerate().filter(|(_, (_, truth))| *truth).nth(wanted - 1);
    found.map(|(place, _)| place + 1)
}

/// Precision and recall of taking what scores at least `threshold`; the precision of taking nothing is 1.
pub fn at_threshold(scored: &[(f64, bool)], threshold: f64) -> (f64, f64) {
    let taken = scored.iter().filter(|(score, _)| *score >= threshold);
    let (taken, hits) =
        taken.fold((0.0, 0.0), |(t, h), (_, truth)| (t + 1.0, h + f64::from(u8::from(*truth))));
    let positives = scored.iter().filter(|(_, truth)| *truth).count() as f64;
    (if taken > 0.0 { hits / taken } else { 1.0 }, ratio(hits, positives))
}

/// Harmonic mean of precision and recall; 0 without anything.
pub fn f1(hits: usize, false_alarms: usize, misses: usize) -> f64 {
    ratio(2.0 * hits as f64, (2 * hits + false_alarms + misses) as f64)
}

/// Quantile of values, between neighbours by linear interpolation; `None` without values.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = share * sorted.len().saturating_sub(1) as f64;
    let (low, high) = (sorted.get(place.floor() as usize)?, sorted.get(place.ceil() as usize)?);
    Some(low + (high - low) * place.fract())
}

/// 0 when there is nothing to divide by.
pub fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scored(truths: &[u8]) -> Vec<(f64, bool)> {
        truths.iter().enumerate().map(|(n, truth)| (1.0 - n as f64 / 100.0, *truth == 1)).collect()
    }

    #[test]
    fn a_ranking_is_worth_what_its_order_is_worth() {
        for (truths, area, taken) in [
            (vec![1, 1, 0, 0], 1.0, Some(2)),
            (vec![0, 0, 1, 1], (1.0 / 3.0 + 0.5) / 2.0, Some(4)),
            (vec![1, 0, 1, 0, 0], (1.0 + 2.0 / 3.0) / 2.0, Some(3)),
            (vec![0, 0], 0.0, None),
            (vec![], 0.0, None),
        ] {
            let scored = scored(&truths);
            assert!((average_precision(&scored) - area).abs() < 1e-9, "{truths:?}");
            assert_eq!(taken_for(&scored, 0.8), taken, "{truths:?}");
        }
    }

    #[test]
    fn equal_scores_are_no_ranking() {
        let equal = [(0.5, true), (0.5, false), (0.5, false), (0.5, true)];
        assert_eq!((average_precision(&equal), taken_for(&equal, 0.8)), (0.5, Some(4)));
    }

    #[test]
    fn quantiles_lie_between_their_neighbours() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0], 0.5), Some(2.0));
        assert_eq!(quantile(&[4.0, 0.0], 0.1), Some(0.4));
        assert_eq!(quantile(&[], 0.5), None);
    }

    proptest! {
        #[test]
        fn areas_and_shares_lie_between_0_and_1(scored in prop::collection::vec((0.0..1.0f64, any::<bool>()), 0..60)) {
            prop_assert!((0.0..=1.0).contains(&average_precision(&scored)));
            let (precision, recall) = at_threshold(&scored, 0.5);
            prop_assert!((0.0..=1.0).contains(&precision) && (0.0..=1.0).contains(&recall));
            prop_assert!(at_threshold(&scored, 0.3).1 >= recall);
            prop_assert!(taken_for(&scored, 0.8).unwrap_or(0) <= scored.len());
        }
    }
}
