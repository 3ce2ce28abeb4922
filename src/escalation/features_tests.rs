//! What each feature measures, and what holds for all of them.

use super::*;
use crate::domain::{Channel, Role};
use crate::escalation::samples_tests::{Said, feature, history, said};
use crate::escalation::signals::TurnSignals;
use proptest::prelude::*;

/// Customer turns at even places, each answered.
fn answered(turns: &[Said<'_>]) -> History {
    let mut history = History::default();
    for (n, turn) in turns.iter().enumerate() {
        history.customer(2 * n, None, said(turn), Channel::Chat, &Measures::default());
        history.other(Role::Agent, None);
    }
    history
}

#[track_caller]
fn check(name: &str, history: &History, value: f64, turns: &[usize]) {
    let found = Feature::of_name(name).unwrap().measure(history, &Measures::default());
    assert!((found.value - value).abs() < 1e-9, "{name} is {}, expected {value}", found.value);
    assert_eq!(found.turns, turns, "{name}");
}

#[test]
fn each_feature_has_the_value_that_its_name_says_and_the_turns_behind_it() {
    let (sad, glad): (Said, Said) = (&[("score", -0.5)], &[("score", 0.5)]);
    let (same, failed): (Said, Said) = (&[("words", 6.0)], &[("unresolved_issue", 1.0)]);
    let rows: &[(&str, &[Said], f64, &[usize])] = &[
        // A cue halves every two customer turns, and the strongest mention counts.
        ("cue.legal_threat", &[&[("legal_threat", 0.8)], &[], &[]], 0.4, &[0]),
        ("cue.legal_threat", &[&[("legal_threat", 0.3)], &[("legal_threat", 0.6)]], 0.6, &[2]),
        ("cue.legal_threat", &[&[("churn_intent", 1.0)]], 0.0, &[]),
        // Tone halves every turn, and counts less on the first one.
        ("tone.negative", &[&[("negative", 0.9)]], 0.36, &[0]),
        ("tone.negative", &[&[("negative", 0.9)], &[("negative", 0.3)]], 0.5, &[0, 2]),
        ("tone.anger", &[&[("anger", 0.6)], &[("anger", 0.6)]], 0.6, &[0, 2]),
        ("tone.displeasure", &[&[("displeasure", 0.9)], &[("displeasure", 0.5)]], 0.5, &[2]),
        ("tone.distress", &[&[("distress", 0.6)], &[]], 0.2, &[0]),
        ("tone.positive", &[&[], &[("positive", 0.9)]], 0.6, &[2]),
        // Relief is the latest turn's alone.
        ("tone.relief", &[&[("relief", 0.9)], &[("relief", 0.5)]], 0.5, &[2]),
        ("tone.relief", &[&[("relief", 0.9)], &[]], 0.0, &[]),
        // So is the call to step in; a hint has a value and names no turn.
        ("turn.step_in", &[&[("step_in", 0.9)], &[("step_in", 0.5)]], 0.5, &[2]),
        ("turn.step_in", &[&[("step_in", 0.9)], &[]], 0.0, &[]),
        ("turn.step_in", &[&[("step_in", 0.4)]], 0.4, &[]),
        ("trend.worsening", &[sad], 0.0, &[]),
        ("trend.worsening", &[glad, sad], 0.5, &[2]),
        ("trend.worsening", &[glad, glad, sad, sad], 0.5, &[4, 6]),
        ("trend.worsening", &[sad, glad], 0.0, &[]),
        ("run.negative", &[sad], 0.0, &[0]),
        ("run.negative", &[sad, glad, sad, sad], 1.0 / 3.0, &[4, 6]),
        ("run.negative", &[sad; 5], 1.0, &[0, 2, 4, 6, 8]),
        ("run.negative", &[sad, glad], 0.0, &[]),
        ("run.failing", &[&[("unresolved_issue", 0.8)], &[("repeat_contact", 0.4)]], 0.325, &[0, 2]),
        ("run.failing", &[failed; 9], 1.0, &[0, 2, 4, 6, 8, 10, 12, 14, 16]),
        ("talk.repetition", &[same, same], 1.0, &[2]),
        ("talk.repetition", &[same, &[("words", 3.0)]], (0.5 - 0.4) / 0.6, &[]),
        ("talk.repetition", &[same], 0.0, &[]),
        ("talk.length", &[sad; 4], 0.0, &[]),
        ("talk.length", &[sad; 5], 0.25, &[]),
        ("talk.length", &[sad; 19], 1.0, &[]),
    ];
    for (name, turns, value, named) in rows {
        check(name, &answered(turns), *value, named);
    }
}

#[test]
fn a_joint_feature_is_the_weaker_of_two_that_must_both_be_there() {
    let rows = [
        ("joint.fraud_failing", "fraud_or_privacy", "unresolved_issue"),
        ("joint.urgent_failing", "urgency", "unresolved_issue"),
        ("joint.leaving_negative", "churn_intent", "negative"),
    ];
    for (name, one, other) in rows {
        check(name, &answered(&[&[(one, 0.9)]]), 0.0, &[]);
        check(name, &answered(&[&[(other, 0.9)]]), 0.0, &[]);
        check(name, &answered(&[&[(one, 0.9), (other, 0.6)]]), 0.6, &[0]);
        check(name, &answered(&[&[(one, 0.4), (other, 0.9)]]), 0.4, &[0]);
    }
}

#[test]
fn somebody_vulnerable_is_let_down_the_more_the_more_often_it_fails() {
    let name = "joint.vulnerable_failing";
    let (ill, failed): (Said, Said) = (&[("vulnerability", 0.8)], &[("unresolved_issue", 1.0)]);
    check(name, &answered(&[ill]), 0.0, &[]);
    check(name, &answered(&[failed]), 0.0, &[]);
    check(name, &answered(&[failed, ill]), 0.8 * 0.25, &[0, 2]);
    check(name, &answered(&[failed, failed, ill]), 0.8 * 0.5, &[0, 2, 4]);
}

#[test]
fn any_cue_of_escalation_counts_in_the_turn_that_says_it() {
    let name = "joint.explicit_cue";
    check(name, &answered(&[&[("legal_threat", 0.9), ("churn_intent", 0.6)]]), 0.9, &[0]);
    check(name, &answered(&[&[], &[("supervisor_request", 0.8)]]), 0.8, &[2]);
    check(name, &answered(&[&[("safety_risk", 0.9)], &[]]), 0.0, &[]);
    check(name, &answered(&[&[("urgency", 0.9), ("unresolved_issue", 0.9)]]), 0.0, &[]);
    for cue in EXPLICIT {
        let of =
            |reach: f64| Feature::ExplicitCue.measure(&answered(&[&[(cue, reach)]]), &Measures::default());
        check(name, &answered(&[&[(cue, 0.7)]]), 0.7, &[0]);
        assert_eq!((of(0.7).cue, of(0.3).cue), (Some(cue), None), "a hint names no cue");
    }
}

#[test]
fn waits_and_missing_answers_count_until_somebody_answers() {
    let measures = Measures::default();
    let usual = measures.usual_wait_ms(Channel::Chat) as i64;
    let mut history = History::default();
    let say = |history: &mut History, turn, at| {
        history.customer(turn, Some(at), TurnSignals::default(), Channel::Chat, &measures);
    };
    say(&mut history, 0, 0);
    check("wait.longest", &history, 0.0, &[]);
    say(&mut history, 1, 2 * usual);
    check("wait.longest", &history, 1.0 / 3.0, &[1]);
    check("wait.unanswered", &history, 1.0 / 3.0, &[1]);
    say(&mut history, 2, 8 * usual);
    check("wait.longest", &history, 1.0, &[2]);
    check("wait.unanswered", &history, 2.0 / 3.0, &[2]);
    history.other(Role::Bot, Some(8 * usual));
    say(&mut history, 4, 8 * usual + 1);
    check("wait.unanswered", &history, 0.0, &[]);
}

fn words(behind: Behind, at: usize) -> (Behind, Span) {
    (behind, Span { byte_start: at, byte_end: at + 1, char_start: at, char_end: at + 1 })
}

#[test]
fn the_words_behind_a_feature_are_the_newest_of_its_own_cue() {
    let [legal, unresolved, repeat] =
        ["legal_threat", "unresolved_issue", "repeat_contact"].map(|cue| Behind::Cue(place(cue).unwrap()));
    let mut history = History::default();
    for turn in 0..3 {
        let signals = TurnSignals {
            spans: vec![
                words(legal, 1),
                words(legal, 5),
                words(repeat, 6),
                words(unresolved, 7),
                words(Behind::StepIn, 8),
                words(Behind::Negative, 9),
            ],
            ..said(&[
                ("legal_threat", 1.0),
                ("step_in", 1.0),
                ("unresolved_issue", 0.2),
                ("repeat_contact", 0.9),
                ("negative", 1.0),
            ])
        };
        history.customer(turn, None, signals, Channel::Chat, &Measures::default());
    }
    let found = |name: &str| {
        let spans = Feature::of_name(name).unwrap().measure(&history, &Measures::default()).spans;
        spans.into_iter().map(|(turn, span)| (turn, span.byte_start)).collect::<Vec<_>>()
    };
    assert_eq!(found("cue.legal_threat"), [(1, 1), (1, 5), (2, 1), (2, 5)]);
    assert_eq!(found("tone.negative"), [(0, 9), (1, 9), (2, 9)]);
    assert_eq!(found("turn.step_in"), [(2, 8)]);
    assert_eq!(found("run.failing"), [(0, 6), (1, 6), (2, 6)], "the words of what failed more");
    assert!(found("talk.length").is_empty());
}

#[test]
fn names_lead_back_to_their_features_and_no_two_share_one() {
    let mut names: Vec<String> = Feature::all().map(Feature::name).collect();
    for feature in Feature::all() {
        assert_eq!(Feature::of_name(&feature.name()), Some(feature));
        assert!(!feature.meaning().is_empty() && !feature.meaning().contains('_'), "{feature:?}");
    }
    assert!(EXPLICIT.iter().all(|cue| place(cue).is_some()), "an explicit cue that is none");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), Feature::all().count());
    assert_eq!(Feature::of_name("cue.Legal_threat"), None);
}

