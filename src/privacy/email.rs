//! E-mail addresses, also written with `(at)` and `(dot)`.

use super::patterns::Patterns;
use super::{Cut, Kind};

/// Adds every address. An address of which the shape is right is taken, whether its domain exists or not.
pub(super) fn find(patterns: &Patterns, text: &str, found: &mut Vec<Cut>) {
    found.extend(patterns.email.find_iter(text).map(|address| (Kind::Email, address.range())));
}
