//! Contact Lens: participants are joined, offsets and dates become times.

use crate::domain::{Channel, Role};
use crate::transcript::{Format, Import, ImportOptions, Skip, import};

fn read(text: &str) -> Result<Import, String> {
    import(text.as_bytes(), Format::ConnectLens, &ImportOptions::default()).map_err(|e| e.public().to_owned())
}

#[test]
fn a_call_is_joined_through_its_participants_and_ordered_by_its_offsets() {
    let import = read(include_str!("../../tests/fixtures/transcripts/contact_lens_voice.json")).unwrap();
    let call = &import.conversations[0];
    assert_eq!((call.id.as_str(), call.channel), ("b1d4c0de-0000-4000-8000-000000000001", Channel::Phone));
    assert_eq!(call.language.as_deref(), Some("en-US"));
    let found: Vec<_> =
        call.turns.iter().map(|t| (t.id.as_deref().unwrap(), t.role, t.at_ms.unwrap())).collect();
    assert_eq!(
        found,
        [
            ("t1", Role::Agent, 0),
            ("t2", Role::Customer, 2100),
            ("t3", Role::Agent, 6100),
            ("t5", Role::Supervisor, 8000)
        ]
    );
    assert_eq!(import.skipped.of(Skip::Empty), 1);
}

#[test]
fn a_chat_has_dates_bots_and_events() {
    let import = read(include_str!("../../tests/fixtures/transcripts/contact_lens_chat.json")).unwrap();
    let chat = &import.conversations[0];
    assert_eq!((chat.id.as_str(), chat.channel), ("conversation", Channel::Chat));
    assert_eq!(
        chat.turns.iter().map(|t| t.role).collect::<Vec<_>>(),
        [Role::System, Role::Customer, Role::Bot]
    );
    assert_eq!(chat.turns[2].at_ms.unwrap() - chat.turns[0].at_ms.unwrap(), 4250);
    assert_eq!(import.skipped.of(Skip::Event), 1);
}

#[test]
fn segments_of_the_real_time_api_are_read_too() {
    let import = read(include_str!("../../tests/fixtures/transcripts/contact_lens_realtime.json")).unwrap();
    assert_eq!(import.conversations[0].turns[1].role, Role::Customer);
    assert_eq!(import.skipped.of(Skip::Event), 1);
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    for (text, expected) in [
        ("{\"Channel\":\"VOICE\"}", "Transcript: is missing"),
        ("{\"Transcript\":[{\"Content\":\"hi\"}]}", "Transcript[0].ParticipantId: is missing"),
        (
            "{\"Transcript\":[{\"ParticipantId\":\"3f0c\",\"Content\":\"hi\"}]}",
            "Transcript[0].ParticipantId: stands neither in Participants nor for a role",
        ),
        (
            "{\"Participants\":[{\"ParticipantId\":\"a\",\"ParticipantRole\":\"BOSS\"}],\"Transcript\":[]}",
            "Participants[0].ParticipantRole: is no role",
        ),
        ("{\"Participants\":[{}],\"Transcript\":[]}", "Participants[0]: ParticipantId is missing"),
        ("{\"Transcript\":{}}", "Transcript: expected an array, found an object"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}
