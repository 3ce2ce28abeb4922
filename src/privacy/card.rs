//! Payment cards: 13 to 19 digits, with or without separators, that begin as an issuer's do and pass Luhn's formula.

use std::ops::Range;

use super::context::follows;
use super::patterns::Patterns;
use super::{Cut, Kind, checksum};

/// Digits of a card's number (ISO/IEC 7812-1).
const DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
/// Fewest digits between two separators; shorter groups are lists of small numbers.
const GROUP: usize = 3;
/// First four digits, from and to, with the fewest and most digits of such a card, as the networks publish them:
/// Visa, Mastercard, Maestro, American Express, Diners Club, Discover, JCB, UnionPay, RuPay, Mir, Troy.
const ISSUERS: &[(u32, u32, usize, usize)] = &[
    (2200, 2204, 16, 19),
    (2221, 2720, 16, 16),
    (3000, 3059, 14, 19),
    (3095, 3095, 14, 19),
    (3400, 3499, 15, 15),
    (3528, 3589, 16, 19),
    (3600, 3699, 14, 19),
    (3700, 3799, 15, 15),
    (3800, 3999, 14, 19),
    (4000, 4999, 13, 19),
    (5000, 5099, 13, 19),
    (5100, 5599, 16, 16),
    (5600, 6999, 13, 19),
    (8100, 8299, 16, 19),
    (9792, 9792, 16, 16),
];

/// Words after which such digits are another number that ends in Luhn's or looks like it.
const OTHERS: &[&str] = &["imei", "iccid", "ean", "gtin", "upc", "isbn", "tracking"];

/// Adds every card's number.
pub(super) fn find(patterns: &Patterns, text: &str, found: &mut Vec<Cut>) {
    for run in patterns.card.find_iter(text) {
        let other = follows(text, &run.range(), OTHERS);
        let groups = if other { Vec::new() } else { groups(text, run.range()) };
        let mut from = 0;
        while from < groups.len() {
            match longest(text, &groups[from..]) {
                Some(count) => {
                    found.push((Kind::Card, groups[from].start..groups[from + count - 1].end));
                    from += count;
                }
                None => from += 1,
            }
        }
    }
}

/// The ranges of digits in a run of digits and separators.
pub(super) fn groups(text: &str, run: Range<usize>) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (at, _) in text[run.clone()].bytes().enumerate().filter(|(_, b)| b.is_ascii_digit()) {
        let at = run.start + at;
        match groups.last_mut() {
            Some(group) if group.end == at => group.end = at + 1,
            _ => groups.push(at..at + 1),
        }
    }
    groups
}

/// How many of the first groups make the longest card.
fn longest(text: &str, groups: &[Range<usize>]) -> Option<usize> {
    let (mut digits, mut longest) = (Vec::with_capacity(*DIGITS.end()), None);
    for (count, group) in groups.iter().enumerate() {
        digits.extend_from_slice(&text.as_bytes()[group.clone()]);
        if group.len() < GROUP || digits.len() > *DIGITS.end() {
            break;
        }
        if is_card(&digits) {
            longest = Some(count + 1);
        }
    }
    longest
}

fn is_card(digits: &[u8]) -> bool {
    let first = digits.iter().take(4).fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    let known = |(from, to, fewest, most): &(u32, u32, usize, usize)| {
        (*from..=*to).contains(&first) && (*fewest..=*most).contains(&digits.len())
    };
    DIGITS.contains(&digits.len()) && ISSUERS.iter().any(known) && checksum::luhn(digits)
}
