//! Lines in files: torn, full, locked, many at once.

use std::sync::Arc;

use super::*;
use crate::storage::OutboxEvent;

fn settings(folder: &Path) -> FileSettings {
    FileSettings { path: folder.join("events.jsonl"), sync: true, rotate_bytes: 100, keep_files: 0 }
}

fn delivery(body: &str) -> Delivery {
    let event = OutboxEvent {
        id: "sig_1".into(),
        sink: "file".into(),
        kind: "nps_conflict".into(),
        at_ms: 0,
        body: body.into(),
    };
    let (tenant, customer) = (String::new(), "c".into());
    Delivery { sequence: 1, tenant, customer, event, attempts: 0, error: None }
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn every_event_is_a_line_and_lines_of_before_stay() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    for body in ["{\"n\":1}", "{\"n\":\n2}"] {
        JsonLines::open(settings.clone()).unwrap().send(&delivery(body)).await.unwrap();
    }
    assert_eq!(text(&settings.path), "{\"n\":1}\n{\"n\": 2}\n");
}

#[tokio::test]
async fn a_torn_last_line_is_cut_off() {
    for (before, after) in [("1\n2\n{\"to", "1\n2\n3\n"), ("{\"to", "3\n"), ("", "3\n"), ("1\n", "1\n3\n")] {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        std::fs::write(&settings.path, before).unwrap();
        JsonLines::open(settings.clone()).unwrap().send(&delivery("3")).await.unwrap();
        assert_eq!(text(&settings.path), after, "{before:?}");
    }
}

#[tokio::test]
async fn a_full_file_is_put_aside_and_the_oldest_are_removed_only_when_that_is_asked_for() {
    for (keep_files, kept) in [(0, vec!["000001", "000002", "000003"]), (2, vec!["000002", "000003"])] {
        let folder = tempfile::tempdir().unwrap();
        let settings = FileSettings { keep_files, ..settings(folder.path()) };
        // A file of somebody else is none of ours.
        std::fs::write(folder.path().join("events.jsonl.bak"), "").unwrap();
        let sink = JsonLines::open(settings.clone()).unwrap();
        for n in 0..7 {
            sink.send(&delivery(&format!("{{\"n\":{n},\"x\":\"{}\"}}", "x".repeat(30)))).await.unwrap();
        }
        let numbers: Vec<String> =
            numbered(&settings.path).unwrap().iter().map(|(n, _)| format!("{n:06}")).collect();
        assert_eq!(numbers, kept);
        for (_, path) in numbered(&settings.path).unwrap() {
            assert!(text(&path).len() <= 100 && text(&path).ends_with('\n'));
        }
        assert_eq!(text(&settings.path).lines().count(), 1);
        assert!(folder.path().join("events.jsonl.bak").exists());
    }
}

#[tokio::test]
async fn a_line_longer_than_a_file_gets_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let sink = JsonLines::open(settings.clone()).unwrap();
    sink.send(&delivery(&format!("\"{}\"", "x".repeat(500)))).await.unwrap();
    sink.send(&delivery("2")).await.unwrap();
    assert_eq!(text(&settings.path), "2\n");
}

#[test]
fn one_process_writes_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = JsonLines::open(settings(folder.path())).unwrap();
    let error = JsonLines::open(settings(folder.path())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition);
    assert!(error.public().contains("another process writes it"), "{error}");
    drop(first);
    JsonLines::open(settings(folder.path())).unwrap();
    assert!(JsonLines::open(settings(Path::new("/nowhere/at/all"))).is_err());
}

#[tokio::test]
async fn lines_of_many_at_once_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let settings = FileSettings { rotate_bytes: 1 << 20, ..settings(folder.path()) };
    let sink = Arc::new(JsonLines::open(settings.clone()).unwrap());
    let sending: Vec<_> = (0..50)
        .map(|n| {
            let sink = Arc::clone(&sink);
            tokio::spawn(async move { sink.send(&delivery(&format!("[{n}]"))).await.unwrap() })
        })
        .collect();
    for sent in sending {
        sent.await.unwrap();
    }
    let mut lines: Vec<String> = text(&settings.path).lines().map(str::to_owned).collect();
    lines.sort_unstable();
    let mut expected: Vec<String> = (0..50).map(|n| format!("[{n}]")).collect();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}
