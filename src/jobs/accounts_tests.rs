//! Accounts out of rows, and rows that are none.

use super::*;
use crate::jobs::samples::{columns, layout, row};
use crate::storage::CustomerStore;
use crate::storage::memory::MemoryStore;

const NAMES: [&str; 7] = ["Customer ID", "Stage", "Plan", "Renewal_Date", "Owner", "Since", "Notes"];

fn table(rows: Vec<Result<Row, BadRow>>) -> Table {
    let (columns, layout) = (columns(&NAMES), layout(&[0]));
    Table { form: "a test".into(), columns, layout, rows: Box::new(rows.into_iter()) }
}

#[test]
fn a_row_is_an_account_and_an_empty_cell_is_not_known() {
    let columns = AccountColumns::find(&table(Vec::new()), None).unwrap();
    let cells = [" acme-1 ", "Retention", "enterprise", "2026-06-30", "o-17", "1609459200", "x"];
    let (key, account) = columns.account(&row(1, &cells), "eu").unwrap();
    assert_eq!(key, CustomerKey::new("eu", "acme-1"));
    let expected = Account {
        stage: Some(Stage::Retention),
        tier: Some("enterprise".into()),
        renewal_ms: Some(1_782_777_600_000),
        owner: Some("o-17".into()),
        since_ms: Some(1_609_459_200_000),
    };
    assert_eq!(account, expected);
    let (_, account) = columns.account(&row(1, &["b", "", " ", "", "", "", ""]), "").unwrap();
    assert_eq!(account, Account::default());
    assert_eq!(columns.notes(&table(Vec::new())).len(), 6);
}

#[test]
fn a_file_without_a_customer_or_anything_of_one_is_refused() {
    for (names, customer, said) in [
        (&["Stage", "Owner"][..], None, "--customer-column"),
        (&["Customer", "Colour"], None, "expected stage, tier"),
        (&["Stage", "Owner"], Some("Account"), "no column \"Account\""),
    ] {
        let table = Table { columns: columns(names), ..table(Vec::new()) };
        let error = AccountColumns::find(&table, customer).unwrap_err();
        assert!(error.public().contains(said), "{error}");
    }
}

#[tokio::test]
async fn rows_at_fault_are_named_and_the_others_are_taken_over() {
    let row = |n: u64, cells: &[&str]| Ok(row(n, cells));
    let mut rows = vec![
        row(1, &["a", "growth", "", "", "", "", ""]),
        row(2, &["b", "grown", "", "", "", "", ""]),
        Err(BadRow { number: 3, place: 4, reason: "has 9 cells where the header has 7".into(), ends: false }),
        row(4, &["", "growth", "", "", "", "", ""]),
        row(5, &["c", "", "", "soon", "", "", ""]),
        row(6, &["a", "advocacy", "", "", "", "", ""]),
    ];
    rows.extend((7..=700).map(|n| row(n, &[&format!("many-{n}"), "", "", "", "o", "", ""])));
    let (table, store) = (table(rows), MemoryStore::new());
    let columns = AccountColumns::find(&table, None).unwrap();
    let mut reasons = Vec::new();
    let mut refuse = |bad: &BadRow| reasons.push((bad.number, bad.reason.clone()));
    let totals = import(table, &columns, "", (&store, &Deciding::untold()), 5, &mut refuse).await.unwrap();
    assert_eq!(totals, Imported { read: 700, imported: 696, refused: 4 });
    let expected =
        [(2, "stage: expected one of awareness"), (3, "has 9 cells"), (4, "customer: is required")];
    for ((number, reason), (row, said)) in reasons.iter().zip(expected) {
        assert!(*number == row && reason.starts_with(said), "{number} {reason}");
    }
    assert!(reasons[3].0 == 5 && reasons[3].1.starts_with("renewal_date: expected a time"), "{reasons:?}");
    let held = store.customer(&CustomerKey::new("", "a")).await.unwrap().unwrap();
    assert_eq!(held.account.stage, Some(Stage::Advocacy));
    assert!(store.customer(&CustomerKey::new("", "many-700")).await.unwrap().is_some());
}
