//! The form of messages: what is read, what is refused and how, and that nothing makes it panic.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::error::ErrorKind;

fn message() -> Value {
    json!({"tenant": "acme", "customer": "c-1", "source": "desk", "id": "m-1", "at": "2026-01-02T03:04:05Z",
        "channel": "email", "language": "en", "text": "Still broken."})
}

/// The message with some fields set, or taken away where the value is null.
fn with(changes: Value) -> Value {
    let mut message = message();
    for (field, value) in changes.as_object().unwrap() {
        message[field] = value.clone();
    }
    message
}

fn read(value: &Value) -> Result<Interaction, Error> {
    parse(value.to_string().as_bytes())
}

fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/worker/interaction.v1.schema.json")).unwrap()
}

#[test]
fn a_message_is_read_with_all_its_fields() {
    let read = read(&message()).unwrap();
    assert_eq!((read.tenant.as_str(), read.customer.as_str()), ("acme", "c-1"));
    assert_eq!((read.source.as_str(), read.external_id.as_str()), ("desk", "m-1"));
    assert_eq!((read.at_ms, read.channel), (1_767_323_045_000, Channel::Email));
    assert_eq!(read.language.as_deref(), Some("en"));
    assert_eq!(read.content, Content::Message("Still broken.".into()));
}

#[test]
fn every_kind_is_read_and_fits_the_published_schema() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let turns = json!([{"role": "customer", "text": "hi", "at": 5, "id": "t", "participant": "Ann"}, {"role": "bot", "text": ""}]);
    for (changes, kind) in [
        (json!({}), "message"),
        (json!({"tenant": null, "channel": null, "language": null, "at": 1_767_323_045_000_i64}), "message"),
        (json!({"kind": "survey", "nps": 3, "csat": 0.25}), "survey"),
        (json!({"kind": "survey", "text": null, "csat": 1}), "survey"),
        (json!({"kind": "conversation", "text": null, "turns": turns}), "conversation"),
        (json!({"text": null, "turns": turns}), "conversation"),
    ] {
        let message = with(changes);
        assert_eq!(read(&message).unwrap().content.kind(), kind, "{message}");
        let mut bare = message.clone();
        bare.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let problems: Vec<String> = schema.iter_errors(&bare).map(|e| e.to_string()).collect();
        assert!(problems.is_empty(), "{problems:?}");
    }
}

#[test]
fn the_schema_names_every_field_and_no_other() {
    let schema = schema();
    for (place, fields) in [("/properties", &FIELDS[..]), ("/$defs/turn/properties", &TURN_FIELDS[..])] {
        let listed = schema.pointer(place).unwrap().as_object().unwrap().keys().map(String::as_str);
        assert_eq!(listed.collect::<HashSet<_>>(), fields.iter().copied().collect(), "{place}");
    }
}

#[test]
fn a_mistake_is_named_by_its_field_and_nothing_that_was_sent_is_repeated() {
    let turn = |turn: Value| json!({"text": null, "turns": [{"role": "bot", "text": ""}, turn]});
    for (changes, field) in [
        (json!({"customer": null}), "customer"),
        (json!({"customer": ""}), "customer"),
        (json!({"customer": 7}), "customer"),
        (json!({"customer": "canary\n"}), "customer"),
        (json!({"source": null}), "source"),
        (json!({"id": "x".repeat(257)}), "external_id"),
        (json!({"at": null}), "at"),
        (json!({"at": "canary"}), "at"),
        (json!({"at": "2026-01-02"}), "at"),
        (json!({"at": -1}), "at_ms"),
        (json!({"channel": "canary"}), "channel"),
        (json!({"language": "canary canary"}), "language"),
        (json!({"kind": "canary"}), "kind"),
        (json!({"text": null}), "text"),
        (json!({"text": ["canary"]}), "text"),
        (json!({"kind": "conversation"}), "text"),
        (json!({"kind": "conversation", "text": null}), "turns"),
        (json!({"turns": []}), "text"),
        (json!({"kind": "message", "turns": []}), "turns"),
        (json!({"text": null, "turns": []}), "turns"),
        (json!({"text": null, "turns": "canary"}), "turns"),
        (json!({"text": null, "turns": vec![json!({"role": "bot", "text": ""}); 2_001]}), "turns"),
        (turn(json!("canary")), "turns[1].turn"),
        (turn(json!({"role": "canary", "text": ""})), "turns[1].role"),
        (turn(json!({"role": "bot"})), "turns[1].text"),
        (turn(json!({"role": "bot", "text": "", "mood": "canary"})), "turns[1].mood"),
        (json!({"kind": "survey", "text": null}), "text"),
        (json!({"nps": 11}), "nps"),
        (json!({"nps": 7.5}), "nps"),
        (json!({"nps": 300}), "nps"),
        (json!({"csat": 75}), "csat"),
        (json!({"csat": "canary"}), "csat"),
        (json!({"custmer": "canary"}), "custmer"),
        (json!({"canary canary": 1}), "a field"),
    ] {
        let message = with(changes);
        let error = read(&message).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some(field)), "{message}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}

#[test]
fn what_is_no_json_object_is_refused_and_its_tenant_is_found_where_there_is_one() {
    for (payload, tenant_found) in [
        (&b""[..], ""),
        (b"canary", ""),
        (b"\xff\xfe{", ""),
        (b"[1]", ""),
        (b"{\"tenant\": \"acme\", \"customer\": \"c\"} canary", ""),
        (b"{\"tenant\": \"acme\"}", "acme"),
        (b"{\"tenant\": \"ac\\u0000me\"}", ""),
        (b"{\"tenant\": 4}", ""),
    ] {
        let error = parse(payload).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        assert_eq!(tenant(payload), tenant_found);
    }
    assert!(parse("[".repeat(100_000).as_bytes()).is_err(), "deep nesting ends in an error");
}

proptest! {
    #[test]
    fn any_bytes_end_in_an_interaction_or_in_an_error_of_the_sender(payload: Vec<u8>) {
        if let Err(error) = parse(&payload) {
            prop_assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
        tenant(&payload);
    }

    #[test]
    fn a_message_cut_and_changed_anywhere_does_not_panic(at in 0usize..200, byte: u8, cut in 0usize..200) {
        let mut payload = message().to_string().into_bytes();
        let at = at % payload.len();
        payload[at] = byte;
        payload.truncate(cut);
        if let Err(error) = parse(&payload) {
            prop_assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn any_text_comes_through_as_it_was(text: String, customer in "[^\\p{Cc}]{1,60}") {
        let message = with(json!({"text": text, "customer": customer}));
        let read = read(&message).unwrap();
        prop_assert_eq!(read.content, Content::Message(text));
        prop_assert_eq!(read.customer, customer);
    }
}
