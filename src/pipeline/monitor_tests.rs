//! What callers, watchers and lists see of conversations that are followed.

use super::*;
use crate::domain::Role;
use crate::escalation::Change;
use crate::escalation::Tier;
use crate::escalation::policy::EXPLICIT;
use crate::escalation::samples_tests::{agent, customer, heard};
use proptest::prelude::*;
use tokio::sync::watch;

const SETTINGS: MonitorSettings =
    MonitorSettings { conversations: 100, turns: 100, idle: Duration::from_secs(3600) };

fn with(settings: MonitorSettings) -> Monitor {
    Monitor::new(watch::channel(Arc::new(Policies::explicit())).1, settings)
}

fn monitor() -> Monitor {
    with(SETTINGS)
}

fn key(id: &str) -> ConversationKey {
    ConversationKey { tenant: "acme".into(), id: id.into() }
}

/// Asks for a supervisor by itself.
fn threat() -> Heard {
    customer(&[("legal_threat", 1.0)])
}

fn calm() -> Heard {
    customer(&[])
}

/// Opens a conversation and tells its turns.
fn follow(
    monitor: &Monitor,
    key: &ConversationKey,
    turns: impl IntoIterator<Item = Heard>,
) -> Vec<AlertEvent> {
    monitor.open(key, Context::default(), 0).unwrap();
    let mut events = Vec::new();
    for (n, heard) in turns.into_iter().enumerate() {
        events.extend(monitor.push(key, n as u64 + 1, heard, events.len() as u64).unwrap().events);
    }
    events
}

fn changes(events: &[AlertEvent]) -> Vec<(u64, Change)> {
    events.iter().map(|event| (event.sequence, event.change)).collect()
}

/// A threat, and as many calm turns as end its alert.
fn raised_and_cleared() -> Vec<Heard> {
    std::iter::once(threat()).chain(std::iter::repeat_n(calm(), 5)).collect()
}

#[test]
fn a_conversation_is_opened_followed_and_forgotten() {
    let (monitor, key) = (monitor(), key("one"));
    let opened = monitor.open(&key, Context::default(), 0).unwrap();
    assert_eq!((opened.last_turn, opened.state.is_none(), opened.missed.len()), (0, true, 0));
    let update = monitor.push(&key, 1, threat(), 0).unwrap();
    assert!(!update.repeated);
    assert_eq!(update.state.standing.tier, Tier::Urgent);
    assert_eq!(update.state.alert.map(|alert| alert.ordinal), Some(1));
    assert_eq!(
        (&*update.state.policy_version, changes(&update.events)),
        ("explicit-1", vec![(1, Change::Raised)])
    );
    assert_eq!(monitor.known(&key).map(|known| known.last_turn), Some(1));
    assert_eq!(changes(&monitor.close(&key, 1).unwrap()), [(2, Change::Closed)], "its alert ends with it");
    assert_eq!(monitor.close(&key, 2).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(monitor.known(&key).is_none() && monitor.escalations().is_empty());
    assert_eq!(monitor.open(&key, Context::default(), 0).unwrap().last_turn, 0, "it begins anew");
}

#[test]
fn what_is_not_followed_is_not_found() {
    let (monitor, key) = (monitor(), key("never"));
    let errors = [
        monitor.push(&key, 1, calm(), 0).err(),
        monitor.repeat(&key, 1, 0).err(),
        monitor.note(&key, &key.alert_id(1), Note::SnoozeUntil(1)).err(),
    ];
    for error in errors {
        assert_eq!(error.map(|e| e.kind()), Some(ErrorKind::NotFound));
    }
}

#[test]
fn a_turn_that_comes_again_changes_nothing_and_a_gap_is_refused_with_the_number_that_was_expected() {
    let (monitor, key) = (monitor(), key("one"));
    follow(&monitor, &key, [calm(), threat()]);
    for number in [2, 1, 0] {
        let update = monitor.push(&key, number, calm(), 1).unwrap();
        assert!(update.repeated && update.events.is_empty(), "{number}");
        assert_eq!((update.state.standing.turn, update.state.standing.tier), (1, Tier::Urgent));
    }
    assert_eq!(changes(&monitor.repeat(&key, 2, 0).unwrap().events), [(1, Change::Raised)]);
    let error = monitor.push(&key, 4, calm(), 0).err().unwrap();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("turn.number")));
    assert!(error.public().contains("is 4, expected 3"), "{error}");
    assert!(!monitor.push(&key, 3, calm(), 1).unwrap().repeated);
    let error = monitor.repeat(&key, 4, 0).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound, "it was known before the conversation was opened anew");
}

