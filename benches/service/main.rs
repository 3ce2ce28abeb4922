//! The service against the raw engine, in one run on the same texts: throughput, latency, CPU time, memory, start-up,
//! overload. Prints a table and writes JSON to `bench-results/`.
//!
//! The engine runs in this process; the service is the release binary in a process of its own, so that its CPU time and
//! memory are its own. The client that loads it shares the machine, as the callers of a sidecar do.
//!
//!     cargo bench --bench service -- --help
//!
//! With `--provider`, it measures the raw engine under that execution provider against the same on ONNX Runtime's own, and
//! nothing else.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a benchmark prints, and ends when it can't go on"
)]

mod arguments;
mod corpus;
mod engine;
mod load;
mod overload;
mod process;
mod providers;
mod wire;

use std::time::Duration;

use serde_json::{Value, json};

use arguments::{argument, flag, number};
use load::{Options, Sample};
use process::Server;

const USAGE: &str = "[--seconds N] [--quick] [--only short|mixed|none] [--no-overload] [--name NAME] [--provider openvino|cuda [--precision P]]";

/// Parts of a figure. The machine's speed drifts within seconds, so the engine is measured between all of them.
const PARTS: u32 = 4;

// One thread: the client is to take little of the machine.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    if flag("--help") {
        println!("cargo bench --bench service -- {USAGE}");
        return;
    }
    let quick = flag("--quick");
    let seconds = number("--seconds", if quick { 2 } else { 6 });
    let length = Duration::from_secs(seconds as u64);
    let mut report = serde_json::Map::new();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{cores} processors, {seconds} s per figure; texts/s of the service as a share of the engine's in brackets\n"
    );
    for corpus in corpus::all() {
        if argument("--only").is_some_and(|only| only != corpus.name) {
            continue;
        }
        println!(
            "{}: {} texts, mean {:.0} tokens, p99 {}",
            corpus.name,
            corpus.texts.len(),
            corpus.mean_tokens,
            corpus.p99_tokens
        );
        let value = match argument("--provider") {
            Some(name) => providers::measure(&corpus, length, &name),
            None => measure(&corpus, length, quick).await,
        };
        report.insert(corpus.name.into(), value);
        println!();
    }
    if !flag("--no-overload") && argument("--provider").is_none() {
        report.insert(
            "overload".into(),
            overload::measure(Duration::from_secs(if quick { 5 } else { 30 })).await,
        );
    }
    let path = format!("bench-results/{}.json", argument("--name").unwrap_or_else(|| "service".into()));
    std::fs::create_dir_all("bench-results").unwrap();
    std::fs::write(&path, serde_json::to_string_pretty(&Value::Object(report)).unwrap()).unwrap();
    println!("written to {path}");
}

async fn measure(corpus: &corpus::Corpus, length: Duration, quick: bool) -> Value {
    let mut engine = engine::Engine::new(corpus);
    let server = Server::start(&["--set", "batching.cache_mb=0"]).await;
    println!("  ready {:.0} ms after the start", server.ready.as_secs_f64() * 1e3);
    let concurrency: &[usize] = if quick { &[1, 32] } else { &[1, 8, 32, 256] };
    let mut rows = Vec::new();
    let part = length / PARTS;
    let mut before = engine.rate(part);
    let mut engine_rates = vec![before];
    for clients in concurrency.iter().map(|c| Some(*c)).chain([None]) {
        let options = Options { clients, length: part, evidence: true };
        let (mut sample, mut engine_texts) = (Sample::none(), 0.0);
        for _ in 0..PARTS {
            let part_of_it = load::run(&server, corpus, options).await;
            let after = engine.rate(part);
            engine_rates.push(after);
            engine_texts += part_of_it.at((before + after) / 2.0);
            sample.add(&part_of_it);
            before = after;
        }
        let share = sample.share_of(engine_texts);
        let name = clients.map_or_else(|| "stream".to_owned(), |c| format!("unary x{c}"));
        println!(
            "  {name:<11} {:>6.0}/s ({:>3.0} %)  p50 {:>7.2}  p95 {:>7.2}  p99 {:>7.2} ms  cpu {:>5.2} ms/text  batch {:>4.1}  padding {:>4.1} %  refused {}",
            sample.rate(),
            100.0 * share,
            sample.latency(0.5),
            sample.latency(0.95),
            sample.latency(0.99),
            sample.cpu_ms(),
            sample.batch_rows(),
            sample.padding() * 100.0,
            sample.failed
        );
        rows.push(json!({
            "load": name, "texts_per_second": sample.rate(), "share_of_engine": share,
            "p50_ms": sample.latency(0.5), "p95_ms": sample.latency(0.95), "p99_ms": sample.latency(0.99),
            "cpu_ms_per_text": sample.cpu_ms(), "mean_batch_rows": sample.batch_rows(),
            "padding_share": sample.padding(), "failed": sample.failed,
        }));
    }
    let memory = server.memory_mb();
    server.stop().await;
    let cached = Server::start(&[]).await;
    let options = Options { clients: Some(32), length, evidence: true };
    // The first pass fills the cache.
    load::run(&cached, corpus, Options { length: length * 3, ..options }).await;
    let with_cache = load::run(&cached, corpus, options).await;
    let cached_memory = cached.memory_mb();
    cached.stop().await;
    engine_rates.sort_by(f64::total_cmp);
    let engine_rate = engine_rates[engine_rates.len() / 2];
    println!("  engine      {engine_rate:>6.0}/s  (median; batches of {} padded tokens)", engine.budget());
    println!("  cache on    {:>6.0}/s  p50 {:.2} ms", with_cache.rate(), with_cache.latency(0.5));
    println!("  memory      {memory:.0} MB resident at most, {cached_memory:.0} MB with the cache");
    json!({
        "texts": corpus.texts.len(), "mean_tokens": corpus.mean_tokens, "p99_tokens": corpus.p99_tokens,
        "engine_texts_per_second": engine_rate, "engine_batch_tokens": engine.budget(), "service": rows,
        "cache_on_texts_per_second": with_cache.rate(), "peak_resident_mb": memory,
        "peak_resident_mb_with_cache": cached_memory,
    })
}
