//! Metrics against small examples worked by hand, and the laws that they keep.

use proptest::prelude::*;

use super::super::scores::tests::{classes, multi_label};
use super::*;

fn value(scores: &Scores, name: &str) -> f64 {
    let headline = Tallies::of_all(scores).headline();
    headline.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name}")).1
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
}

/// a: two hits, one false alarm, no miss. b: one hit, no false alarm, two misses. c: never holds, one false alarm.
fn three_labels() -> Scores {
    multi_label(&[
        &[(0.9, true), (0.6, true), (0.1, false)],
        &[(0.8, true), (0.2, true), (0.7, false)],
        &[(0.5, false), (0.1, true), (0.1, false)],
        &[(0.1, false), (0.1, false), (0.1, false)],
    ])
}

#[test]
fn f1_is_averaged_over_the_labels_that_hold_somewhere() {
    let scores = three_labels();
    let counts = Tallies::of_all(&scores).counts;
    close(counts[0].f1(), 0.8);
    close(counts[1].f1(), 0.5);
    close(value(&scores, "macro_f1"), 0.65);
    close(value(&scores, "macro_recall"), (1.0 + 1.0 / 3.0) / 2.0);
    close(value(&scores, "macro_precision"), (2.0 / 3.0 + 1.0) / 2.0);
    // Three hits, two false alarms, two misses.
    close(value(&scores, "micro_f1"), 6.0 / 10.0);
    // The likeliest label holds in rows 1 and 2 of the three with a label.
    close(value(&scores, "top_label_acceptable"), 2.0 / 3.0);
}

#[test]
fn classes_have_an_accuracy_a_confusion_and_the_top_class_s_calibration() {
    let scores = classes(&[(&[0.6, 0.3, 0.1], 0), (&[0.6, 0.3, 0.1], 1), (&[0.1, 0.1, 0.8], 2)]);
    close(value(&scores, "accuracy"), 2.0 / 3.0);
    close(value(&scores, "micro_f1"), 2.0 / 3.0);
    assert_eq!(confusion(&scores), [[1, 0, 0], [1, 0, 0], [0, 0, 1]]);
    // Two at .6, of which half came true; one at .8 that did: (2 · .1 + 1 · .2) / 3.
    close(value(&scores, "ece"), 0.4 / 3.0);
    close(
        value(&scores, "brier"),
        ((0.16 + 0.09 + 0.01) + (0.36 + 0.49 + 0.01) + (0.01 + 0.01 + 0.04)) / 3.0,
    );
}

#[test]
fn average_precision_takes_equal_probabilities_together() {
    // As scikit-learn has it in its documentation: 0.83 for these four.
    let column = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
    close(average_precision(&column).unwrap(), 0.5 + 0.5 * 2.0 / 3.0);
    close(average_precision(&[(0.5, true), (0.5, false)]).unwrap(), 0.5);
    assert_eq!(average_precision(&[(0.5, false)]), None);
}

#[test]
fn a_sweep_finds_the_threshold_that_parts_the_rows() {
    let (threshold, f1) = sweep(&[(0.2, false), (0.3, false), (0.42, true), (0.9, true)]);
    assert!(threshold > 0.3 && threshold <= 0.42, "{threshold}");
    close(f1, 1.0);
}

fn table() -> impl Strategy<Value = Vec<Vec<(f64, bool)>>> {
    prop::collection::vec(prop::collection::vec((0.0f64..=1.0, any::<bool>()), 3), 1..40)
}

fn scores(rows: &[Vec<(f64, bool)>]) -> Scores {
    multi_label(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn every_metric_lies_between_0_and_1(rows in table()) {
        for (name, value) in Tallies::of_all(&scores(&rows)).headline() {
            prop_assert!((-1e-9..=1.0 + 1e-9).contains(&value), "{name} {value}");
        }
    }

    #[test]
    fn the_order_of_the_rows_changes_nothing(rows in table()) {
        let turned: Vec<_> = rows.iter().rev().cloned().collect();
        let pairs = Tallies::of_all(&scores(&rows)).headline().into_iter();
        for ((name, a), (_, b)) in pairs.zip(Tallies::of_all(&scores(&turned)).headline()) {
            prop_assert!((a - b).abs() < 1e-9, "{name}: {a} {b}");
        }
        let column = |rows: &[Vec<(f64, bool)>]| rows.iter().map(|row| row[0]).collect::<Vec<_>>();
        let [a, b] = [&rows, &turned].map(|rows| average_precision(&column(rows)));
        prop_assert_eq!(a.is_some(), b.is_some());
        prop_assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-9);
    }

    #[test]
    fn a_perfect_predictor_gets_1_and_no_error(
            truths in prop::collection::vec(prop::collection::vec(any::<bool>(), 3), 1..40)
        ) {
        prop_assume!(truths.iter().flatten().any(|truth| *truth));
        let rows: Vec<Vec<(f64, bool)>> = truths
            .iter()
            .map(|row| row.iter().map(|truth| (f64::from(u8::from(*truth)), *truth)).collect())
            .collect();
        for (name, value) in Tallies::of_all(&scores(&rows)).headline() {
            let best = if ["ece", "brier"].contains(&name) { 0.0 } else { 1.0 };
            prop_assert!((value - best).abs() < 1e-9, "{name} {value}");
        }
        let column: Vec<(f64, bool)> = rows.iter().flatten().copied().collect();
        prop_assert!((average_precision(&column).unwrap() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_row_of_weight_two_counts_like_two_rows(rows in table()) {
        let doubled: Vec<_> = rows.iter().chain(&rows[..1]).cloned().collect();
        let mut weights = vec![1; rows.len()];
        weights[0] = 2;
        let weighted = Tallies::of(&scores(&rows), &weights).headline();
        for ((name, a), (_, b)) in weighted.into_iter().zip(Tallies::of_all(&scores(&doubled)).headline()) {
            prop_assert!((a - b).abs() < 1e-9, "{name}: {a} {b}");
        }
    }

    #[test]
    fn a_swept_threshold_is_no_worse_than_any_on_its_grid(rows in table(), hundredth in 1u32..100) {
        let column: Vec<(f64, bool)> = rows.iter().map(|row| row[0]).collect();
        prop_assert!(sweep(&column).1 >= f1_at(&column, f64::from(hundredth) / 100.0));
    }
}