#[test]
fn a_conversation_has_as_many_turns_as_the_settings_say() {
    let (monitor, key) = (with(MonitorSettings { turns: 2, ..SETTINGS }), key("long"));
    follow(&monitor, &key, [calm(), calm()]);
    let error = monitor.push(&key, 3, calm(), 0).err().unwrap();
    assert_eq!(error.field(), Some("turn.number"));
    assert!(error.public().contains("may have 2 turns"), "{error}");
    assert!(monitor.push(&key, 2, calm(), 0).unwrap().repeated);
}

#[test]
fn only_events_that_were_not_seen_are_told() {
    let (monitor, key) = (monitor(), key("one"));
    let events = follow(&monitor, &key, raised_and_cleared());
    assert_eq!(changes(&events), [(1, Change::Raised), (2, Change::Cleared)]);
    for (seen, missed) in [(0, 2), (1, 1), (2, 0), (99, 0)] {
        let opened = monitor.open(&key, Context::default(), seen).unwrap();
        assert_eq!(opened.missed, events[events.len() - missed..], "{seen}");
        assert_eq!((opened.last_turn, opened.state.unwrap().alert), (6, None));
    }
}

#[test]
fn events_that_are_kept_are_bounded_and_the_newest_stay() {
    let (monitor, key) = (monitor(), key("noted"));
    follow(&monitor, &key, [threat()]);
    for n in 0..2 * EVENTS {
        monitor.note(&key, &key.alert_id(1), Note::Acknowledge(n.to_string())).unwrap();
    }
    let missed = monitor.open(&key, Context::default(), 0).unwrap().missed;
    let last = 2 * EVENTS as u64 + 1;
    assert_eq!((missed.len(), missed.last().map(|e| e.sequence)), (EVENTS, Some(last)));
}

#[test]
fn no_more_conversations_are_followed_than_the_settings_say() {
    let monitor = with(MonitorSettings { conversations: 2, ..SETTINGS });
    let open = |id: &str| monitor.open(&key(id), Context::default(), 0).map(|opened| opened.last_turn);
    assert!(open("one").is_ok() && open("two").is_ok());
    let error = open("three").unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Overloaded, Some(Duration::from_secs(5))));
    assert!(error.public().contains("conversations.maximum"), "{error}");
    assert!(open("one").is_ok(), "coming back needs no room");
    monitor.close(&key("one"), 0).unwrap();
    assert!(open("three").is_ok());
}

#[test]
fn a_conversation_that_is_silent_for_too_long_is_forgotten() {
    for (idle, left) in [(Duration::ZERO, false), (Duration::from_secs(3600), true)] {
        let monitor = with(MonitorSettings { idle, ..SETTINGS });
        follow(&monitor, &key("one"), [threat()]);
        let mut watch = monitor.watch();
        monitor.sweep();
        let told = watch.try_recv().map(|notice| notice.event.change).ok();
        assert_eq!(told, (!left).then_some(Change::Closed));
        assert_eq!(monitor.known(&key("one")).is_some(), left);
        assert_eq!(monitor.escalations().len(), usize::from(left));
        assert_eq!(monitor.push(&key("one"), 2, calm(), 0).is_ok(), left);
    }
}

#[test]
fn a_policy_that_changes_judges_the_turns_that_come_after_it() {
    let (tell, source) = watch::channel(Arc::new(Policies::explicit()));
    let (monitor, key) = (Monitor::new(source, SETTINGS), key("one"));
    let context = Context { channel: Channel::Chat, ..Context::default() };
    monitor.open(&key, context, 0).unwrap();
    let version = |update: &Update| (update.state.policy_version.clone(), update.state.standing.tier);
    let first = monitor.push(&key, 1, customer(&[("urgency", 1.0)]), 0).unwrap();
    assert_eq!(version(&first), ("explicit-1".into(), Tier::None));
    let newer = EXPLICIT.replace("explicit-1", "newer");
    let newer = newer
        + "\n[[override]]\ntenant = \"acme\"\nchannel = \"chat\"\n\
                         detection = { weights = { \"cue.urgency\" = 20.0 } }\n";
    tell.send(Arc::new(Policies::parse(&newer).unwrap())).unwrap();
    assert_eq!(
        version(&monitor.push(&key, 1, calm(), 0).unwrap()),
        ("explicit-1".into(), Tier::None),
        "repeated"
    );
    assert_eq!(version(&monitor.push(&key, 2, calm(), 0).unwrap()), ("newer".into(), Tier::Urgent));
    assert_eq!(
        monitor.rules("other", Channel::Chat).detection.features.len(),
        9,
        "the override is not theirs"
    );
    assert_eq!(monitor.rules("acme", Channel::Chat).detection.features.len(), 10);
}

