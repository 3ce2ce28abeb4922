//! Records are cut strictly, and one that is broken costs its first line.

use std::io::{Cursor, Error, Read};

use super::*;

fn split(bytes: impl Into<Vec<u8>>) -> Vec<String> {
    told(Splitter::new(Box::new(Cursor::new(bytes.into())), Dialect { delimiter: Some(b',') }))
}

fn told(splitter: Splitter) -> Vec<String> {
    let one = |item: Result<Cells, Fault>| match item {
        Ok(cells) => {
            let blank = if cells.blank { "blank " } else { "" };
            let cells_of: Vec<String> =
                cells.cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            format!("{blank}{} {}", cells.line, cells_of.join("|"))
        }
        Err(fault) => format!("{} BAD {}{}", fault.place, fault.reason, if fault.ends { " END" } else { "" }),
    };
    splitter.map(one).collect()
}

#[test]
fn records_are_cut_at_line_ends_that_are_not_quoted() {
    for (bytes, expected) in [
        ("", vec![]),
        ("a,b", vec!["1 a|b"]),
        ("a,b\r\nc,d\re,f\n", vec!["1 a|b", "2 c|d", "3 e|f"]),
        ("\n\r\n,\n", vec!["blank 1 ", "blank 2 ", "3 |"]),
        ("\"a\nb\",c\nd", vec!["1 a\nb|c", "3 d"]),
        ("\"a\r\nb\rc\"\r\nd", vec!["1 a\r\nb\rc", "4 d"]),
        ("\"a \"\"b\"\"\" ,c", vec!["1 a \"b\"|c"]),
        ("a \"b\",c\"", vec!["1 a \"b\"|c\""]),
        ("\"\"\nx", vec!["1 ", "2 x"]),
        ("\"a\"b,c\nd,e", vec!["1 BAD has more behind the closing quotation mark of cell 1", "2 d|e"]),
        (
            "a,\"b\nc,\"d\ne,f",
            vec![
                "1 BAD has more behind the closing quotation mark of cell 2",
                "2 BAD opens a quotation mark that is never closed",
                "3 e|f",
            ],
        ),
        ("a,\"b\nc,d", vec!["1 BAD opens a quotation mark that is never closed", "2 c|d"]),
    ] {
        assert_eq!(split(bytes), expected, "{bytes:?}");
    }
}

#[test]
fn rows_that_are_too_long_are_told_and_passed() {
    let long = "x".repeat(3 * ROW_BYTES);
    let read =
        split(format!("a,b\n{long}\nc,d\n\"{long}\",e\nf,g\n\"open\nh,i\n{}", "j,k\n".repeat(ROW_BYTES / 4)));
    let reasons: Vec<&str> = read.iter().map(String::as_str).take(7).collect();
    assert_eq!(
        reasons,
        [
            "1 a|b",
            "2 BAD has more than 1048576 bytes",
            "3 c|d",
            "4 BAD opens a quotation mark that is not closed within 1048576 bytes",
            "5 f|g",
            "6 BAD opens a quotation mark that is not closed within 1048576 bytes",
            "7 h|i",
        ]
    );
    assert_eq!(read.len(), 7 + ROW_BYTES / 4);
}

#[test]
fn a_row_at_the_bound_is_read() {
    let row = format!("{},b", "a".repeat(ROW_BYTES - 3));
    assert_eq!(split(format!("{row}\nc")).len(), 2);
    assert!(!split(format!("{row}\nc"))[0].contains("BAD"));
}

struct Breaks(Cursor<Vec<u8>>);

impl Read for Breaks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(Error::other("unplugged")),
            count => Ok(count),
        }
    }
}

#[test]
fn a_failure_ends_the_records_and_spares_those_before_it() {
    for (bytes, before) in [("a,b\nc,d\ne", 2), ("a,b\nc,\"d\n", 1), ("", 0)] {
        let broken = Box::new(Breaks(Cursor::new(bytes.into())));
        let read = told(Splitter::new(broken, Dialect { delimiter: Some(b',') }));
        assert_eq!(read.len(), before + 1, "{read:?}");
        assert!(read[before].ends_with("unplugged END"), "{read:?}");
    }
}
