//! Calls at a steady rate, each counted from when it was due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use attune::api::grpc::v1;
use attune::api::grpc::v1::analysis_service_client::AnalysisServiceClient;
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use tonic::transport::Channel;

/// Connections that share the calls.
const CONNECTIONS: usize = 4;
const TEXTS: &str = "tests/fixtures/golden/attune-en-small.jsonl";

#[derive(Default)]
struct Seen {
    micros: Option<Histogram<u64>>,
    answered: u64,
    failed: u64,
    first_failure: Option<String>,
    versions: BTreeMap<String, u64>,
}

/// Milliseconds of the calls since the last look.
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

pub(crate) struct Outcome {
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
    pub(crate) versions: BTreeMap<String, u64>,
}

pub(crate) struct Load {
    seen: Arc<Mutex<Seen>>,
    over: Arc<AtomicBool>,
    sending: tokio::task::JoinHandle<()>,
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 120_000_000, 3).unwrap()
}

fn texts() -> Vec<String> {
    let file = std::fs::read_to_string(TEXTS).expect("the golden texts are part of the repository");
    let text = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["text"].as_str().unwrap().to_owned()
    };
    file.lines().map(text).collect()
}

impl Load {
    pub(crate) async fn begin(url: &str, rate: usize) -> Self {
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let channel =
                Channel::from_shared(url.to_owned()).unwrap().tcp_nodelay(true).connect().await.unwrap();
            clients.push(AnalysisServiceClient::new(channel));
        }
        let seen = Arc::new(Mutex::new(Seen { micros: Some(histogram()), ..Seen::default() }));
        let over = Arc::<AtomicBool>::default();
        let sending = tokio::spawn(send(clients, rate, Arc::clone(&seen), Arc::clone(&over)));
        Self { seen, over, sending }
    }

    pub(crate) fn so_far(&self) -> Latency {
        let micros = self.seen.lock().micros.replace(histogram()).unwrap();
        let ms = |q: f64| micros.value_at_quantile(q) as f64 / 1e3;
        Latency { p50: ms(0.5), p99: ms(0.99) }
    }

    /// Ends the load, with every call that is on its way.
    pub(crate) async fn end(self) -> Outcome {
        self.over.store(true, Ordering::Relaxed);
        self.sending.await.unwrap();
        let seen = self.seen.lock();
        Outcome {
            answered: seen.answered,
            failed: seen.failed,
            first_failure: seen.first_failure.clone(),
            versions: seen.versions.clone(),
        }
    }
}

async fn send(
    clients: Vec<AnalysisServiceClient<Channel>>,
    rate: usize,
    seen: Arc<Mutex<Seen>>,
    over: Arc<AtomicBool>,
) {
    let (texts, started, step) = (texts(), Instant::now(), Duration::from_secs_f64(1.0 / rate as f64));
    let mut calls = tokio::task::JoinSet::new();
    for n in 0u32.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let due = started + step * n;
        tokio::time::sleep_until(due.into()).await;
        let mut client = clients[n as usize % CONNECTIONS].clone();
        let text = texts[n as usize % texts.len()].clone();
        let seen = Arc::clone(&seen);
        calls.spawn(async move {
            let answer = client.analyze_text(v1::AnalyzeTextRequest { text, ..Default::default() }).await;
            seen.lock().take(answer.map(tonic::Response::into_inner), due);
        });
        while calls.try_join_next().is_some() {}
    }
    while calls.join_next().await.is_some() {}
}

impl Seen {
    fn take(&mut self, answer: Result<v1::AnalyzeTextResponse, tonic::Status>, due: Instant) {
        match answer {
            Ok(answer) => {
                self.answered += 1;
                let version = answer.assessment.and_then(|read| read.model).unwrap_or_default().version;
                *self.versions.entry(version).or_default() += 1;
                // The latency counts from when the call was due: a client that falls behind hides nothing.
                let micros = due.elapsed().as_micros() as u64;
                self.micros.as_mut().unwrap().saturating_record(micros);
            }
            Err(status) => {
                self.failed += 1;
                self.first_failure
                    .get_or_insert_with(|| format!("{:?}: {}", status.code(), status.message()));
            }
        }
    }
}
