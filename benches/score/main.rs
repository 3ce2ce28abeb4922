//! `attune score` on a long file: rows per second, its share of the raw engine's rate on the same distinct texts, memory,
//! and whether a run that is killed writes the same bytes.
//!
//! The engine runs in this process, before; the command is the release binary in a process of its own.
//!
//!     cargo bench --bench score -- --rows 1000000 [--kills 10] [--to csv|jsonl|parquet] [--report] [--keep DIR]

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a benchmark prints, and ends when it can't go on"
)]

#[path = "../service/arguments.rs"]
mod arguments;
#[expect(dead_code, reason = "the other benchmark has texts of its own")]
#[path = "../service/corpus.rs"]
mod corpus;
#[path = "../service/engine.rs"]
mod engine;
mod rows;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use attune::inference::TextTokenizer;
use attune::model::ModelBundle;
use serde_json::json;

use arguments::{argument, flag, number};
use corpus::Corpus;
use engine::Engine;

/// Distinct texts that the engine is measured with, evenly spread over all.
const SAMPLE: usize = 4000;
/// How long the engine is measured.
const ENGINE: Duration = Duration::from_secs(10);
/// How often a run's memory is looked at.
const LOOK: Duration = Duration::from_millis(50);

fn main() {
    if flag("--help") {
        println!(
            "cargo bench --bench score -- [--rows N] [--kills N] [--to csv|jsonl|parquet] [--report] [--keep DIR]"
        );
        return;
    }
    let (count, kills) = (number("--rows", 100_000), number("--kills", 0));
    let temporary = tempfile::tempdir().unwrap();
    let directory = argument("--keep").map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    std::fs::create_dir_all(&directory).unwrap();
    let input = directory.join("rows.csv");
    rows::write(&input, count);
    let distinct = rows::distinct(&input);
    println!("{count} rows, {} distinct texts", distinct.len());
    let (texts, engine) = (distinct.len(), engine_rate(&distinct));
    drop(distinct);
    let whole = run(&input, &directory, "whole");
    let rate = texts as f64 / whole.seconds;
    println!(
        "attune score: {:.0} rows/s, {rate:.0} distinct texts/s, {:.1} % of the engine's {engine:.0}/s; \
         at most {:.0} MB resident; {:.1} s with its start",
        count as f64 / whole.seconds,
        100.0 * rate / engine,
        whole.memory_mb,
        whole.wall.as_secs_f64()
    );
    let same = (kills > 0).then(|| killed(&input, &directory, kills, whole.wall));
    if let Some(same) = same {
        println!("killed {kills} times: {}", if same { "the same bytes" } else { "OTHER BYTES" });
    }
    let report = json!({
        "rows": count, "distinct_texts": texts, "rows_per_second": count as f64 / whole.seconds,
        "distinct_texts_per_second": rate, "engine_texts_per_second": engine, "share_of_engine": rate / engine,
        "peak_resident_mb": whole.memory_mb, "seconds": whole.seconds, "kills": kills, "same_bytes": same,
    });
    std::fs::create_dir_all("bench-results").unwrap();
    std::fs::write("bench-results/score.json", format!("{report:#}\n")).unwrap();
    assert_ne!(same, Some(false), "a killed run wrote other bytes");
}

fn engine_rate(distinct: &[String]) -> f64 {
    let bundle = ModelBundle::load_embedded().unwrap();
    let tokenizer = TextTokenizer::parse(&bundle.tokenizer).unwrap();
    let texts: Vec<String> = distinct.iter().step_by((distinct.len() / SAMPLE).max(1)).cloned().collect();
    let tokens: Vec<Vec<u32>> = texts.iter().map(|t| tokenizer.tokenize(t).unwrap().ids).collect();
    let mut lengths: Vec<usize> = tokens.iter().map(Vec::len).collect();
    lengths.sort_unstable();
    let mean_tokens = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
    let p99_tokens = lengths[lengths.len() * 99 / 100];
    let mut engine = Engine::new(&Corpus { name: "rows", texts, tokens, mean_tokens, p99_tokens });
    let rate = engine.rate(ENGINE);
    println!("engine: {rate:.0} texts/s of {mean_tokens:.0} tokens, in batches of {}", engine.budget());
    rate
}

struct Run {
    /// From the first row on, as the command itself says.
    seconds: f64,
    wall: Duration,
    memory_mb: f64,
}

fn output(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.{}", argument("--to").unwrap_or_else(|| "csv".into())))
}

fn command(input: &Path, directory: &Path, name: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    command.arg("score").arg(input).arg("-o").arg(output(directory, name));
    command.args(["--text-column", "comment", "--id-column", "id", "--scored-at", "2026-01-01T00:00:00Z"]);
    if flag("--report") {
        command.arg("--report").arg(directory.join(format!("{name}.html")));
    }
    command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the release binary starts")
}

/// A run to its end; the output of an earlier one goes away.
fn run(input: &Path, directory: &Path, name: &str) -> Run {
    let _ = std::fs::remove_file(output(directory, name));
    finish(command(input, directory, name))
}

fn finish(mut child: Child) -> Run {
    let started = Instant::now();
    let status = format!("/proc/{}/status", child.id());
    let mut memory_mb = 0.0f64;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
        memory_mb = memory_mb.max(kilobytes.unwrap_or(0.0) / 1024.0);
        std::thread::sleep(LOOK);
    }
    let wall = started.elapsed();
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
    let seconds = said.split_once(" distinct texts in ").and_then(|(_, rest)| rest.split(' ').next());
    Run { seconds: seconds.and_then(|s| s.parse().ok()).expect("it says how long it took"), wall, memory_mb }
}

/// Whether a run that is killed so often, at odd moments, writes the same bytes.
fn killed(input: &Path, directory: &Path, kills: usize, wall: Duration) -> bool {
    let _ = std::fs::remove_file(output(directory, "killed"));
    for n in 0..kills {
        let mut child = command(input, directory, "killed");
        // Between half and one and a half times an even share of what is to be done.
        let share = 0.5 + (n * 7919 % 101) as f64 / 101.0;
        std::thread::sleep(wall.mul_f64(share / (kills + 1) as f64));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let name = output(directory, "killed");
    if !name.exists() {
        finish(command(input, directory, "killed"));
    }
    let bytes = |name: &str| std::fs::read(output(directory, name)).unwrap();
    bytes("killed") == bytes("whole")
}
