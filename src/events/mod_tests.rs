//! Events: schemas, ids for ever, routes, subjects.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::lifecycle::{Profile, Signal};
use crate::storage::CustomerKey;

fn parsed(event: &Event) -> Value {
    serde_json::from_str(&event.body).unwrap()
}

fn raised(ordinal: u32, at_ms: i64) -> Signal {
    let kind = SignalKind::ChurnRiskRaised;
    Signal { kind, at_ms, ordinal, value: 0.5, reasons: Vec::new(), cause: "i-1".into() }
}

fn tell(source: &str, key: &CustomerKey, told: &Signal) -> Event {
    signal(Origin { source, model: "m@1", policy: "2" }, key, &Profile::default(), told).unwrap()
}

#[test]
fn every_kind_of_event_fits_its_published_schema() {
    let schema = |text| jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap();
    let signals = schema(include_str!("../../docs/events/signal.v1.schema.json"));
    let assessments = schema(include_str!("../../docs/events/assessment.v1.schema.json"));
    for kind in kinds() {
        let schema = if kind == ASSESSMENT { &assessments } else { &signals };
        for event in samples(kind).unwrap() {
            let problems: Vec<String> = schema.iter_errors(&parsed(&event)).map(|e| e.to_string()).collect();
            assert!(problems.is_empty(), "{kind}: {problems:?}");
            assert_eq!(event.kind, kind);
        }
    }
    assert!(signals.validate(&parsed(&samples(ASSESSMENT).unwrap()[0])).is_err());
}

#[test]
fn the_schemas_name_every_field_and_no_other() {
    for (kind, text) in [
        ("churn_risk_raised", include_str!("../../docs/events/signal.v1.schema.json")),
        (ASSESSMENT, include_str!("../../docs/events/assessment.v1.schema.json")),
    ] {
        let schema: Value = serde_json::from_str(text).unwrap();
        let event = parsed(&samples(kind).unwrap()[0]);
        for (place, said) in [("", &event), ("/properties/data", &event["data"])] {
            let listed = schema.pointer(&format!("{place}/properties")).unwrap().as_object().unwrap();
            let said: HashSet<&String> = said.as_object().unwrap().keys().collect();
            assert_eq!(listed.keys().collect::<HashSet<_>>(), said, "{kind}{place}");
        }
    }
}

#[test]
fn an_id_is_the_same_for_ever() {
    // Never change these: receivers have seen them.
    let key = CustomerKey::new("acme", "c-1");
    assert_eq!(signal_id(&key, &raised(1, 1_000)), "sig_4450d22fd4205bfc23db9464204fc33a");
    let event = samples(ASSESSMENT).unwrap().remove(0);
    assert_eq!(event.id, "asm_c1f588cb7ac10f19c7f3a1e76d94720c");
}

#[test]
fn an_id_follows_from_what_is_told_and_not_from_how() {
    let (key, told) = (CustomerKey::new("acme", "c-1"), raised(1, 1_000));
    let mut ids = HashSet::from([tell("attune", &key, &told).id]);
    let later = Signal { value: 0.75, reasons: Vec::new(), cause: "i-2".into(), ..told.clone() };
    assert!(ids.contains(&tell("elsewhere", &key, &later).id));
    for (tenant, customer, told) in [
        ("acme", "c-2", told.clone()),
        ("acm", "ec-1", told.clone()),
        ("", "acmec-1", told.clone()),
        ("acme", "c-1", raised(2, 1_000)),
        // Ordinals begin anew when an erased customer comes back.
        ("acme", "c-1", raised(1, 2_000)),
        ("acme", "c-1", Signal { kind: SignalKind::ChurnRiskCleared, ..told }),
    ] {
        assert!(ids.insert(tell("attune", &CustomerKey::new(tenant, customer), &told).id), "{customer}");
    }
}

