//! Names, questions and the rows that a header takes.

use super::*;

fn record(cells: &[&str]) -> Record {
    Record { place: 1, cells: cells.iter().map(|cell| (*cell).to_owned()).collect(), blank: false }
}

fn header(rows: &[&[&str]], named: bool, detect: bool) -> Header {
    let records: Vec<Record> = rows.iter().map(|row| record(row)).collect();
    read(&records.iter().collect::<Vec<_>>(), named, detect)
}

fn names(header: &Header) -> Vec<&str> {
    header.fields.iter().map(|field| field.name.as_str()).collect()
}

#[test]
fn a_row_of_import_ids_ends_the_header_of_qualtrics() {
    let ids: &[&str] = &["{\"ImportId\":\"QID1_TEXT\"}", "{\"ImportId\":\"_recordId\"}"];
    let three = header(&[&["Q1", "ResponseId"], &["Why,\n<b>really</b>?", "Response ID"], ids], false, true);
    assert_eq!((three.tool, three.rows), (Tool::Qualtrics, 3));
    assert_eq!(three.fields[0].question.as_deref(), Some("Why, really?"));
    assert_eq!(three.fields[0].import_id.as_deref(), Some("QID1_TEXT"));
    let two = header(&[&["Q1", "ResponseId"], ids, &["text", "R_1"]], false, true);
    assert_eq!((two.tool, two.rows, two.fields[0].question.clone()), (Tool::Qualtrics, 2, None));
    assert_eq!(header(&[&["Q1", "ResponseId"], ids], false, false).rows, 1);
    assert_eq!(header(&[&["Q1", "ResponseId"], ids], true, true).rows, 1);
    assert_eq!(header(&[&["a", "b"], &["{\"x\":1}", "2"]], false, true).tool, Tool::Unknown);
}

#[test]
fn blanks_of_survey_monkeys_first_row_continue_the_question() {
    let first: &[&str] = &["Respondent ID", "Collector ID", " Which? ", "", "", "Why?"];
    let labels: &[&str] = &["", "", "Phone", "Chat", " ", "Open-Ended Response"];
    let found = header(&[first, labels, &["1", "2"]], false, true);
    assert_eq!((found.tool, found.rows), (Tool::SurveyMonkey, 2));
    assert_eq!(
        names(&found),
        ["Respondent ID", "Collector ID", "Which? - Phone", "Which? - Chat", "Which?", "Why?"]
    );
    assert_eq!(found.fields[3].question.as_deref(), Some("Which?"));
    assert_eq!(header(&[first, &["1", "2", "x"]], false, true).rows, 1);
    let short = header(&[&["Respondent ID", "Collector ID", "Which?"], labels], false, true);
    assert_eq!(short.fields.len(), 6);
}

#[test]
fn names_are_unique_and_never_empty() {
    let found = header(&[&["a", "", "a", "a (2)", "a", " b ", "column 2"]], false, true);
    assert_eq!(names(&found), ["a", "column 2 (2)", "a (3)", "a (2)", "a (4)", "b", "column 2"]);
}
