//! Cells of a sheet as text.

use calamine::ExcelDateTimeType;

use super::super::tests::bytes;
use super::super::{Input, open};
use super::*;

fn rows(name: &str) -> Vec<Vec<String>> {
    let path = std::path::Path::new("tests/fixtures/exports").join(name);
    let table = open(&Input::File(path), &ReadOptions::default()).unwrap();
    table.rows.map(|row| row.unwrap()).map(|row| [vec![row.place.to_string()], row.cells].concat()).collect()
}

#[test]
fn numbers_dates_and_missing_cells_are_written_as_people_expect() {
    assert_eq!(
        rows("surveymonkey.xlsx")[1],
        [
            "4",
            "118300002",
            "4002",
            "2026-03-01 12:00:00",
            "2026-03-01 18:00:00",
            "192.0.2.31",
            "Nothing at all, it was a waste of time",
            "1",
        ]
    );
    assert_eq!(rows("surveymonkey.xlsx")[2][6], "");
    let labelled = rows("surveymonkey_labels.xlsx");
    assert_eq!(labelled[0][1..4], ["00118400001", "4003", "2026-03-01"]);
    assert_eq!(labelled[1].last().unwrap(), "A carrier pigeon was involved");
    let time = |value, kind| date(&ExcelDateTime::new(value, kind, false));
    assert_eq!(time(0.75, ExcelDateTimeType::DateTime), "18:00:00");
    assert_eq!(time(1.5, ExcelDateTimeType::TimeDelta), "36:00:00");
}

#[test]
fn a_sheet_that_is_not_there_is_told_with_those_that_are() {
    let content = std::fs::read("tests/fixtures/exports/surveymonkey.xlsx").unwrap();
    let options = ReadOptions { sheet: Some("Other".into()), ..ReadOptions::default() };
    let error = bytes("x.xlsx", content.clone(), &options).err().unwrap();
    assert_eq!(error.public(), "x.xlsx has no sheet \"Other\"; it has \"Responses\"");
    let error =
        bytes("x.xlsx", content[..content.len() - 30].to_vec(), &ReadOptions::default()).err().unwrap();
    assert!(error.public().contains("no sound XLSX file"), "{error}");
}

#[test]
fn a_merged_header_names_two_columns_and_a_title_above_it_none() {
    let row = |cells: &[&str]| {
        let cells = cells.iter().map(|cell| (*cell).to_owned()).collect();
        Ok(Record { place: 1, cells, blank: false })
    };
    let first = |rows: Vec<Result<Record, Fault>>| {
        let (mut rows, titles) = headed(Box::new(rows.into_iter()));
        (rows.next().unwrap().unwrap().cells.join("|"), titles, rows.count())
    };
    let (header, wide) = (["id", "comment", "score"], row(&["2", "fine", "2", "3"]));
    assert_eq!(
        first(vec![row(&header), row(&["1", "fine"]), wide.clone()]),
        ("id|comment|score|".into(), 0, 2)
    );
    let title = || row(&["Answers of March"]);
    assert_eq!(first(vec![title(), row(&header), wide]), ("id|comment|score|".into(), 1, 1));
    // A table of one column or two has no title that could be told from its header.
    assert_eq!(first(vec![title(), row(&["1", "fine"])]), ("Answers of March".into(), 0, 1));
    assert_eq!(first(vec![title(), row(&["fine"])]), ("Answers of March".into(), 0, 1));
}
