//! A file that is cut short, written over or taken away while its rows are read.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};

use super::super::{Input, ReadOptions, open};
use crate::jobs::{BadRow, Row};

/// Reads all rows of a file that something happens to after the first one.
fn rows(happens: impl FnOnce(&std::path::Path)) -> Vec<Result<Row, BadRow>> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.csv");
    let row =
        |number: u64| format!("{number},it was good for the {number}th time {}\n", "indeed ".repeat(40));
    let text: String = (0..20_000).map(row).collect();
    std::fs::write(&path, format!("id,comment\n{text}")).unwrap();
    let mut rows = open(&Input::File(path.clone()), &ReadOptions::default()).unwrap().rows;
    let first = rows.next().unwrap();
    happens(&path);
    std::iter::once(first).chain(rows).collect()
}

fn write(path: &std::path::Path) -> std::fs::File {
    OpenOptions::new().write(true).open(path).unwrap()
}

#[test]
fn a_file_that_is_cut_short_or_written_over_ends_with_an_error() {
    let cut = rows(|path| write(path).set_len(4 << 20).unwrap());
    let over = rows(|path| {
        let mut file = write(path);
        file.seek(SeekFrom::Start(5 << 20)).unwrap();
        file.write_all(b"INDEED").unwrap();
    });
    for rows in [cut, over] {
        let bad = rows.last().unwrap().as_ref().unwrap_err();
        assert!(bad.ends && bad.reason.contains("was written to while it was read"), "{bad:?}");
        assert_eq!(bad.number, rows.len() as u64);
    }
}

#[test]
fn a_file_that_is_taken_away_is_read_to_its_end() {
    for rows in [rows(|_| {}), rows(|path| std::fs::remove_file(path).unwrap())] {
        assert!(rows.len() == 20_000 && rows.iter().all(Result::is_ok));
    }
}
