//! The words and phrases that carry most evidence, in constant memory.
//!
//! A weighted form of Misra and Gries' frequent items ("Finding repeated elements", Science of Computer Programming
//! 1982), with many counters lowered at once as in Anderson et al. ("A high-performance algorithm for identifying frequent
//! items in data streams", IMC 2017). A phrase's weight is never too high, and too low by at most [`Phrases::missing`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Longest phrase that is kept, in characters; a longer one is cut after a word.
const PHRASE_CHARS: usize = 40;

/// What one phrase has carried; log-odds in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Carried {
    /// The sum of its contributions, or a little less.
    pub(super) milli: u64,
    /// How often it was counted since it has had a place.
    pub(super) times: u64,
}

/// Phrases with what they have carried.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Phrases {
    carried: BTreeMap<String, Carried>,
    missing_milli: u64,
}

impl Phrases {
    /// Adds a contribution's size; at most twice `capacity` phrases are held at any time.
    pub(super) fn push(&mut self, phrase: &str, contribution: f64, capacity: usize) {
        let milli = (contribution.abs() * 1000.0).round() as u64;
        if phrase.is_empty() || milli == 0 {
            return;
        }
        let carried = self.carried.entry(phrase.to_owned()).or_insert(Carried { milli: 0, times: 0 });
        carried.milli += milli;
        carried.times += 1;
        if self.carried.len() > 2 * capacity {
            self.lower(capacity);
        }
    }

    /// Takes the weight of the heaviest phrase that loses its place from all.
    fn lower(&mut self, capacity: usize) {
        let mut weights: Vec<u64> = self.carried.values().map(|carried| carried.milli).collect();
        weights.sort_unstable_by(|a, b| b.cmp(a));
        let weight = weights.get(capacity).copied().unwrap_or(0);
        self.carried.values_mut().for_each(|carried| carried.milli = carried.milli.saturating_sub(weight));
        self.carried.retain(|_, carried| carried.milli > 0);
        self.missing_milli += weight;
    }

    /// The heaviest, of equal ones in the order of the alphabet.
    pub(super) fn heaviest(&self, count: usize) -> Vec<(&str, Carried)> {
        let mut all: Vec<(&str, Carried)> = self.carried.iter().map(|(p, c)| (p.as_str(), *c)).collect();
        all.sort_by(|a, b| b.1.milli.cmp(&a.1.milli).then_with(|| a.0.cmp(b.0)));
        all.truncate(count);
        all
    }

    /// What a phrase's weight may be too low by, in log-odds.
    pub(super) fn missing(&self) -> f64 {
        self.missing_milli as f64 / 1000.0
    }
}

/// A phrase as it is counted: small letters, single blanks, no punctuation at its ends, cut after a word.
pub(super) fn normal(words: &str) -> String {
    let small = words.to_lowercase();
    let trimmed = small.trim_matches(|c: char| !c.is_alphanumeric());
    let mut phrase = String::new();
    let mut length = 0;
    for word in trimmed.split_whitespace() {
        let more = word.chars().count() + usize::from(length > 0);
        if length + more > PHRASE_CHARS {
            phrase.truncate(phrase.trim_end_matches(|c: char| !c.is_alphanumeric()).len());
            phrase.push('…');
            break;
        }
        if length > 0 {
            phrase.push(' ');
        }
        phrase.push_str(word);
        length += more;
    }
    if phrase == "…" { String::new() } else { phrase }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn phrases_are_counted_whatever_their_case_and_punctuation() {
        for (words, expected) in [
            (" “Never  again!” ", "never again"),
            ("…", ""),
            ("it's", "it's"),
            ("nobody ever came back to me about any of this", "nobody ever came back to me about any of…"),
            (
                "nobody ever came back to me about it, never mind when",
                "nobody ever came back to me about it…",
            ),
            ("x".repeat(50).as_str(), ""),
        ] {
            assert_eq!(normal(words), expected, "{words}");
        }
    }

    proptest! {
        #[test]
        fn a_weight_is_never_too_high_and_too_low_by_no_more_than_is_said(
            pushed in prop::collection::vec((0usize..40, 1u32..5), 0..400)
        ) {
            let (mut phrases, mut truth) = (Phrases::default(), BTreeMap::<String, u64>::new());
            for (phrase, weight) in pushed {
                phrases.push(&format!("p{phrase}"), f64::from(weight), 5);
                *truth.entry(format!("p{phrase}")).or_default() += 1000 * u64::from(weight);
                prop_assert!(phrases.carried.len() <= 10);
            }
            let missing = phrases.missing_milli;
            prop_assert!(missing * 6 <= truth.values().sum::<u64>());
            for (phrase, weight) in truth {
                let held = phrases.carried.get(&phrase).map_or(0, |carried| carried.milli);
                prop_assert!(held <= weight && weight <= held + missing, "{phrase}: {held} of {weight}, {missing}");
            }
        }
    }
}
