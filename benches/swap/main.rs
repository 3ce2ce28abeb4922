//! Models that are swapped under a steady load: calls that fail (none may), answers by version, latency, memory.
//!
//! The service is the release binary in a process of its own, with its cache off. Two copies of the embedded model, each
//! with a version of its own, are loaded, made the default and unloaded in turn, while calls that name no model go on.
//!
//!     cargo bench --bench swap -- [--swaps N] [--rate CALLS_PER_SECOND]

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a benchmark prints, and ends when it can't go on"
)]

#[path = "../service/arguments.rs"]
mod arguments;
mod load;
#[expect(dead_code, reason = "the other benchmarks ask for more")]
#[path = "../service/process.rs"]
mod process;
mod root;

use std::time::{Duration, Instant};

use attune::api::grpc::client::Client;
use serde_json::json;

use arguments::{flag, number};
use process::Server;
use root::{ID, Root};

/// The load runs so long before the first swap and after the last one, so that both ends can be compared.
const STEADY: Duration = Duration::from_secs(5);
/// Memory is looked at after so many swaps.
const LOOK: usize = 10;

// One thread: the client is to take little of the machine.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    if flag("--help") {
        println!("cargo bench --bench swap -- [--swaps N] [--rate CALLS_PER_SECOND]");
        return;
    }
    let (swaps, rate) = (number("--swaps", 50), number("--rate", 200));
    let root = Root::make();
    let directory = format!("models.directory={}", root.path());
    let settings =
        ["--set", "batching.cache_mb=0", "--set", &directory, "--set", "models.allow_changes=true"];
    let server = Server::start(&settings).await;
    let steady = load::Load::begin(&server.url, rate).await;
    tokio::time::sleep(STEADY).await;
    let calm = steady.so_far();
    let mut memory = vec![(0, resident_mb(&server))];
    println!("{rate} calls/s; {swaps} swaps; {:.0} MB before", memory[0].1);
    let (client, started) = (Client::connect(&server.url).await.unwrap(), Instant::now());
    let mut loads = Vec::new();
    for swap in 1..=swaps {
        loads.push(one_swap(&client, swap).await);
        if swap % LOOK == 0 || swap == swaps {
            memory.push((swap, resident_mb(&server)));
        }
    }
    let took = started.elapsed();
    let during = steady.so_far();
    tokio::time::sleep(STEADY).await;
    memory.push((swaps, resident_mb(&server)));
    let outcome = steady.end().await;
    server.stop().await;
    loads.sort_by(f64::total_cmp);
    let median = loads[loads.len() / 2];
    println!(
        "  {} calls, {} failed, in {:.0} s of swaps; a load takes {median:.0} ms",
        outcome.answered,
        outcome.failed,
        took.as_secs_f64()
    );
    println!(
        "  before the swaps p50 {:.1}  p99 {:.1} ms; during p50 {:.1}  p99 {:.1} ms",
        calm.p50, calm.p99, during.p50, during.p99
    );
    println!("  answers by version: {:?}", outcome.versions);
    let shown: Vec<String> = memory.iter().map(|(swap, mb)| format!("{swap}: {mb:.0}")).collect();
    println!("  resident memory in MB by swaps: {}", shown.join(", "));
    let report = json!({
        "swaps": swaps, "calls_per_second": rate, "answered": outcome.answered, "failed": outcome.failed,
        "first_failure": outcome.first_failure, "versions": outcome.versions, "p50_ms_before": calm.p50,
        "p99_ms_before": calm.p99, "p50_ms": during.p50, "p99_ms": during.p99, "load_ms_median": median,
        "seconds": took.as_secs_f64(), "memory_mb_by_swaps": memory,
    });
    std::fs::create_dir_all("bench-results").unwrap();
    std::fs::write("bench-results/swap.json", serde_json::to_string_pretty(&report).unwrap()).unwrap();
    println!("written to bench-results/swap.json");
    assert_eq!(outcome.failed, 0, "calls failed: {:?}", outcome.first_failure);
}

/// Loads one of the two, makes it the default, and lets go of the other; returns the milliseconds of the load.
async fn one_swap(client: &Client, swap: usize) -> f64 {
    let versions = root::VERSIONS;
    let (new, old) = (versions[swap % 2], versions[(swap + 1) % 2]);
    let started = Instant::now();
    client.load_model(new).await.unwrap();
    let took = started.elapsed().as_secs_f64() * 1e3;
    client.set_alias("default", &format!("{ID}@{new}")).await.unwrap();
    if swap > 1 {
        client.unload_model(&format!("{ID}@{old}")).await.unwrap();
    }
    took
}

/// Resident size now, in MB.
fn resident_mb(server: &Server) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
