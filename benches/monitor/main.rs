//! Live conversations under load: latency per turn, memory over time, and clients that are killed and come back.
//!
//! The service is the release binary in a process of its own, with its cache off, for the transcripts repeat. A
//! conversation that ends is closed and a new one is opened, so that memory that is not given back would show.
//!
//!     cargo bench --bench monitor -- [--seconds N] [--conversations N] [--rate TURNS_PER_SECOND] [--kills N]

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a benchmark prints, and ends when it can't go on"
)]

#[path = "../service/arguments.rs"]
mod arguments;
mod kill;
mod live;
#[expect(dead_code, reason = "the other benchmark asks for more")]
#[path = "../service/process.rs"]
mod process;
mod transcripts;

use std::time::Duration;

use serde_json::json;

use arguments::{argument, flag, number};
use process::Server;

fn main() {
    if flag("--help") {
        println!(
            "cargo bench --bench monitor -- [--seconds N] [--conversations N] [--rate TURNS_PER_SECOND] [--kills N]"
        );
        return;
    }
    // One thread: the client is to take little of the machine.
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match argument("--client") {
        Some(url) => executor.block_on(kill::client(&url, &argument("--state").unwrap())),
        None => executor.block_on(measure()),
    }
}

async fn measure() {
    let (seconds, many, rate) =
        (number("--seconds", 60), number("--conversations", 1000), number("--rate", 150));
    let kills = number("--kills", 20);
    let transcripts = transcripts::load();
    println!("{} transcripts; {many} conversations at {rate} turns/s for {seconds} s", transcripts.len());
    let server = Server::start(&["--set", "batching.cache_mb=0"]).await;
    let length = Duration::from_secs(seconds as u64);
    let sample = live::run(&server, &transcripts, many, rate, length).await;
    println!(
        "  {} turns, {:.0}/s  p50 {:.1}  p95 {:.1}  p99 {:.1}  most {:.1} ms  errors {}  alert events {}",
        sample.turns,
        sample.rate,
        sample.p50,
        sample.p95,
        sample.p99,
        sample.most,
        sample.errors,
        sample.events
    );
    let memory: Vec<String> = sample.memory_mb.iter().map(|(at, mb)| format!("{at} s {mb:.0}")).collect();
    println!("  resident memory in MB: {}", memory.join(", "));
    let killed = if kills > 0 { Some(kill::run(&server, &transcripts, kills).await) } else { None };
    if let Some(killed) = &killed {
        println!(
            "  clients killed {} times over {} conversations: {} events, {} lost, {} repeated",
            killed.kills, killed.conversations, killed.events, killed.lost, killed.repeated
        );
    }
    server.stop().await;
    let report = json!({
        "conversations": many, "turns_per_second": sample.rate, "seconds": seconds, "p50_ms": sample.p50,
        "p95_ms": sample.p95, "p99_ms": sample.p99, "most_ms": sample.most, "errors": sample.errors,
        "memory_mb": sample.memory_mb, "alert_events": sample.events,
        "kills": killed.as_ref().map(|k| json!({
            "kills": k.kills, "conversations": k.conversations, "events": k.events, "lost": k.lost,
            "repeated": k.repeated,
        })),
    });
    std::fs::create_dir_all("bench-results").unwrap();
    std::fs::write("bench-results/monitor.json", serde_json::to_string_pretty(&report).unwrap()).unwrap();
    println!("written to bench-results/monitor.json");
}
