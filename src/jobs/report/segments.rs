//! Sentiment and scores by the value of a column.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::split::Split;

/// Values that are kept apart: a chart of more would not be read. Those that come first in the file have the places.
pub(super) const MOST: usize = 50;
/// Longest value, in characters; a longer one is cut.
const VALUE_CHARS: usize = 60;

/// What the rows with one value say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Segment {
    pub(super) rows: u64,
    pub(super) comments: Split,
    /// Rows by band of their score.
    pub(super) bands: [u64; 3],
}

impl Segment {
    fn push(&mut self, comments: &Split, band: Option<usize>) {
        self.rows += 1;
        self.comments.merge(comments);
        band.into_iter().for_each(|band| self.bands[band] += 1);
    }
}

/// Rows by value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Segments {
    named: BTreeMap<String, Segment>,
    other: Segment,
    blank: Segment,
}

impl Segments {
    /// Counts a row, with what its comments say together and its score's band.
    pub(super) fn row(&mut self, value: &str, comments: &Split, band: Option<usize>) {
        let value: String = value.trim().chars().take(VALUE_CHARS).collect();
        let room = self.named.len() < MOST;
        let segment = match value.as_str() {
            "" => &mut self.blank,
            _ if room || self.named.contains_key(&value) => self.named.entry(value).or_default(),
            _ => &mut self.other,
        };
        segment.push(comments, band);
    }

    /// Most rows first, of equal ones by name; rows without a value and those of values without a place come last.
    pub(super) fn ranked(&self) -> Vec<(String, &Segment)> {
        let mut ranked: Vec<(String, &Segment)> =
            self.named.iter().map(|(name, s)| (name.clone(), s)).collect();
        ranked.sort_by(|a, b| b.1.rows.cmp(&a.1.rows).then_with(|| a.0.cmp(&b.0)));
        let rest = [("other values", &self.other), ("no value", &self.blank)];
        ranked.extend(rest.into_iter().filter(|(_, s)| s.rows > 0).map(|(name, s)| (name.to_owned(), s)));
        ranked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_the_bound_and_empty_cells_are_counted_together() {
        let mut segments = Segments::default();
        for value in 0..MOST + 2 {
            segments.row(&format!("v{value:02}"), &Split::default(), Some(0));
        }
        for value in ["v01", " v01 ", "", " "] {
            segments.row(value, &Split::default(), None);
        }
        let ranked = segments.ranked();
        assert_eq!((ranked[0].0.as_str(), ranked[0].1.rows, ranked.len()), ("v01", 3, MOST + 2));
        let rest: Vec<(&str, u64)> = ranked[MOST..].iter().map(|(name, s)| (name.as_str(), s.rows)).collect();
        assert_eq!(rest, [("other values", 2), ("no value", 2)]);
    }
}
