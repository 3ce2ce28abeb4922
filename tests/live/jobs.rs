//! `attune jobs` against a service as a process: created, watched, listed, killed and gone on with.

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Output, Stdio};

use crate::command::attune;
use crate::server::Serving;

/// Several blocks of new texts.
const ROWS: usize = 1600;
const TIME: &str = "2026-01-01T00:00:00Z";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(place.path("data")).unwrap();
        let mut rows = String::from("id,comment\n");
        for n in 0..ROWS {
            writeln!(rows, "{n},\"The parcel number {n} came too late, and nobody answered.\"").unwrap();
        }
        std::fs::write(place.path("data/in.csv"), rows).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn serve(&self) -> Serving {
        let settings = [
            format!("jobs.directory={}", self.text("jobs")),
            format!("jobs.directories={}", self.text("data")),
            "jobs.checkpoint_ms=0".to_owned(),
        ];
        let arguments: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
        Serving::start(&arguments)
    }
}

/// Runs `attune jobs` against a service.
fn jobs(serving: &Serving, arguments: &[&str]) -> Output {
    let url = format!("http://{}", serving.grpc);
    attune().arg("jobs").args(arguments).args(["--server", &url]).output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_str(said(output).lines().last().unwrap()).unwrap()
}

#[test]
fn a_job_whose_service_is_killed_writes_what_attune_score_writes() {
    let place = Place::new();
    let (input, output) = (place.text("data/in.csv"), place.text("data/out.csv"));
    let serving = place.serve();
    let create =
        ["create", &input, "-o", &output, "--scored-at", TIME, "--idempotency-key", "k", "--format", "json"];
    let created = json(&jobs(&serving, &create));
    let id = created["id"].as_str().unwrap().to_owned();
    let mut watching = attune()
        .args(["jobs", "watch", &id, "--format", "json", "--server", &format!("http://{}", serving.grpc)])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines().map_while(Result::ok);
    let begun = |line: &String| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["rows"]["read"].as_u64() > Some(0)
    };
    assert!(lines.any(|line| begun(&line)));
    // SIGKILL, at any moment.
    drop(serving);
    assert!(!watching.wait().unwrap().success());
    assert!(!place.path("data/out.csv").exists());

    let serving = place.serve();
    assert_eq!(json(&jobs(&serving, &create))["id"], created["id"]);
    let done = json(&jobs(&serving, &["watch", &id, "--format", "json"]));
    assert_eq!((&done["state"], &done["rows"]["written"]), (&"succeeded".into(), &ROWS.into()));
    let text = said(&jobs(&serving, &["list", "--state", "succeeded"]));
    assert!(text.starts_with(&id) && text.contains("1600 rows"), "{text}");
    assert!(said(&jobs(&serving, &["get", &id])).contains("1600 read: 1600 written, 0 quarantined"));
    assert!(serving.terminate().success());

    let direct = place.text("direct.csv");
    let score = attune().args(["score", &input, "-o", &direct, "--scored-at", TIME]).output().unwrap();
    assert!(score.status.success(), "{}", String::from_utf8_lossy(&score.stderr));
    assert!(std::fs::read(place.path("data/out.csv")).unwrap() == std::fs::read(direct).unwrap());
}

#[test]
fn mistakes_about_jobs_get_a_sentence_and_an_exit_code() {
    let place = Place::new();
    let serving = place.serve();
    let (input, output) = (place.text("data/in.csv"), place.text("data/out.csv"));
    let outside = place.text("in.csv");
    let create = |more: &[&'static str]| {
        let mut arguments = vec!["create".to_owned(), input.clone(), "-o".into(), output.clone()];
        arguments.extend(more.iter().map(|more| (*more).to_owned()));
        arguments
    };
    let rows: [(Vec<String>, i32, &str); 5] = [
        (vec!["create".into(), outside, "-o".into(), output.clone()], 65, "jobs.directories"),
        (create(&["--to", "parquet", "--bom"]), 65, "byte order mark"),
        (create(&["--from", "odd"]), 65, "--from"),
        (create(&["--text-column", "answer", "--watch"]), 65, "the job has failed: spec.text_columns"),
        (vec!["get".into(), "nobody".into()], 66, "no such job"),
    ];
    for (arguments, code, message) in rows {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = jobs(&serving, &arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(message), "{arguments:?}: {said}");
    }
    // What has ended stays as it is.
    let listed = json(&jobs(&serving, &["list", "--format", "json"]));
    let cancelled = json(&jobs(&serving, &["cancel", listed["id"].as_str().unwrap(), "--format", "json"]));
    assert_eq!(cancelled["state"], "failed");
}
