//! The outbox.

use attune::storage::{DeadFilter, Delivery, Outcome};

use super::fixture::{AnyStore, keep, message};

async fn filled(store: &AnyStore) {
    let records = [("ann", "1"), ("bob", "2"), ("ann", "3"), ("bob", "4"), ("ann", "5")]
        .map(|(customer, id)| message(customer, id, 1_000, -0.9));
    keep(store, &records).await;
}

fn ids(deliveries: &[Delivery]) -> String {
    deliveries.iter().filter_map(|d| d.event.id.rsplit('-').next()).collect()
}

pub(super) async fn a_customers_events_leave_in_order(store: AnyStore) {
    filled(&store).await;
    let first = store.claim("a", 3, 2_000, 3_000).await.unwrap();
    assert_eq!(ids(&first), "123");
    assert_eq!((first[0].tenant.as_str(), first[0].customer.as_str()), ("acme", "ann"));
    assert_eq!(first[0].event.body, r#"{"subject": "ann"}"#);
    // What is taken is on its way, and what comes after it waits.
    assert_eq!(ids(&store.claim("a", 10, 2_000, 3_000).await.unwrap()), "");
    let delivered: Vec<_> = first.iter().map(|d| (d.sequence, Outcome::Delivered)).collect();
    store.settle(&delivered, 2_100).await.unwrap();
    assert_eq!(ids(&store.claim("a", 10, 2_200, 3_000).await.unwrap()), "45");
    // The other sink has its own copies.
    assert_eq!(ids(&store.claim("b", 10, 2_200, 3_000).await.unwrap()), "12345");
    assert_eq!(ids(&store.claim("unknown", 10, 2_200, 3_000).await.unwrap()), "");
}

pub(super) async fn a_failed_event_holds_back_its_customer_alone(store: AnyStore) {
    filled(&store).await;
    let taken = store.claim("a", 10, 2_000, 3_000).await.unwrap();
    let outcomes: Vec<_> = taken
        .iter()
        .map(|d| match ids(std::slice::from_ref(d)).as_str() {
            "1" => (d.sequence, Outcome::Retry { at_ms: 5_000, error: "503".into() }),
            _ => (d.sequence, Outcome::Released),
        })
        .collect();
    store.settle(&outcomes, 2_100).await.unwrap();
    let others = store.claim("a", 10, 2_200, 2_900).await.unwrap();
    assert_eq!(ids(&others), "24", "only ann waits");
    let again = store.claim("a", 10, 5_000, 6_000).await.unwrap();
    assert_eq!(ids(&again), "12345");
    assert_eq!((again[0].attempts, again[0].error.as_deref()), (1, Some("503")));
    assert_eq!(again[1].attempts, 0, "what was released was not tried");
}

pub(super) async fn what_was_given_up_can_be_sent_again(store: AnyStore) {
    filled(&store).await;
    let taken = store.claim("a", 3, 2_000, 3_000).await.unwrap();
    let outcomes: Vec<_> =
        taken.iter().map(|d| (d.sequence, Outcome::Dead { error: "410 gone".into() })).collect();
    store.settle(&outcomes, 2_100).await.unwrap();
    assert_eq!(ids(&store.claim("a", 10, 2_200, 3_000).await.unwrap()), "45", "what comes after goes on");
    assert_eq!(store.backlog().await.unwrap(), [("a".to_owned(), 2, 3), ("b".to_owned(), 5, 0)]);

    let all = DeadFilter { limit: 10, ..DeadFilter::default() };
    let dead = store.dead(&all).await.unwrap();
    assert_eq!(ids(&dead), "123");
    assert_eq!((dead[0].attempts, dead[0].error.as_deref()), (1, Some("410 gone")));
    let of_sink = |sink: &str| DeadFilter { sink: Some(sink.into()), ..all.clone() };
    assert_eq!(ids(&store.dead(&of_sink("b")).await.unwrap()), "");
    let after = DeadFilter { after: dead[0].sequence, limit: 1, ..DeadFilter::default() };
    assert_eq!(ids(&store.dead(&after).await.unwrap()), "2");

    let one = DeadFilter { sequence: Some(dead[1].sequence), ..all.clone() };
    assert_eq!(store.replay(&one, 2_300).await.unwrap(), 1);
    assert_eq!(ids(&store.claim("a", 10, 2_300, 9_000).await.unwrap()), "2");
    assert_eq!(store.replay(&of_sink("a"), 2_400).await.unwrap(), 2);
    let back = store.claim("a", 10, 2_400, 9_000).await.unwrap();
    assert_eq!(ids(&back), "13");
    assert_eq!(back[0].attempts, 0, "a replay begins anew");
}

pub(super) async fn what_a_dead_process_had_taken_is_taken_again(store: AnyStore) {
    filled(&store).await;
    assert_eq!(ids(&store.claim("a", 2, 2_000, 3_000).await.unwrap()), "12");
    assert_eq!(ids(&store.claim("a", 10, 2_999, 4_000).await.unwrap()), "");
    assert_eq!(ids(&store.claim("a", 10, 3_000, 4_000).await.unwrap()), "12345");
}

pub(super) async fn two_that_claim_at_once_keep_the_order(store: AnyStore) {
    let records: Vec<_> =
        (0..90).map(|n| message(&format!("c{}", n % 3), &n.to_string(), 1_000, -0.9)).collect();
    store.record(&records, &super::fixture::Simple).await.unwrap();
    let mut takers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let store = AnyStore::clone(&store);
        takers.spawn(async move { store.claim("a", 25, 2_000, 3_000).await.unwrap() });
    }
    let claims: Vec<Vec<Delivery>> = takers.join_all().await;
    // While one of a customer's events is on its way, nobody else may have a later one.
    let mut held: Vec<&str> = Vec::new();
    for claim in &claims {
        let mut customers: Vec<&str> = claim.iter().map(|d| d.customer.as_str()).collect();
        customers.dedup();
        held.extend(customers);
    }
    held.sort_unstable();
    assert_eq!(held, ["c0", "c1", "c2"]);
}

pub(super) async fn a_late_word_on_what_another_has_settled_changes_nothing(store: AnyStore) {
    filled(&store).await;
    let slow = store.claim("a", 1, 2_000, 3_000).await.unwrap();
    let quick = store.claim("a", 1, 3_000, 4_000).await.unwrap();
    assert_eq!((ids(&slow), ids(&quick)), ("1".to_owned(), "1".to_owned()));
    store.settle(&[(quick[0].sequence, Outcome::Delivered)], 3_100).await.unwrap();
    let late = Outcome::Retry { at_ms: 3_200, error: "timeout".into() };
    store.settle(&[(slow[0].sequence, late)], 3_200).await.unwrap();
    assert_eq!(ids(&store.claim("a", 10, 9_000, 9_900).await.unwrap()), "2345");
}
