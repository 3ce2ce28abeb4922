//! Every fixture is opened: form, tool, columns, rows; opening again gives the same; no bytes make a reader panic.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::jobs::{BadRow, Layout, Row, ScoreKind};

pub(super) type Items = Vec<Result<Row, BadRow>>;

/// A fixture's path.
fn path(name: &str) -> PathBuf {
    PathBuf::from("tests/fixtures/exports").join(name)
}

/// A fixture, opened, and its rows.
fn fixture(name: &str, options: &ReadOptions) -> (Table, Items) {
    rows(open(&Input::File(path(name)), options).unwrap_or_else(|e| panic!("{name}: {e}")))
}

/// Bytes, opened under a name, and their rows.
pub(super) fn bytes(
    name: &str,
    bytes: impl Into<Vec<u8>>,
    options: &ReadOptions,
) -> Result<(Table, Items), Error> {
    open_stream(name, Cursor::new(bytes.into()), options).map(rows)
}

fn rows(mut table: Table) -> (Table, Items) {
    let rows = std::mem::replace(&mut table.rows, Box::new(std::iter::empty())).collect();
    (table, rows)
}

/// What was found, in a line: texts; id, score, language, time; by name, `-` where there is none.
fn found(table: &Table) -> String {
    let Layout { text, id, score, language, time, .. } = &table.layout;
    let name = |at: usize| table.columns[at].name.clone();
    let or = |at: Option<usize>| at.map_or("-".into(), name);
    let score = score.map_or("-".into(), |(at, kind)| match kind {
        ScoreKind::Nps => format!("{} nps", name(at)),
        ScoreKind::Csat(most) => format!("{} csat{most}", name(at)),
    });
    let text: Vec<String> = text.iter().map(|at| name(*at)).collect();
    format!("{}; {}, {score}, {}, {}", text.join(" + "), or(*id), or(*language), or(*time))
}

