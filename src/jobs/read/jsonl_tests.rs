//! Fields keep their order and their values as they are written.

use super::super::tests::bytes;
use super::*;

#[test]
fn fields_are_read_in_their_order_and_as_they_are_written() {
    let read = |line: &str| fields(line).map(|pairs| format!("{pairs:?}"));
    assert_eq!(
        read(r#" {"b":1.0,"a":"x\ny","c":null,"d":[1, {}],"e":true} "#).unwrap(),
        r#"[("b", "1.0"), ("a", "x\ny"), ("c", ""), ("d", "[1, {}]"), ("e", "true")]"#
    );
    for (line, expected) in [
        ("[1]", "is no JSON object"),
        ("7", "is no JSON object"),
        ("{\"a\":1} x", "is no JSON from byte 9 on"),
        ("{\"a\":", "is no JSON from byte 5 on"),
        (r#"{"a":"\ud800"}"#, "has a string that is no Unicode text"),
    ] {
        assert!(fields(line).unwrap_err().starts_with(expected), "{line}: {:?}", fields(line));
    }
}

#[test]
fn a_field_that_first_occurs_at_the_end_is_a_column() {
    let mut text = "{\"id\":\"1\",\"comment\":\"it was all right\"}\n".repeat(400);
    text += "{\"comment\":\"late\",\"why\":\"because\"}\n";
    let (table, rows) = bytes("x.jsonl", text, &ReadOptions::default()).unwrap();
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["id", "comment", "why"]);
    assert_eq!(rows.last().unwrap().as_ref().unwrap().cells, ["", "late", "because"]);
}
