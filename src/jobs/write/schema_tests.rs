//! Names and values of the output's columns, in every format.

use super::super::super::samples::{assessment, columns, layout, row, scored};
use super::super::Format;
use super::*;
use crate::domain::Status;

fn names(columns: &[Column], layout: &Layout) -> Vec<String> {
    Schema::new(columns, layout, "tiny@1", "t").names().map(str::to_owned).collect()
}

#[test]
fn one_text_column_has_plain_names_and_several_have_theirs_in_front() {
    let fields = FIELDS.map(|(name, _)| name);
    let one = names(&columns(&["id", "comment"]), &layout(&[1]));
    let expected = [&["id", "comment"], &fields[..], &["model_version", "scored_at", "source_id"]].concat();
    assert_eq!(one, expected);
    let mut asked = columns(&["q1", "q2"]);
    asked[1].question = Some("Anything else?".into());
    let two = names(&asked, &layout(&[0, 1]));
    assert_eq!(two.len(), 2 + 2 * fields.len() + 1 + 3);
    assert!(two.contains(&"q1_status".into()) && two.contains(&"q2_question".into()), "{two:?}");
    assert!(!two.contains(&"q1_question".into()));
}

#[test]
fn a_name_that_the_input_has_is_not_used_again() {
    let found = names(&columns(&["text", "Status", "attune_status", "LANGUAGE"]), &layout(&[0]));
    assert!(found.contains(&"attune_status_2".into()) && found.contains(&"attune_language".into()));
    let mut lower: Vec<String> = found.iter().map(|name| name.to_lowercase()).collect();
    lower.sort();
    lower.dedup();
    assert_eq!(lower.len(), found.len(), "{found:?}");
}

#[test]
fn a_row_without_a_score_says_why() {
    let empty = Assessment { status: Status::Empty, sentiment: None, ..assessment(0.5, &[]) };
    let foreign = Assessment {
        status: Status::UnsupportedLanguage,
        sentiment: None,
        language: Some("de".into()),
        ..assessment(0.5, &[])
    };
    for (outcome, status, missing) in [
        (Ok(assessment(0.5, &[])), "ok", 0),
        (Ok(empty), "empty", 4),
        (Ok(foreign), "unsupported_language", 4),
        (Err("the text has 9 tokens".to_owned()), "error: the text has 9 tokens", 6),
    ] {
        let schema = Schema::new(&columns(&["text"]), &layout(&[0]), "m", "t");
        let row = scored(row(1, &["hi"]), vec![(0, outcome)]);
        let values: Vec<(String, Value<'_>)> =
            schema.names().map(str::to_owned).zip(schema.values(&row)).collect();
        let of = |name: &str| values.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        assert_eq!(of("status"), Some(Value::Text(status.into())));
        assert_eq!(of("input_hash"), Some(Value::Text("8f434346648f6b96".into())));
        let scores = ["sentiment_score", "sentiment_label", "emotions", "cues", "language", "coverage"];
        let found = scores.iter().filter(|name| of(name) == Some(Value::Missing)).count();
        assert_eq!(found, missing, "{status}");
    }
}

#[test]
fn the_source_id_is_the_rows_own_id_or_its_number() {
    let with_id = Layout { id: Some(0), ..layout(&[1]) };
    for (layout, cells, expected) in
        [(&with_id, ["007", "x"], "007"), (&with_id, ["", "x"], "12"), (&layout(&[1]), ["007", "x"], "12")]
    {
        let schema = Schema::new(&columns(&["id", "text"]), layout, "m", "t");
        let row = scored(row(12, &cells), vec![(1, Err("no".into()))]);
        let last = schema.values(&row).last().unwrap();
        assert_eq!(last, Value::Text(expected.into()));
    }
}

#[test]
fn numbers_have_four_decimals_and_no_negative_zero() {
    for (value, text) in [(0.123_456, "0.1235"), (-0.000_01, "0"), (1.0, "1"), (-0.5, "-0.5")] {
        assert_eq!(rounded(value).to_string(), text);
    }
}

#[test]
fn json_lines_hold_labels_with_their_probabilities_and_null_for_what_is_not_known() {
    let schema = Schema::new(&columns(&["text"]), &layout(&[0]), "m", "t");
    let encoder = Format::Jsonl.encoder(schema);
    let mut out = Vec::new();
    encoder.head(&mut out);
    let found = assessment(0.75, &[("joy", 0.912_345)]);
    encoder.row(&scored(row(1, &["=say \"hi\"\n"]), vec![(0, Ok(found))]), &mut out);
    encoder.row(&scored(row(2, &["x"]), vec![(0, Err("no".into()))]), &mut out);
    let lines: Vec<serde_json::Value> =
        std::str::from_utf8(&out).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines[0]["text"], "=say \"hi\"\n");
    assert_eq!(lines[0]["sentiment_score"], 0.5);
    assert_eq!(lines[0]["emotions"], serde_json::json!([{ "label": "joy", "probability": 0.9123 }]));
    assert_eq!(lines[0]["cues"], serde_json::json!([]));
    assert_eq!((&lines[1]["emotions"], &lines[1]["status"]), (&serde_json::Value::Null, &"error: no".into()));
    assert_eq!(lines[1]["source_id"], "2");
}

#[test]
fn parquet_holds_the_same_cells_with_types() {
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use ::parquet::record::Field as Cell;
    let directory = tempfile::tempdir().unwrap();
    let (part, output) = (directory.path().join("part"), directory.path().join("out.parquet"));
    let schema = Schema::new(&columns(&["text"]), &layout(&[0]), "m", "t");
    let encoder = Format::Parquet.encoder(schema.clone());
    let mut out = Vec::new();
    encoder.head(&mut out);
    encoder.row(&scored(row(1, &["=a,\nb"]), vec![(0, Ok(assessment(0.75, &[("joy", 0.9)])))]), &mut out);
    encoder.row(&scored(row(2, &[""]), vec![(0, Err("no".into()))]), &mut out);
    std::fs::write(&part, out).unwrap();
    assert!(Format::Parquet.assemble(&schema, &part, &output).unwrap());
    let first = std::fs::read(&output).unwrap();
    assert!(Format::Parquet.assemble(&schema, &part, &output).unwrap());
    assert_eq!(std::fs::read(&output).unwrap(), first);
    let reader = SerializedFileReader::new(std::fs::File::open(&output).unwrap()).unwrap();
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    let cell = |row: usize, name: &str| {
        rows[row].get_column_iter().find(|(n, _)| *n == name).map(|(_, cell)| cell.clone()).unwrap()
    };
    assert_eq!(cell(0, "text"), Cell::Str("=a,\nb".into()));
    assert_eq!(cell(0, "sentiment_score"), Cell::Double(0.5));
    assert_eq!(cell(0, "emotions"), Cell::Str("joy".into()));
    assert_eq!((cell(1, "text"), cell(1, "sentiment_score")), (Cell::Str(String::new()), Cell::Null));
    assert_eq!(rows.len(), 2);
}
