//! Receipts, exports and second chances over a store in memory.

use super::*;
use crate::storage::memory::MemoryStore;

async fn store_with(customer: &str) -> MemoryStore {
    let store = MemoryStore::new();
    let account = Account { owner: Some("o-17".into()), ..Account::default() };
    import(&store, &Deciding::untold(), &[(CustomerKey::new("", customer), account)], 5).await.unwrap();
    store
}

#[tokio::test]
async fn an_export_holds_every_row_and_is_written_down_without_the_customers_name() {
    let store = store_with("ann@example.com").await;
    let (key, hash) = (CustomerKey::new("", "ann@example.com"), HashKey::of(b"s"));
    let mut out = Vec::new();
    let (counts, row) = export(&store, &hash, &key, "privacy", 9, &mut out).await.unwrap();
    assert_eq!(counts[0], ("customers", 1));
    let line: serde_json::Value = serde_json::from_slice(out.trim_ascii_end()).unwrap();
    assert_eq!((&line["table"], &line["row"]["account"]["owner"]), (&"customers".into(), &"o-17".into()));
    assert_eq!((row.entry.action.as_str(), row.entry.subject), ("export", hash.mark("", "ann@example.com")));
    assert!(!row.entry.detail.contains("ann"), "{}", row.entry.detail);
}

#[tokio::test]
async fn an_export_of_nobody_says_so_and_leaves_no_entry() {
    let store = store_with("ann").await;
    let (key, hash) = (CustomerKey::new("other", "ann"), HashKey::of(b"s"));
    let error = export(&store, &hash, &key, "privacy", 9, &mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(crate::storage::AuditLog::entries(&store, 0, 9).await.unwrap(), []);
}

#[tokio::test]
async fn whoever_asks_has_a_name() {
    let store = store_with("ann").await;
    let (key, hash) = (CustomerKey::new("", "ann"), HashKey::of(b"s"));
    let error = erase(&store, &hash, &key, "", 9).await.unwrap_err();
    assert_eq!(error.field(), Some("actor"));
    let (counts, row) = erase(&store, &hash, &key, "privacy", 9).await.unwrap();
    assert!(counts.contains(&("customers", 1)), "{counts:?}");
    assert_eq!(row.sequence, 1);
    let error = replay(&store, &DeadFilter::default(), "a\nb", 9).await.unwrap_err();
    assert_eq!(error.field(), Some("actor"));
    let (events, row) = replay(&store, &DeadFilter::default(), "privacy", 9).await.unwrap();
    assert_eq!((events, row.entry.action.as_str(), row.sequence), (0, "replay", 2));
}
