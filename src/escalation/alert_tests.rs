//! The laws of alerts.

use super::*;
use crate::escalation::samples_tests;
use proptest::prelude::*;

fn tier(raise: f64, clear: f64) -> TierRule {
    TierRule { source: Source::Either, raise, clear, raise_turns: 1, clear_turns: 2 }
}

/// Watch 0.5 to 0.3, elevated 0.7 to 0.4, urgent 0.9 to 0.6; cleared after two turns, a cool-down of two.
fn rules() -> Rules {
    let tiers = [tier(0.5, 0.3), tier(0.7, 0.4), tier(0.9, 0.6)];
    Rules { tiers, cool_down_turns: 2, ..samples_tests::rules() }
}

fn risk(probability: f64) -> Risk {
    Risk { log_odds: (probability / (1.0 - probability)).ln(), ..Risk::default() }
}

/// One customer turn: detection, forecast, recovered.
type Step = (f64, f64, bool);

fn step(
    alerts: &mut Alerts,
    turn: usize,
    (detection, forecast, recovered): Step,
    rules: &Rules,
) -> Option<AlertEvent> {
    alerts.evaluate(turn, &risk(detection), &risk(forecast), recovered, rules)
}

fn run(rules: &Rules, steps: &[Step]) -> Vec<AlertEvent> {
    let mut alerts = Alerts::default();
    let steps = steps.iter().enumerate();
    steps.filter_map(|(turn, at)| step(&mut alerts, turn, *at, rules)).collect()
}

#[track_caller]
fn check(what: &str, rules: &Rules, steps: &[Step], expected: &str) {
    let told = run(rules, steps);
    let told: Vec<_> =
        told.iter().map(|e| format!("{} {} {}", e.turn, e.change.name(), e.alert.tier.name())).collect();
    assert_eq!(told.join(", "), expected, "{what}");
}

/// Steps of one risk, without a recovery.
fn risks(risks: &[f64]) -> Vec<Step> {
    risks.iter().map(|p| (*p, 0.01, false)).collect()
}

#[test]
fn tiers_come_and_go_with_the_risk_after_as_many_turns_as_the_rules_ask_for() {
    let slow = |n: usize, raise_turns: usize| {
        let mut rules = rules();
        rules.tiers[n].raise_turns = raise_turns;
        rules
    };
    let rows: &[(&str, Rules, &[f64], &str)] = &[
        ("the border raises", rules(), &[0.49, 0.5], "1 raised watch"),
        ("two turns in a row", slow(0, 2), &[0.6, 0.4, 0.6, 0.6], "3 raised watch"),
        (
            "cleared after two turns in a row",
            rules(),
            &[0.6, 0.2, 0.35, 0.2, 0.2],
            "0 raised watch, 4 cleared watch",
        ),
        ("the border of clear holds", rules(), &[0.6, 0.3, 0.3, 0.3], "0 raised watch"),
        (
            "one after the other",
            rules(),
            &[0.6, 0.8, 0.95],
            "0 raised watch, 1 escalated elevated, 2 escalated urgent",
        ),
        ("at once", rules(), &[0.95], "0 raised urgent"),
        (
            "down by one tier, then out",
            rules(),
            &[0.95, 0.5, 0.5, 0.2, 0.2],
            "0 raised urgent, 2 lowered elevated, 4 cleared elevated",
        ),
        (
            "down to one that was never raised by itself",
            rules(),
            &[0.95, 0.35, 0.35],
            "0 raised urgent, 2 lowered watch",
        ),
        (
            "up again at once",
            rules(),
            &[0.95, 0.5, 0.5, 0.95],
            "0 raised urgent, 2 lowered elevated, 3 escalated urgent",
        ),
        (
            "the cool-down keeps watch and elevated away",
            rules(),
            &[0.6, 0.2, 0.2, 0.8, 0.8, 0.8],
            "0 raised watch, 2 cleared watch, 5 raised elevated",
        ),
        (
            "urgent never rests",
            rules(),
            &[0.6, 0.2, 0.2, 0.95],
            "0 raised watch, 2 cleared watch, 3 raised urgent",
        ),
        (
            "an urgent alert in a cool-down falls as any other",
            rules(),
            &[0.6, 0.2, 0.2, 0.95, 0.5, 0.5],
            "0 raised watch, 2 cleared watch, 3 raised urgent, 5 lowered elevated",
        ),
        (
            "urgent too waits for its turns",
            slow(2, 2),
            &[0.6, 0.95, 0.8, 0.95, 0.95],
            "0 raised watch, 1 escalated elevated, 4 escalated urgent",
        ),
    ];
    for (what, rules, steps, expected) in rows {
        check(what, rules, &risks(steps), expected);
    }
}

