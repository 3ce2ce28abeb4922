//! How often each name was seen, with a bound on the names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts by name; names that come when there is no room left are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Counts {
    named: BTreeMap<String, u64>,
    other: u64,
}

impl Counts {
    /// Counts a name, of at most `most` different ones.
    pub(super) fn push(&mut self, name: &str, most: usize) {
        if let Some(count) = self.named.get_mut(name) {
            *count += 1;
        } else if self.named.len() < most {
            self.named.insert(name.to_owned(), 1);
        } else {
            self.other += 1;
        }
    }

    /// The names, most frequent first and of equal ones by name; what had no room comes last as "other".
    pub(super) fn ranked(&self) -> Vec<(String, u64)> {
        let mut ranked: Vec<(String, u64)> = self.named.iter().map(|(name, n)| (name.clone(), *n)).collect();
        ranked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        ranked.extend((self.other > 0).then(|| ("other".to_owned(), self.other)));
        ranked
    }

    pub(super) fn total(&self) -> u64 {
        self.named.values().sum::<u64>() + self.other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_bound_are_counted_together() {
        let mut counts = Counts::default();
        ["b", "a", "c", "a", "d", "b"].into_iter().for_each(|name| counts.push(name, 2));
        let expected = [("a", 2), ("b", 2), ("other", 2)].map(|(name, n)| (name.to_owned(), n));
        assert_eq!((counts.ranked(), counts.total()), (expected.to_vec(), 6));
    }
}
