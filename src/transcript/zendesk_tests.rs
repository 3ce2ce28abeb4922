//! Zendesk: who is the customer, private comments, bodies, channels.

use crate::domain::{Channel, Role};
use crate::transcript::{Format, Import, ImportOptions, Skip, import};

fn read(text: &str, clean: bool) -> Result<Import, String> {
    let options = ImportOptions { clean, ..ImportOptions::default() };
    import(text.as_bytes(), Format::Zendesk, &options).map_err(|e| e.public().to_owned())
}

const TICKET: &str = include_str!("../../tests/fixtures/transcripts/zendesk_ticket.json");

#[test]
fn a_ticket_is_read_in_order_without_private_comments_quotes_and_signatures() {
    let import = read(TICKET, true).unwrap();
    let ticket = &import.conversations[0];
    assert_eq!((ticket.id.as_str(), ticket.channel), ("4417", Channel::Email));
    assert_eq!(ticket.customer.as_deref(), Some("9001"));
    assert_eq!(ticket.metadata.keys().collect::<Vec<_>>(), ["status", "subject"]);
    let found: Vec<_> = ticket.turns.iter().map(|t| (t.role, t.text.as_str())).collect();
    assert_eq!(
        found,
        [
            (Role::Customer, "My boiler is off."),
            (Role::Agent, "We have booked a technician for today.\n\nSee the visit."),
            (Role::Customer, "Nobody came today either. I want my money back.\n\nKind regards,\nInes Soler"),
            (Role::Customer, "It is my shop too."),
        ]
    );
    let skipped: Vec<_> = import.skipped.counts().collect();
    assert_eq!(skipped, [(Skip::Private, 1), (Skip::Empty, 1), (Skip::Quoted, 1), (Skip::Signature, 3)]);
}

#[test]
fn uncleaned_texts_keep_their_quotes_and_signatures() {
    let ticket = &read(TICKET, false).unwrap().conversations[0];
    assert!(ticket.turns[0].text.ends_with("Sent from my iPhone"));
    assert!(ticket.turns[1].text.ends_with("-- \n\nTom Okoro\n\nNorthwind"), "{:?}", ticket.turns[1].text);
    assert!(ticket.turns[2].text.contains("> We have booked"));
}

#[test]
fn tickets_stand_one_per_line_too_with_the_channel_of_each() {
    let import = read(include_str!("../../tests/fixtures/transcripts/zendesk_lines.jsonl"), true).unwrap();
    let channels: Vec<Channel> = import.conversations.iter().map(|ticket| ticket.channel).collect();
    assert_eq!(channels, [Channel::Chat, Channel::Social, Channel::Sms]);
    assert!(import.conversations.iter().all(|ticket| ticket.turns[1].role == Role::Agent));
}

#[test]
fn users_tell_the_customer_where_no_requester_is_named() {
    let text = r#"{"users":[{"id":1,"role":"end-user"},{"id":2,"role":"agent"}],
        "comments":[{"author_id":1,"body":"a","via":{"channel":7}},{"author_id":2,"body":"b"}]}"#;
    let import = read(text, true).unwrap();
    let roles: Vec<Role> = import.conversations[0].turns.iter().map(|turn| turn.role).collect();
    assert_eq!(roles, [Role::Customer, Role::Agent]);
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    for (text, expected) in [
        ("{}", "comments: is missing"),
        ("{\"comments\":[{\"author_id\":1,\"body\":\"hi\"}]}", "comments[0].author_id: can't be told"),
        ("{\"requester_id\":1,\"comments\":[{\"body\":\"hi\"}]}", "comments[0].author_id: is missing"),
        ("{\"requester_id\":1,\"comments\":[]}\n{\"comments\":7}", "line 2: comments: expected an array"),
        (
            "[{\"comments\":[{\"author_id\":1,\"public\":\"no\"}]}]",
            "[0].comments[0].public: expected true or false, found a string",
        ),
    ] {
        let error = read(text, true).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}
