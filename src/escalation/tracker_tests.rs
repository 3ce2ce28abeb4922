//! One conversation, turn by turn.

use super::*;
use crate::escalation::alert::Change;
use crate::escalation::features::Feature;
use crate::escalation::samples_tests::{agent, customer, heard, rules, signals};
use proptest::prelude::*;

fn tracker() -> Tracker {
    Tracker::new(Arc::new(rules()), Channel::Chat, Account::new())
}

fn heard_all(turns: impl IntoIterator<Item = Heard>) -> (Tracker, Vec<Standing>) {
    let mut tracker = tracker();
    let standings = turns.into_iter().map(|heard| tracker.push(heard)).collect();
    (tracker, standings)
}

/// What a customer's turns say together, as far as others' turns may not touch it.
fn tone(tracker: &Tracker) -> Vec<(String, f64)> {
    let features = Feature::all().filter(|f| !matches!(f, Feature::Wait | Feature::Unanswered));
    let measures = &tracker.rules().measures;
    features.map(|f| (f.name(), f.measure(tracker.history(), measures).value)).collect()
}

/// Risks without the places of turns, which move when others speak in between.
fn weighed(risk: &Risk) -> (f64, Vec<(&str, f64)>) {
    (risk.log_odds, risk.reasons.iter().map(|r| (r.code.as_str(), r.contribution)).collect())
}

fn other() -> impl Strategy<Value = Heard> {
    let role = prop::sample::select(vec![Role::Agent, Role::Supervisor, Role::Bot, Role::System]);
    (role, signals()).prop_map(|(role, s)| Heard { role, at_ms: None, signals: Some(s) })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn others_turns_never_change_how_the_customer_feels_or_what_that_weighs(
        turns in prop::collection::vec((prop::collection::vec(other(), 0..3), signals()), 1..20),
    ) {
        let (mut alone, mut among) = (tracker(), tracker());
        for (others, signals) in turns {
            for heard in others {
                let before = among.standing().cloned();
                let now = among.push(heard);
                prop_assert_eq!(&now.event, &None);
                if let Some(before) = before {
                    prop_assert_eq!(Standing { turn: before.turn, ..now }, before);
                }
            }
            let said = Heard { role: Role::Customer, at_ms: None, signals: Some(signals) };
            let (one, other) = (alone.push(said.clone()), among.push(said));
            prop_assert_eq!(weighed(&one.detection), weighed(&other.detection));
            prop_assert_eq!(weighed(&one.forecast), weighed(&other.forecast));
            prop_assert_eq!((one.tier, one.level), (other.tier, other.level));
            let event = |standing: &Standing| standing.event.as_ref().map(|e| (e.sequence, e.change, e.alert.tier));
            prop_assert_eq!(event(&one), event(&other));
            prop_assert_eq!(tone(&alone), tone(&among));
        }
        let scores = |t: &Tracker| t.trajectory().points().iter().map(|p| (p.score, p.resolved)).collect::<Vec<_>>();
        prop_assert_eq!(scores(&alone), scores(&among));
        prop_assert_eq!(alone.trajectory().trend(), among.trajectory().trend());
        prop_assert_eq!(alone.trajectory().turned().map(|t| t.1), among.trajectory().turned().map(|t| t.1));
    }

    #[test]
    fn a_pause_or_an_unread_turn_of_the_customer_changes_nothing(
        turns in prop::collection::vec(heard(), 0..30), at in 0usize..30,
    ) {
        let at = at.min(turns.len());
        let (mut tracker, _) = heard_all(turns[..at].to_vec());
        let (history, trajectory) = (tracker.history().clone(), tracker.trajectory().clone());
        let before = tracker.standing().cloned();
        let now = tracker.push(Heard { role: Role::Customer, at_ms: Some(1), signals: None });
        prop_assert_eq!((tracker.history(), tracker.trajectory()), (&history, &trajectory));
        prop_assert_eq!((now.turn, &now.event), (at, &None));
        if let Some(before) = before {
            prop_assert_eq!(Standing { turn: before.turn, ..now }, before);
        }
    }

    #[test]
    fn the_same_turns_end_the_same_whether_they_come_at_once_or_with_notes_and_questions_in_between(
        turns in prop::collection::vec(heard(), 0..30),
    ) {
        let (whole, standings) = heard_all(turns.clone());
        let mut live = tracker();
        for (heard, expected) in turns.into_iter().zip(&standings) {
            // The rules are read again, as after a reload that changes nothing.
            live.follow(Arc::new(rules()));
            prop_assert_eq!(&live.push(heard), expected);
            let kept = live.standing().unwrap();
            prop_assert_eq!(kept, &Standing { event: None, ..expected.clone() }, "an event is told once");
        }
        prop_assert_eq!(live.standing(), whole.standing());
        prop_assert_eq!((live.history(), live.trajectory()), (whole.history(), whole.trajectory()));
        prop_assert_eq!((live.alerts(), live.empathy()), (whole.alerts(), whole.empathy()));
    }
}

