//! Who did what with customers' data. Each row holds the hash of the one before, so that a row that is changed, taken out
//! or put in shows (`attune audit verify`). Whoever can write to the store can also write the whole chain anew: keep the
//! last hash somewhere else to notice that too.

use sha2::{Digest, Sha256};

use super::port::AuditLog;
use crate::error::Error;

/// What is to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who: the caller's name for itself, or the command.
    pub actor: String,
    /// What was done, such as `erase`.
    pub action: String,
    /// With whom or what; a keyed hash where it is a customer.
    pub subject: String,
    /// More, as a JSON object.
    pub detail: String,
}

impl AuditEntry {
    /// The detail with the numbers of rows added to it. Errors: `Internal` when it is no JSON object.
    pub(super) fn with_counts(&self, counts: &[(&'static str, u64)]) -> Result<String, Error> {
        let mut detail: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&self.detail).map_err(Error::internal)?;
        let rows = counts.iter().map(|(table, rows)| ((*table).to_owned(), (*rows).into()));
        detail.insert("rows".into(), serde_json::Value::Object(rows.collect()));
        Ok(serde_json::Value::Object(detail).to_string())
    }
}

/// An entry in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// From 1, without gaps.
    pub sequence: u64,
    /// What was written down.
    pub entry: AuditEntry,
    /// Hash of the row before; 64 zeros for the first.
    pub previous: String,
    /// Hash of this one, in hex.
    pub hash: String,
}

/// What the first row is bound to.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

impl AuditRow {
    /// Binds an entry to the row before it: its place and hash, or `None` at the beginning.
    pub fn bind(entry: AuditEntry, before: Option<(u64, String)>) -> Self {
        let (sequence, previous) = before.map_or((1, BEGINNING.to_owned()), |(at, hash)| (at + 1, hash));
        let hash = hash(sequence, &entry, &previous);
        Self { sequence, entry, previous, hash }
    }

    /// Whether the row is as it was written and comes right after `before`.
    pub fn follows(&self, before: Option<&Self>) -> bool {
        self.check(before.map(|row| (row.sequence, row.hash.as_str()))).is_ok()
    }

    /// Checks that the row is as it was written and comes right after the row of that place and hash. Errors: the first
    /// check that fails.
    pub fn check(&self, before: Option<(u64, &str)>) -> Result<(), Broken> {
        let (sequence, previous) = before.map_or((1, BEGINNING), |(at, hash)| (at + 1, hash));
        if self.sequence != sequence {
            return Err(Broken::Sequence);
        }
        if self.previous != previous {
            return Err(Broken::Previous);
        }
        if hash(self.sequence, &self.entry, &self.previous) != self.hash {
            return Err(Broken::Hash);
        }
        Ok(())
    }
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Its number does not follow the number of the row before: a row was taken out or put in.
    Sequence,
    /// It is not bound to the row before: that one, or the binding, was changed.
    Previous,
    /// Its content is not what its hash was made of: it was changed.
    Hash,
}

/// A chain that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Rows in it.
    pub rows: u64,
    /// Hash of the first row; [`BEGINNING`] without one.
    pub first: String,
    /// Hash of the last row; [`BEGINNING`] without one.
    pub last: String,
    /// The row with the hash that was looked for.
    pub found: Option<u64>,
}

/// What a walk along the chain comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walk {
    /// Every row holds.
    Whole(Verified),
    /// The first row that does not: its number as it says itself, and the number of the last row that holds, or 0.
    Broken {
        /// The broken row's number.
        sequence: u64,
        /// The last row before it.
        after: u64,
        /// What is wrong with it.
        why: Broken,
    },
}

/// Rows that are looked at in one go.
const PAGE: usize = 1000;

/// Walks along the whole chain, in pages; looks for the row with the hash `expected` on the way. Errors: those of the store.
pub async fn walk(log: &dyn AuditLog, expected: Option<&str>) -> Result<Walk, Error> {
    let mut seen = Verified { rows: 0, first: BEGINNING.to_owned(), last: BEGINNING.to_owned(), found: None };
    loop {
        let page = log.entries(seen.rows, PAGE).await?;
        if page.is_empty() {
            return Ok(Walk::Whole(seen));
        }
        for row in page {
            let before = (seen.rows > 0).then_some((seen.rows, seen.last.as_str()));
            if let Err(why) = row.check(before) {
                return Ok(Walk::Broken { sequence: row.sequence, after: seen.rows, why });
            }
            if expected == Some(row.hash.as_str()) {
                seen.found = Some(row.sequence);
            }
            if seen.rows == 0 {
                seen.first.clone_from(&row.hash);
            }
            (seen.rows, seen.last) = (row.sequence, row.hash);
        }
    }
}

/// SHA-256 over the row's parts, each with its length before it, so that no two rows read the same.
fn hash(sequence: u64, entry: &AuditEntry, previous: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(sequence.to_be_bytes());
    digest.update(entry.at_ms.to_be_bytes());
    for part in [&entry.actor, &entry.action, &entry.subject, &entry.detail, previous] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