#[test]
fn a_tier_looks_at_the_risk_that_it_is_about() {
    let rows = [
        (Source::Detection, "0 raised urgent"),
        (Source::Forecast, "1 raised urgent"),
        (Source::Either, "0 raised urgent"),
    ];
    for (source, expected) in rows {
        let mut rules = rules();
        rules.tiers = rules.tiers.map(|tier| TierRule { source, ..tier });
        check(&format!("{source:?}"), &rules, &[(0.95, 0.1, false), (0.1, 0.95, false)], expected);
    }
}

#[test]
fn a_recovery_ends_an_alert_unless_the_turn_itself_is_urgent() {
    let mut by_forecast = rules();
    by_forecast.tiers[2].source = Source::Forecast;
    let rows: &[(&str, Rules, &[Step], &str)] = &[
        (
            "ends at once",
            rules(),
            &[(0.8, 0.1, false), (0.8, 0.1, true)],
            "0 raised elevated, 1 recovered elevated",
        ),
        (
            "ends what is urgent and held",
            rules(),
            &[(0.95, 0.1, false), (0.8, 0.1, true)],
            "0 raised urgent, 1 recovered urgent",
        ),
        ("not in an urgent turn", rules(), &[(0.95, 0.1, false), (0.95, 0.1, true)], "0 raised urgent"),
        (
            "urgent by its own source",
            by_forecast,
            &[(0.1, 0.95, false), (0.1, 0.95, true)],
            "0 raised urgent",
        ),
        ("nothing to end", rules(), &[(0.1, 0.1, true)], ""),
        (
            "the risk that stays raises nothing while it lasts",
            rules(),
            &[(0.8, 0.1, false), (0.8, 0.1, true), (0.8, 0.1, true), (0.8, 0.1, true), (0.8, 0.1, true)],
            "0 raised elevated, 1 recovered elevated",
        ),
        ("urgent is raised all the same", rules(), &[(0.1, 0.1, true), (0.95, 0.1, true)], "1 raised urgent"),
    ];
    for (what, rules, steps, expected) in rows {
        check(what, rules, steps, expected);
    }
}

#[test]
fn acknowledging_and_putting_off_are_one_event_each_and_a_higher_tier_ends_the_latter() {
    let (rules, mut alerts) = (rules(), Alerts::default());
    assert_eq!(alerts.note(1, 0, Note::SnoozeUntil(5)), None, "nothing is open");
    step(&mut alerts, 0, (0.6, 0.1, false), &rules);
    assert_eq!(alerts.note(2, 0, Note::SnoozeUntil(5)), None, "another alert");
    let off = alerts.note(1, 0, Note::SnoozeUntil(5)).unwrap();
    assert_eq!((off.sequence, off.change, off.alert.snoozed_until_ms), (2, Change::Snoozed, Some(5)));
    let taken = alerts.note(1, 0, Note::Acknowledge("maria".into())).unwrap();
    assert_eq!((taken.sequence, taken.change, taken.before), (3, Change::Acknowledged, Tier::Watch));
    assert_eq!(step(&mut alerts, 1, (0.6, 0.1, false), &rules), None);
    assert_eq!(alerts.open().unwrap().snoozed_until_ms, Some(5), "the same tier");
    let up = step(&mut alerts, 2, (0.8, 0.1, false), &rules).unwrap();
    assert_eq!((up.sequence, up.change, up.alert.snoozed_until_ms), (4, Change::Escalated, None));
    assert_eq!(up.alert.acknowledged_by.as_deref(), Some("maria"), "who has it still has it");
}