#[test]
fn the_envelope_is_that_of_cloudevents() {
    let event = parsed(&tell("attune/prod", &CustomerKey::new("a b", "c-1"), &raised(1, 1_767_323_045_006)));
    for (field, value) in [
        ("specversion", "1.0"),
        ("source", "attune/prod/a%20b"),
        ("type", "attune.signal.churn_risk_raised.v1"),
        ("subject", "c-1"),
        ("time", "2026-01-02T03:04:05.006Z"),
        ("datacontenttype", "application/json"),
    ] {
        assert_eq!(event[field], value, "{field}");
    }
    for (at_ms, time) in [(i64::MIN, "1970-01-01T00:00:00Z"), (i64::MAX, "9999-12-30T22:00:00Z")] {
        let event = parsed(&tell("attune", &CustomerKey::new("", "c-1"), &raised(1, at_ms)));
        assert_eq!(event["time"].as_str().unwrap()[..10], time[..10]);
        assert_eq!(event["source"], "attune");
    }
}

#[test]
fn an_event_goes_to_each_sink_as_it_is_and_does_not_print_its_customer() {
    let event = tell("attune", &CustomerKey::new("acme", "canary"), &raised(1, 1_000));
    let kept = event.to_sinks(["a", "b"]);
    assert_eq!(kept.iter().map(|kept| kept.sink.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(kept.iter().all(|kept| kept.body == event.body && kept.id == event.id && kept.at_ms == 1_000));
    assert!(!format!("{event:?}{kept:?}").contains("canary"));
}

#[test]
fn routes_follow_the_patterns_of_each_sink() {
    let all = ["*".to_owned()];
    let some = ["churn_risk_*".to_owned(), "*_recovered".to_owned(), "assessment".to_owned()];
    let routes = Routes::try_new([("all", &all[..]), ("some", &some[..])]).unwrap();
    for (kind, sinks) in [
        ("churn_risk_raised", &["all", "some"][..]),
        ("sentiment_recovered", &["all", "some"]),
        ("nps_conflict", &["all"]),
        // Named in full, or not meant.
        (ASSESSMENT, &["some"]),
        ("unknown", &[]),
    ] {
        assert_eq!(routes.events_for(kind).collect::<Vec<_>>(), sinks, "{kind}");
    }
    assert_eq!(routes.kinds_of("all").count(), 13);
    assert_eq!(routes.kinds_of("some").count(), 5);
}

#[test]
fn a_pattern_that_names_no_event_is_an_error_that_lists_them() {
    for pattern in ["churn_risk_raise", "", "*x", "assess*", "Churn_*", "churn_risk_raised?"] {
        let error = Routes::try_new([("crm", &[pattern.to_owned()][..])]).unwrap_err();
        assert_eq!(error.field(), Some("sinks.crm.events"));
        assert!(error.public().contains("churn_risk_raised, churn_risk_cleared"), "{pattern}: {error}");
    }
}

#[test]
fn subjects_are_told_apart_by_tenant_and_kind() {
    for (tenant, kind, expected) in [
        ("acme", "nps_conflict", "attune.signals.acme.nps_conflict"),
        ("", "nps_conflict", "attune.signals._.nps_conflict"),
        ("_", "nps_conflict", "attune.signals.%5F.nps_conflict"),
        ("a.b *>", ASSESSMENT, "attune.assessments.a%2Eb%20%2A%3E"),
    ] {
        assert_eq!(subject("attune", tenant, kind), expected);
    }
    assert_eq!(token(&"x".repeat(1_000)).len(), 66);
}

proptest! {
    #[test]
    fn a_token_is_one_token_whatever_the_name_and_no_two_names_share_it(a in ".{0,200}", b in ".{0,200}") {
        let found = token(&a);
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_%".contains(c);
        prop_assert!(!found.is_empty() && found.len() <= 3 * 128 && found.chars().all(safe), "{found}");
        prop_assert_eq!(a == b, found == token(&b));
    }

    #[test]
    fn a_pattern_with_a_star_covers_what_it_was_made_from(kind in 0..13usize, from in 0..8usize, to in 0..8usize) {
        let name = SignalKind::ALL[kind].name();
        let (from, to) = (from.min(name.len()), to.min(name.len()));
        let pattern = format!("{}*{}", &name[..from.min(to)], &name[name.len() - (8 - from.max(to)).min(name.len() - from.min(to))..]);
        let routes = Routes::try_new([("s", &[pattern][..])]).unwrap();
        prop_assert!(routes.kinds_of("s").any(|kind| kind == name));
    }
}
