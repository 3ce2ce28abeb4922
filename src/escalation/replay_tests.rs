//! A replay ends as the live conversation would have.

use super::*;
use crate::escalation::signals::{CUES, TurnSignals};

/// A turn of the customer's that is so negative and says these cues at full strength.
pub(in crate::escalation) fn says(negative: f64, cues: &[&str]) -> Heard {
    let mut signals = TurnSignals { score: -negative, negative, ..TurnSignals::default() };
    for cue in cues {
        signals.reach[CUES.iter().position(|name| name == cue).unwrap()] = 1.0;
    }
    Heard { role: Role::Customer, at_ms: None, signals: Some(signals) }
}

/// Customer's turns with an agent's after each, five minutes apart from the first day of 1970 plus `day`.
pub(in crate::escalation) fn case(id: usize, day: i64, customer: Vec<Heard>, outcome: Outcome) -> Case {
    let answer = Heard { role: Role::Agent, at_ms: None, signals: Some(TurnSignals::default()) };
    let turns = customer.into_iter().flat_map(|said| [said, answer.clone()]);
    let at = |n: usize| Some(day * DAY_MS + n as i64 * 300_000);
    Case {
        id: format!("c-{id}"),
        channel: Channel::Email,
        tenant: None,
        account: Account::new(),
        turns: turns.enumerate().map(|(n, heard)| Heard { at_ms: at(n), ..heard }).collect(),
        outcome,
    }
}

fn angry() -> Case {
    let threat = says(0.9, &["legal_threat"]);
    let mut case = case(
        1,
        3,
        vec![says(0.1, &[]), says(0.9, &["unresolved_issue"]), threat, says(0.2, &[])],
        Outcome::default(),
    );
    case.turns[2].signals = None;
    case
}

#[test]
fn alerts_over_moments_are_the_alerts_of_the_conversation() {
    let (case, policies) = (angry(), Policies::explicit());
    let rules = case.rules(&policies);
    let live: Vec<AlertEvent> = case.standings(&rules).into_iter().filter_map(|s| s.event).collect();
    assert_eq!(raises(&live, Tier::Urgent).collect::<Vec<_>>(), [4]);
    let replayed = alerts(&case.moments(&rules), &rules);
    assert_eq!(
        replayed.iter().map(|e| (e.turn, e.change, e.alert.tier)).collect::<Vec<_>>(),
        live.iter().map(|e| (e.turn, e.change, e.alert.tier)).collect::<Vec<_>>()
    );
}

#[test]
fn a_turn_that_could_not_be_read_has_no_moment_and_no_features() {
    let (case, policies) = (angry(), Policies::explicit());
    let rules = case.rules(&policies);
    assert_eq!(case.customer_turns().collect::<Vec<_>>(), [0, 4, 6]);
    assert_eq!(case.moments(&rules).iter().map(|m| m.turn).collect::<Vec<_>>(), [0, 4, 6]);
    let threat = Feature::of_name("cue.legal_threat").unwrap();
    let values: Vec<f64> = case.measured(&[threat], &rules).into_iter().map(|values| values[0]).collect();
    assert!(values[0] == 0.0 && values[1] == 1.0 && values[2] > 0.5 && values[2] < 1.0, "{values:?}");
}

#[test]
fn measured_features_weigh_up_to_the_risk() {
    let (case, policies) = (angry(), Policies::explicit());
    let rules = case.rules(&policies);
    let features: Vec<Feature> = Feature::all().collect();
    for (moment, values) in case.moments(&rules).iter().zip(case.measured(&features, &rules)) {
        let weight = |feature: &Feature| rules.detection.features.get(feature).copied().unwrap_or(0.0);
        let sum: f64 = features.iter().zip(values).map(|(feature, value)| weight(feature) * value).sum();
        assert!((rules.detection.base + sum - moment.detection).abs() < 1e-9);
    }
}

#[test]
fn a_day_is_one_of_utc_and_a_conversation_without_times_has_none() {
    let mut case = angry();
    assert_eq!((case.day(), case.minutes(0, 3)), (Some(3), Some(15.0)));
    case.turns[0].at_ms = Some(-1);
    assert_eq!(case.day(), Some(-1));
    case.turns.iter_mut().for_each(|heard| heard.at_ms = None);
    assert_eq!((case.day(), case.minutes(0, 3)), (None, None));
}
