//! What stays of texts, and that offsets of what was read lead to the same words in what is kept.

use super::*;
use crate::domain::{
    Channel, Evidence, EvidenceSpan, LabelAssessment, Probability, Role, Span, Spans, Status, Turn,
};
use crate::escalation::{Heard, Policies, Tracker};
use crate::pipeline::conversation::{ConversationReading, TurnReading};
use proptest::prelude::*;

const MODES: [Keep; 4] = [Keep::None, Keep::Hash, Keep::Redacted, Keep::Full];

fn keeping(keep: Keep) -> Keeping {
    Keeping::new(keep, HashKey::of(b"secret"))
}

/// An assessment whose one cue was heard in these places.
fn assessment(spans: Vec<Span>) -> Assessment {
    let whole = |span: Span| (span.byte_start, span.byte_end);
    let spans =
        spans.into_iter().map(|span| EvidenceSpan { span, core: whole(span), contribution: 1.0 }).collect();
    let cue = LabelAssessment {
        label: "churn_intent".into(),
        probability: Probability::of_logit(2.0),
        threshold: Probability::of_logit(0.0),
        predicted: true,
        evidence: Some(Evidence { logit: 2.0, bias: 0.0, spans, remainder: 1.0 }),
    };
    Assessment {
        status: Status::Ok,
        language: Some("en".into()),
        language_confidence: 1.0,
        coverage: 1.0,
        token_count: 3,
        window_count: 1,
        evidence: None,
        sentiment: None,
        emotions: Vec::new(),
        emotion_groups: Vec::new(),
        cues: vec![cue],
        other_heads: Vec::new(),
        sentences: Vec::new(),
        model_id: "m".into(),
        model_version: "1".into(),
    }
}

/// The words of a kept text to which the spans of its body lead.
fn words(body: &str, kept: &str) -> Vec<String> {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let spans = body["cues"][0]["spans"].as_array().unwrap();
    let place = |span: &serde_json::Value, end: &str| span[end].as_u64().unwrap() as usize;
    let slice = |span: &serde_json::Value| {
        let (start, end) = (place(span, "start"), place(span, "end"));
        kept.chars().skip(start).take(end - start).collect()
    };
    spans.iter().map(slice).collect()
}

#[test]
fn each_mode_keeps_what_it_says() {
    let text = "leaving, write to ann@example.com";
    let read = assessment(Vec::new());
    let kept: Vec<KeptText> = MODES.map(|keep| keeping(keep).message(text, &read).unwrap().0).to_vec();
    let texts: Vec<Option<&str>> = kept.iter().map(|kept| kept.text.as_deref()).collect();
    assert_eq!(texts, [None, None, Some("leaving, write to [EMAIL]"), Some(text)]);
    let hash = Some(HashKey::of(b"secret").text(text));
    assert!(kept[0].hash.is_none() && kept[1..].iter().all(|kept| kept.hash == hash));
    assert!(!format!("{kept:?}").contains("leaving"));
    let (full, _) = keeping(Keep::Full).message("a\0b", &read).unwrap();
    assert_eq!(full.text.as_deref(), Some("a\u{fffd}b"), "PostgreSQL has no NUL in a text");
}

fn turn(role: Role, text: &str) -> Turn {
    Turn { id: None, participant: "maria".into(), role, text: text.into(), at_ms: None }
}

#[test]
fn a_conversation_is_kept_line_by_line_with_roles_and_without_names() {
    let turns =
        vec![turn(Role::Customer, "leaving, ann@example.com"), turn(Role::Agent, "sorry\r\nto hear that")];
    let talk = Conversation { turns, ..Conversation::default() };
    let kept = |keep| keeping(keep).conversation(&talk);
    assert_eq!(kept(Keep::None), KeptText::default());
    assert!(kept(Keep::Hash).text.is_none() && kept(Keep::Hash).hash.is_some());
    let redacted = kept(Keep::Redacted).text.unwrap();
    assert_eq!(redacted, "customer: leaving, [EMAIL]\nagent: sorry\r\nto hear that\n");
    assert!(kept(Keep::Full).text.unwrap().contains("ann@example.com"));
    assert_eq!(kept(Keep::Full).hash, kept(Keep::Redacted).hash, "of what was sent");
}

#[test]
fn what_was_read_is_kept_without_a_word_of_the_text() {
    let text = "quokka canary: leaving";
    let whole = Spans::new(text).of(0..text.len());
    for keep in MODES {
        let (_, body) = keeping(keep).message(text, &assessment(vec![whole])).unwrap();
        assert!(!body.contains("quokka") && body.contains("churn_intent"), "{keep:?}: {body}");
        let offsets = if keep == Keep::Redacted { "redacted" } else { "sent" };
        assert!(body.contains(&format!("\"offsets\":\"{offsets}\"")), "{keep:?}: {body}");
    }
    let rules = Policies::explicit().rules(None, Channel::Chat);
    let mut tracker = Tracker::new(rules, Channel::Chat, crate::escalation::risk::Account::new());
    let standing = tracker.push(Heard { role: Role::Customer, at_ms: None, signals: None });
    let turns = vec![TurnReading { assessment: Some(assessment(vec![whole])), standing }];
    let read = ConversationReading { turns, participants: Vec::new(), events: Vec::new(), tracker };
    let body = reading::conversation(&read).unwrap();
    assert!(!body.contains("quokka") && body.contains("churn_intent"), "{body}");
}

const PIECES: [&str; 8] = [
    "plain",
    "café",
    "leaving",
    "👍🏽",
    "ann@example.com",
    "4111 1111 1111 1111",
    "+44 20 7946 0958",
    "https://u:p@host.example/x",
];

proptest! {
    #[test]
    fn offsets_lead_to_the_same_words_in_what_is_kept(pieces in prop::collection::vec(0..PIECES.len(), 1..12)) {
        let (mut text, mut ranges) = (String::new(), Vec::new());
        for piece in &pieces {
            let start = text.len();
            text.push_str(PIECES[*piece]);
            ranges.push(start..text.len());
            text.push_str(", ");
        }
        let mut spans = Spans::new(&text);
        let read = assessment(ranges.into_iter().map(|range| spans.of(range)).collect());
        for keep in [Keep::Redacted, Keep::Full] {
            let (kept, body) = keeping(keep).message(&text, &read).unwrap();
            let kept = kept.text.unwrap();
            for (piece, word) in pieces.iter().zip(words(&body, &kept)) {
                if keep == Keep::Full || *piece < 4 {
                    prop_assert_eq!(&word, PIECES[*piece]);
                } else {
                    prop_assert!(word.contains('[') && word.contains(']'), "{} in {}", word, kept);
                }
            }
        }
    }
}
