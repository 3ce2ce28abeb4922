//! Intercom: who is a bot, which parts are turns, bodies in HTML.

use crate::domain::{Channel, Role};
use crate::transcript::{Format, Import, ImportOptions, Skip, import};

fn read(text: &str) -> Result<Import, String> {
    import(text.as_bytes(), Format::Intercom, &ImportOptions::default()).map_err(|e| e.public().to_owned())
}

const CHAT: &str = include_str!("../../tests/fixtures/transcripts/intercom.json");

#[test]
fn the_source_is_the_first_turn_and_an_ai_agent_is_a_bot() {
    let import = read(CHAT).unwrap();
    let chat = &import.conversations[0];
    assert_eq!((chat.id.as_str(), chat.channel), ("215000", Channel::Chat));
    assert_eq!((chat.customer.as_deref(), chat.metadata["subject"].as_str()), (Some("u-1"), "Charged twice"));
    let found: Vec<_> = chat.turns.iter().map(|t| (t.role, t.text.as_str())).collect();
    assert_eq!(
        found,
        [
            (Role::Customer, "I was charged twice.\n\nTwice!"),
            (Role::Bot, "I can look that up."),
            (Role::Agent, "Hello, Tom here.\n\n- One is gone.\n- One stays."),
            (Role::Customer, "It is still there & I am cross."),
            (Role::Bot, "One moment."),
        ]
    );
    assert_eq!(chat.turns[0].at_ms, Some(1_772_445_600_000));
    let skipped: Vec<_> = import.skipped.counts().collect();
    assert_eq!(skipped, [(Skip::Private, 1), (Skip::Event, 2), (Skip::Empty, 1), (Skip::Quoted, 1)]);
}

#[test]
fn lists_of_conversations_are_read_in_all_their_forms() {
    let lists = [
        format!("[{CHAT},{CHAT}]"),
        format!("{CHAT}\n{CHAT}"),
        format!("{{\"type\":\"conversation.list\",\"conversations\":[{CHAT},{CHAT}]}}"),
    ];
    for text in lists {
        assert_eq!(read(&text).unwrap().conversations.len(), 2);
    }
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    for (text, expected) in [
        ("{}", "file: has neither source nor conversation_parts"),
        ("{\"source\":{\"body\":\"hi\"}}", "source.author: is missing"),
        (
            "{\"source\":{\"body\":\"hi\",\"author\":{\"type\":\"boss\"}}}",
            "source.author.type: is missing or unknown",
        ),
        (
            "{\"conversation_parts\":{\"conversation_parts\":[{\"body\":\"x\",\"created_at\":\"now\"}]}}",
            "conversation_parts.conversation_parts[0].created_at: expected a whole number, found a string",
        ),
        (
            "{\"conversations\":[{\"conversation_parts\":[{\"created_at\":9000000000000000000}]}]}",
            "conversations[0].conversation_parts[0].created_at: expected a time in Unix seconds",
        ),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}
