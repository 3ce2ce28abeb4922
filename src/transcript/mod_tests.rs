//! What holds for every format: nothing panics, no text is empty, bounds are kept, no message quotes a text.

use proptest::prelude::*;

use super::*;

const FIXTURES: [(Format, &[u8]); 11] = [
    (Format::Text, include_bytes!("../../tests/fixtures/transcripts/call.txt")),
    (Format::WebVtt, include_bytes!("../../tests/fixtures/transcripts/call.vtt")),
    (Format::ConnectLens, include_bytes!("../../tests/fixtures/transcripts/contact_lens_voice.json")),
    (Format::ConnectLens, include_bytes!("../../tests/fixtures/transcripts/contact_lens_chat.json")),
    (Format::ConnectLens, include_bytes!("../../tests/fixtures/transcripts/contact_lens_realtime.json")),
    (Format::ConnectChat, include_bytes!("../../tests/fixtures/transcripts/connect_chat.json")),
    (Format::ConnectChat, include_bytes!("../../tests/fixtures/transcripts/connect_chat_items.json")),
    (Format::Zendesk, include_bytes!("../../tests/fixtures/transcripts/zendesk_ticket.json")),
    (Format::Zendesk, include_bytes!("../../tests/fixtures/transcripts/zendesk_lines.jsonl")),
    (Format::Intercom, include_bytes!("../../tests/fixtures/transcripts/intercom.json")),
    (Format::Jsonl, include_bytes!("../../tests/fixtures/transcripts/own.jsonl")),
];

/// Imports, and checks what holds for every import.
fn check(bytes: &[u8], format: Format, options: &ImportOptions) {
    let Ok(import) = import(bytes, format, options) else { return };
    for conversation in &import.conversations {
        assert!(!conversation.id.is_empty() && !conversation.turns.is_empty());
        assert!(conversation.turns.len() <= TURNS && conversation.id.len() <= NAME_BYTES);
        for turn in &conversation.turns {
            assert!(!turn.text.trim().is_empty() && turn.text.len() <= TEXT_BYTES);
        }
    }
}

#[test]
fn the_names_of_formats_lead_back_to_them() {
    for format in Format::ALL {
        assert_eq!(Format::of_name(format.name()), Some(format));
    }
    assert_eq!(Format::of_name("Text"), None);
}

#[test]
fn a_file_that_is_not_utf8_is_refused_with_the_place_and_what_to_do() {
    for (bytes, message) in [
        (&include_bytes!("../../tests/fixtures/transcripts/latin1.txt")[..], "not UTF-8 at byte offset 10"),
        (include_bytes!("../../tests/fixtures/transcripts/utf16.txt"), "iconv -f UTF-16"),
    ] {
        for error in [
            detect(bytes, Some("call.txt")).unwrap_err(),
            import(bytes, Format::Text, &ImportOptions::default()).unwrap_err(),
        ] {
            assert!(error.public().contains(message), "{error}");
        }
    }
    let marked = "\u{feff}Agent: hello".as_bytes();
    assert_eq!(import(marked, Format::Text, &ImportOptions::default()).unwrap().conversations.len(), 1);
}

#[test]
fn a_file_above_the_bound_and_a_text_above_the_bound_are_refused_and_not_cut() {
    let large = vec![b' '; FILE_BYTES + 1];
    let error = import(&large, Format::Text, &ImportOptions::default()).unwrap_err();
    assert!(error.public().contains("67108864"), "{error}");
    let long = format!("Agent: hi\nCustomer: {}", "a".repeat(TEXT_BYTES + 1));
    let error = import(long.as_bytes(), Format::Text, &ImportOptions::default()).unwrap_err();
    assert!(error.public().starts_with("line 2: the text has 1048577 bytes"), "{error}");
    let many = "Agent: hi\n".repeat(TURNS + 1);
    let error = import(many.as_bytes(), Format::Text, &ImportOptions::default()).unwrap_err();
    assert!(error.public().starts_with("line 100001: "), "{error}");
    let id = ImportOptions { id: Some("x".repeat(NAME_BYTES + 1)), ..ImportOptions::default() };
    assert!(import(b"Agent: hi", Format::Text, &id).is_err());
}

