//! Rows that are not in the score: counted by reason, with their numbers, so that none is dropped silently.

use std::collections::BTreeMap;

use serde::Serialize;

/// Row numbers that are kept per reason; the count goes on.
const NAMED: usize = 10;

/// Why a row is not in the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// There is nothing to read.
    Empty,
    /// The file's row could not be read.
    Unreadable,
    /// The text is over the limits.
    Refused,
    /// The model does not read the language.
    Language,
    /// The task needs a label, and the row has none.
    Unlabelled,
    /// The task takes one label, and the row has several.
    Several,
    /// The mapping leaves its labels out.
    Mapped,
    /// The label is mixed, which the three classes have no place for.
    Mixed,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty text",
            Self::Unreadable => "unreadable row",
            Self::Refused => "text over the limits",
            Self::Language => "language that the model does not read",
            Self::Unlabelled => "no label",
            Self::Several => "several labels where one is expected",
            Self::Mapped => "left out by the mapping",
            Self::Mixed => "labelled mixed",
        }
    }
}

/// Rows of one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Why.
    pub reason: &'static str,
    /// How many.
    pub count: u64,
    /// The first ones' numbers.
    pub rows: Vec<u64>,
    /// What was wrong with the first one, when there is more to say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub first: String,
}

/// All rows that are not in the score.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    tallies: BTreeMap<Reason, Tally>,
}

impl LeftOut {
    /// Counts a row. `detail` says more than the reason; it must hold no text.
    pub fn note(&mut self, reason: Reason, row: u64, detail: &str) {
        let tally = self.tallies.entry(reason).or_insert_with(|| Tally {
            reason: reason.name(),
            first: detail.to_owned(),
            ..Tally::default()
        });
        tally.count += 1;
        if tally.rows.len() < NAMED {
            tally.rows.push(row);
        }
    }

    /// How many rows, for whatever reason.
    pub fn count(&self) -> u64 {
        self.tallies.values().map(|tally| tally.count).sum()
    }

    /// How many rows for one reason.
    pub fn of(&self, reason: Reason) -> u64 {
        self.tallies.get(&reason).map_or(0, |tally| tally.count)
    }

    /// The rows by reason.
    pub fn tallies(&self) -> impl Iterator<Item = &Tally> {
        self.tallies.values()
    }

    /// One line per reason, for people.
    pub fn lines(&self) -> Vec<String> {
        self.tallies().map(line).collect()
    }
}

fn line(tally: &Tally) -> String {
    let numbers: Vec<String> = tally.rows.iter().map(u64::to_string).collect();
    let more = if tally.count > tally.rows.len() as u64 { ", …" } else { "" };
    let rows = if tally.count == 1 { "row" } else { "rows" };
    let first = if tally.first.is_empty() { String::new() } else { format!("; the first: {}", tally.first) };
    format!("{} {rows}: {} ({}{more}){first}", tally.count, tally.reason, numbers.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_counted_and_the_first_ten_are_named() {
        let mut left_out = LeftOut::default();
        (1..=12).for_each(|row| left_out.note(Reason::Empty, row, ""));
        left_out.note(Reason::Unreadable, 40, "not UTF-8");
        assert_eq!((left_out.count(), left_out.of(Reason::Empty)), (13, 12));
        assert_eq!(
            left_out.lines(),
            [
                "12 rows: empty text (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …)",
                "1 row: unreadable row (40); the first: not UTF-8"
            ]
        );
    }
}
