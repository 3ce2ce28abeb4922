//! One worker drains a queue that was filled before, and the raw engine reads the same texts in the same run.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::arguments::number;
use crate::machine::{self, Directory};
use crate::worker::Worker;
use crate::{corpus, engine::Engine, queue, texts};

/// What the worker has to reach of the engine's rate.
const BAR: f64 = 0.80;
/// The worker's turn between two of the engine, during which it is held.
const TURN: Duration = Duration::from_secs(12);
/// Interactions per customer.
const EACH: usize = 10;

pub(crate) async fn run() -> bool {
    let (many, seconds) = (number("--interactions", 30_000), number("--seconds", 10));
    let length = Duration::from_secs(seconds as u64);
    let all = texts::distinct(many);
    let corpus = corpus::of("written", all.clone());
    println!("{many} interactions, mean {:.0} tokens, p99 {}", corpus.mean_tokens, corpus.p99_tokens);
    let mut engine = Engine::new(&corpus);
    let before = engine.rate(length);
    let directory = Directory::new();
    let (_nats, nats_url) = machine::nats(&directory.0);
    let (_postgres, store_url) = machine::postgres(&directory.0);
    machine::migrate(&store_url).await;
    let context = queue::connect(&nats_url).await;
    queue::make(&context).await;
    let message = |(n, text): (usize, &String)| {
        (None, texts::interaction(n, text, many / EACH).to_string().into_bytes())
    };
    queue::publish(&context, all.iter().enumerate().map(message).collect()).await;
    let size = |path: &str| directory_bytes(&directory.0.join(path)) / many as u64;
    println!("published, {} bytes each in NATS", size("nats"));
    println!("engine {before:.0}/s with batches of {} padded tokens", engine.budget());
    let config = directory.0.join("attune.toml");
    let text = format!(
        "[worker]\nnats = \"{nats_url}\"\n[storage]\nurl = \"{store_url}\"\n[batching]\ncache_mb = 0\n[log]\nfilter = \"warn\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let mut worker = Worker::start(&config, "worker");
    worker.ready().await;
    let recorded = "attune_worker_interactions_total{outcome=\"recorded\"}";
    let (first, cpu) = (worker.metric(recorded).await, worker.cpu());
    let (mut last, mut worked, mut engines) = (first, Duration::ZERO, vec![before]);
    // The two take turns: the machine's speed drifts, and on a shared one by more than the bar's distance.
    while (last as usize) < many {
        let turn = Instant::now();
        while (last as usize) < many && turn.elapsed() < TURN {
            tokio::time::sleep(Duration::from_millis(100)).await;
            last = worker.metric(recorded).await;
        }
        worked += turn.elapsed();
        assert!(worked < Duration::from_secs(1800), "the worker stands still at {last}");
        worker.signal("STOP");
        engines.push(engine.rate(length / 3));
        worker.signal("CONT");
    }
    let (elapsed, memory) = (worked.as_secs_f64(), worker.memory_mb());
    let cpu = (worker.cpu() - cpu).as_secs_f64();
    let (stopped, well) = worker.stop().await;
    let (rate, reference) = ((last - first) / elapsed, engines.iter().sum::<f64>() / engines.len() as f64);
    let ratio = rate / reference;
    engines.sort_by(f64::total_cmp);
    println!(
        "engine   {reference:.0}/s, in {} turns from {:.0} to {:.0}",
        engines.len(),
        engines[0],
        engines[engines.len() - 1]
    );
    println!("worker   {rate:.0}/s kept, told of and acknowledged, over {elapsed:.0} s");
    println!("ratio    {ratio:.2} (bar {BAR:.2})");
    println!("         {:.2} ms CPU of the worker each, {memory:.0} MB at most", cpu * 1e3 / (last - first));
    println!("stopped  after {:.2} s, {}", stopped.as_secs_f64(), if well { "well" } else { "not well" });
    let bytes = sizes(&store_url).await;
    println!("store    {} bytes per interaction, indexes included: {}", bytes.0 / many as i64, bytes.1);
    println!("events   {} bytes each in NATS", size("nats"));
    let report = json!({
        "interactions": many, "mean_tokens": corpus.mean_tokens, "engine_per_second": engines,
        "worker_per_second": rate, "ratio": ratio, "cpu_ms_each": cpu * 1e3 / (last - first), "peak_resident_mb": memory,
        "store_bytes_each": bytes.0 / many as i64,
    });
    std::fs::create_dir_all("bench-results").unwrap();
    std::fs::write("bench-results/worker.json", serde_json::to_string_pretty(&report).unwrap()).unwrap();
    ratio >= BAR && well
}

fn directory_bytes(path: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(path).unwrap().filter_map(Result::ok);
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => directory_bytes(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

/// Bytes of all tables with their indexes, and of each.
async fn sizes(url: &str) -> (i64, String) {
    use sqlx::{Connection, Row};
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let query = "SELECT relname::text, pg_total_relation_size(relid)::bigint FROM pg_stat_user_tables ORDER BY 2 DESC LIMIT 6";
    let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
    let rows: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let shown: Vec<String> = rows.iter().map(|(name, bytes)| format!("{name} {} MB", bytes >> 20)).collect();
    (rows.iter().map(|(_, bytes)| bytes).sum(), shown.join(", "))
}
