//! Backtest arithmetic on conversations that were made by hand.

use proptest::prelude::*;

use super::super::replay::tests::{case, says};
use super::*;
use crate::domain::Outcome;

/// Urgent from a formal complaint on, elevated and watch from something that fails on; nothing else weighs anything.
fn policies(capacity: usize) -> Policies {
    let text = include_str!("../../config/escalation.toml");
    let mut file: toml::Table = toml::from_str(text).unwrap();
    let part = |text: &str| toml::Value::Table(toml::from_str(text).unwrap());
    file.insert("version".into(), "test".into());
    file.insert("detection".into(), part("base = -4.0\nweights = { \"cue.formal_complaint\" = 8.0 }"));
    file.insert("forecast".into(), part("base = -4.0\nweights = { \"cue.unresolved_issue\" = 6.0 }"));
    file["tiers"]["capacity"] = (capacity as i64).into();
    Policies::parse(&toml::to_string(&file).unwrap()).unwrap()
}

/// Turns by letter: c complains, f says that it fails, anything else says nothing. `outcome`: the marked turn and the
/// onset by customer turn.
fn talk(id: usize, day: i64, letters: &str, outcome: Option<(usize, Option<usize>)>) -> Case {
    let say = |letter| match letter {
        'c' => says(0.9, &["formal_complaint"]),
        'f' => says(0.7, &["unresolved_issue"]),
        _ => says(0.0, &[]),
    };
    let outcome = outcome.map_or_else(Outcome::default, |(turn, onset)| Outcome {
        escalated: true,
        turn: Some(2 * turn),
        forecastable_turn: onset.map(|onset| 2 * onset),
        recovered: None,
    });
    case(id, day, letters.chars().map(say).collect(), outcome)
}

fn history() -> Vec<Case> {
    vec![
        talk(1, 0, ".ffc", Some((3, Some(1)))),
        talk(2, 0, "..c", Some((2, Some(1)))),
        talk(3, 0, ".....", Some((3, None))),
        talk(4, 1, "c....", Some((4, None))),
        talk(5, 1, "....", None),
        talk(6, 1, ".f..", None),
        talk(7, 2, "c", None),
        talk(8, 2, "....", None),
    ]
}

#[test]
fn the_numbers_are_those_of_a_hand_calculation() {
    let test = Backtest::of(&history(), &policies(20), 0);
    let header = (test.conversations, test.escalated, test.marked, test.foreseeable, test.days);
    assert_eq!(header, (8, 4, 4, 2, 3));
    for (name, expected) in [
        // Told in time: 1 and 2. Missed: 3 and 4, of which 4 was told too early. For nothing: 7.
        ("detection_f1", 4.0 / (4.0 + 2.0 + 2.0)),
        ("detection_precision", 0.5),
        ("detection_recall", 0.5),
        // Of 1 and 2, which could be seen coming, 1 was told.
        ("forecast_recall", 0.5),
        ("false_alarm_share", 0.5),
        // From turn 2 to 6 of 1, and from 0 to 8 of 4.
        ("lead_turns_median", 3.0),
        ("lead_turns_p10", 2.2),
        ("lead_minutes_median", 30.0),
        ("false_alarms_per_1000", 250.0),
        ("alerts_per_day", 5.0 / 3.0),
        // 1, 2, 4, 6 and 7 have an alert, the first three of them escalated.
        ("precision_at_capacity", 0.6),
        ("recall_at_capacity", 0.75),
        // Of 4 the fourth is found last: 3, with a risk as low as 5 and 8.
        ("unread_at_recall", 0.0),
        ("work_saved_at_recall", -0.2),
    ] {
        let found = test.number(name).unwrap();
        assert!((found - expected).abs() < 1e-9, "{name}: {found}");
    }
    assert_eq!(test.number("recovered_found"), None);
}

