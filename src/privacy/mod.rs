//! Redaction: what identifies a person is taken out of a text and a placeholder such as `[EMAIL]` put in its place.
//!
//! Found are e-mail addresses, telephone numbers, payment cards, IBANs, national ids, IP addresses, and the secrets of
//! URLs, whose hosts stay. What is found is decided by shape, checksum and the words around it; there is no model, so
//! names and postal addresses stay (`docs/privacy.md` says how much is found and missed). Redacting twice is redacting
//! once, time is linear in the text, and ranges of the original can be followed into the redacted text.
//!
//! Crates that do all of this were looked at: those of 2026 are young, know the United States only, or give no offsets;
//! `phonenumber` parses a number but has no search in a text. So `regex` (linear time) finds candidates, and the
//! checks beside it decide.

mod card;
mod checksum;
mod context;
mod email;
mod iban;
mod ip;
pub mod keyed;
mod national;
mod patterns;
mod phone;
mod phone_shape;
mod url;

use std::fmt;
use std::ops::Range;

pub use keyed::HashKey;
use patterns::Patterns;

/// Rounds over all detectors. What one takes out can lay bare what another looks for; texts of which more than two
/// rounds find something have to be made on purpose.
const ROUNDS: usize = 8;

/// What was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// The number of a payment card.
    Card,
    /// A bank account.
    Iban,
    /// A number by which a state knows a person.
    NationalId,
    /// An IPv4 or IPv6 address.
    Ip,
    /// Name and password in a URL.
    Credentials,
    /// Path and query of a URL that hold a secret.
    Token,
    /// The whole text, since it could not be searched.
    Withheld,
}

impl Kind {
    /// What stands in the text instead.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Email => "[EMAIL]",
            Self::Phone => "[PHONE]",
            Self::Card => "[CARD]",
            Self::Iban => "[IBAN]",
            Self::NationalId => "[ID]",
            Self::Ip => "[IP]",
            Self::Credentials => "[CREDENTIALS]",
            Self::Token => "[TOKEN]",
            Self::Withheld => "[WITHHELD]",
        }
    }
}

/// A place at which something was taken out; ranges are bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    /// What it was.
    pub kind: Kind,
    /// Where it stood in the original.
    pub original: Range<usize>,
    /// Where its placeholder stands in the redacted text.
    pub placed: Range<usize>,
}

/// A text without what identifies a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Redacted {
    /// With placeholders.
    pub text: String,
    /// In the order of the text, disjoint.
    pub redactions: Vec<Redaction>,
}

impl fmt::Debug for Redacted {
    /// Says how long the text is, and never what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redacted")
            .field("text_bytes", &self.text.len())
            .field("redactions", &self.redactions)
            .finish()
    }
}

impl Redacted {
    /// Where a byte range of the original stands now; one that touches what was taken out is widened to its placeholder.
    pub fn map(&self, range: Range<usize>) -> Range<usize> {
        self.forward(range.start, false)..self.forward(range.end, true)
    }

    fn forward(&self, at: usize, is_end: bool) -> usize {
        let next = self.redactions.partition_point(|r| r.original.end <= at);
        if let Some(inside) = self.redactions.get(next).filter(|r| r.original.start < at) {
            return if is_end { inside.placed.end } else { inside.placed.start };
        }
        let before = next.checked_sub(1).and_then(|last| self.redactions.get(last));
        let moved = before.map_or(at, |r| r.placed.end + (at - r.original.end));
        moved.min(self.text.len())
    }

    /// Where a byte of the redacted text stood; inside a placeholder, where what it replaces began or ended.
    fn back(&self, at: usize, is_end: bool) -> usize {
        let next = self.redactions.partition_point(|r| r.placed.end <= at);
        if let Some(inside) = self.redactions.get(next).filter(|r| r.placed.start < at) {
            return if is_end { inside.original.end } else { inside.original.start };
        }
        let before = next.checked_sub(1).and_then(|last| self.redactions.get(last));
        before.map_or(at, |r| r.original.end + (at - r.placed.end))
    }
}

/// Takes out what identifies a person.
pub fn redact(text: &str) -> Redacted {
    match Patterns::all() {
        _ if !may_hold(text) => place(text, &[]),
        Some(patterns) => rounds(patterns, text),
        None => place(text, &[(Kind::Withheld, 0..text.len())]),
    }
}

/// Whether a text has any character without which nothing can be found; most comments have none.
fn may_hold(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit() || matches!(b, b'@' | b'/' | b'(' | b'[' | b'{'))
}

type Cut = (Kind, Range<usize>);

/// Detectors in the order in which they look: what is long and certain first, what is short and vague last.
const DETECTORS: [fn(&Patterns, &str, &mut Vec<Cut>); 7] =
    [url::find, email::find, iban::find, card::find, national::find, ip::find, phone::find];

fn rounds(patterns: &Patterns, text: &str) -> Redacted {
    let mut shown = place(text, &[]);
    for _ in 0..ROUNDS {
        let mut changed = false;
        for find in DETECTORS {
            let mut found = Vec::new();
            find(patterns, &shown.text, &mut found);
            found.retain(|(_, range)| shown.bare(range));
            if !found.is_empty() {
                changed = true;
                shown = place(text, &shown.with(found));
            }
        }
        if !changed {
            break;
        }
    }
    shown
}

impl Redacted {
    /// Whether a range holds anything beside placeholders.
    fn bare(&self, range: &Range<usize>) -> bool {
        let mut at = range.start;
        let first = self.redactions.partition_point(|r| r.placed.end <= range.start);
        for redaction in &self.redactions[first..] {
            if at < redaction.placed.start {
                break;
            }
            at = redaction.placed.end;
        }
        at < range.end
    }

    /// The cuts so far with those that were found in this text; what overlaps becomes one cut, of the first one's kind.
    fn with(&self, found: Vec<Cut>) -> Vec<Cut> {
        let old = self.redactions.iter().map(|r| (r.kind, r.original.clone()));
        let new = found
            .into_iter()
            .map(|(kind, range)| (kind, self.back(range.start, false)..self.back(range.end, true)));
        let mut cuts: Vec<Cut> = old.chain(new).collect();
        cuts.sort_by_key(|(_, range)| (range.start, std::cmp::Reverse(range.end)));
        let mut merged: Vec<Cut> = Vec::with_capacity(cuts.len());
        for (kind, range) in cuts {
            match merged.last_mut() {
                Some((_, last)) if range.start < last.end => last.end = last.end.max(range.end),
                _ => merged.push((kind, range)),
            }
        }
        merged
    }
}

/// The text with placeholders for cuts that ascend and are disjoint.
fn place(text: &str, cuts: &[Cut]) -> Redacted {
    let mut shown = Redacted { text: String::with_capacity(text.len()), redactions: Vec::new() };
    let mut from = 0;
    for (kind, range) in cuts {
        shown.text.push_str(&text[from..range.start]);
        let start = shown.text.len();
        shown.text.push_str(kind.placeholder());
        let placed = start..shown.text.len();
        shown.redactions.push(Redaction { kind: *kind, original: range.clone(), placed });
        from = range.end;
    }
    shown.text.push_str(&text[from..]);
    shown
}

#[cfg(test)]
#[path = "laws_tests.rs"]
mod laws_tests;
#[cfg(test)]
#[path = "measured_tests.rs"]
mod measured_tests;
#[cfg(test)]
#[path = "mod_tests.rs"]
mod tests;