#[test]
fn the_first_opening_says_what_is_known_of_a_conversation() {
    let (monitor, key) = (monitor(), key("one"));
    let context = Context { channel: Channel::Email, customer: "c1".into(), ..Context::default() };
    monitor.open(&key, context, 0).unwrap();
    monitor.open(&key, Context::default(), 0).unwrap();
    let known = monitor.known(&key).unwrap().context;
    assert_eq!((known.channel, &*known.customer), (Channel::Email, "c1"));
    monitor.push(&key, 1, threat(), 0).unwrap();
    let listed = monitor.escalations().remove(0);
    assert_eq!((listed.channel, &*listed.customer, listed.capacity), (Channel::Email, "c1", 20));
    assert!(listed.updated_ms > 1_600_000_000_000);
}

#[test]
fn alerts_have_the_same_ids_in_every_process_and_no_two_share_one() {
    let ids: Vec<String> = [("acme", "1"), ("acme1", ""), ("", "acme1"), ("acm", "e1")]
        .into_iter()
        .flat_map(|(tenant, id)| {
            let key = ConversationKey { tenant: tenant.into(), id: id.into() };
            [key.alert_id(1), key.alert_id(2)]
        })
        .collect();
    assert_eq!(ids[0], "bf867f9b1fe2c61b5fb7e6f3", "a caller may have it stored");
    let unlike: std::collections::HashSet<&String> = ids.iter().collect();
    assert_eq!((unlike.len(), ids.iter().all(|id| id.len() == 24)), (8, true));
    for monitor in [monitor(), monitor()] {
        follow(&monitor, &key("1"), [threat()]);
        let listed = monitor.escalations().remove(0);
        assert_eq!(listed.rank().2, ids[0]);
    }
}

