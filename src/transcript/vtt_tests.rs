//! WebVTT: blocks, voices, merged cues.

use crate::domain::Role;
use crate::transcript::{Format, Import, ImportOptions, Skip, import};

fn read(text: &str) -> Result<Import, String> {
    import(text.as_bytes(), Format::WebVtt, &ImportOptions::default()).map_err(|e| e.public().to_owned())
}

#[test]
fn cues_of_one_speaker_become_a_turn_without_tags() {
    let import = read(include_str!("../../tests/fixtures/transcripts/call.vtt")).unwrap();
    let turns = &import.conversations[0].turns;
    let found: Vec<_> = turns.iter().map(|t| (t.id.as_deref(), t.role, t.at_ms, t.text.as_str())).collect();
    assert_eq!(
        found,
        [
            (Some("1"), Role::Agent, Some(1000), "Northwind, good morning. How can I help & who are you?"),
            (None, Role::Customer, Some(3_607_000), "Ines. Nothing < works."),
            (None, Role::Agent, Some(3_607_000), "I see."),
            (None, Role::Customer, Some(3_610_000), "Still nothing. Really."),
        ]
    );
    assert_eq!(import.skipped.of(Skip::Stray), 1);
}

#[test]
fn what_is_wrong_is_named_by_its_line() {
    for (text, begin) in [
        ("Agent: hi", "line 1: a WebVTT file begins"),
        ("WEBVTTX\n\n", "line 1: a WebVTT file begins"),
        ("WEBVTT\n\n1\n00:01 --> 00:02.000\nAgent: hi", "line 4: expected a cue's times"),
        ("WEBVTT\n\n00:01.000 --> later\nAgent: hi", "line 3: expected a cue's times"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nhello", "line 4: nobody is named"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nAgent: hi\n<v Ines>hello", "line 5: 1 speaker without a role"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nInes: hello", "line 4: 1 speaker without a role"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.starts_with(begin) && !error.contains("Ines") && !error.contains("hello"), "{error}");
    }
}

#[test]
fn words_before_a_colon_go_on_with_the_turn_when_they_occur_once() {
    let text = "WEBVTT\n\n00:01.000 --> 00:02.000\nAgent: hi\n\n00:02.000 --> 00:03.000\nOrder number: 7\n";
    assert_eq!(read(text).unwrap().conversations[0].turns[0].text, "hi Order number: 7");
}
