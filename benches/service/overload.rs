//! Open-loop overload: calls arrive at a fixed rate, whatever the answers do.
//!
//! Every text differs from every other: none is answered by another's reading.
//!
//! What is accepted is timed twice: by the flood itself, whose calls wait behind thousands of their own kind in its
//! connections and in its one thread; and by a caller beside it, with a thread and a connection of its own, as
//! everybody who is not the cause of the flood has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::corpus;
use crate::load::{self, Options, histogram, quantile};
use crate::process::Server;
use crate::wire::{self, OK, SHED};

/// How many times the rate that the service holds.
const TIMES: f64 = 20.0;
/// Calls that may be in flight: what one client machine would have, too.
const IN_FLIGHT: usize = 4000;
/// Pause of the one beside the flood between an answer and its next call.
const BESIDE_EVERY: Duration = Duration::from_millis(2);

/// What the caller beside the flood met: the times of its accepted calls, how many were refused, and how many failed.
type Beside = (Histogram<u64>, usize, usize);

/// Calls one after the other until `end`.
fn call_beside(url: String, texts: Vec<String>, end: Instant) -> std::thread::JoinHandle<Beside> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let sender = wire::connect(&url).await;
            let (mut accepted, mut refused, mut failed) = (histogram(), 0, 0);
            for n in 0.. {
                if Instant::now() >= end {
                    break;
                }
                let body = wire::framed(format!("{} beside {n}", texts[n % texts.len()]), true);
                let at = Instant::now();
                match wire::call(sender.clone(), body).await {
                    Some(status) if status.as_bytes() == OK => {
                        accepted.record(at.elapsed().as_micros() as u64).unwrap();
                    }
                    Some(status) if status.as_bytes() == SHED => refused += 1,
                    _ => failed += 1,
                }
                tokio::time::sleep(BESIDE_EVERY).await;
            }
            (accepted, refused, failed)
        })
    })
}

pub(crate) async fn measure(length: Duration) -> Value {
    let corpus = corpus::all().remove(0);
    let server = Server::start(&["--set", "batching.cache_mb=0"]).await;
    let options = Options { clients: Some(1), length: Duration::from_secs(3), evidence: true };
    let idle_p99 = load::run(&server, &corpus, options).await.latency(0.99);
    let held = load::run(&server, &corpus, Options { clients: Some(32), ..options }).await;
    let memory_before = server.memory_mb();
    let rate = held.rate() * TIMES;
    let mut connections = Vec::new();
    for _ in 0..wire::CONNECTIONS {
        connections.push(wire::connect(&server.url).await);
    }
    let latencies = Arc::new(parking_lot::Mutex::new(histogram()));
    let counts: Arc<[AtomicUsize; 3]> = Arc::default();
    let in_flight = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let caller = call_beside(server.url.clone(), corpus.texts.clone(), started + length);
    let (mut sent, mut held_back) = (0usize, 0usize);
    let mut calls = tokio::task::JoinSet::new();
    while started.elapsed() < length {
        let due = (started.elapsed().as_secs_f64() * rate) as usize;
        while sent < due {
            sent += 1;
            if in_flight.load(Ordering::Relaxed) >= IN_FLIGHT {
                held_back += 1;
                continue;
            }
            in_flight.fetch_add(1, Ordering::Relaxed);
            let sender = connections[sent % connections.len()].clone();
            let body = wire::framed(format!("{} {sent}", corpus.texts[sent % corpus.texts.len()]), true);
            let (latencies, counts, in_flight) = (latencies.clone(), counts.clone(), in_flight.clone());
            calls.spawn(async move {
                let at = Instant::now();
                let status = wire::call(sender, body).await;
                let place = match status.as_ref().map(|s| s.as_bytes()) {
                    Some(OK) => {
                        latencies.lock().record(at.elapsed().as_micros() as u64).unwrap();
                        0
                    }
                    Some(SHED) => 1,
                    _ => 2,
                };
                counts[place].fetch_add(1, Ordering::Relaxed);
                in_flight.fetch_sub(1, Ordering::Relaxed);
            });
        }
        while calls.try_join_next().is_some() {}
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let goodput = counts[0].load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
    while calls.join_next().await.is_some() {}
    let (beside, beside_refused, beside_failed) = caller.join().unwrap();
    assert!(!beside.is_empty(), "no call of the caller beside the flood was accepted");
    let memory = server.memory_mb();
    let after = load::run(&server, &corpus, Options { clients: Some(1), ..options }).await;
    server.stop().await;
    let [answered, shed, other] = [0, 1, 2].map(|n| counts[n].load(Ordering::Relaxed));
    let latencies = latencies.lock();
    let p99 = quantile(&latencies, 0.99);
    let beside_p99 = quantile(&beside, 0.99);
    println!(
        "overload: {:.0} calls/s offered, {TIMES} times the {:.0}/s that 32 callers get, for {length:?}",
        rate,
        held.rate()
    );
    println!(
        "  sent {}, answered {answered} ({goodput:.0}/s), shed {shed}, other {other}, held back by the client {held_back}",
        sent - held_back
    );
    println!(
        "  accepted of a caller beside the flood ({} of {}, {beside_failed} failed): p50 {:.1} ms, p99 {beside_p99:.1} ms = {:.1} x the idle p99 of {:.1} ms",
        beside.len(),
        beside.len() as usize + beside_refused + beside_failed,
        quantile(&beside, 0.5),
        beside_p99 / idle_p99,
        idle_p99,
    );
    println!(
        "  accepted of the flood: p50 {:.1} ms, p99 {p99:.1} ms = {:.1} x idle; idle again p99 {:.1} ms",
        quantile(&latencies, 0.5),
        p99 / idle_p99,
        after.latency(0.99)
    );
    println!("  memory {memory_before:.0} MB before, {memory:.0} MB at most");
    json!({
        "offered_per_second": rate, "held_rate": held.rate(), "answered": answered, "shed": shed, "other": other,
        "client_held_back": held_back, "goodput_per_second": goodput, "accepted_p99_ms": p99, "idle_p99_ms": idle_p99,
        "beside_accepted": beside.len(), "beside_refused": beside_refused, "beside_failed": beside_failed, "beside_p99_ms": beside_p99,
        "idle_again_p99_ms": after.latency(0.99), "memory_mb_before": memory_before, "memory_mb_peak": memory,
    })
}