prop_compose! {
    /// Every tier clears below 0.1 to 0.4 and raises from 0.5 to 0.9 on.
    fn some_rules()(
        tiers in prop::array::uniform3((
            prop::sample::select(vec![Source::Detection, Source::Forecast, Source::Either]),
            0.5..=0.9f64, 0.1..=0.4f64, 1usize..4, 1usize..4,
        )),
        cool_down_turns in 0usize..4,
    ) -> Rules {
        let tiers = tiers.map(|(source, raise, clear, raise_turns, clear_turns)| {
            TierRule { source, raise, clear, raise_turns, clear_turns }
        });
        Rules { tiers, cool_down_turns, ..samples_tests::rules() }
    }
}

fn probability() -> impl Strategy<Value = f64> {
    prop_oneof![0.01..0.99f64, 0.01..0.1f64, 0.9..0.99f64]
}

fn steps(length: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((probability(), probability(), prop::bool::weighted(0.2)), 0..length)
}

/// One of the rules with all tiers about the same risk.
fn of_one_source(rules: Rules) -> Rules {
    let tiers = rules.tiers.map(|tier| TierRule { source: Source::Detection, ..tier });
    Rules { tiers, ..rules }
}

proptest! {
    #[test]
    fn events_tell_the_whole_story_without_gaps(
        rules in some_rules(),
        steps in prop::collection::vec((steps(2), prop::option::weighted(0.2, any::<bool>())), 0..60),
    ) {
        let (mut alerts, mut told): (_, Option<Alert>) = (Alerts::default(), None);
        let (mut sequence, mut ordinal) = (0, 0);
        for (turn, (steps, note)) in steps.into_iter().enumerate() {
            let mut events: Vec<_> = steps.into_iter().filter_map(|s| step(&mut alerts, turn, s, &rules)).collect();
            if let Some(taken) = note {
                let note = if taken { Note::Acknowledge("me".into()) } else { Note::SnoozeUntil(1) };
                events.extend(alerts.note(ordinal, turn, note));
            }
            for event in events {
                sequence += 1;
                prop_assert_eq!((event.sequence, event.turn), (sequence, turn));
                let before = told.as_ref().map_or(Tier::None, |alert| alert.tier);
                prop_assert_eq!(event.before, before);
                ordinal += u32::from(event.change == Change::Raised);
                prop_assert_eq!(event.alert.ordinal, ordinal);
                let (after, highest) = (event.alert.tier, event.alert.highest);
                let fits = match event.change {
                    Change::Raised => before == Tier::None && after > before && event.alert.raised_at_turn == turn,
                    Change::Escalated => before > Tier::None && after > before,
                    Change::Lowered => Tier::None < after && after < before,
                    Change::Cleared | Change::Recovered | Change::Closed => before > Tier::None && after == before,
                    Change::Acknowledged => after == before && event.alert.acknowledged_by.is_some(),
                    Change::Snoozed => after == before && event.alert.snoozed_until_ms.is_some(),
                };
                prop_assert!(fits, "{event:?}");
                if let Some(known) = &told {
                    prop_assert_eq!(event.alert.raised_at_turn, known.raised_at_turn);
                    prop_assert_eq!(highest, known.highest.max(after));
                }
                let ended = matches!(event.change, Change::Cleared | Change::Recovered);
                told = (!ended).then_some(event.alert);
            }
            prop_assert_eq!(told.as_ref(), alerts.open());
            prop_assert_eq!(alerts.last_event(), sequence);
        }
    }

    #[test]
    fn a_risk_between_clear_and_raise_changes_nothing_but_for_one_recovery(
        rules in some_rules(),
        before in steps(20),
        band in prop::collection::vec((0.401..0.499f64, 0.401..0.499f64, prop::bool::weighted(0.1)), 1..40),
    ) {
        let mut alerts = Alerts::default();
        for (turn, at) in before.iter().enumerate() {
            step(&mut alerts, turn, *at, &rules);
        }
        let was_open = alerts.open().is_some();
        let recovers = band.iter().any(|(.., recovered)| *recovered);
        let events: Vec<_> = band.iter().filter_map(|at| step(&mut alerts, 99, *at, &rules)).collect();
        prop_assert_eq!(events.len(), usize::from(was_open && recovers));
        prop_assert!(events.iter().all(|event| event.change == Change::Recovered));
    }

    #[test]
    fn a_risk_that_never_falls_below_clear_only_goes_up(
        rules in some_rules(),
        steps in prop::collection::vec((0.401..0.99f64, 0.401..0.99f64), 1..60),
    ) {
        let steps: Vec<Step> = steps.into_iter().map(|(detection, forecast)| (detection, forecast, false)).collect();
        let events = run(&rules, &steps);
        prop_assert!(events.len() <= 3, "{events:?}");
        prop_assert!(events.iter().all(|e| matches!(e.change, Change::Raised | Change::Escalated)));
    }

    /// A higher risk throughout never gives a lower tier, at any turn, when nothing makes an alert's *end* count against
    /// it: without a cool-down, and with tiers about one risk whose clears lie below all raises. With one of these it is
    /// no theorem: the higher risk has its alert earlier, so that it ends earlier too, and the lower one's first alert
    /// may fall into the higher one's rest (see the example below). A recovery ends the higher one's alert, and its count
    /// of turns at `raise` begins again while the lower one's goes on: it keeps the law only where one turn raises.
    #[test]
    fn more_risk_never_gives_a_lower_tier_without_cool_down(
        rules in some_rules(),
        steps in prop::collection::vec((probability(), 0.0..=1.0f64, any::<bool>()), 1..60),
        recoveries in any::<bool>(),
    ) {
        let mut rules = Rules { cool_down_turns: 0, ..of_one_source(rules) };
        if recoveries {
            rules.tiers = rules.tiers.map(|tier| TierRule { raise_turns: 1, ..tier });
        }
        let (mut low, mut high) = (Alerts::default(), Alerts::default());
        for (turn, (risk, more, recovered)) in steps.into_iter().enumerate() {
            let recovered = recovered && recoveries;
            step(&mut low, turn, (risk, 0.01, recovered), &rules);
            step(&mut high, turn, (risk + (0.99 - risk) * more, 0.01, recovered), &rules);
            prop_assert!(high.tier() >= low.tier(), "turn {turn}: {:?} below {:?}", high.tier(), low.tier());
        }
    }

    /// Urgent alone, told by its definition: raised when the last `raise_turns` turns have reached `raise`, cleared when
    /// the last `clear_turns` lie below `clear`, whatever the cool-down.
    #[test]
    fn urgent_is_raised_and_cleared_by_the_last_turns_alone(rules in some_rules(), steps in steps(60)) {
        let mut rules = of_one_source(rules);
        // Out of reach, and gone at once.
        rules.tiers[..2].iter_mut().for_each(|tier| *tier = TierRule { raise: 1.0, clear: 1.0, clear_turns: 1, ..*tier });
        let urgent = rules.tiers[2];
        let (mut alerts, mut expected, mut seen) = (Alerts::default(), false, Vec::new());
        for (turn, (detection, ..)) in steps.into_iter().enumerate() {
            seen.insert(0, risk(detection).probability().get());
            let last = |n: usize, holds: &dyn Fn(f64) -> bool| seen.len() >= n && seen[..n].iter().all(|p| holds(*p));
            expected = match expected {
                false => last(urgent.raise_turns, &|p| p >= urgent.raise),
                true => !last(urgent.clear_turns, &|p| p < urgent.clear),
            };
            step(&mut alerts, turn, (detection, 0.5, false), &rules);
            prop_assert_eq!(alerts.tier() == Tier::Urgent, expected, "turn {}", turn);
        }
    }
}

#[test]
fn with_a_cool_down_more_risk_may_come_earlier_and_rest_when_less_would_be_raised() {
    let tier_after = |steps: &[f64]| {
        let mut alerts = Alerts::default();
        for (turn, at) in risks(steps).into_iter().enumerate() {
            step(&mut alerts, turn, at, &rules());
        }
        alerts.tier()
    };
    assert_eq!(tier_after(&[0.4, 0.2, 0.2, 0.6]), Tier::Watch);
    assert_eq!(tier_after(&[0.6, 0.2, 0.2, 0.6]), Tier::None);
}
