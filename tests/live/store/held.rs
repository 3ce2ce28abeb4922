//! What is given out of one customer.

use attune::storage::HeldTable;
use serde_json::Value;

use super::fixture::{AnyStore, keep, key, message};

/// Every row of every table, each once whatever the size of the page, and nothing of anybody else.
pub(super) async fn all_that_is_held_of_a_customer_is_given_out(store: AnyStore) {
    keep(
        &store,
        &[message("ann", "1", 10, -0.9), message("bob", "2", 11, -0.9), message("ann", "3", 12, 0.5)],
    )
    .await;
    let mut counts = Vec::new();
    for table in HeldTable::ALL {
        let whole = store.held(&key("ann"), table, 0, 100).await.unwrap();
        let mut paged = Vec::new();
        while let Some(row) = store.held(&key("ann"), table, paged.len(), 1).await.unwrap().pop() {
            paged.push(row);
        }
        assert_eq!(paged, whole, "{}", table.name());
        counts.push((table.name(), whole.len()));
        for row in &whole {
            let row: Value = serde_json::from_str(row).unwrap();
            assert_eq!(row["customer"], "ann", "{}", table.name());
        }
    }
    let expected = [
        ("customers", 1),
        ("interactions", 2),
        ("assessments", 2),
        ("conversations", 0),
        ("alerts", 0),
        ("signals", 1),
        ("outbox", 2),
    ];
    assert_eq!(counts, expected);
    let ann = key("ann");
    let row = |table| store.held(&ann, table, 0, 1);
    let read = |rows: Vec<String>| serde_json::from_str::<Value>(&rows[0]).unwrap();
    let interaction = read(row(HeldTable::Interactions).await.unwrap());
    assert_eq!(interaction["text"], "text of 1");
    assert_eq!(interaction["observation"]["cues"][0][0], "urgency");
    let assessment = read(row(HeldTable::Assessments).await.unwrap());
    assert_eq!((&assessment["body"]["coverage"], &assessment["score"]), (&1.0.into(), &(-0.9).into()));
    let customer = read(row(HeldTable::Customers).await.unwrap());
    assert_eq!(customer["profile"]["observations"], 2);
    assert!(customer["active"].is_array() && customer["memory"].is_object(), "{customer}");
    let event = read(row(HeldTable::Outbox).await.unwrap());
    assert_eq!((&event["body"]["subject"], &event["state"]), (&"ann".into(), &0.into()));
}

pub(super) async fn the_signals_of_one_customer_are_paged(store: AnyStore) {
    let records: Vec<_> =
        (0..7).map(|n| message(["ann", "bob"][n % 2], &n.to_string(), n as i64, -0.9)).collect();
    keep(&store, &records).await;
    let (mut after, mut ids) = (0, Vec::new());
    loop {
        let page = store.signals_of(&key("ann"), after, 3).await.unwrap();
        if page.rows.is_empty() {
            assert_eq!(page.next, after);
            break;
        }
        after = page.next;
        ids.extend(page.rows.into_iter().map(|row| row.id));
    }
    assert_eq!(ids, ["0", "2", "4", "6"].map(|n| format!("signal-acme-desk-{n}")));
}
