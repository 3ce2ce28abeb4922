//! Keyed hashes: the same input gives the same hash, and without the key nobody can try out who or what it was.
//!
//! BLAKE3 in its keyed mode, over the parts with their lengths. The key is derived from the configured secret with a
//! context of its own, so that the same secret elsewhere gives other hashes.

use std::fmt;

/// Bytes of a hash: 2⁶⁴ inputs until two are likely to meet.
const BYTES: usize = 16;
/// Names what the derived key is for; never changed, or nobody would be known again.
const CONTEXT: &str = "attune 2026-11 keyed hashes of customers and texts";

/// A key.
#[derive(Clone)]
pub struct HashKey([u8; 32]);

impl HashKey {
    /// The key of a secret; without one, of a fixed string, with which hashes can be tried out by whoever likes.
    pub fn of(secret: &[u8]) -> Self {
        Self(blake3::derive_key(CONTEXT, secret))
    }

    /// The mark by which an erased customer is known again.
    pub fn mark(&self, tenant: &str, customer: &str) -> String {
        self.hash("customer", &[tenant, customer])
    }

    /// The hash of a text.
    pub fn text(&self, text: &str) -> String {
        self.hash("text", &[text])
    }

    fn hash(&self, what: &str, parts: &[&str]) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in std::iter::once(&what).chain(parts) {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        let mut bytes = [0; BYTES];
        hasher.finalize_xof().fill(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_the_key_the_kind_and_where_the_parts_end() {
        let key = HashKey::of(b"secret");
        assert_eq!(key.mark("acme", "ann"), key.mark("acme", "ann"));
        let all = [
            key.mark("acme", "ann"),
            key.mark("acmea", "nn"),
            key.mark("", "acmeann"),
            key.text("acmeann"),
            HashKey::of(b"other").mark("acme", "ann"),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert!(all.iter().all(|hash| hash.len() == 2 * BYTES));
        assert_eq!(format!("{key:?}"), "HashKey");
    }
}