#[test]
fn before_the_first_turn_nothing_is_known_and_others_turns_give_the_base_alone() {
    let mut tracker = tracker();
    assert_eq!((tracker.standing(), tracker.turns()), (None, 0));
    let standing = tracker.push(agent());
    assert_eq!((standing.turn, standing.tier, standing.level), (0, Tier::None, None));
    assert_eq!(standing.detection.log_odds, tracker.rules().detection.base);
    assert!(standing.detection.reasons.is_empty() && standing.forecast.reasons.is_empty());
}

#[test]
fn other_rules_judge_coming_turns_by_all_that_was_heard() {
    let (mut tracker, _) = heard_all([customer(&[("urgency", 1.0)]), agent()]);
    assert_eq!(tracker.standing().unwrap().tier, Tier::None);
    let mut strict = rules();
    strict.version = "strict".into();
    strict.detection.features.insert(Feature::of_name("cue.urgency").unwrap(), 20.0);
    tracker.follow(Arc::new(strict));
    assert_eq!(tracker.standing().unwrap().tier, Tier::None, "what was judged stays judged");
    let standing = tracker.push(customer(&[]));
    assert_eq!(
        (standing.turn, standing.tier, standing.event.unwrap().change),
        (2, Tier::Urgent, Change::Raised)
    );
    assert_eq!(standing.detection.reasons[0].turns, [0], "by what was heard before");
    assert_eq!(
        (tracker.turns(), tracker.trajectory().points().len(), &*tracker.rules().version),
        (3, 2, "strict")
    );
}

#[test]
fn a_note_is_told_at_the_last_turn_and_only_of_the_open_alert() {
    let (mut tracker, standings) = heard_all([customer(&[("legal_threat", 1.0)]), agent()]);
    assert_eq!(standings[0].event.as_ref().map(|e| (e.sequence, e.alert.ordinal)), Some((1, 1)));
    assert_eq!(tracker.note(7, Note::SnoozeUntil(1)), None);
    let event = tracker.note(1, Note::SnoozeUntil(1)).unwrap();
    assert_eq!((event.sequence, event.turn, event.change), (2, 1, Change::Snoozed));
    assert_eq!(tracker.standing().unwrap().tier, Tier::Urgent);
}

#[test]
fn a_customer_who_is_glad_in_the_end_has_recovered() {
    let angry = customer(&[("score", -0.9), ("negative", 0.95), ("legal_threat", 1.0)]);
    let glad = customer(&[("score", 0.8), ("positive", 0.9), ("resolution_confirmed", 1.0)]);
    let (tracker, standings) = heard_all([angry, agent(), glad]);
    let changes: Vec<_> = standings.iter().filter_map(|s| s.event.as_ref()).map(|e| e.change).collect();
    assert_eq!(changes, [Change::Raised, Change::Recovered]);
    let standing = tracker.standing().unwrap();
    assert_eq!((standing.tier, standing.recovery.and_then(|r| r.resolved_turn)), (Tier::None, Some(2)));
}