proptest! {
    #[test]
    fn every_value_lies_between_0_and_1_and_names_turns_that_were_heard((history, measures) in history()) {
        let heard: Vec<usize> = history.newest_first().map(|(_, h)| h.turn).collect();
        for feature in Feature::all() {
            let found = feature.measure(&history, &measures);
            prop_assert!((0.0..=1.0).contains(&found.value), "{feature:?} is {}", found.value);
            prop_assert!(found.turns.is_sorted_by(|a, b| a < b), "{feature:?}: {:?}", found.turns);
            prop_assert!(found.turns.iter().all(|turn| heard.contains(turn)));
        }
    }

    #[test]
    fn words_come_from_the_turns_that_are_named((history, measures) in history(), feature in feature()) {
        let found = feature.measure(&history, &measures);
        prop_assert!(found.spans.len() <= SPANS);
        for (turn, span) in &found.spans {
            prop_assert!(found.turns.contains(turn));
            let heard = history.newest_first().find(|(_, h)| h.turn == *turn).unwrap().1;
            let of = |behind: &Behind| match feature {
                Feature::Cue(own) => *behind == Behind::Cue(own),
                Feature::StepIn => *behind == Behind::StepIn,
                _ => true,
            };
            prop_assert!(heard.signals.spans.iter().any(|(behind, s)| s == span && of(behind)));
        }
    }
}
