//! Made-up events, by which mappings are tried before the first real one.

use super::{ASSESSMENT, Event, Origin, assessment, signal};
use crate::error::Error;
use crate::lifecycle::profile::Churn;
use crate::lifecycle::{Account, Observation, Profile, Reason, Signal, SignalKind, Stage};
use crate::storage::{AssessmentRecord, ConversationRecord, CustomerKey, KeptText, Record};

/// 2026-01-02T03:04:05.006Z.
const AT_MS: i64 = 1_767_323_045_006;
/// A customer whose name is hard on templates.
const CUSTOMER: &str = "c-1 \"quoted\" \\ {{ braces }}\nname@example.com";

/// Two events of this kind: one in which everything is said, one in which nothing is that may be absent.
pub fn samples(kind: &str) -> Result<Vec<Event>, Error> {
    match SignalKind::of_name(kind) {
        Some(kind) => Ok(vec![signal_of(kind, &profile())?, signal_of(kind, &Profile::default())?]),
        None if kind == ASSESSMENT => {
            Ok(vec![assessment("attune", &record(true))?, assessment("attune", &record(false))?])
        }
        None => Err(Error::invalid("kind", "names no event")),
    }
}

fn signal_of(kind: SignalKind, profile: &Profile) -> Result<Event, Error> {
    let (whole, key) = (profile.level.is_some(), key());
    let reason = Reason {
        code: "cue.churn_intent".to_owned(),
        contribution: 1.25,
        observations: vec!["i-2".to_owned(), "i-1".to_owned()],
    };
    let told = Signal {
        kind,
        at_ms: AT_MS,
        ordinal: 1,
        value: 0.75,
        reasons: if whole { vec![reason] } else { Vec::new() },
        cause: if whole { "i-2".to_owned() } else { String::new() },
    };
    signal(Origin { source: "attune", model: "attune-en-small@0.3.0", policy: "1" }, &key, profile, &told)
}

fn key() -> CustomerKey {
    CustomerKey::new("acme", CUSTOMER)
}

fn profile() -> Profile {
    Profile {
        level: Some(-0.5),
        stage: Some(Stage::Retention),
        churn: Some(Churn { log_odds: 1.1, probability: 0.75, base: -2.0, reasons: Vec::new() }),
        ..Profile::of(&[observation(true)], &Account::default())
    }
}

fn record(whole: bool) -> Record {
    Record {
        key: key(),
        mark: String::new(),
        id: "i-2".to_owned(),
        source: "zendesk".to_owned(),
        external_id: "4711".to_owned(),
        kind: "conversation",
        received_ms: AT_MS,
        text: KeptText { text: None, hash: whole.then(|| "00ff".to_owned()) },
        assessment: AssessmentRecord {
            model: "attune-en-small@0.3.0".to_owned(),
            policy: "1".to_owned(),
            status: "ok".to_owned(),
            language: whole.then(|| "en".to_owned()),
            score: whole.then_some(-0.5),
            label: whole.then(|| "negative".to_owned()),
            emotion: whole.then(|| "anger".to_owned()),
            body: "{}".to_owned(),
            scored_ms: AT_MS,
        },
        observation: observation(whole),
        conversation: whole.then(|| ConversationRecord {
            turns: 7,
            tier: "elevated".to_owned(),
            risk: 0.6,
            recovered: false,
            alerts: Vec::new(),
        }),
    }
}

fn observation(whole: bool) -> Observation {
    Observation {
        id: "i-2".to_owned(),
        at_ms: AT_MS,
        channel: "email".to_owned(),
        score: whole.then_some(-0.5),
        cues: if whole { vec![("churn_intent".to_owned(), 0.9)] } else { Vec::new() },
        nps: whole.then_some(2),
        csat: whole.then_some(0.25),
        escalation: 0.0,
        recovered: false,
    }
}
