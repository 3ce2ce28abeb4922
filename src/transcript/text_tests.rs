//! Plain text: times, continued turns, speakers without a role.

use crate::domain::{Channel, Role};
use crate::transcript::{Format, Import, ImportOptions, RoleMap, Skip, import};

fn read(text: &str, rules: &[&str]) -> Result<Import, String> {
    let roles = RoleMap::parse(rules.iter().copied()).unwrap();
    let options = ImportOptions { roles, ..ImportOptions::default() };
    import(text.as_bytes(), Format::Text, &options).map_err(|e| e.public().to_owned())
}

#[test]
fn turns_go_on_over_further_lines_and_times_over_midnight() {
    let import = read(include_str!("../../tests/fixtures/transcripts/call.txt"), &[]).unwrap();
    let call = &import.conversations[0];
    assert_eq!((call.id.as_str(), call.channel), ("conversation", Channel::Unknown));
    let found: Vec<_> =
        call.turns.iter().map(|t| (t.role, t.participant.as_str(), t.at_ms.map(|at| at / 1000))).collect();
    assert_eq!(
        found,
        [
            (Role::Agent, "Agent", Some(86_280)),
            (Role::Customer, "Caller", Some(86_340)),
            (Role::Bot, "Virtual Assistant", Some(86_490)),
            (Role::Agent, "Agent", Some(86_530)),
            (Role::Customer, "Customer", None),
        ]
    );
    let boiler = "My boiler is off again.\nOrder number: 4417\nIt says:\n\n  E04, then nothing.";
    assert_eq!(call.turns[1].text, boiler);
    assert!(call.turns[4].text.ends_with("https://example.com/e04"));
    assert_eq!(import.skipped.of(Skip::Event), 1);
}

#[test]
fn a_speaker_without_a_role_is_refused_with_the_line_and_never_with_the_name() {
    let unmapped = include_str!("../../tests/fixtures/transcripts/unmapped.txt");
    for (text, begin) in [
        (unmapped, "line 2: 1 speaker without a role"),
        ("Ines: hello\nAgent: hi", "line 1: 1 speaker without a role"),
        ("Agent: hi\n[10:02] Ines: hello", "line 2: 1 speaker without a role"),
        (
            "Agent: hi\n10:02 Ines of the bakery in town: hello\n10:03 Bea: hi",
            "line 2: 2 speakers without a role",
        ),
        ("\n\nHello there\nAgent: hi", "line 3: stands before the first speaker"),
    ] {
        let error = read(text, &[]).unwrap_err();
        assert!(error.starts_with(begin), "{error}");
        assert!(!error.contains("Ines") && !error.contains("Hello"), "{error}");
    }
    let error = read(unmapped, &[]).unwrap_err();
    assert!(error.contains("--role NAME=ROLE") && error.contains("--role NAME=none"), "{error}");
}

#[test]
fn a_role_map_names_speakers_and_words_that_are_none() {
    let unmapped = include_str!("../../tests/fixtures/transcripts/unmapped.txt");
    let import = read(unmapped, &["ines soler=customer"]).unwrap();
    let turns = &import.conversations[0].turns;
    assert_eq!(turns.iter().filter(|turn| turn.role == Role::Customer).count(), 2);
    assert_eq!(turns[1].text, "I have waited for two weeks.\nOrder number: 4417");
    let twice = "Agent: hi\nCustomer: look\nOrder: 1\nOrder: 2";
    assert!(read(twice, &[]).is_err());
    assert_eq!(
        read(twice, &["order=none"]).unwrap().conversations[0].turns[1].text,
        "look\nOrder: 1\nOrder: 2"
    );
}

#[test]
fn times_stand_in_front_in_many_forms() {
    for (line, seconds) in [
        ("[10:02] Agent: hi", Some(36_120)),
        ("[10:02:33]  Agent : hi", Some(36_153)),
        ("(00:01:12) Agent: hi", Some(72)),
        ("[00:01:12.250] - Agent: hi", Some(72)),
        ("10:02 Agent: hi", Some(36_120)),
        ("10:02 PM Agent: hi", Some(79_320)),
        ("[2026-03-02 10:02:33] Agent: hi", Some(1_772_445_753)),
        ("2026-03-02 10:02:33 Agent: hi", Some(1_772_445_753)),
        ("2026-03-02T10:02:33Z | Agent: hi", Some(1_772_445_753)),
        ("[61:30] Agent: hi", Some(3_690)),
        ("Agent: hi", None),
    ] {
        let import = read(line, &[]).unwrap();
        let turn = &import.conversations[0].turns[0];
        assert_eq!((turn.at_ms.map(|at| at / 1000), turn.text.as_str()), (seconds, "hi"), "{line}");
    }
}

#[test]
fn a_turn_without_a_word_is_counted_and_a_file_without_turns_holds_no_conversation() {
    let import = read("Agent: \nCustomer: hi", &[]).unwrap();
    assert_eq!((import.conversations[0].turns.len(), import.skipped.of(Skip::Empty)), (1, 1));
    let import = read("[10:02] Ines joined\n\n", &[]).unwrap();
    assert_eq!((import.conversations.len(), import.skipped.of(Skip::NoTurns)), (0, 1));
}
