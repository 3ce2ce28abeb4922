//! Raw chats: events and messages without text, order, speakers by role or by display name.

use crate::domain::{Channel, Role};
use crate::transcript::{Format, Import, ImportOptions, Skip, import};

fn read(text: &str) -> Result<Import, String> {
    import(text.as_bytes(), Format::ConnectChat, &ImportOptions::default()).map_err(|e| e.public().to_owned())
}

#[test]
fn messages_are_read_in_order_and_events_and_attachments_left_out() {
    let import = read(include_str!("../../tests/fixtures/transcripts/connect_chat.json")).unwrap();
    let chat = &import.conversations[0];
    assert_eq!((chat.id.as_str(), chat.channel), ("c0ffee00-0000-4000-8000-000000000002", Channel::Chat));
    let found: Vec<_> =
        chat.turns.iter().map(|t| (t.role, t.participant.as_str(), t.text.as_str())).collect();
    assert_eq!(
        found,
        [
            (Role::System, "p-0", "Thanks for waiting."),
            (Role::Customer, "p-1", "I was charged twice."),
            (Role::Bot, "p-2", "What is it about?\nTap one"),
            (Role::Agent, "p-3", "Let me look."),
        ]
    );
    assert_eq!((import.skipped.of(Skip::Event), import.skipped.of(Skip::NotText)), (2, 2));
}

#[test]
fn without_roles_display_names_tell_them_in_an_array_and_one_after_the_other() {
    let array = include_str!("../../tests/fixtures/transcripts/connect_chat_items.json");
    let lines = array.trim().trim_start_matches('[').trim_end_matches(']').replace("\n },", "\n }\n");
    for text in [array, &lines] {
        let import = read(text).unwrap();
        let roles: Vec<Role> = import.conversations[0].turns.iter().map(|turn| turn.role).collect();
        assert_eq!(roles, [Role::System, Role::Customer, Role::Bot, Role::Agent]);
        assert_eq!(import.conversations.len(), 1);
    }
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    for (text, expected) in [
        ("{\"ContactId\":\"1\"}", "Transcript: is missing"),
        ("[{\"Content\":\"hi\",\"DisplayName\":\"Ines\"}]", "[0].ParticipantRole: is missing"),
        ("[7]", "[0]: expected an object, found a number"),
        (
            "{\"Transcript\":[{\"Content\":\"hi\",\"ParticipantRole\":\"AGENT\",\"AbsoluteTime\":\"noon\"}]}",
            "Transcript[0].AbsoluteTime: expected a time",
        ),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.starts_with(expected) && !error.contains("Ines"), "{error}");
    }
}

#[test]
fn a_participant_without_id_and_name_is_called_by_the_role() {
    let text = r#"{"Transcript":[{"Content":"hi","ParticipantRole":"AGENT","DisplayName":" "}]}"#;
    assert_eq!(read(text).unwrap().conversations[0].turns[0].participant, "agent");
}