#[test]
fn every_export_is_recognised() {
    for (name, source, form, expected, count) in [
        (
            "qualtrics.csv",
            "Qualtrics",
            "CSV, separated by commas, UTF-8",
            "Q2_TEXT + Q3_4_TEXT; ResponseId, Q1 nps, UserLanguage, RecordedDate",
            3,
        ),
        (
            "surveymonkey.csv",
            "SurveyMonkey",
            "CSV, separated by commas, UTF-8",
            "<b>Which of these</b> did you use?\n(tick all) - Other (please specify) + What could we do better?; \
             Respondent ID, How likely is it that you would recommend us? nps, -, End Date",
            3,
        ),
        (
            "surveymonkey.xlsx",
            "SurveyMonkey",
            "XLSX, sheet \"Responses\"",
            "What went <i>well</i>?; Respondent ID, How satisfied are you? csat5, -, End Date",
            3,
        ),
        (
            "surveymonkey_labels.xlsx",
            "SurveyMonkey",
            "XLSX, sheet \"Responses\"",
            "Tell us more + Which did you use? - Other (please specify); Respondent ID, -, -, End Date",
            2,
        ),
        (
            "typeform.csv",
            "Typeform",
            "CSV, separated by commas, UTF-8",
            "<strong>How</strong> did it go, {{field:name}}? + Anything else?; \
             #, How satisfied are you with us? csat5, -, Submit Date (UTC)",
            3,
        ),
        (
            "google_forms.csv",
            "Google Forms",
            "CSV, separated by commas, UTF-8",
            "Was sollen wir verbessern?; -, Wie zufrieden sind Sie insgesamt? csat5, -, Zeitstempel",
            5,
        ),
        (
            "delighted.csv",
            "Delighted",
            "CSV, separated by commas, UTF-8",
            "comment; id, score nps, -, created_at",
            3,
        ),
        (
            "delighted_other_order.csv",
            "Delighted",
            "CSV, separated by commas, UTF-8",
            "comment; id, score csat5, -, created_at",
            2,
        ),
        (
            "bom.csv",
            "table",
            "CSV, separated by commas, UTF-8 with a byte order mark",
            "comment; id, nps nps, language, -",
            3,
        ),
        (
            "semicolons.csv",
            "table",
            "CSV, separated by semicolons, UTF-8",
            "comment; id, nps nps, language, -",
            3,
        ),
        (
            "excel_sep.csv",
            "table",
            "CSV, separated by semicolons, UTF-8",
            "comment; id, nps nps, language, -",
            3,
        ),
        ("tabs.tsv", "table", "TSV, separated by tabs, UTF-8", "comment; id, nps nps, language, -", 3),
        (
            "pipes.csv",
            "table",
            "CSV, separated by vertical bars, UTF-8",
            "comment; id, nps nps, language, -",
            3,
        ),
        (
            "windows_1252.csv",
            "table",
            "CSV, separated by commas, windows-1252",
            "comment; id, score nps, -, -",
            3,
        ),
        (
            "utf16le.csv",
            "table",
            "CSV, separated by commas, UTF-16LE with a byte order mark",
            "comment; id, score nps, -, -",
            3,
        ),
        (
            "utf16be.csv",
            "table",
            "CSV, separated by commas, UTF-16BE with a byte order mark",
            "comment; id, score nps, -, -",
            3,
        ),
        (
            "utf16le_tabs.txt",
            "table",
            "TSV, separated by tabs, UTF-16LE with a byte order mark",
            "comment; id, score nps, -, -",
            3,
        ),
        (
            "gzipped.csv.gz",
            "table",
            "CSV, separated by commas, UTF-8, gzip",
            "comment; id, score nps, -, -",
            3,
        ),
        ("crlf_in_cells.csv", "table", "CSV, separated by commas, UTF-8", "comment; id, -, -, -", 2),
        ("blank_lines.csv", "table", "CSV, separated by commas, UTF-8", "comment; id, -, -, -", 2),
        ("long_cell.csv", "table", "CSV, separated by commas, UTF-8", "comment; id, -, -, -", 2),
        ("header_only.csv", "table", "CSV, separated by commas, UTF-8", "comment; id, -, -, -", 0),
        ("reviews.jsonl", "table", "JSON lines, UTF-8", "text; id, -, lang, -", 6),
        ("lines.txt", "table", "lines, UTF-8", "text; -, -, -, -", 3),
        ("prose.txt", "table", "lines, UTF-8", "text; -, -, -, -", 3),
    ] {
        let (table, items) = fixture(name, &ReadOptions::default());
        assert_eq!(
            (table.layout.source.as_str(), table.form.as_str(), found(&table).as_str(), items.len()),
            (source, form, expected, count),
            "{name}: {:#?}",
            table.layout.notes
        );
    }
}

#[test]
fn every_encoding_compression_and_separator_gives_the_same_cells() {
    let cells =
        |name: &str| fixture(name, &ReadOptions::default()).1.into_iter().map(|row| row.unwrap().cells);
    let expected: Vec<Vec<String>> = cells("utf16le.csv").collect();
    assert_eq!(expected[0], ["007", "Très déçu – le café était froid", "2"]);
    for name in ["windows_1252.csv", "utf16be.csv", "utf16le_tabs.txt", "gzipped.csv.gz"] {
        assert_eq!(cells(name).collect::<Vec<_>>(), expected, "{name}");
    }
    let expected: Vec<Vec<String>> = cells("bom.csv").collect();
    assert_eq!(expected[1], ["0002", "Ben Beispiel", "de", "3", "Das Café war zu – „schade“"]);
    for name in ["semicolons.csv", "tabs.tsv", "pipes.csv", "excel_sep.csv"] {
        assert_eq!(cells(name).collect::<Vec<_>>(), expected, "{name}");
    }
    let packed = zstd::encode_all(Cursor::new(std::fs::read(path("bom.csv")).unwrap()), 0).unwrap();
    let (table, items) = bytes("x.csv.zst", packed, &ReadOptions::default()).unwrap();
    assert_eq!(table.form, "CSV, separated by commas, UTF-8 with a byte order mark, zstd");
    assert_eq!(items.into_iter().map(|row| row.unwrap().cells).collect::<Vec<_>>(), expected);
}

