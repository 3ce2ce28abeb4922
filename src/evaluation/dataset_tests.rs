//! What files may look like, and what is said of the ones that look otherwise.

use super::*;

const USUAL: &[&str] = &["sentiment", "label"];

fn source(data: PathBuf) -> Source {
    Source {
        data,
        format: None,
        header: true,
        text_column: None,
        labels: Labels::Column { given: None, usual: USUAL },
        separator: Separator::Usual,
    }
}

/// The rows of a file called `name`, each as its number, text and labels, or as its number and the reason.
fn read(name: &str, content: &[u8], change: impl FnOnce(&mut Source)) -> Result<Vec<String>, Error> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, content).unwrap();
    let mut source = source(path);
    change(&mut source);
    source
        .open()?
        .map(|entry| {
            Ok(match entry? {
                Ok(row) => format!("{}: {} [{}]", row.number, row.text, row.labels.join(";")),
                Err(unreadable) => format!("{}! {}", unreadable.number, unreadable.reason),
            })
        })
        .collect()
}

#[test]
fn each_format_is_read_by_its_extension_with_its_own_separator() {
    for (name, content) in [
        ("a.csv", "label,text\n a | b ,\"one, \"\"two\"\"\"\n,three\n"),
        ("a.tsv", "label\ttext\na,b\tone, \"two\"\n\tthree\n"),
        (
            "a.jsonl",
            "{\"text\": \"one, \\\"two\\\"\", \"label\": [\"a\", \" b\"]}\n{\"text\": \"three\", \"label\": \"\"}\n",
        ),
    ] {
        let rows = read(name, content.as_bytes(), |_| ()).unwrap();
        assert_eq!(rows, ["1: one, \"two\" [a;b]", "2: three []"], "{name}");
    }
}

#[test]
fn labels_in_one_json_string_are_parted_when_the_caller_says_by_what() {
    let line = b"{\"text\": \"one\", \"label\": \"a; b\"}\n";
    let rows = read("a.jsonl", line, |s| s.separator = Separator::Given(";".into())).unwrap();
    assert_eq!(rows, ["1: one [a;b]"]);
    assert_eq!(read("a.jsonl", line, |_| ()).unwrap(), ["1: one [a; b]"]);
}

#[test]
fn columns_are_found_by_name_and_by_number_with_and_without_a_header() {
    let (with, without) = ("id,said,mood\n7,hello,good\n", "7,hello,good\n");
    for (content, header, text, label) in
        [(with, true, "said", "mood"), (with, true, "2", "3"), (without, false, "2", "3")]
    {
        let rows = read("a.csv", content.as_bytes(), |s| {
            s.header = header;
            s.text_column = Some(text.into());
            s.labels = Labels::Column { given: Some(label.into()), usual: USUAL };
        });
        assert_eq!(rows.unwrap(), ["1: hello [good]"], "{text} {label}");
    }
}

#[test]
fn a_quotation_mark_in_a_tsv_is_a_character_like_others() {
    let rows = read("a.tsv", b"\"Well said\tx\nShe said \"no\"\ty\n", |s| s.header = false).unwrap();
    assert_eq!(rows, ["1: \"Well said [x]", "2: She said \"no\" [y]"]);
}

#[test]
fn a_row_that_cannot_be_read_is_named_and_the_next_one_is_read() {
    let rows = read("a.csv", b"text,label\nonly\ncaf\xe9,x\nfine,x\n", |_| ()).unwrap();
    assert_eq!(rows, ["1! has 1 cells; column 2 is missing", "2! column 1 is not UTF-8", "3: fine [x]"]);
    let lines = "{\"text\": \"secret\n[1]\n\n{\"text\": 3}\n{\"text\": \"a\"}\n{\"text\": \"a\", \"label\": null}\n\
        {\"text\": \"b\", \"label\": 2}\n";
    let rows = read("a.jsonl", lines.as_bytes(), |_| ()).unwrap();
    assert_eq!(rows.len(), 7);
    assert!(rows.iter().all(|row| !row.contains("secret")), "{rows:?}");
    assert_eq!(rows[1], "2! not a JSON object");
    assert_eq!(rows[3], "4! field \"text\" is no string");
    assert_eq!(rows[4], "5! has no field sentiment or label");
    assert_eq!(rows[5], "6! the label is neither a string nor a list of strings");
    assert_eq!(rows[6], "7: b [2]");
}

#[test]
fn plain_lines_take_their_labels_from_a_file_beside_them() {
    let directory = tempfile::tempdir().unwrap();
    let labels = directory.path().join("labels.txt");
    std::fs::write(&labels, "2\n0,1\n").unwrap();
    let pair = |s: &mut Source| s.labels = Labels::File(labels.clone());
    let rows = read("texts.txt", b"good\nbad, so bad\n", pair).unwrap();
    assert_eq!(rows, ["1: good [2]", "2: bad, so bad [0;1]"]);
    let error = read("texts.txt", b"a\nb\nc\n", pair).unwrap_err();
    assert!(error.public().contains("labels.txt ends before line 3 of"), "{error}");
    let error = read("texts.txt", b"a\n", pair).unwrap_err();
    assert!(error.public().contains("texts.txt ends before line 2 of"), "{error}");
    assert!(read("texts.csv", b"text\na\n", pair).unwrap_err().public().contains("beside plain lines"));
}

#[test]
fn options_that_do_not_fit_the_file_say_so() {
    type Change = fn(&mut Source);
    let nothing: Change = |_| ();
    let cases: [(&str, &str, Change, &str); 6] = [
        ("a.csv", "body,label\nx,y\n", nothing, "no column text; the header has \"body\", \"label\""),
        ("a.csv", "text,mood\nx,y\n", nothing, "no column sentiment or label"),
        ("a.csv", "text,label\nx,y\n", |s| s.text_column = Some("3".into()), "no column 3"),
        ("a.csv", "text,label,text\nx,y,z\n", nothing, "the header has text twice"),
        ("a.dat", "x", nothing, "the extension tells no format"),
        ("a.txt", "x", nothing, "plain lines have no labels"),
    ];
    for (name, content, change, message) in cases {
        let error = read(name, content.as_bytes(), change).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.public().contains(message), "{error}");
    }
}

#[test]
fn a_text_that_stands_where_the_header_is_expected_is_not_quoted() {
    let content = "I have been waiting for my parcel for weeks,negative\n";
    let error = read("a.csv", content.as_bytes(), |_| ()).unwrap_err();
    assert!(!error.public().contains("parcel"), "{error}");
}