#[test]
fn each_days_best_alerts_are_as_many_as_people_can_take() {
    let cases = [talk(1, 0, "c", Some((0, None))), talk(2, 0, "c.", Some((0, None))), talk(3, 0, ".f", None)];
    for (capacity, precision, recall) in [(1, 1.0, 0.5), (2, 1.0, 1.0), (3, 2.0 / 3.0, 1.0)] {
        let test = Backtest::of(&cases, &policies(capacity), 0);
        assert_eq!(test.number("precision_at_capacity"), Some(precision), "{capacity}");
        assert_eq!(test.number("recall_at_capacity"), Some(recall), "{capacity}");
    }
}

#[test]
fn a_turn_that_is_itself_the_escalation_is_no_forecast() {
    let cases = [talk(1, 0, ".f", Some((1, Some(0)))), talk(2, 0, "..", None)];
    let test = Backtest::of(&cases, &policies(20), 0);
    assert_eq!(test.number("forecast_recall"), Some(0.0));
    assert_eq!(test.number("lead_turns_median"), None);
    assert_eq!(test.number("average_precision"), Some(1.0));
}

#[test]
fn recovery_is_counted_at_the_end_and_only_where_somebody_said_so() {
    let mut cases = Vec::new();
    for (id, letters, recovered) in
        [(1, "f.", Some(true)), (2, "ff", Some(true)), (3, "f.", Some(false)), (4, "f.", None)]
    {
        let mut case = talk(id, 0, letters, None);
        case.outcome.recovered = recovered;
        let ends_well = letters.ends_with('.');
        for heard in case.turns.iter_mut().skip(2).filter(|_| ends_well) {
            let signals = heard.signals.as_mut().unwrap();
            (signals.score, signals.relief) = (0.8, 1.0);
        }
        cases.push(case);
    }
    let test = Backtest::of(&cases, &policies(20), 0);
    assert_eq!((test.number("recovered_found"), test.number("recovered_wrongly")), (Some(0.5), Some(1.0)));
}

#[test]
fn intervals_hold_the_estimate_and_are_the_same_every_time() {
    let tests = [(); 2].map(|()| Backtest::of(&history(), &policies(20), 50));
    assert_eq!(tests[0], tests[1]);
    let number = tests[0].numbers.iter().find(|n| n.name == "detection_recall").unwrap();
    let [low, high] = number.interval.unwrap();
    assert!(low <= number.value.unwrap() && number.value.unwrap() <= high && low < high);
}

#[test]
fn a_chart_is_a_whole_svg_with_both_policies_and_nothing_from_elsewhere() {
    let test = Backtest::of(&history(), &policies(20), 0);
    let other = Backtest { version: "a <b>".into(), ..test.clone() };
    let svg = chart::precision_and_recall(&[&test, &other]).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    for expected in ["precision, test", "recall, a &lt;b&gt;", "threshold of the risk", "<polyline"] {
        assert!(svg.contains(expected), "{expected}");
    }
    assert!(!svg.contains("href") && !svg.contains("url("));
}

fn any_history() -> impl Strategy<Value = Vec<Case>> {
    let one = ("[cf.]{1,6}", 0i64..3, prop::option::of((0usize..6, any::<bool>())));
    prop::collection::vec(one, 1..12).prop_map(|all| {
        let talks = all.into_iter().enumerate().map(|(id, (letters, day, outcome))| {
            let turn = |turn: usize| turn.min(letters.len() - 1);
            talk(id, day, &letters, outcome.map(|(at, known)| (turn(at), known.then(|| turn(at) / 2))))
        });
        talks.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn shares_and_areas_lie_between_0_and_1_and_more_capacity_never_lowers_recall(cases in any_history()) {
        let tests = [1, 2, 20].map(|capacity| Backtest::of(&cases, &policies(capacity), 0));
        for (number, measure) in tests[0].numbers.iter().zip(MEASURES) {
            let Some(value) = number.value else { continue };
            let low = if number.name == "work_saved_at_recall" { -0.2 } else { 0.0 };
            if matches!(measure.unit, Unit::Score | Unit::Share) {
                prop_assert!((low - 1e-9..=1.0).contains(&value), "{} {}", number.name, value);
            }
        }
        let recall = tests.each_ref().map(|test| test.number("recall_at_capacity"));
        prop_assert!(recall[0] <= recall[1] && recall[1] <= recall[2], "{recall:?}");
    }
}
