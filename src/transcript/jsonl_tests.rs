//! The own schema: what it takes, what it refuses, and that a conversation survives it.

use proptest::prelude::*;

use super::*;
use crate::transcript::{Format, Skip, import};

fn line_of(text: &str) -> Result<Conversation, String> {
    parse_line(text, 3, &ImportOptions::default()).map_err(|e| e.public().to_owned())
}

#[test]
fn conversations_are_read_line_by_line_and_their_texts_are_kept_as_they_are() {
    let text = include_bytes!("../../tests/fixtures/transcripts/own.jsonl");
    let import = import(text, Format::Jsonl, &ImportOptions::default()).unwrap();
    let [first, second] = &import.conversations[..] else { panic!("{import:?}") };
    assert_eq!((first.id.as_str(), first.channel), ("c-1", Channel::Chat));
    assert_eq!((first.customer.as_deref(), first.metadata["queue"].as_str()), (Some("u-1"), "billing"));
    assert_eq!(first.turns[1].at_ms.unwrap() - first.turns[0].at_ms.unwrap(), 5000);
    assert_eq!(
        (first.turns[1].participant.as_str(), first.turns[1].text.as_str()),
        ("agent", " Let me look.\n")
    );
    assert_eq!((second.id.as_str(), second.turns[0].text.as_str()), ("line-3", "> kept as it is\n-- \nInes"));
    let skipped: Vec<_> = import.skipped.counts().collect();
    assert_eq!(skipped, [(Skip::Empty, 1), (Skip::NoTurns, 1)]);
}

#[test]
fn what_does_not_fit_the_schema_is_named_by_line_and_path() {
    for (text, expected) in [
        ("{\"turns\": [", "line 3: is not JSON at column 11"),
        ("[]", "line 3: expected an object, found an array"),
        ("{}", "line 3: turns: is missing"),
        ("{\"turns\":[],\"titel\":1}", "line 3: unknown field titel; the schema has id, channel"),
        (
            "{\"turns\":[{\"role\":\"agent\",\"text\":\"a\",\"body\":1}]}",
            "line 3: turns[0]: unknown field body",
        ),
        ("{\"turns\":[{\"text\":\"a\"}]}", "line 3: turns[0].role: is missing"),
        (
            "{\"turns\":[{\"role\":\"boss\",\"text\":\"a\"}]}",
            "line 3: turns[0].role: expected one of customer",
        ),
        ("{\"turns\":[{\"role\":\"bot\"}]}", "line 3: turns[0].text: is missing"),
        (
            "{\"turns\":[{\"role\":\"bot\",\"text\":\"a\",\"at\":true}]}",
            "line 3: turns[0].at: expected a string",
        ),
        (
            "{\"turns\":[{\"role\":\"bot\",\"text\":\"a\",\"at\":1.5}]}",
            "line 3: turns[0].at: expected a whole",
        ),
        ("{\"turns\":[],\"channel\":\"fax\"}", "line 3: channel: expected one of unknown, chat"),
        ("{\"turns\":[],\"metadata\":{\"a\":1}}", "line 3: metadata: expected strings as values"),
    ] {
        let error = line_of(text).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}

fn conversation() -> impl Strategy<Value = Conversation> {
    let name = || "[a-zA-Z0-9 _\"\\\\-]{1,12}";
    let maybe = || proptest::option::of(name());
    let turn = (maybe(), name(), 0..Role::ALL.len(), any::<String>(), proptest::option::of(any::<i64>()))
        .prop_map(|(id, participant, role, text, at_ms)| Turn {
            id,
            participant,
            role: Role::ALL[role],
            text: format!("{text}."),
            at_ms,
        });
    let turns = proptest::collection::vec(turn, 1..6);
    let metadata = proptest::collection::btree_map(name(), any::<String>(), 0..3);
    (name(), 0..Channel::ALL.len(), maybe(), maybe(), maybe(), metadata, turns).prop_map(
        |(id, channel, language, tenant, customer, metadata, turns)| Conversation {
            id,
            channel: Channel::ALL[channel],
            language,
            tenant,
            customer,
            metadata,
            turns,
        },
    )
}

proptest! {
    #[test]
    fn a_conversation_survives_its_line(conversation in conversation()) {
        let line = to_line(&conversation);
        prop_assert!(!line.contains('\n'));
        prop_assert_eq!(line_of(&line).unwrap(), conversation.clone());
        let import = import(line.as_bytes(), Format::Jsonl, &ImportOptions::default()).unwrap();
        prop_assert_eq!(import.conversations, [conversation]);
    }
}
