//! What is decided in a store's transaction, and who is told.

use super::*;
use crate::lifecycle::SignalKind;
use crate::storage::{AssessmentRecord, KeptText};

const DAY: i64 = 86_400_000;

fn observation(id: &str, day: i64) -> Observation {
    Observation {
        id: id.into(),
        at_ms: day * DAY,
        channel: "chat".into(),
        score: Some(-0.5),
        cues: Vec::new(),
        nps: None,
        csat: None,
        escalation: 0.0,
        recovered: false,
    }
}

fn record(observation: Observation, policy: &str) -> Record {
    Record {
        key: CustomerKey::new("acme", "ann"),
        mark: "mark".into(),
        id: observation.id.clone(),
        source: "desk".into(),
        external_id: observation.id.clone(),
        kind: "message",
        received_ms: observation.at_ms,
        text: KeptText::default(),
        assessment: AssessmentRecord {
            model: "m@1".into(),
            policy: policy.into(),
            status: "ok".into(),
            language: None,
            score: observation.score,
            label: None,
            emotion: None,
            body: "{}".into(),
            scored_ms: observation.at_ms,
        },
        observation,
        conversation: None,
    }
}

fn deciding(sinks: &[(&str, &str)]) -> Deciding {
    let patterns: Vec<(&str, Vec<String>)> =
        sinks.iter().map(|(name, pattern)| (*name, vec![(*pattern).to_owned()])).collect();
    let routes = Routes::try_new(patterns.iter().map(|(name, all)| (*name, all.as_slice()))).unwrap();
    Deciding { source: "/attune".into(), model: "m@1".into(), routes }
}

/// A customer who is leaving, and whose conversation has escalated.
fn added() -> Vec<Record> {
    let leaving = Observation { cues: vec![("churn_intent".into(), 1.0)], ..observation("int_1", 1) };
    let escalated = Observation { escalation: 1.0, ..observation("int_2", 2) };
    vec![record(leaving, ""), record(escalated, "policy-7")]
}

fn decide(deciding: &Deciding, added: &[Record]) -> Decision {
    let observations = added.iter().map(|record| record.observation.clone()).collect();
    let state = CustomerState { observations, ..CustomerState::default() };
    deciding.decide(&added[0].key, &state, &added.iter().collect::<Vec<_>>()).unwrap()
}

#[test]
fn each_signal_goes_to_the_sinks_that_are_routed_for_it_and_to_no_other() {
    let decided = decide(&deciding(&[("crm", "churn_risk_raised"), ("lake", "*")]), &added());
    let kinds: Vec<&str> = decided.signals.iter().map(|(_, signal)| signal.kind.name()).collect();
    assert!(kinds.contains(&"churn_risk_raised") && kinds.contains(&"escalation_raised"), "{kinds:?}");
    for (id, signal) in &decided.signals {
        let events = decided.events.iter().filter(|event| event.id == *id);
        let sinks: Vec<&str> = events.map(|event| event.sink.as_str()).collect();
        let expected: &[&str] =
            if signal.kind == SignalKind::ChurnRiskRaised { &["crm", "lake"] } else { &["lake"] };
        assert_eq!(sinks, expected, "{:?}", signal.kind);
    }
    assert_eq!(decided.events.len(), decided.signals.len() + 1);
    assert!(decided.events.iter().all(|event| event.body.contains("policy-7")), "the newest policy is named");
}

#[test]
fn without_routes_there_are_signals_and_no_events() {
    let (quiet, loud) = (decide(&deciding(&[]), &added()), decide(&deciding(&[("lake", "*")]), &added()));
    assert!(quiet.events.is_empty() && !quiet.signals.is_empty());
    assert_eq!((quiet.signals, quiet.profile, quiet.memory), (loud.signals, loud.profile, loud.memory));
}

#[test]
fn what_was_told_once_is_not_told_again() {
    let deciding = deciding(&[("lake", "*")]);
    let first = decide(&deciding, &added());
    let observations = added().iter().map(|record| record.observation.clone()).collect();
    let state = CustomerState { memory: first.memory.clone(), observations, ..CustomerState::default() };
    let again = deciding.decide(&CustomerKey::new("acme", "ann"), &state, &[]).unwrap();
    assert!(again.signals.is_empty() && again.events.is_empty());
    assert_eq!((again.profile, again.memory), (first.profile, first.memory));
}

#[test]
fn an_assessment_goes_to_the_sinks_that_name_it_once_for_each_interaction_that_is_new() {
    let deciding = deciding(&[("warehouse", "assessment"), ("crm", "churn_risk_*")]);
    let decided = decide(&deciding, &added());
    let told: Vec<(&str, &str)> =
        decided.events.iter().map(|event| (event.sink.as_str(), event.kind.as_str())).collect();
    assert_eq!(
        told,
        [("warehouse", "assessment"), ("warehouse", "assessment"), ("crm", "churn_risk_raised")]
    );
    assert_ne!(decided.events[0].id, decided.events[1].id);
    let state = CustomerState { memory: decided.memory, ..CustomerState::default() };
    assert!(deciding.decide(&CustomerKey::new("acme", "ann"), &state, &[]).unwrap().events.is_empty());
}
