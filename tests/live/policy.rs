//! The embedded model and the default policy on labelled conversations that neither was made from, and the commands that
//! fit and explain a policy.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::Value;

use crate::command::{run, succeeds};

const HELD_OUT: &str = "tests/fixtures/escalation/held_out.jsonl";
const FIT: &str = "tests/fixtures/escalation/fit.jsonl";

/// What is at least reached on a file, and at most: up to .09 off what the embedded model and the default policy reach.
type Bounds = &'static [(&'static str, f64)];
const BOUNDS: &[(&str, Bounds, Bounds)] = &[
    (
        HELD_OUT,
        &[
            ("average_precision", 0.95),
            ("detection_f1", 0.80),
            ("forecast_recall", 0.75),
            ("recovered_found", 0.85),
        ],
        &[("false_alarm_share", 0.17), ("recovered_wrongly", 0.25)],
    ),
    // Most of these escalate without a strong word, or in passing.
    (
        "tests/fixtures/escalation/held_out_indirect.jsonl",
        &[
            ("average_precision", 0.86),
            ("detection_f1", 0.64),
            ("forecast_recall", 0.60),
            ("recovered_found", 0.91),
        ],
        &[("false_alarm_share", 0.13), ("recovered_wrongly", 0.22)],
    ),
    (
        "tests/fixtures/escalation/held_out_plain.jsonl",
        &[("average_precision", 0.88), ("detection_f1", 0.78), ("recovered_found", 0.91)],
        &[("false_alarm_share", 0.20), ("recovered_wrongly", 0.32)],
    ),
    // One to three turns of the customer's, and something said outright.
    (
        "tests/fixtures/escalation/held_out_short.jsonl",
        &[("average_precision", 0.93), ("detection_f1", 0.78)],
        &[("false_alarm_share", 0.09)],
    ),
    // Thirty-odd trades, said outright and in passing, short and long.
    (
        "tests/fixtures/escalation/held_out_mixed.jsonl",
        &[
            ("average_precision", 0.87),
            ("detection_f1", 0.80),
            ("forecast_recall", 0.62),
            ("recovered_found", 0.91),
        ],
        &[("false_alarm_share", 0.26), ("recovered_wrongly", 0.24)],
    ),
    // Everyday matters of 83 trades, by eight writers; the widest.
    (
        "tests/fixtures/escalation/held_out_broad.jsonl",
        &[
            ("average_precision", 0.93),
            ("detection_f1", 0.81),
            ("forecast_recall", 0.67),
            ("recovered_found", 0.92),
        ],
        &[("false_alarm_share", 0.13), ("recovered_wrongly", 0.19)],
    ),
    // Made of what is hardest: dangers in a subordinate clause, and strong words that are not meant for the company.
    (
        "tests/fixtures/escalation/held_out_hard.jsonl",
        &[("average_precision", 0.75), ("detection_f1", 0.58), ("recovered_found", 0.91)],
        &[("false_alarm_share", 0.22), ("recovered_wrongly", 0.22)],
    ),
];

/// The numbers of a backtest by name, printed so that a floor can be set by them.
fn measured(which: &str, report: &Value) -> BTreeMap<String, f64> {
    let numbers = report[which]["numbers"].as_array().unwrap().iter();
    let numbers = numbers.filter_map(|n| Some((n["name"].as_str()?.to_owned(), n["value"].as_f64()?)));
    let numbers: BTreeMap<String, f64> = numbers.collect();
    for (name, value) in &numbers {
        let _ = writeln!(std::io::stderr(), "{which} {name} {value:.3}");
    }
    numbers
}

#[test]
fn the_default_policy_is_as_good_as_it_was_on_conversations_it_was_not_made_from() {
    let directory = tempfile::tempdir().unwrap();
    let json = directory.path().join("backtest.json");
    for (data, floors, ceilings) in BOUNDS {
        let json = json.to_str().unwrap();
        succeeds(&["policy", "backtest", "--data", data, "--json", json, "--resamples", "0"]);
        let report: Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
        let numbers = measured("current", &report);
        let low = floors.iter().filter(|(name, floor)| numbers[*name] < *floor);
        let high = ceilings.iter().filter(|(name, ceiling)| numbers[*name] > *ceiling);
        let broken: Vec<String> = low
            .chain(high)
            .map(|(name, bound)| format!("{data}: {name} {:.3}, bound {bound}", numbers[*name]))
            .collect();
        assert!(broken.is_empty(), "{broken:#?}");
    }
}

#[test]
fn a_policy_is_fitted_checked_tested_and_explained() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let ours = path("ours.toml");
    let report = succeeds(&["policy", "fit", "--data", FIT, "--name", "ours-1", "-o", &ours]);
    assert!(
        report.contains("253 conversations, 132 escalated") && report.contains("cross-validated"),
        "{report}"
    );
    assert!(succeeds(&["policy", "check", &ours]).contains("ours-1 is in order"));
    let (json, chart) = (path("b.json"), path("b.svg"));
    let table = succeeds(&[
        "policy", "backtest", "--data", HELD_OUT, "--with", &ours, "--json", &json, "--chart", &chart,
    ]);
    assert!(table.contains("default-6") && table.contains("ours-1"), "{table}");
    assert!(std::fs::read_to_string(&chart).unwrap().contains("precision, ours-1"));
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    let (old, new) = (measured("current", &report), measured("candidate", &report));
    assert!(new["average_precision"] > old["average_precision"] - 0.05, "{new:?}");
    let explained = succeeds(&["policy", "explain", "--policy", &ours]);
    assert!(
        explained.contains("cue.legal_threat") && explained.contains("raised when detection"),
        "{explained}"
    );
    let turns = succeeds(&["policy", "explain", "--data", FIT, "--conversation", "fin-003"]);
    assert!(turns.contains("marked as the escalation") && turns.contains("base -9.9"), "{turns}");
}

#[test]
fn mistakes_are_said_by_line_and_field() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let wrong = write("wrong.jsonl", "{\"id\":\"a\",\"turns\":[{\"role\":\"secret\",\"text\":\"\"}]}\n");
    let bare = write("bare.jsonl", "{\"id\":\"a\",\"turns\":[]}\n");
    let policy = write("policy.toml", "version = \"x\"\n");
    let cases: [(&[&str], i32, &str); 6] = [
        (&["policy", "backtest", "--data", "/nonexistent.jsonl"], 66, "/nonexistent.jsonl"),
        (&["policy", "backtest", "--data", &wrong], 65, "line 1: turns[0].role: expected one of customer"),
        (&["policy", "backtest", "--data", &bare], 65, "line 1: outcome: is missing"),
        (&["policy", "check", &policy], 65, "policy.toml: policy: missing field `measures`"),
        (&["policy", "explain", "--channel", "fax"], 65, "expected one of unknown, chat"),
        (&["policy", "explain", "--data", &bare, "--conversation", "b"], 66, "no conversation has this id"),
    ];
    for (arguments, code, message) in cases {
        let output = run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(message) && !stderr.contains("secret"), "{arguments:?}: {stderr}");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
}
