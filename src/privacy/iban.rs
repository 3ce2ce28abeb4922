//! IBANs: a known country, its length, and the checksum.

use std::ops::Range;

use super::patterns::Patterns;
use super::{Cut, Kind, checksum};

/// Length by country, from the IBAN registry of ISO 13616 (SWIFT, release 99).
const LENGTHS: &[(usize, &str)] = &[
    (15, "NO"),
    (16, "BE"),
    (18, "DK FI FK FO GL NL SD"),
    (19, "MK SI"),
    (20, "AT BA EE KZ LT LU MN XK"),
    (21, "CH CR HR LI LV"),
    (22, "BG BH DE GB GE IE ME RS VA"),
    (23, "AE GI IL IQ OM SO TL"),
    (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
    (25, "LY PT ST"),
    (26, "IS TR"),
    (27, "BI DJ FR GR IT MC MR SM"),
    (28, "AL AZ BY CY DO GT HU LB NI PL SV"),
    (29, "BR EG PS QA UA"),
    (30, "JO KW MU YE"),
    (31, "MT SC"),
    (32, "LC"),
    (33, "RU"),
];

/// Adds every IBAN, with single blanks, dots or hyphens between its groups.
pub(super) fn find(patterns: &Patterns, text: &str, found: &mut Vec<Cut>) {
    let starts = patterns.iban.find_iter(text).map(|m| m.start());
    found.extend(starts.filter_map(|start| Some((Kind::Iban, whole(text, start)?))));
}

fn whole(text: &str, start: usize) -> Option<Range<usize>> {
    let country = text.get(start..start + 2)?.to_ascii_uppercase();
    let (length, _) = LENGTHS.iter().find(|(_, countries)| countries.split(' ').any(|c| c == country))?;
    let (mut characters, mut end, mut gap) = (Vec::with_capacity(*length), start, false);
    for (at, character) in text[start..].char_indices() {
        if character.is_ascii_alphanumeric() {
            characters.push(character as u8);
            (end, gap) = (start + at + 1, false);
        } else if gap || !matches!(character, ' ' | '-' | '.' | '\u{a0}') {
            return None;
        } else {
            gap = true;
        }
        if characters.len() == *length {
            break;
        }
    }
    let ends = !text[end..].starts_with(char::is_alphanumeric);
    (characters.len() == *length && ends && checksum::iban(&characters)).then_some(start..end)
}
