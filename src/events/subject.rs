//! Subjects of NATS: `<prefix>.signals.<tenant>.<kind>` and `<prefix>.assessments.<tenant>`.

use sha2::{Digest, Sha256};

use super::ASSESSMENT;

/// Longest tenant that is written out in a token, in bytes; a longer one is said by its hash. A subject has to fit into a
/// line of the protocol, 4,096 bytes.
const TOKEN_BYTES: usize = 128;
/// How the only tenant, which has no name, is said; a tenant that is called so is written otherwise.
const NAMELESS: &str = "_";

/// Where an event of this kind is published.
pub fn subject(prefix: &str, tenant: &str, kind: &str) -> String {
    match kind {
        ASSESSMENT => format!("{prefix}.assessments.{}", token(tenant)),
        kind => format!("{prefix}.signals.{}.{}", token(tenant), token(kind)),
    }
}

/// A name as one token of a subject, or one segment of a path: letters, digits, `-` and `_` stay, any other byte becomes
/// `%` and two hex digits. Different names give different tokens; no name gives a wildcard or an end of the token.
pub fn token(name: &str) -> String {
    match name {
        "" => NAMELESS.to_owned(),
        NAMELESS => "%5F".to_owned(),
        name if name.len() > TOKEN_BYTES => hashed(name),
        name => name.bytes().map(escaped).collect(),
    }
}

fn escaped(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    }
}

/// Begins as no written name does.
fn hashed(name: &str) -> String {
    Sha256::digest(name).iter().fold("%%".to_owned(), |token, byte| token + &format!("{byte:02x}"))
}