#[test]
fn what_the_caller_says_about_all_conversations_wins_and_the_id_only_fills_a_gap() {
    let options = ImportOptions {
        channel: Some(Channel::Sms),
        language: Some("de".into()),
        tenant: Some("south".into()),
        id: Some("mine".into()),
        ..ImportOptions::default()
    };
    for (format, bytes) in FIXTURES {
        let import = import(bytes, format, &options).unwrap();
        for read in &import.conversations {
            assert_eq!((read.channel, read.language.as_deref()), (Channel::Sms, Some("de")), "{format:?}");
            assert_eq!(read.tenant.as_deref(), Some("south"), "{format:?}");
        }
    }
    let two = br#"[{"requester_id":1,"comments":[{"author_id":1,"body":"a"}]},
        {"requester_id":1,"comments":[{"author_id":2,"body":"b"}]}]"#;
    let import = import(two, Format::Zendesk, &options).unwrap();
    assert_eq!(import.conversations.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["mine", "mine-2"]);
}

#[test]
fn a_file_that_breaks_off_anywhere_is_read_or_refused_and_no_message_quotes_it() {
    let words = ["boiler", "charged", "Ines", "parcel", "cancel", "Soler", "cross", "northwind.example"];
    for (format, bytes) in FIXTURES {
        for end in 0..bytes.len() {
            if let Err(error) = import(&bytes[..end], format, &ImportOptions::default()) {
                let quoted = words.iter().find(|word| error.public().contains(*word));
                assert_eq!(quoted, None, "{format:?} up to {end}: {error}");
            }
        }
    }
}

#[test]
fn every_fixture_survives_the_own_schema() {
    for (format, bytes) in FIXTURES {
        let options = ImportOptions::default();
        let read = import(bytes, format, &options).unwrap().conversations;
        let lines: Vec<String> = read.iter().map(jsonl::to_line).collect();
        let again = import(lines.join("\n").as_bytes(), Format::Jsonl, &options).unwrap();
        assert_eq!(again, Import { conversations: read, ..Import::default() }, "{format:?}");
    }
}

/// A fixture with a piece of it replaced.
fn damaged() -> impl Strategy<Value = (Format, Vec<u8>)> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..12),
        "[\\[\\]{}:,\"<>&/a-z0-9\\n -]{0,24}".prop_map(String::into_bytes),
    ];
    (0..FIXTURES.len(), any::<(prop::sample::Index, u8)>(), piece).prop_map(|(which, (at, length), piece)| {
        let (format, bytes) = FIXTURES[which];
        let at = at.index(bytes.len());
        let end = bytes.len().min(at + usize::from(length));
        let mut damaged = bytes.to_vec();
        damaged.splice(at..end, piece);
        (format, damaged)
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_in_every_format(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = detect(&bytes, None);
        Format::ALL.into_iter().for_each(|format| check(&bytes, format, &ImportOptions::default()));
    }

    #[test]
    fn any_text_is_read_or_refused_in_every_format(
        text in "(WEBVTT\n\n)?([a-zA-Z:<>&;.\\[\\]0-9 \n\u{e4}\u{1f600}-]|Agent: |-->|00:01\\.000|\n> |\nOn 1 wrote:\n|<br>){0,80}",
        clean in any::<bool>(),
    ) {
        let options = ImportOptions { clean, ..ImportOptions::default() };
        Format::ALL.into_iter().for_each(|format| check(text.as_bytes(), format, &options));
    }

    #[test]
    fn a_damaged_file_is_read_or_refused((format, bytes) in damaged()) {
        let _ = detect(&bytes, Some("x.jsonl"));
        check(&bytes, format, &ImportOptions::default());
    }
}
