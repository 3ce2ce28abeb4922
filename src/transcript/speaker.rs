//! Who speaks on a line: the words before a colon, and what to do when they have no role.
//!
//! A label in the role map is a speaker wherever it begins a line. One that is not in the map is a speaker too, and
//! refused, where it has a time in front, begins the file, or occurs twice; else, as in `Order number: 123`, its line
//! continues the turn. No message quotes a label, since it can be a person's name.

use std::collections::BTreeMap;

use super::assemble::{line, refuse};
use super::roles::{RoleMap, Speaker, normal};
use crate::domain::Role;
use crate::error::Error;

/// Most words of a label.
const WORDS: usize = 4;
/// Most words of a label behind a time, where it is hardly anything else.
const TIMED_WORDS: usize = 8;
/// Longest label, in bytes.
const LABEL_BYTES: usize = 80;

/// The words before a line's first colon, and what follows it.
pub(super) fn label(line: &str, timed: bool) -> Option<(&str, &str)> {
    let colon = line.bytes().take(LABEL_BYTES).position(|byte| byte == b':')?;
    let (label, rest) = (line.get(..colon)?, line.get(colon + 1..)?);
    let words = label.split_whitespace().count();
    let most = if timed { TIMED_WORDS } else { WORDS };
    // `https://…` and `10:02` are no labels.
    let ends = rest.chars().next().is_none_or(char::is_whitespace) || label.chars().all(char::is_alphabetic);
    let sound = ends && !rest.starts_with("//") && label.chars().any(char::is_alphabetic);
    (sound && words <= most && !label.starts_with(char::is_whitespace)).then_some((label.trim(), rest.trim()))
}

/// Labels without a role that count as speakers, by where they occur.
#[derive(Debug, Default)]
pub(super) struct Unmapped {
    /// By normalised label: how often, the first line, and whether it can only be a speaker.
    seen: BTreeMap<String, (usize, usize, bool)>,
}

impl Unmapped {
    /// Notes a label of `line`; `certain` where it can only be a speaker.
    pub(super) fn note(&mut self, roles: &RoleMap, label: &str, line: usize, certain: bool) {
        if roles.find(label) == Speaker::Unknown {
            let seen = self.seen.entry(normal(label)).or_insert((0, line, false));
            seen.0 += 1;
            seen.2 |= certain;
        }
    }

    /// Errors: `InvalidInput` when there are speakers without a role.
    pub(super) fn check(&self) -> Result<(), Error> {
        let speakers = self.seen.values().filter(|(count, _, certain)| *certain || *count > 1);
        let lines: Vec<usize> = speakers.map(|(_, line, _)| *line).collect();
        let Some(first) = lines.iter().min() else { return Ok(()) };
        let problem = format!(
            "{} without a role, the first on this line; give each one with --role NAME=ROLE (customer, agent, bot, \
             supervisor, system), or --role NAME=none for words before a colon that are no speaker",
            match lines.len() {
                1 => "1 speaker".to_owned(),
                count => format!("{count} speakers"),
            }
        );
        Err(refuse(&line(*first), problem))
    }
}

/// Speakers of a transcript under the names with which they first occurred.
#[derive(Debug, Default)]
pub(super) struct Speakers {
    first: BTreeMap<String, String>,
}

impl Speakers {
    /// The participant and role of a label; `None` for a label without a role.
    pub(super) fn find(&mut self, roles: &RoleMap, label: &str) -> Option<(String, Role)> {
        let Speaker::Is(role) = roles.find(label) else { return None };
        let name = self.first.entry(normal(label)).or_insert_with(|| label.trim().to_owned());
        Some((name.clone(), role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_few_words_at_the_beginning_of_a_line() {
        for (text, timed, expected) in [
            ("Agent: hello", false, Some(("Agent", "hello"))),
            ("Agent:", false, Some(("Agent", ""))),
            ("Agent:hello", false, Some(("Agent", "hello"))),
            ("Maria de la Cruz : hello", false, Some(("Maria de la Cruz", "hello"))),
            ("This is what it says: no", false, None),
            ("Maria from the support team: hi", true, Some(("Maria from the support team", "hi"))),
            (" Agent: hello", false, None),
            ("https://example.com", false, None),
            ("at 10:02 it broke", false, None),
            ("10: 02", false, None),
            ("Ärztin: ja", false, Some(("Ärztin", "ja"))),
            ("no colon", false, None),
        ] {
            assert_eq!(label(text, timed), expected, "{text}");
        }
    }
}
