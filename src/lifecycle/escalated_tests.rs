//! Each escalated conversation is told once.

use super::*;
use crate::lifecycle::samples_tests::{DAY, observations, on};
use crate::lifecycle::timeline::in_order;
use proptest::prelude::*;
use std::collections::BTreeMap;

const WATCH: f64 = 1.0 / 3.0;

/// What is told of each batch, as `kind cause`.
fn told(batches: &[&[Observation]]) -> Vec<String> {
    let (mut escalations, mut now_ms) = (Escalations::default(), 0);
    let mut all = Vec::new();
    for batch in batches {
        now_ms = batch.iter().map(|o| o.at_ms).fold(now_ms, i64::max);
        let told = escalations.follow(&in_order(batch), now_ms);
        all.extend(
            told.into_iter().map(|(kind, value, _, cause)| format!("{} {cause} {value:.1}", kind.name())),
        );
    }
    all
}

#[test]
fn a_conversation_is_raised_changed_and_recovered_once_each() {
    let chat = |day: f64| on(day, "chat", -0.5);
    let raised: &[Observation] = &[chat(1.0).escalated(WATCH)];
    type Row<'a> = (&'a str, &'a [&'a [Observation]], &'a [&'a str]);
    let rows: [Row; 11] = [
        ("raised", &[raised], &["escalation_raised chat-1 0.3"]),
        ("the same again", &[raised, raised], &["escalation_raised chat-1 0.3"]),
        (
            "another tier of the same",
            &[raised, &[chat(1.0).escalated(1.0)]],
            &["escalation_raised chat-1 0.3", "escalation_changed chat-1 1.0"],
        ),
        (
            "none after all",
            &[raised, &[chat(1.0)], &[chat(1.0)]],
            &["escalation_raised chat-1 0.3", "escalation_changed chat-1 0.0"],
        ),
        (
            "each conversation for itself",
            &[raised, &[chat(2.0).escalated(WATCH)]],
            &["escalation_raised chat-1 0.3", "escalation_raised chat-2 0.3"],
        ),
        (
            "better in the same conversation",
            &[&[chat(1.0).escalated(1.0).better()]],
            &["escalation_recovered chat-1 1.0"],
        ),
        (
            "better in a later one, once for all",
            &[raised, &[chat(2.0).escalated(1.0)], &[chat(3.0).better()], &[chat(4.0).better()]],
            &[
                "escalation_raised chat-1 0.3",
                "escalation_raised chat-2 1.0",
                "escalation_recovered chat-3 1.0",
            ],
        ),
        (
            "better in the same batch",
            &[&[chat(1.0).escalated(WATCH), chat(3.0).better()]],
            &["escalation_recovered chat-3 0.3"],
        ),
        (
            "better before",
            &[&[chat(2.0).escalated(WATCH)], &[chat(1.0).better()]],
            &["escalation_raised chat-2 0.3"],
        ),
        ("better, and nothing was wrong", &[&[chat(1.0).better()]], &[]),
        ("history", &[&[chat(20.0)], &[chat(12.0).escalated(1.0)]], &[]),
    ];
    for (what, batches, expected) in rows {
        assert_eq!(told(batches), expected, "{what}");
    }
}

#[test]
fn an_escalation_that_nobody_ends_is_over_after_a_month() {
    let mut escalations = Escalations::default();
    escalations.follow(&[&on(1.0, "chat", -0.5).escalated(1.0)], DAY);
    assert!(escalations.any_open());
    escalations.follow(&[&on(40.0, "chat", 0.0)], 40 * DAY);
    assert!(!escalations.any_open());
}

#[test]
fn what_was_forgotten_is_not_told_again() {
    let mut escalations = Escalations::default();
    let all: Vec<_> = (0..40).map(|n| on(f64::from(n) / 10.0, "chat", -0.5).escalated(1.0)).collect();
    let told = |escalations: &mut Escalations| -> usize {
        all.iter().map(|o| escalations.follow(&[o], 4 * DAY).len()).sum()
    };
    assert_eq!(told(&mut escalations), 40);
    assert_eq!(escalations.known.len(), REMEMBERED);
    assert_eq!(told(&mut escalations), 0);
}

proptest! {
    #[test]
    fn a_conversation_is_raised_at_most_once_whatever_comes_and_little_is_remembered(
        batches in prop::collection::vec(observations(30), 0..20),
    ) {
        let (mut escalations, mut now_ms) = (Escalations::default(), 0);
        let mut raised: BTreeMap<String, u32> = BTreeMap::new();
        for batch in batches {
            now_ms = batch.iter().map(|o| o.at_ms).fold(now_ms, i64::max);
            let told = escalations.follow(&in_order(&batch), now_ms);
            prop_assert!(told.len() <= 2 * REMEMBERED);
            prop_assert!(escalations.known.len() <= REMEMBERED);
            for (kind, value, _, cause) in told {
                prop_assert!((0.0..=1.0).contains(&value));
                if kind == SignalKind::EscalationRaised {
                    *raised.entry(cause).or_default() += 1;
                }
            }
        }
        prop_assert!(raised.values().all(|times| *times == 1), "{raised:?}");
    }
}
