//! E-mail addresses, also written with `(at)` and `(dot)`.

use super::patterns::Patterns;
use super::{Cut, Kind};

/// Adds every address. An address of which the shape is right is taken, whether its domain exists or not.
pub(super) fn find(patterns: &Patterns, text: &str, found: &mut Vec<Cut>) {
    let ranges = patterns.email.find_iter(text).map(|a| a.start()..a.start() + length(a.as_str()));
    found.extend(ranges.map(|range| (Kind::Email, range)));
}

/// Bytes of an address without the next sentence's first word, as in `jo@example.com.Please`: a capital behind a host in
/// small letters.
fn length(address: &str) -> usize {
    let Some((before, last)) = address.rsplit_once('.') else { return address.len() };
    let host = before.rsplit_once('@').map_or("", |(_, host)| host);
    let small = host.contains('.') && !host.contains(char::is_uppercase);
    let word = last.starts_with(char::is_uppercase) && last.contains(char::is_lowercase);
    if small && word { before.len() } else { address.len() }
}
