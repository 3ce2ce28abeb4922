//! `attune score` with the real model: killed, stopped and out of room, it writes what an undisturbed run writes.

use std::fmt::Write;
use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use crate::command::attune;

/// Enough for several blocks of new texts.
const ROWS: usize = 6000;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Rows of golden texts, most of them with a number of their own, some again and again, some that can't be read.
    fn input(&self) -> PathBuf {
        let golden: Vec<String> = include_str!("../fixtures/golden/attune-en-small.jsonl")
            .lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["text"].as_str().unwrap().into()
            })
            .filter(|text: &String| text.len() < 120)
            .collect();
        let mut rows = String::from("id,comment\n");
        for n in 0..ROWS {
            let text = golden[n * 7919 % golden.len()].replace('"', "\"\"");
            match n % 500 {
                13 => rows.push_str("too,many,cells\n"),
                14 => rows.push_str("nothing said,\n"),
                15 => writeln!(rows, "{n},\"{}\"", "The engineer never came. ".repeat(150)).unwrap(),
                n if n % 3 == 0 => writeln!(rows, "{n:05},\"{text}\"").unwrap(),
                _ => writeln!(rows, "{n:05},\"{text} {n}\"").unwrap(),
            }
        }
        std::fs::write(self.path("in.csv"), rows).unwrap();
        self.path("in.csv")
    }

    /// What stands in the directory beside the input, sorted.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names.retain(|name| name != "in.csv");
        names
    }

    fn command(&self, input: &str, output: &str) -> Command {
        let mut command = attune();
        command.args(["score", input, "-o", self.path(output).to_str().unwrap()]);
        command.args(["--id-column", "id", "--scored-at", "2026-01-01T00:00:00Z"]);
        command.args(["--log", "info,ort=off", "--set", "log.format=json", "--set", "jobs.checkpoint_ms=0"]);
        command
    }

    fn run(&self, input: &str, output: &str) -> Output {
        self.command(input, output).output().unwrap()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs until it has noted `checkpoints` times that it has written rows; a run that is done sooner is none.
fn until(mut command: Command, checkpoints: usize) -> Option<(Child, BufReader<std::process::ChildStderr>)> {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let (mut line, mut seen) = (String::new(), 0);
    while seen < checkpoints {
        line.clear();
        if lines.read_line(&mut line).unwrap() == 0 {
            child.wait().unwrap();
            return None;
        }
        seen += usize::from(line.contains("\"checkpoint\""));
    }
    Some((child, lines))
}

#[test]
fn killed_stopped_or_out_of_room_the_output_is_the_same_byte_by_byte() {
    let place = Place::new();
    let input = place.input();
    let input = input.to_str().unwrap();
    let whole = place.run(input, "whole.csv");
    assert!(whole.status.success(), "{}", stderr(&whole));
    let expected = std::fs::read(place.path("whole.csv")).unwrap();
    let quarantine = std::fs::read(place.path("whole.csv.quarantine.csv")).unwrap();
    assert_eq!(expected.iter().filter(|b| **b == b'\n').count(), ROWS - ROWS / 500 + 1);
    assert!(stderr(&whole).contains("6000 rows read: 5988 written, 12 quarantined"), "{}", stderr(&whole));

    // SIGKILL, at one checkpoint after the other.
    for kill in 0..3 {
        let (mut child, _) = until(place.command(input, "killed.csv"), 1).expect("still at work");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!place.path("killed.csv").exists(), "{kill}");
    }
    // SIGTERM: what is in flight is written, and the message says how to go on.
    let (child, mut lines) = until(place.command(input, "stopped.csv"), 1).expect("still at work");
    let kill = format!("kill -TERM {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let mut child = child;
    let mut said = String::new();
    std::io::Read::read_to_string(&mut lines, &mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("run the same command again"), "{said}");
    // A file that may not grow any more, as on a full disk; without the trap the signal would end the process.
    let limited = place.command(input, "full.csv");
    let words: Vec<String> = std::iter::once(limited.get_program())
        .chain(limited.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    // In blocks of 512 bytes.
    let room = expected.len() * 6 / 10 / 512;
    let script = format!("trap '' XFSZ; ulimit -f {room}; exec {}", words.join(" "));
    let full = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(full.status.code(), Some(69), "{}", stderr(&full));
    assert!(stderr(&full).contains("make room, then run the same command again"), "{}", stderr(&full));

    for name in ["killed.csv", "stopped.csv", "full.csv"] {
        let rest = place.run(input, name);
        assert!(rest.status.success(), "{name}: {}", stderr(&rest));
        assert!(stderr(&rest).contains("went on after row"), "{name}: {}", stderr(&rest));
        assert!(std::fs::read(place.path(name)).unwrap() == expected, "{name}");
        assert!(
            std::fs::read(place.path(&format!("{name}.quarantine.csv"))).unwrap() == quarantine,
            "{name}"
        );
    }
    assert_eq!(place.names().len(), 8, "{:?}", place.names());
}

#[test]
fn standard_input_goes_to_parquet_and_a_finished_output_is_not_written_again() {
    let place = Place::new();
    let rows = "comment,status\nThank you so much!,new\n=cmd(),old\n,old\n";
    let run = |arguments: &[&str]| {
        let mut command = place.command("-", "out.parquet");
        let mut child = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A run that fails early closes its input.
        let _ = child.stdin.take().unwrap().write_all(rows.replace("comment", "id").as_bytes());
        child.wait_with_output().unwrap()
    };
    let none = run(&[]);
    assert_eq!(none.status.code(), Some(65), "{}", stderr(&none));
    assert!(stderr(&none).contains("--text-column"), "{}", stderr(&none));
    let done = run(&["--text-column", "id"]);
    assert!(done.status.success(), "{}", stderr(&done));
    assert!(stderr(&done).contains("texts: 2 scored, 1 empty"), "{}", stderr(&done));
    assert!(std::fs::read(place.path("out.parquet")).unwrap().starts_with(b"PAR1"));
    assert_eq!(place.names(), ["out.parquet"]);
    let again = run(&["--text-column", "id"]);
    assert_eq!(again.status.code(), Some(73), "{}", stderr(&again));
    assert!(stderr(&again).contains("--restart"), "{}", stderr(&again));
    assert!(run(&["--text-column", "id", "--restart"]).status.success());
}

#[test]
fn a_place_that_can_not_be_written_and_a_second_run_end_with_a_sentence() {
    let place = Place::new();
    std::fs::write(place.path("in.csv"), "id,comment\n1,hello and thank you very much\n").unwrap();
    let input = place.path("in.csv");
    let input = input.to_str().unwrap();
    let same = place.command(input, "in.csv").arg("--restart").output().unwrap();
    assert_eq!(same.status.code(), Some(65), "{}", stderr(&same));
    assert_eq!(std::fs::read(input).unwrap(), b"id,comment\n1,hello and thank you very much\n");
    let missing = place.run(input, "none/out.csv");
    assert_eq!(missing.status.code(), Some(66), "{}", stderr(&missing));
    assert!(stderr(&missing).contains("make its directory first"), "{}", stderr(&missing));
    // Nobody may make files there, not even root.
    if std::path::Path::new("/sys/kernel").exists() {
        let read_only = place.run(input, "/sys/kernel/attune.csv");
        assert_eq!(read_only.status.code(), Some(77), "{}", stderr(&read_only));
        assert!(stderr(&read_only).contains("-o"), "{}", stderr(&read_only));
    }
    // The first waits for its input and holds the output meanwhile.
    let mut first = place.command("-", "out.csv");
    first.args(["--text-column", "comment"]).stdin(Stdio::piped());
    let mut child = first.stderr(Stdio::piped()).spawn().unwrap();
    // More than is looked at before a job begins.
    let rows = format!("id,comment\n{}", "1,hello and thank you very much\n".repeat(50_000));
    child.stdin.as_mut().unwrap().write_all(rows.as_bytes()).unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("a job begins")));
    let second = place.run(input, "out.csv");
    assert_eq!(second.status.code(), Some(69), "{}", stderr(&second));
    assert!(stderr(&second).contains("another run is writing it"), "{}", stderr(&second));
    child.kill().unwrap();
    child.wait().unwrap();
    // What the dead one has left is another job's, and is no lock.
    let third = place.run(input, "out.csv");
    assert!(stderr(&third).contains("the input was a stream"), "{}", stderr(&third));
}

#[test]
fn a_job_that_was_killed_writes_the_report_that_an_undisturbed_one_writes() {
    let place = Place::new();
    let input = place.input();
    let input = input.to_str().unwrap();
    let reported = |name: &str| {
        let mut command = place.command(input, &format!("{name}.csv"));
        command.arg("--report").arg(place.path(&format!("{name}.html"))).args(["--by", "ID"]);
        command
    };
    let whole = reported("whole").output().unwrap();
    assert!(whole.status.success(), "{}", stderr(&whole));
    for _ in 0..2 {
        let (mut child, _) = until(reported("killed"), 1).expect("still at work");
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let killed = reported("killed").output().unwrap();
    assert!(killed.status.success(), "{}", stderr(&killed));
    let report = |name: &str| std::fs::read_to_string(place.path(&format!("{name}.html"))).unwrap();
    assert!(report("whole").contains("5,988") || report("whole").contains("5988"));
    assert!(report("whole") == report("killed"), "the reports differ");
    // The report may not take the place of what is read or written.
    let mut command = place.command(input, "other.csv");
    let over = command.arg("--report").arg(input).output().unwrap();
    assert_eq!(over.status.code(), Some(65), "{}", stderr(&over));
}