/// Number, place, and the cells or the reason.
fn told(items: &Items) -> Vec<String> {
    let one = |item: &Result<Row, BadRow>| match item {
        Ok(row) => format!("{}@{} {}", row.number, row.place, row.cells.join("|")),
        Err(bad) => format!("{}@{} BAD {}", bad.number, bad.place, bad.reason),
    };
    items.iter().map(one).collect()
}

#[test]
fn what_can_not_be_read_is_told_and_reading_goes_on() {
    for (name, expected) in [
        (
            "ragged.csv",
            vec![
                "1@2 1|9|fine and dandy",
                "2@3 2|8|",
                "3@4 BAD has 4 cells where the header has 3",
                "4@5 4|6|not so good today",
            ],
        ),
        (
            "open_quote.csv",
            vec![
                "1@2 1|9|all is well here",
                "2@3 BAD has more behind the closing quotation mark of cell 3",
                "3@4 3|7|still a row of its own",
                "4@5 4|6|closed, with a \"quote\" inside",
                "5@6 BAD has more behind the closing quotation mark of cell 3",
                "6@7 6|4|the last one is fine",
            ],
        ),
        (
            "wrong_byte.csv",
            vec![
                "1@2 007|Très déçu – le café était froid|2",
                "2@3 008|“Parfait”| 10",
                "3@4 009|Señor Müller est très aimable|9",
                "4@5 BAD cell 2 is not UTF-8; --encoding names another encoding",
                "5@6 011|fin de la liste|4",
            ],
        ),
        ("nul.csv", vec!["1@2 1|before\u{fffd}after the nul", "2@3 2|no nul at all here"]),
        ("crlf_in_cells.csv", vec!["1@2 1|first line\r\nsecond line\r\n\r\nfourth", "2@6 2|one line"]),
        ("blank_lines.csv", vec!["1@4 1|one of them is here", "2@6 2|another one is there"]),
        ("lines.txt", vec!["1@1 The app keeps crashing.", "2@2 ", "3@3 Thanks, that fixed it, \"really\"."]),
        (
            "reviews.jsonl",
            vec![
                "1@1 0001|Works, mostly|4|12345678901234567890123||",
                "2@3 0002|Line one\nline two|1.50||en|{\"a\":[1, 2]}",
                "3@4 BAD is no JSON from byte 15 on",
                "4@5 BAD is no JSON object",
                "5@6 BAD has the field of column 2 twice",
                "6@7 0005|||||",
            ],
        ),
    ] {
        assert_eq!(told(&fixture(name, &ReadOptions::default()).1), expected, "{name}");
    }
}

#[test]
fn pieces_of_a_broken_row_are_no_rows_with_empty_cells() {
    let text = "id,score,comment\n1,9,\"one\nand \"two\" and\nthree\"\n2,8,this one is whole\n3,7\n";
    let (_, items) = bytes("x.csv", text, &ReadOptions::default()).unwrap();
    assert_eq!(
        told(&items),
        [
            "1@2 BAD has more behind the closing quotation mark of cell 3",
            "2@3 BAD follows a row with a broken quotation mark and has 1 cell, not 3",
            "3@4 BAD follows a row with a broken quotation mark and has 1 cell, not 3",
            "4@5 2|8|this one is whole",
            "5@6 3|7|",
        ]
    );
}

#[test]
fn separators_and_encodings_that_are_given_count() {
    let given = |delimiter, encoding: Option<&str>| ReadOptions {
        delimiter,
        encoding: encoding.map(str::to_owned),
        text_columns: vec!["2".into()],
        ..ReadOptions::default()
    };
    let (table, items) = bytes("x.csv", "a#b\n1#caf\u{e9}\n", &given(Some('#'), Some("latin1"))).unwrap();
    assert_eq!(table.form, "CSV, separated by '#', windows-1252");
    assert_eq!(items[0].as_ref().unwrap().cells, ["1", "cafÃ©"]);
    for options in [given(Some('"'), None), given(Some('é'), None), given(None, Some("none"))] {
        assert!(bytes("x.csv", "a,b\n", &options).is_err(), "{options:?}");
    }
}

