//! What a request may say, and how two are told apart.

use super::*;

fn spec() -> Spec {
    Spec { input: "/data/in.csv".into(), output: "/data/out.csv".into(), ..Spec::default() }
}

#[test]
fn what_breaks_a_rule_is_refused_with_its_field() {
    let long = || "x".repeat(NAME_BYTES + 1);
    let report =
        |uri: &str, by: Option<String>| Some(ReportSpec { uri: uri.into(), by_column: by, no_redact: false });
    let rows = [
        (Spec { input: String::new(), ..spec() }, "spec.input"),
        (Spec { input: "/x\0y".into(), ..spec() }, "spec.input"),
        (Spec { output: "/".repeat(URI_BYTES + 1), ..spec() }, "spec.output"),
        (Spec { output: "/data/out".into(), ..spec() }, "spec.output_format"),
        (
            Spec { output: "/data/out.parquet".into(), byte_order_mark: true, ..spec() },
            "spec.byte_order_mark",
        ),
        (Spec { id_column: Some(long()), ..spec() }, "spec.id_column"),
        (Spec { sheet: Some(long()), ..spec() }, "spec.sheet"),
        (Spec { text_columns: vec![long()], ..spec() }, "spec.text_columns"),
        (Spec { text_columns: vec!["a".into(); TEXT_COLUMNS + 1], ..spec() }, "spec.text_columns"),
        (Spec { scored_at: Some("yesterday".into()), ..spec() }, "spec.scored_at"),
        (Spec { report: report("", None), ..spec() }, "spec.report.uri"),
        (Spec { report: report("/data/r.html", Some(long())), ..spec() }, "spec.report.by_column"),
    ];
    for (wrong, field) in rows {
        let error = wrong.check().unwrap_err();
        assert_eq!(error.field(), Some(field), "{error}");
    }
    spec().check().unwrap();
    Spec { output: "s3://b/out".into(), output_format: Some(FormatName::Jsonl), ..spec() }.check().unwrap();
}

#[test]
fn the_first_field_that_differs_is_named() {
    let report = Some(ReportSpec { uri: "/data/r.html".into(), ..ReportSpec::default() });
    let redacted = Spec { report: report.clone(), ..spec() };
    let quoted = Spec { report: report.map(|report| ReportSpec { no_redact: true, ..report }), ..spec() };
    for (one, other, expected) in [
        (spec(), spec(), None),
        (spec(), Spec { delimiter: Some(';'), ..spec() }, Some("spec.delimiter")),
        (spec(), redacted.clone(), Some("spec.report")),
        (redacted, quoted, Some("spec.report.no_redact")),
    ] {
        assert_eq!(one.difference(&other).as_deref(), expected);
    }
}

#[test]
fn a_request_is_read_back_as_it_was_written() {
    let spec = Spec {
        input_format: Some(FileFormat::Xlsx),
        output_format: Some(FormatName::Parquet),
        delimiter: Some(';'),
        report: Some(ReportSpec { uri: "/data/r.html".into(), ..ReportSpec::default() }),
        ..spec()
    };
    let text = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<Spec>(&text).unwrap(), spec);
}
