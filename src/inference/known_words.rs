//! Words whose tokens are known from texts before.
//!
//! Most words of most texts are common ones, and cutting a word anew costs some thirty times what looking it up does: at a short
//! message that is a twentieth of the network's own time. Only plain words are kept, ASCII letters and apostrophes with
//! the marks behind them: no number and no mail address, but a name of letters alone may be among them. A word is tied to no text,
//! caller or tenant, and goes when others push it out or its model is unloaded.

use std::ops::Range;
use std::sync::Arc;

use quick_cache::sync::Cache;

/// Words that are kept, about 120 bytes each.
const WORDS: usize = 16 * 1024;
/// Longest word that is kept, with the marks behind it, in bytes.
const LONGEST: usize = 24;

/// A token of a word, and where it stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WordToken {
    pub(super) id: u32,
    start: u8,
    end: u8,
}

impl WordToken {
    /// `place` lies inside a word that may be kept.
    pub(super) fn new(id: u32, place: &Range<u32>) -> Self {
        debug_assert!(place.end as usize <= LONGEST);
        Self { id, start: place.start as u8, end: place.end as u8 }
    }

    /// Its place in the text, from that of its word.
    pub(super) fn at(self, word: usize) -> Range<u32> {
        word as u32 + u32::from(self.start)..word as u32 + u32::from(self.end)
    }
}

/// The tokens of words, bounded; shared by all callers.
pub(super) struct KnownWords(Cache<String, Arc<[WordToken]>>);

impl KnownWords {
    pub(super) fn new() -> Self {
        Self(Cache::new(WORDS))
    }

    /// The tokens of a word; one that is not known is cut, and kept.
    pub(super) fn get_or_cut<E>(
        &self,
        word: &str,
        cut: impl FnOnce() -> Result<Arc<[WordToken]>, E>,
    ) -> Result<Arc<[WordToken]>, E> {
        self.0.get_or_insert_with(word, cut)
    }

    #[cfg(test)]
    pub(super) fn has(&self, word: &str) -> bool {
        self.0.get(word).is_some()
    }
}

/// Whether a word is one that may be kept.
pub(super) fn is_plain(word: &str) -> bool {
    let letters = word.trim_end_matches(['.', ',', '!', '?', ';', ':']);
    word.len() <= LONGEST
        && !letters.is_empty()
        && letters.bytes().all(|b| b.is_ascii_alphabetic() || b == b'\'')
}

/// The words of `text` between white space of ASCII.
pub(super) fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let is_gap = |at: &usize| matches!(bytes[*at], b' ' | b'\t' | b'\n' | b'\r');
    let mut end = 0;
    std::iter::from_fn(move || {
        let start = (end..bytes.len()).find(|at| !is_gap(at))?;
        end = (start..bytes.len()).find(is_gap).unwrap_or(bytes.len());
        Some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_addresses_and_long_words_are_not_kept() {
        for word in ["hello", "don't", "help!!", "A", "ok...", "O'Brien,"] {
            assert!(is_plain(word), "{word}");
        }
        for word in [
            "",
            "...",
            "4929",
            "a1",
            "sam@example.com",
            "café",
            "well-known",
            "(hm",
            "a.b",
            "abcdefghijklmnopqrstuvwxyz",
        ] {
            assert!(!is_plain(word), "{word}");
        }
    }

    #[test]
    fn words_lie_between_white_space() {
        let found = |text| words(text).map(|w| &text[w]).collect::<Vec<_>>();
        assert_eq!(found(" the  parcel\n\tcame\r\n"), ["the", "parcel", "came"]);
        assert!(found(" \n").is_empty() && found("").is_empty());
        assert_eq!(found("é\u{a0}x y"), ["é\u{a0}x", "y"]);
    }

    #[test]
    fn the_words_that_are_kept_are_bounded() {
        let known = KnownWords::new();
        for n in 0..3 * WORDS {
            known.get_or_cut(&n.to_string(), || Ok::<_, ()>(Arc::new([]))).unwrap();
        }
        assert!(known.0.len() <= WORDS);
    }
}
