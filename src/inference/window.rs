//! Cuts long texts into overlapping windows. Each token is *owned* by exactly one window, the one in which it has most
//! context, so that windows combine without counting a token twice.

use std::ops::Range;

/// One window of a text's tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Tokens that the network sees.
    pub tokens: Range<usize>,
    /// Tokens whose terms are taken from this window; a part of `tokens`.
    pub owned: Range<usize>,
}

/// Windows of at most `size` tokens over `count` tokens; neighbours share `overlap`. None for an empty text.
///
/// `overlap` must be at most half of `size`, which the manifest guarantees.
pub fn windows(count: usize, size: usize, overlap: usize) -> Vec<Window> {
    if count == 0 {
        return Vec::new();
    }
    if count <= size {
        return vec![Window { tokens: 0..count, owned: 0..count }];
    }
    // Windows of even length, rather than a full-size row and a stub with no context.
    let step = size - overlap;
    let number = (count - overlap).div_ceil(step);
    let fresh = (count - overlap).div_ceil(number);
    let mut all: Vec<Window> = (0..number)
        .map(|i| i * fresh)
        // Rounding up can leave the last window without a token of its own.
        .take_while(|start| start + overlap < count)
        .map(|start| {
            let tokens = start..(start + fresh + overlap).min(count);
            Window { owned: tokens.clone(), tokens }
        })
        .collect();
    // The overlap is shared out in the middle.
    for i in 1..all.len() {
        let middle = (all[i].tokens.start + all[i - 1].tokens.end) / 2;
        all[i - 1].owned.end = middle;
        all[i].owned.start = middle;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_text_is_one_window() {
        assert_eq!(windows(10, 16, 4), [Window { tokens: 0..10, owned: 0..10 }]);
        assert!(windows(0, 16, 4).is_empty());
    }

    proptest! {
        #[test]
        fn every_token_is_owned_once_and_no_window_is_too_long(count in 1usize..5000, size in 2usize..300, share in 0usize..=50) {
            let overlap = size * share / 100;
            let all = windows(count, size, overlap);
            let mut next = 0;
            for window in &all {
                prop_assert!(window.tokens.len() <= size);
                prop_assert!(window.tokens.start <= window.owned.start && window.owned.end <= window.tokens.end);
                prop_assert_eq!(window.owned.start, next);
                prop_assert!(!window.owned.is_empty());
                next = window.owned.end;
            }
            prop_assert_eq!(next, count);
        }
    }
}
