//! Who did what with customers' data. Each row holds the hash of the one before, so that a row that is changed, taken out
//! or put in shows (`attune audit verify`). Whoever can write to the store can also write the whole chain anew: keep the
//! last hash somewhere else to notice that too.

use sha2::{Digest, Sha256};

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
        let expected = before.map_or((1, BEGINNING), |row| (row.sequence + 1, row.hash.as_str()));
        (self.sequence, self.previous.as_str()) == expected
            && hash(self.sequence, &self.entry, &self.previous) == self.hash
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
