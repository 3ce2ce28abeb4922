//! Interactions: kept once, in their place, with what follows.

use std::sync::Mutex;

use attune::storage::customer::REMEMBERED;
use attune::storage::{
    AlertRecord, ConversationRecord, CustomerKey, CustomerState, Decide, Decision, Record,
};

use super::fixture::{AnyStore, Simple, keep, key, message};

pub(super) async fn an_interaction_is_kept_once(store: AnyStore) {
    let record = message("ann", "1", 1_000, -0.9);
    let first = store.record(std::slice::from_ref(&record), &Simple).await.unwrap();
    assert!(first[0].new);
    assert_eq!(first[0].signals.len(), 1);

    // Whoever sends it again, even with other contents, changes nothing.
    let again = Record { received_ms: 9_999, ..message("ann", "1", 2_000, 0.9) };
    let second = store.record(&[again], &Simple).await.unwrap();
    assert!(!second[0].new);
    assert!(second[0].signals.is_empty());
    let customer = store.customer(&key("ann")).await.unwrap().unwrap();
    assert_eq!(customer.profile.observations, 1);
    assert_eq!(customer.profile.level, Some(-0.9));
    assert_eq!(store.timeline(&key("ann"), None, 10).await.unwrap().len(), 1);
    assert_eq!(store.signals(None, 0, 10).await.unwrap().rows.len(), 1);
    assert_eq!(store.claim("a", 10, 5_000, 9_000).await.unwrap().len(), 1);
}

pub(super) async fn the_second_of_two_equal_ones_is_not_new(store: AnyStore) {
    let twice = [
        message("ann", "1", 1_000, 0.1),
        message("bob", "2", 1_000, 0.2),
        message("ann", "1", 1_000, 0.1),
        message("ann", "3", 1_500, 0.3),
    ];
    let answers = store.record(&twice, &Simple).await.unwrap();
    assert_eq!(answers.iter().map(|a| a.new).collect::<Vec<_>>(), [true, true, false, true]);
    assert_eq!(store.timeline(&key("ann"), None, 10).await.unwrap().len(), 2);
}

pub(super) async fn late_interactions_are_placed_right(store: AnyStore) {
    let records = [
        message("ann", "c", 3_000, 0.3),
        message("ann", "a", 1_000, 0.1),
        message("ann", "b2", 2_000, 0.2),
        message("ann", "b1", 2_000, 0.2),
    ];
    keep(&store, &records).await;
    let seen = Seen::default();
    store.record(&[message("ann", "d", 500, 0.0)], &seen).await.unwrap();
    let ids: Vec<String> = seen.last().observations.iter().map(|o| o.id.clone()).collect();
    assert_eq!(ids, ["acme-desk-d", "acme-desk-a", "acme-desk-b1", "acme-desk-b2", "acme-desk-c"]);
    let customer = store.customer(&key("ann")).await.unwrap().unwrap();
    assert_eq!(customer.updated_ms, 3_005, "the newest of all times of receipt stays");
}

pub(super) async fn a_decision_sees_the_newest_and_no_more(store: AnyStore) {
    let many: Vec<Record> =
        (0..REMEMBERED as i64 + 20).map(|n| message("ann", &format!("{n:05}"), n, 0.0)).collect();
    let seen = Seen::default();
    store.record(&many, &seen).await.unwrap();
    let observations = seen.last().observations;
    assert_eq!(observations.len(), REMEMBERED);
    assert_eq!((observations[0].at_ms, observations.last().unwrap().at_ms), (20, REMEMBERED as i64 + 19));
}

pub(super) async fn all_that_was_read_comes_back(store: AnyStore) {
    let alert = AlertRecord { id: "alert-1".into(), tier: "urgent".into(), change: "raised".into(), turn: 3 };
    let (tier, alerts) = ("urgent".to_owned(), vec![alert]);
    let conversation = ConversationRecord { turns: 7, tier, risk: 0.1 + 0.2, recovered: true, alerts };
    let mut record =
        message("zoë 'quoted\" \\ 家", "x'; DROP TABLE customers; --", 1_700_000_000_123, 0.1 + 0.2);
    record.conversation = Some(conversation);
    record.observation.nps = Some(9);
    keep(&store, std::slice::from_ref(&record)).await;
    let found = store.timeline(&record.key, None, 10).await.unwrap();
    let [entry] = found.as_slice() else { panic!("one interaction was kept, not {}", found.len()) };
    assert_eq!(entry.observation, record.observation);
    assert_eq!(entry.text, record.text);
    assert_eq!((&entry.source, &entry.external_id), (&record.source, &record.external_id));
    let body: serde_json::Value = serde_json::from_str(&entry.assessment.body).unwrap();
    assert_eq!(body["coverage"], 1.0);
    let read = attune::storage::AssessmentRecord {
        body: record.assessment.body.clone(),
        ..entry.assessment.clone()
    };
    assert_eq!(read, record.assessment);
    let by_id = store.interactions("acme", &[record.id.clone(), "unknown".into()]).await.unwrap();
    assert_eq!(by_id.len(), 1);
    assert_eq!(by_id[0].id, record.id);
}

pub(super) async fn many_at_once_are_each_kept_once(store: AnyStore) {
    // Eight senders, each with the same 60 messages of five customers in an order of its own.
    let all: Vec<Record> =
        (0..60).map(|n| message(&format!("c{}", n % 5), &n.to_string(), i64::from(n), -0.9)).collect();
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..8 {
        let (store, mut own) = (AnyStore::clone(&store), all.clone());
        own.rotate_left(sender * 7);
        senders.spawn(async move {
            let mut new = 0;
            for batch in own.chunks(11) {
                new += store.record(batch, &Simple).await.unwrap().iter().filter(|a| a.new).count();
            }
            new
        });
    }
    assert_eq!(senders.join_all().await.iter().sum::<usize>(), 60);
    for customer in 0..5 {
        let customer = store.customer(&key(&format!("c{customer}"))).await.unwrap().unwrap();
        assert_eq!(customer.profile.observations, 12);
    }
    assert_eq!(store.signals(None, 0, 1_000).await.unwrap().rows.len(), 60);
    assert_eq!(store.backlog().await.unwrap(), [("a".to_owned(), 60, 0), ("b".to_owned(), 60, 0)]);
}

/// Remembers what it was asked.
#[derive(Default)]
struct Seen(Mutex<Vec<CustomerState>>);

impl Seen {
    fn last(&self) -> CustomerState {
        self.0.lock().unwrap().last().unwrap().clone()
    }
}

impl Decide for Seen {
    fn decide(
        &self,
        key: &CustomerKey,
        state: &CustomerState,
        added: &[&Record],
    ) -> Result<Decision, attune::error::Error> {
        self.0.lock().unwrap().push(state.clone());
        Simple.decide(key, state, added)
    }
}
