//! A history is fitted, and one that is too small is not.

use super::super::policy::EXPLICIT;
use super::super::replay::tests::{case, says};
use super::super::tracker::Heard;
use super::*;
use crate::domain::Outcome;

fn settings() -> Settings {
    Settings { name: "ours-1".into(), max_false_alarms: 0.1 }
}

/// Escalations that begin with what fails and end in a complaint; others that ask and are thankful. Every fifth
/// escalation comes out of the blue, every fifth other conversation is cross for a moment.
fn history(escalated: usize, others: usize) -> Vec<Case> {
    let calm = || says(0.05, &[]);
    let fails = || says(0.8, &["unresolved_issue", "repeat_contact"]);
    let complains = || says(0.9, &["formal_complaint"]);
    let escalates = |n: usize| -> (Vec<Heard>, Outcome) {
        let sudden = n.is_multiple_of(5);
        let turns =
            if sudden { vec![calm(), complains()] } else { vec![calm(), fails(), fails(), complains()] };
        let turn = Some(if sudden { 2 } else { 6 });
        let forecastable_turn = (!sudden).then_some(2);
        (turns, Outcome { escalated: true, turn, forecastable_turn, recovered: Some(false) })
    };
    let ends_well = |n: usize| -> (Vec<Heard>, Outcome) {
        let second = if n.is_multiple_of(5) { says(0.7, &["urgency"]) } else { calm() };
        (vec![calm(), second, says(0.0, &["resolution_confirmed"])], Outcome::default())
    };
    let all = (0..escalated).map(escalates).chain((0..others).map(ends_well)).enumerate();
    all.map(|(id, (turns, outcome))| case(id, 0, turns, outcome)).collect()
}

fn weight(fit: &TargetFit, name: &str) -> f64 {
    fit.weights.iter().find(|weight| weight.name == name).map_or(0.0, |weight| weight.value)
}

#[test]
fn a_fit_finds_what_escalates_keeps_every_sign_and_writes_a_policy_that_can_be_read() {
    let fitted = fit(&history(20, 30), EXPLICIT, &settings()).unwrap();
    let [detection, forecast] = &fitted.targets;
    assert!(weight(detection, "joint.explicit_cue") > 1.0, "{detection:?}");
    assert!(
        weight(forecast, "run.failing") > 0.0 || weight(forecast, "cue.unresolved_issue") > 0.0,
        "{forecast:?}"
    );
    assert!(detection.average_precision > 0.9 && forecast.average_precision > 0.9, "{fitted:?}");
    assert_eq!((fitted.conversations, fitted.unmarked), ([50, 20, 16], 0));
    let policies = Policies::parse(&fitted.policy).unwrap();
    assert_eq!((policies.version(), policies.base().capacity), ("ours-1", 20));
    let tiers = policies.base().tiers;
    assert!(tiers.iter().zip(&fitted.tiers).all(|(rule, chosen)| rule.raise == chosen.raise), "{tiers:?}");
    assert!(fitted.tiers[1].false_alarms <= 0.1 && fitted.tiers[2].value > 0.9, "{:?}", fitted.tiers);
}

#[test]
fn what_a_history_never_shows_keeps_its_weight_among_the_others() {
    let fitted = fit(&history(20, 30), EXPLICIT, &settings()).unwrap();
    let carried =
        |name: &str| fitted.targets[0].weights.iter().any(|w| w.name == name && w.carried && w.value > 0.0);
    assert!(carried("cue.safety_risk") && carried("cue.legal_threat"), "{:?}", fitted.targets[0]);
    assert!(fitted.targets[1].dropped.contains(&("wait.unanswered".to_owned(), Dropped::Rare)));
}

#[test]
fn a_fit_is_the_same_whatever_the_order_of_the_history() {
    let mut cases = history(12, 14);
    let first = fit(&cases, EXPLICIT, &settings()).unwrap();
    assert_eq!(fit(&cases, EXPLICIT, &settings()).unwrap(), first);
    cases.reverse();
    let numbers = |fit: &PolicyFit| fit.tiers.map(|chosen| (chosen.raise, chosen.clear));
    assert_eq!(numbers(&fit(&cases, EXPLICIT, &settings()).unwrap()), numbers(&first));
}

#[test]
fn what_is_known_of_an_account_may_weigh_either_way_and_on_any_scale() {
    let mut cases = history(20, 30);
    for (n, case) in cases.iter_mut().enumerate() {
        let (size, vip) = if case.outcome.escalated { (9_000.0, 0.0) } else { (10.0, 1.0) };
        case.account.insert("size".into(), size + n as f64);
        case.account.insert("vip".into(), vip);
    }
    let fitted = fit(&cases, EXPLICIT, &Settings { max_false_alarms: 0.2, ..settings() }).unwrap();
    let forecast = &fitted.targets[1];
    assert!(weight(forecast, "account.vip") < 0.0, "{forecast:?}");
    assert!((0.0..0.01).contains(&weight(forecast, "account.size")), "{forecast:?}");
}

#[test]
fn a_history_that_is_too_small_is_refused_with_its_numbers() {
    let refused = |cases: &[Case]| {
        let error = fit(cases, EXPLICIT, &settings()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        error.public().to_owned()
    };
    assert!(refused(&history(9, 40)).contains("9 escalated conversations with outcome.turn and 40"));
    assert!(refused(&history(40, 9)).contains("40 escalated conversations with outcome.turn and 9"));
    let mut unmarked = history(20, 20);
    unmarked.iter_mut().for_each(|case| (case.outcome.turn, case.outcome.forecastable_turn) = (None, None));
    assert!(refused(&unmarked).contains("0 escalated conversations with outcome.turn"));
    let mut sudden = history(20, 20);
    for case in sudden.iter_mut().filter(|case| case.outcome.escalated) {
        (case.outcome.turn, case.outcome.forecastable_turn) = (Some(0), None);
    }
    assert!(refused(&sudden).starts_with("0 of the escalated conversations"));
}

#[test]
fn overrides_and_quiet_words_survive_and_one_that_does_not_suit_is_named() {
    let with = |part: &str| format!("{EXPLICIT}\n{part}");
    let base = with("[[override]]\ntenant = \"acme\"\nmeasures = { usual_turns = 9.0 }");
    let fitted = fit(&history(20, 30), &base, &settings()).unwrap();
    let policies = Policies::parse(&fitted.policy).unwrap();
    assert_eq!(policies.rules(Some("acme"), crate::domain::Channel::Chat).measures.usual_turns, 9.0);
    assert_eq!(policies.base().quiet, Policies::explicit().base().quiet);
    // Fits the old policy, whose urgent begins at 0.99, and not the new one.
    let base = with("[[override]]\ntenant = \"acme\"\ntiers = { urgent = { clear = 0.985 } }");
    let base = base.replace("source = \"detection\", raise = 0.5", "source = \"detection\", raise = 0.99");
    let error = fit(&history(20, 30), &base, &settings()).unwrap_err();
    assert!(error.public().contains("override for acme"), "{error}");
}