#[test]
fn a_row_above_the_bound_is_told_in_every_form() {
    let long = "word ".repeat(ROW_BYTES / 4);
    for (name, text) in [
        ("x.csv", format!("id,comment\n1,{long}\n2,this one is short\n")),
        (
            "x.jsonl",
            format!("{{\"id\":1,\"comment\":\"{long}\"}}\n{{\"id\":2,\"comment\":\"this one is short\"}}\n"),
        ),
        ("x.txt", format!("{long}\nthis one is short\n")),
    ] {
        let (_, items) = bytes(name, text, &ReadOptions::default()).unwrap();
        assert!(items[0].as_ref().unwrap_err().reason.contains("more than 1048576 bytes"), "{name}");
        assert_eq!(items[1].as_ref().unwrap().cells.last().unwrap(), "this one is short", "{name}");
    }
}

#[test]
fn a_file_that_is_cut_off_ends_with_an_error_that_says_so() {
    let (_, items) = fixture("cut_off.csv.gz", &ReadOptions::default());
    let (last, before) = items.split_last().unwrap();
    let bad = last.as_ref().unwrap_err();
    assert!(bad.ends && bad.reason.contains("nor can anything after it"), "{bad:?}");
    assert!(before.len() > 100 && before.iter().all(Result::is_ok));
    assert_eq!(bad.number, before.len() as u64 + 1);
}

#[test]
fn files_that_can_not_be_read_are_named_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    for (input, expected) in [
        (path("empty.csv"), "empty.csv is empty"),
        (path("none.csv"), "none.csv: No such file"),
        (directory.path().to_owned(), "is a directory"),
    ] {
        let error = open(&Input::File(input), &ReadOptions::default()).err().unwrap();
        assert!(error.public().contains(expected), "{error}");
    }
    for (name, content, expected) in [
        ("a.csv", &b" \n\n"[..], "is empty"),
        ("a.csv", b"\xef\xbb\xbf", "is empty"),
        ("a.csv.gz", b"\x1f\x8b", "can't be unpacked as gzip"),
        ("a.zst", b"\x28\xb5\x2f\xfd\xff\xff", "can't be unpacked as zstd"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1", "old Excel file"),
        ("a.xlsx", b"PK\x03\x04 and so on", "no sound XLSX file"),
        ("a.parquet", b"PAR1 and so on", "no sound Parquet file"),
        ("a.xls", b"<html><table>", "is HTML or XML"),
        ("a.json", b"[{\"a\":1}]", "JSON array"),
        ("a.jsonl", b"nothing\n", "no line that is a JSON object"),
        ("a.csv", b"id,count\n1,5\n2,6\n", "name one with --text-column. It has 1 \"id\", 2 \"count\""),
        ("a.csv", b"\"open,count\n1,5\n", "line 1, its header, opens a quotation mark that is never closed"),
    ] {
        let error = bytes(name, content, &ReadOptions::default()).err().unwrap();
        assert!(error.public().starts_with(name) && error.public().contains(expected), "{name}: {error}");
    }
}

#[test]
fn unknown_endings_are_told_by_their_content() {
    for (name, content, expected) in [
        ("stdin", &b"id,comment\n1,well that was good\n"[..], "CSV, separated by commas, UTF-8"),
        ("stdin", b"id\tcomment\n1\twell, that was good\n", "TSV, separated by tabs, UTF-8"),
        ("stdin", b"{\"comment\":\"well\"}\n", "JSON lines, UTF-8"),
        ("stdin", b"Well, that was good.\nNo.\n", "lines, UTF-8"),
        ("export.xlsx", b"id;comment\n1;well, that was good\n", "CSV, separated by semicolons, UTF-8"),
    ] {
        let (table, _) = bytes(name, content, &ReadOptions::default()).unwrap();
        assert_eq!(table.form, expected);
    }
}

