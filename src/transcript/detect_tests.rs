//! Formats are told by content first, then by the name's ending.

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        &include_bytes!(concat!("../../tests/fixtures/transcripts/", $name))[..]
    };
}

#[test]
fn every_fixture_is_told_by_its_content_whatever_its_name_says() {
    for (bytes, expected) in [
        (fixture!("call.txt"), Format::Text),
        (fixture!("unmapped.txt"), Format::Text),
        (fixture!("call.vtt"), Format::WebVtt),
        (fixture!("contact_lens_voice.json"), Format::ConnectLens),
        (fixture!("contact_lens_chat.json"), Format::ConnectLens),
        (fixture!("contact_lens_realtime.json"), Format::ConnectLens),
        (fixture!("connect_chat.json"), Format::ConnectChat),
        (fixture!("connect_chat_items.json"), Format::ConnectChat),
        (fixture!("zendesk_ticket.json"), Format::Zendesk),
        (fixture!("zendesk_lines.jsonl"), Format::Zendesk),
        (fixture!("intercom.json"), Format::Intercom),
        (fixture!("own.jsonl"), Format::Jsonl),
    ] {
        for name in [None, Some("x.vtt"), Some("x.jsonl"), Some("x")] {
            assert_eq!(detect(bytes, name).unwrap(), expected, "{name:?}");
        }
    }
}

#[test]
fn a_name_helps_where_the_content_does_not() {
    for (name, expected) in [
        (Some("a/b.TXT"), Some(Format::Text)),
        (Some("x.ndjson"), Some(Format::Jsonl)),
        (Some("x.vtt"), Some(Format::WebVtt)),
        (Some("x.json"), None),
        (Some("x"), None),
        (None, None),
    ] {
        assert_eq!(detect(b"hello there", name).ok(), expected, "{name:?}");
    }
    let error = detect(b"[1, 2]", None).unwrap_err();
    assert!(error.public().contains("--from") && error.public().contains("connect-lens"), "{error}");
    assert!(detect(b" \n", Some("x.txt")).unwrap_err().public().contains("is empty"));
}
