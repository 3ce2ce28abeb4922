//! Customers, timelines, and the log of signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use attune::lifecycle::{Account, Stage};
use attune::storage::{AlertRecord, ConversationRecord, CustomerFilter, CustomerKey, Outcome};

use super::fixture::{AnyStore, Simple, keep, key, message};

pub(super) async fn a_crm_has_the_last_word(store: AnyStore) {
    keep(&store, &[message("ann", "1", 1_000, 0.5)]).await;
    let account = |stage| Account { stage: Some(stage), owner: Some("o'neil".into()), ..Account::default() };
    let told = [
        (key("ann"), account(Stage::Onboarding)),
        (key("new"), account(Stage::Acquisition)),
        (key("ann"), account(Stage::Growth)),
    ];
    store.import(&told, 2_000, &Simple).await.unwrap();
    let ann = store.customer(&key("ann")).await.unwrap().unwrap();
    assert_eq!((ann.account, ann.profile.stage), (account(Stage::Growth), Some(Stage::Growth)));
    assert_eq!((ann.profile.observations, ann.updated_ms), (1, 2_000));
    let new = store.customer(&key("new")).await.unwrap().unwrap();
    assert_eq!((new.profile.stage, new.profile.observations), (Some(Stage::Acquisition), 0));
    assert_eq!(store.customer(&key("nobody")).await.unwrap(), None);
}

pub(super) async fn the_list_is_filtered_and_paged(store: AnyStore) {
    for (customer, scores) in [("d", [-0.9, -0.9]), ("a", [-0.9, 0.3]), ("b", [-0.9, 0.3]), ("c", [0.9, 0.9])]
    {
        let records = [0, 1].map(|n| message(customer, &format!("{customer}{n}"), n as i64, scores[n]));
        keep(&store, &records).await;
    }
    let growth = Account { stage: Some(Stage::Growth), ..Account::default() };
    store.import(&[(key("b"), growth)], 10, &Simple).await.unwrap();
    let list = async |filter: CustomerFilter| {
        let filter = CustomerFilter { tenant: "acme".into(), ..filter };
        let found = store.customers(&filter).await.unwrap();
        found.into_iter().map(|c| c.key.customer).collect::<Vec<_>>().concat()
    };
    let all = CustomerFilter { limit: 10, ..CustomerFilter::default() };
    assert_eq!(list(all.clone()).await, "dabc");
    assert_eq!(list(CustomerFilter { churn_at_least: Some(0.5), ..all.clone() }).await, "dab");
    assert_eq!(list(CustomerFilter { level_at_most: Some(-0.5), ..all.clone() }).await, "d");
    assert_eq!(list(CustomerFilter { stage: Some(Stage::Growth), ..all.clone() }).await, "b");
    assert_eq!(list(CustomerFilter { limit: 2, ..all.clone() }).await, "da");
    assert_eq!(list(CustomerFilter { after: Some((0.5, "a".into())), ..all.clone() }).await, "bc");
    assert_eq!(list(CustomerFilter { after: Some((1.0, "d".into())), limit: 1, ..all }).await, "a");
}

