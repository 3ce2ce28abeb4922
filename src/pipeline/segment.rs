//! Where sentences and clauses end, and which tokens are theirs.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::inference::TokenizedText;

/// Words whose full stop ends no sentence.
const ABBREVIATIONS: [&str; 18] = [
    "mr", "mrs", "ms", "dr", "prof", "st", "no", "vs", "etc", "e.g", "i.e", "approx", "inc", "ltd", "dept",
    "ref", "tel", "ext",
];
/// Words that turn a sentence, where a clause begins.
const TURNS: [&str; 8] =
    ["but", "however", "although", "though", "yet", "whereas", "except", "unfortunately"];

/// Byte ranges of the sentences of `text`, without the white space around them.
///
/// The rules of Unicode Annex 29, and two more for how customers write: a line break ends a sentence, and so does a
/// stop before a lower-case word ("its broken. fix it") unless it belongs to an abbreviation.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    for (start, piece) in text.split_sentence_bound_indices() {
        let mut from = 0;
        for (at, end) in inner_ends(piece) {
            if at > from {
                push_trimmed(text, start + from..start + end, &mut all);
                from = end;
            }
        }
        push_trimmed(text, start + from..start + piece.len(), &mut all);
    }
    merge_abbreviations(text, all)
}

/// Byte ranges of the clauses of `text`: its sentences, cut before words that turn them and after commas, colons, semicolons and dashes.
pub(super) fn clauses(text: &str) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    for sentence in sentences(text) {
        let piece = &text[sentence.clone()];
        let mut from = 0;
        for (at, word) in piece.split_word_bound_indices() {
            let cut = match word {
                "," | ";" | "—" | "–" | ":" => at + word.len(),
                w if TURNS.iter().any(|t| t.eq_ignore_ascii_case(w)) => at,
                _ => continue,
            };
            // A list of two words is no clause.
            if piece[from..cut].split_whitespace().count() >= 2 {
                push_trimmed(text, sentence.start + from..sentence.start + cut, &mut all);
                from = cut;
            }
        }
        push_trimmed(text, sentence.start + from..sentence.end, &mut all);
    }
    all
}

/// The tokens that begin in each of the byte ranges, which must be in ascending order.
pub(super) fn tokens_in(tokens: &TokenizedText, ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    ranges
        .iter()
        .map(|range| {
            let first = tokens.offsets.partition_point(|o| (o.start as usize) < range.start);
            let last = tokens.offsets.partition_point(|o| (o.start as usize) < range.end);
            first..last
        })
        .collect()
}

/// Places inside a sentence of Annex 29 where customers end one: (end of the stop, start of what follows).
fn inner_ends(piece: &str) -> Vec<(usize, usize)> {
    let mut ends = Vec::new();
    let mut characters = piece.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().copied();
        if c == '\n' {
            ends.push((at, at + 1));
        } else if matches!(c, '.' | '!' | '?' | '…') && next.is_some_and(|(_, n)| n.is_whitespace()) {
            let end = at + c.len_utf8();
            let stop = &piece[..at];
            let word = stop.rsplit(char::is_whitespace).next().unwrap_or_default();
            if c != '.' || !is_abbreviation(word) {
                ends.push((end, end));
            }
        }
    }
    ends
}

fn is_abbreviation(word: &str) -> bool {
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    let single = word.chars().count() == 1 && word.chars().all(|c| c.is_alphabetic() && c != 'i' && c != 'I');
    single || ABBREVIATIONS.iter().any(|a| a.eq_ignore_ascii_case(word))
}

/// Annex 29 ends a sentence after "Dr." before a capital: joined again.
fn merge_abbreviations(text: &str, all: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(all.len());
    for range in all {
        if let Some(last) = merged.last_mut() {
            let before = &text[last.clone()];
            let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
            let gap = &text[last.end..range.start];
            if !gap.contains('\n') && word.strip_suffix('.').is_some_and(is_abbreviation) {
                last.end = range.end;
                continue;
            }
        }
        merged.push(range);
    }
    merged
}

fn push_trimmed(text: &str, range: Range<usize>, all: &mut Vec<Range<usize>>) {
    let piece = &text[range.clone()];
    let trimmed = piece.trim_start();
    let start = range.start + piece.len() - trimmed.len();
    let end = start + trimmed.trim_end().len();
    if end > start {
        all.push(start..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str, how: fn(&str) -> Vec<Range<usize>>) -> Vec<&str> {
        how(text).into_iter().map(|r| &text[r]).collect()
    }

    #[test]
    fn sentences_end_where_customers_end_them() {
        for (text, expected) in [
            ("Great. Thanks!", vec!["Great.", "Thanks!"]),
            ("its broken. fix it pls", vec!["its broken.", "fix it pls"]),
            ("Dr. Okafor was kind. Very.", vec!["Dr. Okafor was kind.", "Very."]),
            ("Order no. 4411 is late", vec!["Order no. 4411 is late"]),
            ("- late\n- cold\n\nNo reply", vec!["- late", "- cold", "No reply"]),
            ("why?? so late", vec!["why??", "so late"]),
            ("v2.1.3 costs 4.50 today", vec!["v2.1.3 costs 4.50 today"]),
            ("", vec![]),
        ] {
            assert_eq!(split(text, sentences), expected, "{text:?}");
        }
    }

    #[test]
    fn clauses_begin_where_a_sentence_turns() {
        assert_eq!(
            split("The food was lovely but the waiter was rude.", clauses),
            ["The food was lovely", "but the waiter was rude."]
        );
        assert_eq!(split("great product, awful support", clauses), ["great product,", "awful support"]);
    }

    proptest! {
        #[test]
        fn ranges_are_ascending_disjoint_and_lose_no_letter(text in "[a-cA-C.!?,;\\n é👍]{0,80}") {
            for how in [sentences, clauses] {
                let mut next = 0;
                let mut kept = String::new();
                for range in how(&text) {
                    prop_assert!(range.start >= next && range.end > range.start);
                    next = range.end;
                    kept.push_str(&text[range]);
                }
                let bare = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
                prop_assert_eq!(bare(&kept), bare(&text));
            }
        }
    }
}
