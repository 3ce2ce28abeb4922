//! The secrets of URLs: name and password before the host, and a path or query that holds a token. The host stays.

use std::ops::Range;

use super::patterns::Patterns;
use super::{Cut, Kind};

/// Parts of the names of parameters that hold secrets or persons.
const SECRET: &[&str] = &[
    "token",
    "key",
    "secret",
    "sig",
    "pass",
    "pwd",
    "auth",
    "session",
    "sid",
    "code",
    "otp",
    "pin",
    "jwt",
    "access",
    "credential",
    "email",
    "phone",
    "hash",
    "invite",
    "reset",
    "magic",
    "verify",
    "confirm",
    "nonce",
    "ticket",
];
/// Fewest characters of a value that is taken for a secret by its look.
const OPAQUE: usize = 16;
/// Such a value changes between letters and digits at least this often,
const CHANGES: usize = 3;
/// and at least once in so many characters. Words with a year or a size in them do not.
const CHANGE_EVERY: usize = 8;

/// Adds what is secret in every URL.
pub(super) fn find(patterns: &Patterns, text: &str, found: &mut Vec<Cut>) {
    for url in patterns.url.find_iter(text) {
        let whole = url.as_str().trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}', '*']);
        let host_from = whole.find("://").map_or(0, |at| at + 3);
        let (authority, rest) = split(whole, host_from);
        let place = |range: Range<usize>| url.start() + range.start..url.start() + range.end;
        let user = whole[authority.clone()].rfind('@').map(|at| authority.start..authority.start + at);
        let new = |range: &Range<usize>| {
            !range.is_empty() && whole[range.clone()] != *Kind::Credentials.placeholder()
        };
        found.extend(user.filter(new).map(|range| (Kind::Credentials, place(range))));
        if is_secret(&whole[rest.clone()]) {
            found.push((Kind::Token, place(rest.start + 1..rest.end)));
        }
    }
}

/// Where the authority stands, and what follows it, with its slash or question mark.
fn split(url: &str, host_from: usize) -> (Range<usize>, Range<usize>) {
    let end = url[host_from..].find(['/', '?', '#']).map_or(url.len(), |at| host_from + at);
    (host_from..end, end..url.len())
}

fn is_secret(rest: &str) -> bool {
    let parameters = rest.split(['?', '&', '#', ';']).skip(1);
    let named = parameters.filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
        let name = name.to_ascii_lowercase();
        !value.is_empty() && SECRET.iter().any(|secret| name.contains(secret))
    });
    named || rest.split(['/', '?', '&', '#', ';', '=', ',', '[', ']']).any(is_opaque)
}

fn is_opaque(value: &str) -> bool {
    let kinds: Vec<bool> =
        value.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.is_ascii_digit()).collect();
    let changes = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
    value.len() >= OPAQUE && changes >= CHANGES && changes * CHANGE_EVERY >= value.len()
}
