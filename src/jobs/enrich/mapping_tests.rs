//! Rows as interactions, and why some are none.

use super::*;
use crate::domain::Channel;
use crate::jobs::samples::{columns, row};
use crate::jobs::{Layout, Table};

/// 2024-04-01T00:00:00Z.
const NOW_MS: i64 = 1_711_929_600_000;

fn table(names: &[&str], layout: Layout) -> Table {
    Table { form: "a test".into(), columns: columns(names), layout, rows: Box::new(std::iter::empty()) }
}

const NAMES: [&str; 7] = ["Ticket", "Requester", "Sent at", "Via", "Body", "Rating", "Lang"];

fn layout() -> Layout {
    Layout {
        source: "table".into(),
        text: vec![4],
        id: Some(0),
        score: Some((5, ScoreKind::Csat(5))),
        language: Some(6),
        time: Some(2),
        notes: Vec::new(),
    }
}

fn choice() -> Choice {
    Choice { source: "zendesk".into(), tenant: "eu".into(), ..Choice::default() }
}

fn mapping() -> Mapping {
    Mapping::find(&table(&NAMES, layout()), &choice()).unwrap()
}

fn read(cells: [&str; 7]) -> Result<Interaction, String> {
    let told = |e: Error| format!("{}: {}", e.field().unwrap_or_default(), e.public());
    mapping().interaction(&row(3, &cells), NOW_MS).map_err(told)
}

#[test]
fn a_row_becomes_an_interaction() {
    let cells = [" 4711 ", "ann@example.com", "2024-03-31 10:02", "Web form", " Still broken.\n", "2", "en"];
    let expected = Interaction {
        tenant: "eu".into(),
        customer: "ann@example.com".into(),
        source: "zendesk".into(),
        external_id: "4711".into(),
        at_ms: 1_711_879_320_000,
        channel: Channel::Email,
        language: Some("en".into()),
        content: Content::Message("Still broken.".into()),
        nps: None,
        csat: Some(0.25),
    };
    assert_eq!(read(cells).unwrap(), expected);
    let survey = read(["4711", "ann", "2024-03-31", "survey", "Fine.", "", ""]).unwrap();
    assert_eq!(survey.content, Content::Survey("Fine.".into()));
    let answer = read(["4711", "ann", "2024-03-31", "chat", " ", "5", ""]).unwrap();
    assert_eq!((answer.content, answer.csat), (Content::Survey(String::new()), Some(1.0)));
    let pigeon = read(["4711", "ann", "2024-03-31", "pigeon", "Coo.", "", ""]).unwrap();
    assert_eq!(pigeon.channel, Channel::Unknown);
}

#[test]
fn a_row_that_is_none_says_why_and_quotes_nothing() {
    let long = "x".repeat(257);
    for (cells, expected) in [
        (["1", " ", "2024-03-31", "", "Hi", "", ""], "customer: is required"),
        (["1", "a\u{7}b", "2024-03-31", "", "Hi", "", ""], "customer: has a control character"),
        (["", "ann", "2024-03-31", "", "Hi", "", ""], "id: is required"),
        ([&long, "ann", "2024-03-31", "", "Hi", "", ""], "id: has 257 bytes, at most 256 are allowed"),
        (["1", "ann", "31/03/2024", "", "Hi", "", ""], "time: expected a time such as"),
        (["1", "ann", "", "", "Hi", "", ""], "time: expected a time such as"),
        (["1", "ann", "2042-03-31", "", "Hi", "", ""], "time: lies in the future"),
        (["1", "ann", "2024-03-31", "", " ", "", ""], "text: is empty, and there is no score"),
        (["1", "ann", "2024-03-31", "", "Hi", "9", ""], "score: expected a whole number from 1 to 5"),
        (["1", "ann", "2024-03-31", "", "Hi", "good", ""], "score: expected a whole number from 1 to 5"),
    ] {
        let reason = read(cells).unwrap_err();
        assert!(reason.starts_with(expected), "{reason}");
        assert!(!reason.contains("good") && !reason.contains("xxx"), "{reason}");
    }
}

