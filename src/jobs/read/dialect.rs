//! What separates the cells of a text: the character at which its first rows fall into equally many.

use super::split::{Dialect, Splitter};
use super::{HEAD_BYTES, SAMPLE_ROWS};

/// Bytes that are looked at.
const LOOK_BYTES: usize = HEAD_BYTES / 4;
/// In order of how common they are.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Share of the rows, in per cent, that must have as many cells as the header.
const ALIKE: usize = 50;

/// What Excel puts into the first line to say what separates the cells: the character and the line's bytes.
pub(super) fn declared(text: &str) -> Option<(u8, usize)> {
    let rest = text.strip_prefix("sep=")?;
    let delimiter = *rest.as_bytes().first()?;
    let ending = rest.get(1..)?;
    let length = if ending.starts_with("\r\n") { 2 } else { usize::from(ending.starts_with(['\n', '\r'])) };
    (length > 0).then_some((delimiter, 5 + length))
}

/// The most likely separator of a text's cells; `None` when there seems to be one column.
pub(super) fn find(text: &str) -> Option<u8> {
    let judged = DELIMITERS.into_iter().filter_map(|delimiter| Some((judge(text, delimiter)?, delimiter)));
    // Of equals the more common one; `max_by_key` would take the last.
    judged.rev().max_by_key(|(score, _)| *score).map(|(_, delimiter)| delimiter)
}

/// Whether a text falls into rows of equally many cells, and is more than a line.
pub(super) fn is_table(text: &str, delimiter: u8) -> bool {
    text.trim().contains(['\n', '\r']) && judge(text, delimiter).is_some_and(|(alike, _)| alike >= 90)
}

/// How many of a hundred rows have as many cells as the header, and how many those are.
fn judge(text: &str, delimiter: u8) -> Option<(usize, usize)> {
    let look = &text.as_bytes()[..text.len().min(LOOK_BYTES)];
    let cut = look.len() < text.len() || text.len() >= HEAD_BYTES;
    let bytes = Box::new(std::io::Cursor::new(look.to_vec()));
    let records = Splitter::new(bytes, Dialect { delimiter: Some(delimiter) }).take(SAMPLE_ROWS);
    let mut widths: Vec<Option<usize>> = records
        .filter(|record| !record.as_ref().is_ok_and(|record| record.blank))
        .map(|record| record.ok().map(|record| record.cells.len()))
        .collect();
    if cut && widths.len() < SAMPLE_ROWS {
        widths.pop();
    }
    let width = widths.first().copied().flatten().filter(|width| *width > 1)?;
    let alike = widths.iter().filter(|found| **found == Some(width)).count() * 100 / widths.len();
    (alike >= ALIKE).then_some((alike, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_the_one_at_which_rows_are_alike() {
        for (text, expected) in [
            ("a,b\n1,2\n", Some(b',')),
            ("a;b\n1,5;2\n2,5;3\n", Some(b';')),
            ("a\tb\nhello, you\t2\n", Some(b'\t')),
            ("a|b|c\n1|2|3\n", Some(b'|')),
            ("id,\"a;b;c\",text\n1,x,\"y;z\"\n", Some(b',')),
            ("id;comment\n7;\"one, two\nthree, four\"\n8;\"no, never\"\n", Some(b';')),
            ("a,b;c\n", Some(b',')),
            ("text\nGreat, love it\nhm\n", None),
            ("", None),
        ] {
            assert_eq!(find(text), expected, "{text}");
        }
    }

    #[test]
    fn a_first_line_that_declares_the_separator_is_understood() {
        for (text, expected) in [
            ("sep=;\r\na;b", Some((b';', 7))),
            ("sep=\t\na\tb", Some((b'\t', 6))),
            ("sep=;", None),
            ("sep=ab\n", None),
            ("sep=é\n", None),
            ("separate;b\n", None),
        ] {
            assert_eq!(declared(text), expected, "{text:?}");
        }
    }

    #[test]
    fn prose_with_commas_is_no_table() {
        assert!(!is_table("Well, it works.\nI like it, mostly, yes.\nFine.\n", b','));
        assert!(!is_table("Hello, world", b','));
        assert!(is_table("a,b\n1,2\n", b','));
    }
}
