//! Erasure, purge, and the audit log.

use attune::storage::{AlertRecord, AuditEntry, ConversationRecord, KeptText, Outcome, Purge};

use super::fixture::{AnyStore, Simple, keep, key, message};

fn receipt(at_ms: i64) -> AuditEntry {
    AuditEntry {
        at_ms,
        actor: "test".into(),
        action: "erase".into(),
        subject: "mark of ann".into(),
        detail: "{}".into(),
    }
}

pub(super) async fn an_erased_customer_leaves_a_receipt_and_nothing_else(store: AnyStore) {
    let alert = AlertRecord { id: "alert-1".into(), tier: "urgent".into(), change: "raised".into(), turn: 3 };
    let mut call = message("ann", "2", 2_000, -0.9);
    call.conversation = Some(ConversationRecord {
        turns: 4,
        tier: "urgent".into(),
        risk: 0.8,
        recovered: false,
        alerts: vec![alert],
    });
    keep(&store, &[message("ann", "1", 1_000, -0.9), call, message("bob", "3", 1_000, -0.9)]).await;
    let (counts, row) = store.erase(&key("ann"), "mark of ann", receipt(5_000)).await.unwrap();
    let mut counts: Vec<String> = counts.iter().map(|(table, rows)| format!("{table} {rows}")).collect();
    counts.sort();
    let expected = [
        "alerts 1",
        "assessments 2",
        "conversations 1",
        "customers 1",
        "interactions 2",
        "outbox 4",
        "signals 2",
    ];
    assert_eq!(counts, expected);
    let detail: serde_json::Value = serde_json::from_str(&row.entry.detail).unwrap();
    assert_eq!(detail["rows"]["interactions"], 2);
    assert!(row.follows(None));

    assert_eq!(store.customer(&key("ann")).await.unwrap(), None);
    assert!(store.timeline(&key("ann"), None, 10).await.unwrap().is_empty());
    let left = store.signals(None, 0, 10).await.unwrap();
    assert!(left.rows.iter().all(|row| row.key == key("bob")));
    assert!(store.claim("a", 10, 9_000, 9_900).await.unwrap().iter().all(|d| d.customer == "bob"));
    assert!(store.customer(&key("bob")).await.unwrap().is_some());

    // Erasing whoever is not there is no error; it leaves its receipt too.
    let (counts, row) = store.erase(&key("nobody"), "mark of nobody", receipt(6_000)).await.unwrap();
    assert_eq!((counts.iter().map(|(_, rows)| rows).sum::<u64>(), row.sequence), (0, 2));
}

pub(super) async fn what_arrives_late_for_an_erased_customer_is_dropped(store: AnyStore) {
    keep(&store, &[message("ann", "1", 1_000, -0.9)]).await;
    store.erase(&key("ann"), "mark of ann", receipt(5_000)).await.unwrap();
    let late =
        [message("ann", "1", 1_000, -0.9), message("ann", "2", 5_000, -0.9), message("bob", "3", 1_000, 0.0)];
    let answers = store.record(&late, &Simple).await.unwrap();
    assert_eq!(answers.iter().map(|a| a.new).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(store.customer(&key("ann")).await.unwrap(), None);
    // Whoever comes back is a new customer.
    let answers = store.record(&[message("ann", "4", 5_001, 0.2)], &Simple).await.unwrap();
    assert!(answers[0].new);
    assert_eq!(store.customer(&key("ann")).await.unwrap().unwrap().profile.observations, 1);
}

pub(super) async fn what_has_outlived_its_time_goes(store: AnyStore) {
    let records = [1_000, 2_000, 3_000].map(|at_ms| message("ann", &at_ms.to_string(), at_ms, -0.9));
    keep(&store, &records).await;
    let taken = store.claim("a", 2, 4_000, 5_000).await.unwrap();
    store
        .settle(
            &[
                (taken[0].sequence, Outcome::Delivered),
                (taken[1].sequence, Outcome::Dead { error: "no".into() }),
            ],
            4_000,
        )
        .await
        .unwrap();
    let purge = Purge { texts_before_ms: 2_500, interactions_before_ms: 1_500, signals_before_ms: 0 };
    let mut counts = store.purge(purge).await.unwrap();
    counts.sort_unstable();
    assert_eq!(counts, [("interactions", 1), ("outbox", 0), ("signals", 0), ("texts", 2)]);
    let left = store.timeline(&key("ann"), None, 10).await.unwrap();
    assert_eq!(left.iter().map(|e| e.external_id.as_str()).collect::<Vec<_>>(), ["3000", "2000"]);
    assert!(left[0].text.text.is_some());
    assert_eq!(left[1].text, KeptText::default());

    let purge = Purge { signals_before_ms: 4_001, ..Purge::default() };
    let mut counts = store.purge(purge).await.unwrap();
    counts.sort_unstable();
    assert_eq!(counts, [("interactions", 0), ("outbox", 2), ("signals", 3), ("texts", 0)]);
    // What waits is never purged.
    assert_eq!(store.backlog().await.unwrap(), [("a".to_owned(), 1, 0), ("b".to_owned(), 3, 0)]);
}

pub(super) async fn the_audit_log_is_a_chain(store: AnyStore) {
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..12 {
        let store = AnyStore::clone(&store);
        writers.spawn(async move { store.append(receipt(n)).await.unwrap() });
    }
    writers.join_all().await;
    let mut rows = store.entries(0, 7).await.unwrap();
    rows.extend(store.entries(7, 100).await.unwrap());
    assert_eq!(rows.len(), 12);
    let mut before = None;
    for row in &rows {
        assert!(row.follows(before), "row {}", row.sequence);
        before = Some(row);
    }
    // A row that is changed, and one that is missing, show.
    let mut changed = rows[5].clone();
    changed.entry.subject.push('x');
    assert!(!changed.follows(Some(&rows[4])));
    assert!(!rows[6].follows(Some(&rows[4])));
}