#[test]
fn streams_are_copied_only_when_they_must_be_read_twice() {
    for (name, copied) in
        [("reviews.jsonl", true), ("surveymonkey.xlsx", true), ("bom.csv", false), ("lines.txt", false)]
    {
        let content = std::fs::read(path(name)).unwrap();
        let (table, items) = bytes(name, content, &ReadOptions::default()).unwrap();
        let said = table.layout.notes.iter().any(|note| note.contains("temporary file"));
        assert_eq!(said, copied, "{name}");
        assert_eq!(items, fixture(name, &ReadOptions::default()).1, "{name}");
    }
}

#[test]
fn more_rows_than_the_sample_are_read_to_the_end() {
    let mut text = String::from("id,comment\n");
    (1..=5000).for_each(|n| text += &format!("{n:05},\"comment number {n}, as it were\"\n"));
    let (_, items) = bytes("x.csv", text, &ReadOptions::default()).unwrap();
    assert_eq!(items.len(), 5000);
    for (row, number) in items.into_iter().zip(1..) {
        let row = row.unwrap();
        assert_eq!(
            (row.number, row.place, row.cells[0].clone()),
            (number, number + 1, format!("{number:05}"))
        );
    }
}

/// What lets bytes get past the first look.
const STARTS: &[&[u8]] =
    &[b"", b"id,comment\n", b"{\"a\":", b"\xff\xfea\0,\0", b"PK\x03\x04", b"PAR1", b"\x1f\x8b\x08"];

proptest! {
    #[test]
    fn what_the_csv_crate_writes_is_read_back_cell_by_cell(
        width in 2..5_usize,
        cells in prop::collection::vec("[a-c \"',;\t\n\r#é。-]{0,12}", 1..60),
        separator in prop::sample::select(&[b',', b';', b'\t', b'|'][..]),
        crlf in any::<bool>(),
    ) {
        let header: Vec<String> = (0..width).map(|n| format!("name {n}")).collect();
        let mut rows: Vec<Vec<String>> = cells.chunks_exact(width).map(<[String]>::to_vec).collect();
        // A first cell without blanks around it tells rows from headers of several lines.
        rows.iter_mut().for_each(|row| row[0].insert(0, 'x'));
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().delimiter(separator).terminator(terminator).from_writer(Vec::new());
        writer.write_record(&header).unwrap();
        rows.iter().for_each(|row| writer.write_record(row).unwrap());
        let options = ReadOptions {
            text_columns: vec!["1".into()],
            delimiter: Some(char::from(separator)),
            ..ReadOptions::default()
        };
        let (_, items) = bytes("x.csv", writer.into_inner().unwrap(), &options).unwrap();
        let read: Vec<Vec<String>> = items.into_iter().map(|row| row.unwrap().cells).collect();
        prop_assert_eq!(read, rows);
    }

    #[test]
    fn any_bytes_are_refused_or_read_the_same_every_time(
        format in prop::sample::select(&FileFormat::ALL[..]),
        named in any::<bool>(),
        start in prop::sample::select(STARTS),
        rest in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"\",\n\r {}\0"[..])], 0..300),
    ) {
        let content = [start, &rest].concat();
        let options = ReadOptions { format: named.then_some(format), ..ReadOptions::default() };
        let one = bytes("x", content.clone(), &options);
        let two = bytes("x", content, &options);
        match (one, two) {
            (Ok((one, first)), Ok((two, second))) => {
                prop_assert_eq!((one.form, one.columns, one.layout), (two.form, two.columns, two.layout));
                prop_assert_eq!(first, second);
            }
            (Err(one), Err(two)) => prop_assert_eq!(one.public(), two.public()),
            _ => prop_assert!(false, "once refused, once read"),
        }
    }

    #[test]
    fn a_fixture_with_any_byte_changed_does_not_panic(
        name in prop::sample::select(&["qualtrics.csv", "surveymonkey.xlsx", "gzipped.csv.gz", "reviews.jsonl"][..]),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut content = std::fs::read(path(name)).unwrap();
        let at = at.index(content.len());
        content[at] = byte;
        if let Ok((table, items)) = bytes(name, content, &ReadOptions::default()) {
            for row in items.into_iter().flatten() {
                prop_assert_eq!(row.cells.len(), table.columns.len());
            }
        }
    }
}
