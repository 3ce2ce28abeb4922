//! What spreadsheets must not do with a cell.

use super::super::super::samples::{assessment, columns, layout, row, scored};
use super::*;

fn written(byte_order_mark: bool, escape_formulas: bool, cells: &[&str]) -> String {
    let names: Vec<String> = (0..cells.len()).map(|n| format!("c{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let schema = Schema::new(&columns(&names), &layout(&[]), "tiny@1", "2026-01-01T00:00:00Z");
    let csv = Csv { schema, byte_order_mark, escape_formulas };
    let mut out = Vec::new();
    csv.head(&mut out);
    csv.row(&scored(row(1, cells), Vec::new()), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn cells_that_begin_like_a_formula_get_an_apostrophe_and_numbers_do_not() {
    for (cell, expected) in [
        ("=1+1", "'=1+1"),
        ("+44 20 7946 0000", "'+44 20 7946 0000"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "\"'\r=1\""),
        ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
        ("＝1", "'＝1"),
        ("-", "'-"),
        ("-inf", "'-inf"),
        ("+1-2", "'+1-2"),
        ("-5", "-5"),
        ("+3.25", "+3.25"),
        ("-1,234.5", "\"-1,234.5\""),
        ("-5%", "-5%"),
        ("-1e-3", "-1e-3"),
        ("5 = 5", "5 = 5"),
        ("'quoted'", "'quoted'"),
        ("", ""),
    ] {
        let line = written(false, true, &[cell]);
        let line = line.strip_prefix("c0,model_version,scored_at,source_id\n").unwrap();
        assert_eq!(line, format!("{expected},tiny@1,2026-01-01T00:00:00Z,1\n"), "{cell:?}");
    }
    assert!(written(false, false, &["=1+1"]).contains("\n=1+1,"));
}

#[test]
fn names_of_columns_are_cells_too_and_the_mark_stands_in_front_once() {
    let schema = Schema::new(&columns(&["=cmd", "plain"]), &layout(&[]), "m", "t");
    let csv = Csv { schema, byte_order_mark: true, escape_formulas: true };
    let mut out = Vec::new();
    csv.head(&mut out);
    assert!(out.starts_with(b"\xef\xbb\xbf'=cmd,plain,"), "{}", String::from_utf8_lossy(&out));
}

#[test]
fn what_is_written_is_read_back_as_it_stood() {
    let cells = ["a,b", "say \"hi\"", "two\nlines\r\n", " blank ", "", "=1", "ünï"];
    let text = written(false, false, &cells);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let record = reader.records().next().unwrap().unwrap();
    assert_eq!(record.iter().take(cells.len()).collect::<Vec<_>>(), cells);
}

#[test]
fn labels_are_separated_by_semicolons() {
    let schema = Schema::new(&columns(&["text"]), &layout(&[0]), "m", "t");
    let csv = Csv { schema, byte_order_mark: false, escape_formulas: true };
    let mut out = Vec::new();
    let found = assessment(0.25, &[("annoyance", 0.8), ("anger", 0.4)]);
    csv.row(&scored(row(7, &["hi"]), vec![(0, Ok(found))]), &mut out);
    let expected = "hi,-0.5,negative,annoyance,annoyance;anger,,en,1,ok,8f434346648f6b96,m,t,7\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}
