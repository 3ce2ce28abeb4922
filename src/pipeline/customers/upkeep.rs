//! What is done with customers that are held, for which no model is needed; each leaves a line in the audit log.

use std::io::Write;

use super::check_id;
use crate::error::{Error, ErrorKind};
use crate::lifecycle::Account;
use crate::privacy::HashKey;
use crate::storage::{AuditEntry, AuditRow, Counts, CustomerKey, DeadFilter, Decide, HeldTable, Store};

/// Rows that are held in memory of an export.
const PAGE: usize = 500;
/// Most events that are given another chance in one go; whoever has more asks again.
pub const REPLAYED: usize = 1_000_000;

/// Takes a customer out of the store, and leaves a receipt. `actor` is who asks for it. Errors: `InvalidInput`, and those
/// of the store.
pub async fn erase(
    store: &dyn Store,
    hash: &HashKey,
    key: &CustomerKey,
    actor: &str,
    now_ms: i64,
) -> Result<(Counts, AuditRow), Error> {
    check(key, actor)?;
    let mark = hash.mark(&key.tenant, &key.customer);
    let detail = serde_json::json!({ "tenant": key.tenant }).to_string();
    let receipt = entry(now_ms, actor, "erase", mark.clone(), detail);
    store.erase(key, &mark, receipt).await
}

/// Takes over what a CRM says of customers. Errors: `InvalidInput` with the field, and those of the store.
pub async fn import(
    store: &dyn Store,
    decide: &dyn Decide,
    accounts: &[(CustomerKey, Account)],
    now_ms: i64,
) -> Result<(), Error> {
    for (place, account) in accounts.iter().enumerate() {
        check_account(account).map_err(|e| e.within(&format!("customers[{place}]")))?;
    }
    store.import(accounts, now_ms, decide).await
}

/// Errors: `InvalidInput` with the field.
pub fn check_account((key, account): &(CustomerKey, Account)) -> Result<(), Error> {
    check_id(&key.tenant, "tenant", false)?;
    check_id(&key.customer, "customer", true)?;
    check_id(account.tier.as_deref().unwrap_or_default(), "tier", false)?;
    check_id(account.owner.as_deref().unwrap_or_default(), "owner", false)
}

/// Writes everything that is held of a customer, a JSON object per row, and then the entry of the audit log, so that what
/// was written is not to be handed on when this fails.
///
/// Errors: `NotFound` when nothing is held; `Unavailable` when `out` can't be written; those of the store.
pub async fn export(
    store: &dyn Store,
    hash: &HashKey,
    key: &CustomerKey,
    actor: &str,
    now_ms: i64,
    out: &mut (dyn Write + Send),
) -> Result<(Counts, AuditRow), Error> {
    check(key, actor)?;
    let mut counts = Counts::new();
    for table in HeldTable::ALL {
        counts.push((table.name(), write_table(store, key, table, out).await?));
    }
    if counts.iter().all(|(_, rows)| *rows == 0) {
        return Err(unknown());
    }
    let rows: serde_json::Map<_, _> =
        counts.iter().map(|(t, rows)| ((*t).to_owned(), (*rows).into())).collect();
    let detail = serde_json::json!({ "tenant": key.tenant, "rows": rows }).to_string();
    let mark = hash.mark(&key.tenant, &key.customer);
    let row = store.append(entry(now_ms, actor, "export", mark, detail)).await?;
    Ok((counts, row))
}

/// What is said where a customer is named of whom nothing is held.
pub fn unknown() -> Error {
    Error::new(ErrorKind::NotFound, "nothing is held of this customer; is the tenant right?")
}

async fn write_table(
    store: &dyn Store,
    key: &CustomerKey,
    table: HeldTable,
    out: &mut (dyn Write + Send),
) -> Result<u64, Error> {
    let mut written = 0;
    loop {
        let rows = store.held(key, table, written, PAGE).await?;
        for row in &rows {
            let line = writeln!(out, r#"{{"table":"{}","row":{row}}}"#, table.name());
            line.map_err(|e| Error::new(ErrorKind::Unavailable, format!("can't write the export: {e}")))?;
        }
        written += rows.len();
        if rows.len() < PAGE {
            return Ok(written as u64);
        }
    }
}

/// Gives events that were given up another chance, at most [`REPLAYED`]. Errors: those of the store.
pub async fn replay(
    store: &dyn Store,
    filter: &DeadFilter,
    actor: &str,
    now_ms: i64,
) -> Result<(u64, AuditRow), Error> {
    check_id(actor, "actor", true)?;
    let events = store.replay(&DeadFilter { limit: REPLAYED, ..filter.clone() }, now_ms).await?;
    let detail = serde_json::json!({ "sequence": filter.sequence, "events": events }).to_string();
    let subject = filter.sink.clone().unwrap_or_else(|| "every sink".into());
    let row = store.append(entry(now_ms, actor, "replay", subject, detail)).await?;
    Ok((events, row))
}

fn check(key: &CustomerKey, actor: &str) -> Result<(), Error> {
    check_id(&key.tenant, "tenant", false)?;
    check_id(&key.customer, "customer", true)?;
    check_id(actor, "actor", true)
}

fn entry(at_ms: i64, actor: &str, action: &str, subject: String, detail: String) -> AuditEntry {
    AuditEntry { at_ms, actor: actor.to_owned(), action: action.to_owned(), subject, detail }
}

#[cfg(test)]
#[path = "upkeep_tests.rs"]
mod tests;
