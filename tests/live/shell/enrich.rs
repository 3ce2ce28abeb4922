//! `attune enrich`: twice is once, killed is whole, and what can't be used is named.

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use super::{HELPDESK, Place, QUARANTINED, RECORDED, ROWS, enrich, stderr};

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_recorded_once_and_its_totals_add_up() {
    for place in Place::all().await {
        let input = place.file("crm.csv", HELPDESK);
        place.succeeds(&["migrate"]);
        let output = place.path("enriched.csv").display().to_string();
        let first = [enrich(&input), vec!["-o", &output]].concat();
        let done = &place.json(&first)[0];
        assert_eq!(
            (done["read"].as_u64(), done["recorded"].as_u64()),
            (Some(ROWS), Some(RECORDED)),
            "{done}"
        );
        assert_eq!((done["known"].as_u64(), done["quarantined"].as_u64()), (Some(1), Some(QUARANTINED)));
        let before = place.dump().await;
        let told = place.succeeds(&[first, vec!["--overwrite"]].concat());
        assert!(told.starts_with("46 rows read: 0 recorded, 41 known already, 5 quarantined ("), "{told}");
        assert_eq!(place.dump().await, before);
        written(&std::fs::read_to_string(&output).unwrap());
        quarantined(&std::fs::read_to_string(format!("{output}.quarantine.csv")).unwrap());
        let again = place.fails(73, &[enrich(&input), vec!["-o", &output]].concat());
        assert!(again.contains("--overwrite"), "{again}");
        place.close().await;
    }
}

fn written(output: &str) {
    let mut lines = output.lines();
    let head = "customer,sentiment_level,momentum,lifecycle_stage,churn_risk,active_signals,interactions,\
                last_interaction_at,profile_as_of";
    assert_eq!(lines.next(), Some(head));
    assert_eq!(output.lines().count(), 18, "{output}");
    assert!(output.contains("\n\"'=HYPERLINK("), "{output}");
    let borealis = output.lines().find(|line| line.starts_with("borealis,")).unwrap();
    let cells: Vec<&str> = borealis.split(',').collect();
    assert_eq!((cells[3], cells[6], cells[7]), ("retention", "4", "2025-09-25T17:30:00Z"));
}

fn quarantined(quarantine: &str) {
    let lines: Vec<&str> = quarantine.lines().collect();
    let expected = [
        "row,place,reason",
        "11,18,customer: is required",
        "16,23,\"time: expected a time such as",
        "34,41,\"text: is empty, and there is no score\"",
        "39,46,has 9 cells where the header has 7",
        "40,47,time: lies in the future",
    ];
    assert_eq!(lines.len(), expected.len(), "{quarantine}");
    for (line, start) in lines.iter().zip(expected) {
        assert!(line.starts_with(start), "{line}\n{quarantine}");
    }
}

/// The made-up export many times over, each time with other tickets.
fn long() -> String {
    let mut lines = HELPDESK.lines();
    let mut text = format!("{}\n", lines.next().unwrap());
    for n in 1..=12 {
        for line in HELPDESK.lines().skip(1) {
            writeln!(text, "{}", line.replace("100", &format!("{n}00"))).unwrap();
        }
    }
    text
}

/// Runs until a block is kept; a run that is done sooner is none.
fn until_kept(place: &Place, arguments: &[&str]) -> Option<Child> {
    let mut command = place.command(arguments);
    command.args(["--log", "info,ort=off", "--set", "log.format=json"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("a block is kept") {
        line.clear();
        if lines.read_line(&mut line).unwrap() == 0 {
            child.wait().unwrap();
            return None;
        }
    }
    Some(child)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_and_run_again_the_store_is_that_of_an_undisturbed_run() {
    let small = ["--batch", "24"];
    for (whole, place) in Place::all().await.into_iter().zip(Place::all().await) {
        let input = whole.file("crm.csv", &long());
        whole.succeeds(&["migrate"]);
        whole.succeeds(&[&enrich(&input)[..], &small].concat());
        let expected = whole.dump().await;
        assert!(expected.len() > 900, "{}", expected.len());
        whole.close().await;
        let input = place.file("crm.csv", &long());
        let arguments = [&enrich(&input)[..], &small].concat();
        place.succeeds(&["migrate"]);
        for kill in 0..3 {
            let mut child = until_kept(&place, &arguments).expect("still at work");
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(place.path("crm.csv.attune-checkpoint").exists(), "{kill}");
        }
        let told = place.succeeds(&arguments);
        assert!(told.contains("went on after row"), "{told}");
        assert!(told.starts_with("552 rows read: "), "{told}");
        assert!(place.dump().await == expected, "the stores differ: {}", place.url);
        assert!(!place.path("crm.csv.attune-checkpoint").exists());
        place.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_clear_ends_before_anything_is_recorded() {
    let place = Place::sqlite();
    let input = place.file("crm.csv", HELPDESK);
    for (more, said) in [
        (&["--customer-column", "Account"][..], "no column \"Account\"; it has Ticket ID, Requester"),
        (&["--time-column", "Sent"], "time-column"),
        (&["-o", &input], "is the input"),
        (&["--batch", "0"], "expected 1 to 4096"),
        (&["--channel", "pigeon"], "expected chat"),
    ] {
        let told = place.fails(65, &[&enrich(&input)[..], more].concat());
        assert!(told.contains(said), "{told}");
    }
    let nowhere = crate::command::attune().args(enrich(&input)).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(70));
    assert!(stderr(&nowhere).contains("set storage.url"), "{}", stderr(&nowhere));
}
