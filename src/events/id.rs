//! Ids of events: the same for ever, wherever and however often the event is made.
//!
//! An id is a prefix that says what it names and the first 128 bits of SHA-256, in hex, over what the event tells, each
//! part with its length before it so that no two lists of parts read the same. Nothing in it tells of the customer.

use sha2::{Digest, Sha256};

use crate::lifecycle::Signal;
use crate::storage::{CustomerKey, Record};

/// Bytes of the hash that make the id: 2⁶⁴ events until two are likely to meet.
const BYTES: usize = 16;

/// The id of a signal: tenant, customer, kind, ordinal, and the time as of which it holds. The time is among them because
/// the ordinals of a customer who was erased and comes back begin anew.
pub fn signal_id(key: &CustomerKey, signal: &Signal) -> String {
    let (ordinal, at) = (signal.ordinal.to_string(), signal.at_ms.to_string());
    hashed("sig_", &[&key.tenant, &key.customer, signal.kind.name(), &ordinal, &at])
}

/// The id of an assessment: tenant, interaction, and the versions of the model and the policy. The same text that another
/// model reads is another event.
pub fn assessment_id(record: &Record) -> String {
    let read = &record.assessment;
    hashed("asm_", &[&record.key.tenant, &record.id, &read.model, &read.policy])
}

fn hashed(prefix: &str, parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    let hash = digest.finalize();
    hash.iter().take(BYTES).fold(prefix.to_owned(), |id, byte| id + &format!("{byte:02x}"))
}