pub(super) async fn a_timeline_is_paged_newest_first(store: AnyStore) {
    let records: Vec<_> = [("a", 1), ("b", 2), ("c", 2), ("d", 3), ("e", 2)]
        .map(|(id, at_ms)| message("ann", id, at_ms, 0.0))
        .into();
    keep(&store, &records).await;
    let (mut before, mut seen) = (None, String::new());
    loop {
        let page = store.timeline(&key("ann"), before, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some((last.observation.at_ms, last.id.clone()));
        seen.extend(page.iter().map(|entry| entry.external_id.clone()));
    }
    assert_eq!(seen, "decba");
}

pub(super) async fn all_that_is_held_of_a_customer_can_be_told(store: AnyStore) {
    let alert =
        |id: &str, turn| AlertRecord { id: id.into(), tier: "watch".into(), change: "raised".into(), turn };
    let talk = ConversationRecord {
        turns: 4,
        tier: "urgent".into(),
        risk: 0.25,
        recovered: true,
        alerts: vec![alert("b", 1), alert("c\"", 2), alert("a", 3)],
    };
    let mut records: Vec<_> = (0..4).map(|n| message("ann", &n.to_string(), n, -0.9)).collect();
    records[2].conversation = Some(talk.clone());
    records[3].conversation = Some(ConversationRecord { alerts: Vec::new(), ..talk });
    records.insert(2, message("bob", "b", 2, -0.9));
    keep(&store, &records).await;
    let entries = store.timeline(&key("ann"), None, 10).await.unwrap();
    let told: Vec<_> = entries.iter().map(|entry| &entry.conversation).collect();
    assert_eq!(told, [&records[4].conversation, &records[3].conversation, &None, &None]);
    let first = store.signals_of(&key("ann"), 0, 3).await.unwrap();
    let rest = store.signals_of(&key("ann"), first.next, 3).await.unwrap();
    let signals: Vec<_> = first.rows.iter().chain(&rest.rows).map(|row| row.signal.at_ms).collect();
    assert_eq!(signals, [0, 1, 2, 3]);
    let none = store.signals_of(&key("ann"), rest.next, 3).await.unwrap();
    assert_eq!((none.rows.len(), none.next), (0, rest.next));
    // Whatever became of them.
    let taken = store.claim("a", 1, 10, 20).await.unwrap();
    store.settle(&[(taken[0].sequence, Outcome::Delivered)], 10).await.unwrap();
    let first = store.deliveries_of(&key("ann"), 0, 5).await.unwrap();
    let rest = store.deliveries_of(&key("ann"), first[4].sequence, 5).await.unwrap();
    let times: Vec<_> =
        first.iter().chain(&rest).map(|one| (one.event.at_ms, one.customer.as_str())).collect();
    assert_eq!(times, [0, 0, 1, 1, 2, 2, 3, 3].map(|at_ms| (at_ms, "ann")));
}

pub(super) async fn tenants_do_not_see_each_other(store: AnyStore) {
    let mut other = message("ann", "1", 1_000, -0.9);
    other.key = CustomerKey::new("globex", "ann");
    other.id = "globex-desk-1".into();
    other.observation.id.clone_from(&other.id);
    keep(&store, &[message("ann", "1", 1_000, 0.4), other.clone()]).await;
    let level = async |key: &CustomerKey| store.customer(key).await.unwrap().unwrap().profile.level;
    assert_eq!((level(&key("ann")).await, level(&other.key).await), (Some(0.4), Some(-0.9)));
    let signals = async |tenant| store.signals(tenant, 0, 10).await.unwrap().rows.len();
    assert_eq!((signals(Some("acme")).await, signals(Some("globex")).await, signals(None).await), (0, 1, 1));
    assert!(store.interactions("acme", std::slice::from_ref(&other.id)).await.unwrap().is_empty());
    let filter = CustomerFilter { tenant: "globex".into(), limit: 10, ..CustomerFilter::default() };
    assert_eq!(store.customers(&filter).await.unwrap().len(), 1);
}

pub(super) async fn the_log_of_signals_goes_on_where_a_reader_was(store: AnyStore) {
    let records: Vec<_> = (0..7).map(|n| message("ann", &n.to_string(), n, -0.9)).collect();
    keep(&store, &records[..4]).await;
    let first = store.signals(None, 0, 3).await.unwrap();
    assert_eq!(first.rows.len(), 3);
    let second = store.signals(None, first.next, 3).await.unwrap();
    assert_eq!(second.rows.len(), 1);
    assert_eq!(second.next, store.signals_end().await.unwrap());
    let nothing = store.signals(None, second.next, 3).await.unwrap();
    assert_eq!((nothing.rows.len(), nothing.next), (0, second.next));
    keep(&store, &records[4..]).await;
    let third = store.signals(None, second.next, 100).await.unwrap();
    let causes = |page: &attune::storage::SignalPage| -> Vec<String> {
        page.rows.iter().map(|row| row.signal.cause.clone()).collect()
    };
    let seen = [causes(&first), causes(&second), causes(&third)].concat();
    assert_eq!(seen, records.iter().map(|r| r.id.clone()).collect::<Vec<_>>());
}

/// Writers commit in another order than they number their rows; a reader that follows the log meanwhile misses none.
pub(super) async fn no_signal_appears_behind_a_reader(store: AnyStore) {
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (store, done) = (AnyStore::clone(&store), Arc::clone(&done));
        tokio::spawn(async move {
            let (mut cursor, mut seen) = (0, Vec::new());
            loop {
                let last_round = done.load(Ordering::SeqCst);
                let page = store.signals(None, cursor, 7).await.unwrap();
                seen.extend(page.rows.iter().map(|row| row.id.clone()));
                cursor = page.next;
                if page.rows.is_empty() && last_round {
                    return seen;
                }
                tokio::task::yield_now().await;
            }
        })
    };
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..6 {
        let store = AnyStore::clone(&store);
        writers.spawn(async move {
            for n in 0..20 {
                let batch: Vec<_> = (0..=(n + writer) % 4)
                    .map(|m| message(&format!("w{writer}"), &format!("{writer}-{n}-{m}"), n, -0.9))
                    .collect();
                store.record(&batch, &Simple).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    done.store(true, Ordering::SeqCst);
    let mut seen = reader.await.unwrap();
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((count, seen.len()), (300, 300));
}