#[test]
fn without_an_id_a_row_is_known_by_its_content_and_place() {
    let mapping = Mapping::find(&table(&NAMES, Layout { id: None, ..layout() }), &choice()).unwrap();
    let id =
        |number, cells: [&str; 7]| mapping.interaction(&row(number, &cells), NOW_MS).unwrap().external_id;
    let cells = ["1", "ann", "2024-03-31", "", "Hi", "", ""];
    let first = id(7, cells);
    assert!(first.starts_with("row-7-") && first == id(7, cells), "{first}");
    assert_ne!(first, id(8, cells));
    assert_ne!(first, id(7, ["1", "ann", "2024-03-31", "", "Ho", "", ""]));
    // Where cells end counts.
    assert_ne!(
        id(7, ["1a", "nn", "2024-03-31", "", "Hi", "", ""]),
        id(7, ["1", "ann", "2024-03-31", "", "Hi", "", ""])
    );
    let told = mapping.notes(&table(&NAMES, layout()));
    assert!(told.iter().any(|note| note.contains("--id-column")), "{told:?}");
}

#[test]
fn what_is_not_clear_is_asked_for_by_its_flag() {
    let found = |names: &[&str], layout: Layout, choice: Choice| {
        let error = Mapping::find(&table(names, layout), &choice).err();
        error.map(|e| (e.field().unwrap_or_default().to_owned(), e.public().to_owned()))
    };
    let two = || Layout { text: vec![1, 4], ..layout() };
    let named = Choice { customer: Some("Ticket".into()), ..choice() };
    for (names, layout, choice, flag, said) in [
        (&["a", "b"][..], layout(), choice(), "customer-column", "There are a, b"),
        (&NAMES, Layout { time: None, ..layout() }, choice(), "time-column", "--time-column"),
        (&NAMES, two(), named.clone(), "text-column", "several columns hold free text: Requester, Body"),
        (&NAMES, layout(), Choice { source: String::new(), ..choice() }, "source", "is required"),
        (&NAMES, layout(), Choice { channel: Some("pigeon".into()), ..choice() }, "channel", "expected chat"),
        (
            &NAMES,
            layout(),
            Choice { channel_column: Some("no".into()), ..choice() },
            "channel-column",
            "no column",
        ),
    ] {
        let (field, message) = found(names, layout, choice).unwrap();
        assert_eq!(field, flag);
        assert!(message.contains(said), "{message}");
    }
    let texts = Choice { texts_named: true, ..named };
    let mapping = Mapping::find(&table(&NAMES, two()), &texts).unwrap();
    let cells = ["ann", "Printer", "2024-03-31", "", "It burns.", "", ""];
    let interaction = mapping.interaction(&row(1, &cells), NOW_MS).unwrap();
    assert_eq!(interaction.content, Content::Message("Printer\n\nIt burns.".into()));
    assert!(interaction.external_id.starts_with("row-1-"), "the customer's column is not the row's id");
}

#[test]
fn a_channel_that_is_said_for_all_is_for_those_that_name_none() {
    let all = |column: Option<&str>| Choice {
        channel: Some("phone".into()),
        channel_column: column.map(str::to_owned),
        ..choice()
    };
    let channel = |choice: &Choice, via: &str| {
        let mapping = Mapping::find(&table(&NAMES, layout()), choice).unwrap();
        let cells = ["1", "ann", "2024-03-31", via, "Hi", "", ""];
        mapping.interaction(&row(1, &cells), NOW_MS).unwrap().channel
    };
    assert_eq!(channel(&all(None), "chat"), Channel::Phone);
    assert_eq!(channel(&all(Some("via")), "chat"), Channel::Chat);
    assert_eq!(channel(&all(Some("via")), " "), Channel::Phone);
    assert_eq!(channel(&choice(), "SMS"), Channel::Sms);
}

#[test]
fn a_language_that_is_no_tag_is_left_to_be_identified() {
    for (cell, expected) in
        [("pt_BR", Some("pt-BR")), ("English", None), ("he wrote in English", None), ("", None)]
    {
        let cells = ["8841", "ann", "2024-03-31", "email", "It broke again", "", cell];
        assert_eq!(read(cells).unwrap().language.as_deref(), expected, "{cell}");
    }
}
