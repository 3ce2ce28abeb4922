//! The chain, and what breaks it.

use super::*;

fn chain(rows: u64) -> Vec<AuditRow> {
    let mut chain: Vec<AuditRow> = Vec::new();
    for n in 0..rows {
        let entry = AuditEntry {
            at_ms: n as i64,
            actor: "privacy".into(),
            action: "erase".into(),
            subject: format!("mark {n}"),
            detail: "{}".into(),
        };
        chain.push(AuditRow::bind(entry, chain.last().map(|row| (row.sequence, row.hash.clone()))));
    }
    chain
}

/// A log of these rows, which may be broken.
struct Rows(Vec<AuditRow>);

#[async_trait::async_trait]
impl AuditLog for Rows {
    async fn append(&self, _: AuditEntry) -> Result<AuditRow, Error> {
        Err(Error::internal("nothing is written"))
    }

    async fn entries(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, Error> {
        Ok(self.0.iter().filter(|row| row.sequence > after).take(limit).cloned().collect())
    }
}

async fn walked(rows: Vec<AuditRow>) -> Walk {
    walk(&Rows(rows), None).await.unwrap()
}

#[tokio::test]
async fn a_chain_of_several_pages_holds_and_an_old_hash_is_found_in_it() {
    let rows = chain(PAGE as u64 * 2 + 7);
    let (first, old, last) = (rows[0].hash.clone(), rows[5].hash.clone(), rows.last().unwrap().hash.clone());
    let found = walk(&Rows(rows.clone()), Some(&old)).await.unwrap();
    let whole = |found| Walk::Whole(Verified { rows: 2007, first: first.clone(), last: last.clone(), found });
    assert_eq!(found, whole(Some(6)));
    assert_eq!(walk(&Rows(rows), Some("elsewhere")).await.unwrap(), whole(None));
    let none = Verified { rows: 0, first: BEGINNING.into(), last: BEGINNING.into(), found: None };
    assert_eq!(walked(Vec::new()).await, Walk::Whole(none));
}

#[tokio::test]
async fn what_was_changed_taken_out_or_put_in_is_named_with_the_check_that_fails() {
    let broken = |sequence, after, why| Walk::Broken { sequence, after, why };
    let mut changed = chain(9);
    changed[3].entry.actor = "somebody else".into();
    assert_eq!(walked(changed.clone()).await, broken(4, 3, Broken::Hash));
    // Who makes the hash fit breaks the binding of the next row.
    changed[3] = AuditRow::bind(changed[3].entry.clone(), Some((3, changed[2].hash.clone())));
    assert_eq!(walked(changed).await, broken(5, 4, Broken::Previous));
    let mut shorter = chain(9);
    shorter.remove(3);
    assert_eq!(walked(shorter).await, broken(5, 3, Broken::Sequence));
    let mut headless = chain(9);
    headless.remove(0);
    assert_eq!(walked(headless).await, broken(2, 0, Broken::Sequence));
}