#[test]
fn a_note_needs_the_id_of_an_open_alert() {
    let (monitor, key) = (monitor(), key("one"));
    let events = follow(&monitor, &key, [threat()]);
    let elsewhere = ConversationKey { tenant: String::new(), id: "one".into() };
    let refused = [(&key, key.alert_id(2)), (&key, String::new()), (&elsewhere, key.alert_id(1))];
    for (key, id) in refused {
        let error = monitor.note(key, &id, Note::SnoozeUntil(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    let event = monitor.note(&key, &key.alert_id(1), Note::Acknowledge("maria".into())).unwrap();
    assert_eq!((event.sequence, event.change), (2, Change::Acknowledged));
    let taken = monitor.escalations().remove(0).state.alert.unwrap();
    assert_eq!(taken.acknowledged_by.as_deref(), Some("maria"));
    let missed = monitor.open(&key, Context::default(), events.len() as u64).unwrap().missed;
    assert_eq!(missed, [event], "who follows the conversation learns of it");
    for number in 2..=6 {
        monitor.push(&key, number, calm(), 0).unwrap();
    }
    let error = monitor.note(&key, &key.alert_id(1), Note::SnoozeUntil(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "it has ended");
}

#[test]
fn watchers_are_told_each_change_with_the_conversation_after_it() {
    let (monitor, key) = (monitor(), key("one"));
    follow(&monitor, &key, [threat()]);
    let mut watcher = monitor.watch();
    assert!(watcher.try_recv().is_err(), "only changes from now on");
    let event = monitor.note(&key, &key.alert_id(1), Note::SnoozeUntil(7)).unwrap();
    let notice = watcher.try_recv().unwrap();
    assert_eq!((&notice.event, &notice.escalation.key), (&event, &key));
    assert_eq!(notice.escalation.state.alert.as_ref().unwrap().snoozed_until_ms, Some(7));
    for number in 2..=6 {
        monitor.push(&key, number, calm(), 0).unwrap();
    }
    let notice = watcher.try_recv().unwrap();
    assert_eq!((notice.event.change, notice.event.before), (Change::Cleared, Tier::Urgent));
    assert_eq!((notice.escalation.state.standing.tier, &notice.escalation.state.alert), (Tier::None, &None));
    assert!(watcher.try_recv().is_err());
}

#[test]
fn the_list_holds_open_alerts_by_tier_then_risk_then_id() {
    let monitor = monitor();
    let angry = customer(&[("negative", 1.0), ("anger", 1.0), ("unresolved_issue", 1.0), ("score", -0.9)]);
    follow(&monitor, &key("elevated"), [angry.clone(), angry]);
    follow(&monitor, &key("urgent"), [customer(&[("legal_threat", 0.8)])]);
    follow(&monitor, &key("worst"), [customer(&[("legal_threat", 1.0), ("supervisor_request", 1.0)])]);
    follow(&monitor, &key("cleared"), raised_and_cleared());
    follow(&monitor, &key("calm"), [calm(), agent()]);
    for n in 0..10 {
        let twin = ConversationKey { tenant: n.to_string(), id: "twin".into() };
        follow(&monitor, &twin, [threat()]);
    }
    let listed = monitor.escalations();
    assert!(listed.is_sorted_by(|a, b| a.rank() > b.rank()), "the order is total");
    let ids: Vec<&str> = listed.iter().map(|e| e.key.id.as_str()).collect();
    assert_eq!((ids.len(), ids[0], ids[11], ids[12]), (13, "worst", "urgent", "elevated"));
    assert_eq!(
        listed.iter().map(Escalation::rank).collect::<Vec<_>>(),
        monitor.escalations().iter().map(Escalation::rank).collect::<Vec<_>>()
    );
}

/// What happens around one turn at a client's end.
#[derive(Debug, Clone)]
struct Happening {
    heard: Heard,
    /// The answer gets lost, and the client comes back.
    lost: bool,
    /// The client comes back without having lost anything.
    back: bool,
    /// An older turn is sent again.
    again: Option<u64>,
}

prop_compose! {
    fn happening()(
        heard in prop_oneof![Just(threat()), Just(calm()), Just(calm()), heard()],
        lost in prop::bool::weighted(0.3),
        back in prop::bool::weighted(0.2),
        again in prop::option::of(0u64..30),
    ) -> Happening {
        Happening { heard, lost, back, again }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whoever_comes_back_gets_each_event_once_and_the_state_is_that_of_the_turns_alone(
        happenings in prop::collection::vec(happening(), 1..30),
    ) {
        let (monitor, key) = (monitor(), key("one"));
        let mut alone = Tracker::new(monitor.rules("acme", Channel::Unknown), Channel::Unknown, Account::new());
        let mut seen: Vec<AlertEvent> = Vec::new();
        let back = |seen: &mut Vec<AlertEvent>| {
            let opened = monitor.open(&key, Context::default(), seen.len() as u64).unwrap();
            seen.extend(opened.missed);
            opened.last_turn
        };
        back(&mut seen);
        for (n, Happening { heard, lost, back: comes_back, again }) in happenings.into_iter().enumerate() {
            let number = n as u64 + 1;
            if let Some(older) = again.filter(|older| *older < number) {
                let update = monitor.push(&key, older, heard.clone(), seen.len() as u64);
                // Before the first turn there is none that could come again.
                prop_assert!(n == 0 || update.is_ok_and(|update| update.repeated && update.events.is_empty()));
            }
            let told = monitor.push(&key, number, heard.clone(), seen.len() as u64).unwrap();
            alone.push(heard);
            prop_assert_eq!(Some(&told.state.standing), alone.standing());
            if !lost {
                seen.extend(told.events);
            }
            if lost || comes_back {
                prop_assert_eq!(back(&mut seen), number);
            }
        }
        back(&mut seen);
        let sequences: Vec<u64> = seen.iter().map(|event| event.sequence).collect();
        prop_assert_eq!(sequences, (1..=alone.alerts().last_event()).collect::<Vec<_>>());
    }
}

#[test]
fn system_lines_and_agents_raise_nothing() {
    let monitor = monitor();
    let shouting = Heard { role: Role::System, ..threat() };
    let agent = Heard { role: Role::Agent, ..threat() };
    assert!(follow(&monitor, &key("one"), [shouting, agent]).is_empty());
    assert!(monitor.escalations().is_empty());
}
