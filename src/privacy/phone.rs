//! Telephone numbers: international ones, the national shapes that nothing else has, and any number behind "call".
//!
//! The shapes stand in `phone_shape.rs`. Words decide what shapes leave open: a number behind "order" names a thing, and
//! a row of digits behind "mobile" is for calling.

use std::ops::Range;

use super::card::groups;
use super::context::{alone, hint};
use super::patterns::Patterns;
use super::phone_shape::{Run, reach};
use super::{Cut, Kind};

/// Adds every number.
pub(super) fn find(patterns: &Patterns, text: &str, found: &mut Vec<Cut>) {
    for candidate in patterns.phone.find_iter(text) {
        let groups = groups(text, candidate.range());
        let mut from = 0;
        while from < groups.len() {
            match number_at(text, &candidate.range(), &groups[from..]) {
                Some((count, range)) => {
                    found.push((Kind::Phone, range));
                    from += count;
                }
                // A date's month and year are not looked at as the beginning of a number.
                None => from += if Run::new(text, &groups[from..], false).is_date() { 3 } else { 1 },
            }
        }
    }
}

/// The number that begins with the first group: how many groups it has, and where it stands.
fn number_at(text: &str, whole: &Range<usize>, groups: &[Range<usize>]) -> Option<(usize, Range<usize>)> {
    let first = groups.first()?;
    let before = &text[whole.start..first.start];
    let opening = before.len() - before.trim_end_matches(['+', '(']).len();
    let start = first.start - opening;
    let run = Run::new(text, groups, text[start..first.start].contains('+'));
    let count = reach(&run, hint(text, &(start..first.end)))?;
    let last = groups.get(count - 1)?;
    // What stands behind "2671" may be the "x" of an extension.
    let extension = text[last.end..].starts_with(['x', 'X']);
    let end = if extension { text.len() } else { last.end };
    let range = start..last.end;
    alone(text, &(start..end)).then_some((count, range))
}
