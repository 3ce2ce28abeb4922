//! IPv4 and IPv6 addresses; version numbers, clocks and paths of code look like them.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::context::{alone, follows};
use super::patterns::Patterns;
use super::{Cut, Kind};

/// Words after which four numbers with dots are no address.
const VERSIONS: &[&str] = &[
    "v", "ver", "version", "versions", "firmware", "release", "build", "update", "updated", "upgrade",
    "upgraded", "driver", "app", "software", "section", "chapter", "clause", "ios", "android", "macos",
    "windows", "chrome", "browser", "client", "patch",
];

/// Adds every address.
pub(super) fn find(patterns: &Patterns, text: &str, found: &mut Vec<Cut>) {
    let fourth = patterns.ip4.find_iter(text).map(|m| m.range()).filter(|range| is_ip4(text, range));
    let sixth = patterns.ip6.find_iter(text).map(|m| m.range()).filter(|range| is_ip6(text, range));
    found.extend(fourth.chain(sixth).map(|range| (Kind::Ip, range)));
}

fn is_ip4(text: &str, range: &Range<usize>) -> bool {
    let octet = |part: &str| part.parse::<u8>().is_ok() && (part == "0" || !part.starts_with('0'));
    let address = &text[range.clone()];
    address.split('.').all(octet)
        && !address.starts_with("0.")
        && alone(text, range)
        && !follows(text, range, VERSIONS)
}

/// `a::b` is an address too, and a path of code: an address has a digit, and four or more characters beside colons.
fn is_ip6(text: &str, range: &Range<usize>) -> bool {
    let address = &text[range.clone()];
    let named = address.bytes().filter(|b| *b != b':').count();
    address.parse::<Ipv6Addr>().is_ok()
        && named >= 4
        && address.bytes().any(|b| b.is_ascii_digit())
        && alone(text, range)
}
