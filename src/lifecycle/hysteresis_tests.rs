//! The laws of one state.

use super::*;
use crate::lifecycle::rules::STATES;
use crate::lifecycle::samples_tests::DAY;
use proptest::prelude::*;

/// Raised at 0.5, cleared below 0.3; held for 2 days, a cool-down of 10, over after 100.
fn border() -> Border {
    Border {
        kind: SignalKind::ChurnRiskRaised,
        end: Some(SignalKind::ChurnRiskCleared),
        raise: 0.5,
        clear: 0.3,
        hold_days: 2.0,
        cool_days: 10.0,
        lapse_days: 100.0,
    }
}

fn measured(day: i64, value: f64) -> Measured<'static> {
    Measured { value, at_ms: day * DAY, subject: None, by_account: false }
}

fn run(border: Border, steps: &[(i64, f64)]) -> Vec<(i64, SignalKind)> {
    let mut track = Track::default();
    let told = |(day, value): &(i64, f64)| Some((*day, border.step(&mut track, measured(*day, *value))?));
    steps.iter().filter_map(told).collect()
}

#[test]
fn a_state_comes_at_raise_goes_below_clear_and_keeps_its_times() {
    type Row<'a> = (&'a str, &'a [(i64, f64)], &'a [(i64, bool)]);
    let rows: [Row; 9] = [
        ("the border raises", &[(0, 0.49), (1, 0.5)], &[(1, true)]),
        ("the border of clear holds", &[(0, 0.6), (5, 0.3)], &[(0, true)]),
        ("below it ends", &[(0, 0.6), (5, 0.29)], &[(0, true), (5, false)]),
        ("the band changes nothing", &[(0, 0.4), (1, 0.6), (4, 0.4), (5, 0.45), (6, 0.31)], &[(1, true)]),
        ("not so soon after a raise", &[(0, 0.6), (1, 0.1), (2, 0.1)], &[(0, true), (2, false)]),
        ("a moment's fall within that is none", &[(0, 0.6), (1, 0.1), (3, 0.4)], &[(0, true)]),
        (
            "the cool-down",
            &[(0, 0.6), (5, 0.1), (6, 0.9), (14, 0.9), (15, 0.9)],
            &[(0, true), (5, false), (15, true)],
        ),
        ("over in silence, and news again", &[(0, 0.6), (101, 0.6)], &[(0, true), (101, true)]),
        ("confirmed in the meantime", &[(0, 0.6), (90, 0.35), (180, 0.6)], &[(0, true)]),
    ];
    for (what, steps, expected) in rows {
        let kind = |raised| if raised { SignalKind::ChurnRiskRaised } else { SignalKind::ChurnRiskCleared };
        let expected: Vec<_> = expected.iter().map(|(day, raised)| (*day, kind(*raised))).collect();
        assert_eq!(run(border(), steps), expected, "{what}");
    }
}

#[test]
fn an_end_that_nobody_is_told_of_needs_no_cool_down_of_its_own() {
    let silent = Border { end: None, ..border() };
    assert_eq!(run(silent, &[(0, 0.6), (5, 0.1), (9, 0.6), (10, 0.6)]).len(), 2);
}

#[test]
fn the_crm_ends_a_state_at_once() {
    let mut track = Track::default();
    border().step(&mut track, measured(0, 0.6));
    let by_account = Measured { by_account: true, ..measured(0, 0.1) };
    assert_eq!(border().step(&mut track, by_account), Some(SignalKind::ChurnRiskCleared));
}

#[test]
fn a_subject_is_told_once_and_another_one_is_news() {
    let mut track = Track::default();
    let mut about = |day: i64, subject: &'static str| {
        border().step(&mut track, Measured { subject: Some(subject), ..measured(day, 0.9) }).is_some()
    };
    let told =
        [about(0, "a"), about(20, "a"), about(130, "a"), about(131, "b"), about(135, "c"), about(142, "c")];
    assert_eq!(told, [true, false, false, true, false, true]);
}

#[test]
fn every_border_leaves_a_band_and_lapses_after_its_cool_down() {
    for border in STATES {
        assert!(border.raise - border.clear >= 0.1, "{border:?}");
        assert!(border.hold_days <= border.cool_days && border.cool_days <= border.lapse_days, "{border:?}");
    }
    assert!(STATES.is_sorted_by(|a, b| a.kind < b.kind));
}

proptest! {
    #[test]
    fn inside_the_band_nothing_is_ever_told(
        before in prop::collection::vec((0i64..20, 0.0..=1.0f64), 0..20),
        band in prop::collection::vec((0i64..20, 0.3..0.5f64), 1..40),
    ) {
        let (mut track, mut day) = (Track::default(), 0);
        for (days, value) in before {
            day += days;
            border().step(&mut track, measured(day, value));
        }
        for (days, value) in band {
            day += days;
            prop_assert_eq!(border().step(&mut track, measured(day, value)), None);
        }
    }

    #[test]
    fn raised_and_cleared_take_turns_and_keep_their_distance(
        steps in prop::collection::vec((0i64..15, 0.0..=1.0f64), 0..80),
    ) {
        let days: Vec<(i64, f64)> = steps.iter().scan(0, |day, (days, value)| {
            *day += days;
            Some((*day, *value))
        }).collect();
        let told = run(border(), &days);
        for (n, (day, kind)) in told.iter().enumerate() {
            let raised = *kind == SignalKind::ChurnRiskRaised;
            prop_assert_eq!(raised, n % 2 == 0, "within 15 days of each other nothing lapses but after 100");
            if n > 0 {
                let least = if raised { 10 } else { 2 };
                prop_assert!(day - told[n - 1].0 >= least);
            }
        }
    }

    #[test]
    fn the_same_measure_again_tells_nothing(steps in prop::collection::vec((0i64..200, 0.0..=1.0f64), 0..40)) {
        let (mut track, mut day) = (Track::default(), 0);
        for (days, value) in steps {
            day += days;
            border().step(&mut track, measured(day, value));
            let left = track.clone();
            prop_assert_eq!(border().step(&mut track, measured(day, value)), None);
            prop_assert_eq!(&track, &left);
        }
    }
}
