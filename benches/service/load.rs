//! Closed-loop load: a number of callers, each with one call in flight; or one stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use attune::api::grpc::v1;
use attune::api::grpc::v1::analysis_service_client::AnalysisServiceClient;
use hdrhistogram::Histogram;
use tokio_stream::StreamExt;
use tonic::transport::Channel;

use crate::corpus::Corpus;
use crate::process::Server;
use crate::wire;

#[derive(Clone, Copy)]
pub(crate) struct Options {
    /// Callers, or `None` for one stream.
    pub(crate) clients: Option<usize>,
    pub(crate) length: Duration,
    pub(crate) evidence: bool,
}

pub(crate) struct Sample {
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    pub(crate) cpu_ms: f64,
    pub(crate) batch_rows: f64,
    pub(crate) padding: f64,
    pub(crate) failed: usize,
}

pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 120_000_000, 3).unwrap()
}

/// Milliseconds at a quantile of a histogram of microseconds.
pub(crate) fn quantile(histogram: &Histogram<u64>, q: f64) -> f64 {
    histogram.value_at_quantile(q) as f64 / 1e3
}

async fn connect(url: &str) -> AnalysisServiceClient<Channel> {
    let channel = Channel::from_shared(url.to_owned()).unwrap().tcp_nodelay(true).connect().await.unwrap();
    AnalysisServiceClient::new(channel).max_decoding_message_size(64 << 20)
}

pub(crate) async fn run(server: &Server, corpus: &Corpus, options: Options) -> Sample {
    let before = server.counters().await;
    let (cpu, started) = (server.cpu(), Instant::now());
    let (latencies, done, failed) = match options.clients {
        Some(clients) => unary(server, corpus, clients, options).await,
        None => stream(server, corpus, options).await,
    };
    let elapsed = started.elapsed().as_secs_f64();
    let cpu = (server.cpu() - cpu).as_secs_f64();
    let after = server.counters().await;
    let grown =
        |name: &str| after.get(name).copied().unwrap_or(0.0) - before.get(name).copied().unwrap_or(0.0);
    let (real, padding) = (
        grown("attune_batch_tokens_total{kind=\"real\"}"),
        grown("attune_batch_tokens_total{kind=\"padding\"}"),
    );
    Sample {
        rate: done as f64 / elapsed,
        p50: quantile(&latencies, 0.5),
        p95: quantile(&latencies, 0.95),
        p99: quantile(&latencies, 0.99),
        cpu_ms: cpu * 1e3 / done.max(1) as f64,
        batch_rows: grown("attune_batch_rows_sum") / grown("attune_batches_total").max(1.0),
        padding: padding / (real + padding).max(1.0),
        failed,
    }
}

async fn unary(
    server: &Server,
    corpus: &Corpus,
    clients: usize,
    options: Options,
) -> (Histogram<u64>, usize, usize) {
    let mut connections = Vec::new();
    for _ in 0..wire::CONNECTIONS.min(clients) {
        connections.push(wire::connect(&server.url).await);
    }
    let texts: Arc<Vec<String>> = Arc::new(corpus.texts.clone());
    let next = Arc::new(AtomicUsize::new(0));
    let end = Instant::now() + options.length;
    let callers: Vec<_> = (0..clients)
        .map(|n| {
            let sender = connections[n % connections.len()].clone();
            let (texts, next) = (Arc::clone(&texts), Arc::clone(&next));
            tokio::spawn(async move {
                let (mut latencies, mut failed) = (histogram(), 0);
                while Instant::now() < end {
                    let text = texts[next.fetch_add(1, Ordering::Relaxed) % texts.len()].clone();
                    let body = wire::framed(text, options.evidence);
                    let sent = Instant::now();
                    match wire::call(sender.clone(), body).await {
                        Some(status) if status.as_bytes() == wire::OK => {
                            latencies.record(sent.elapsed().as_micros() as u64).unwrap();
                        }
                        _ => failed += 1,
                    }
                }
                (latencies, failed)
            })
        })
        .collect();
    let (mut all, mut failed) = (histogram(), 0);
    for caller in callers {
        let (latencies, f) = caller.await.unwrap();
        all.add(latencies).unwrap();
        failed += f;
    }
    let done = all.len() as usize;
    (all, done, failed)
}

async fn stream(server: &Server, corpus: &Corpus, options: Options) -> (Histogram<u64>, usize, usize) {
    let mut client = connect(&server.url).await;
    let texts = corpus.texts.clone();
    let end = Instant::now() + options.length;
    let messages = tokio_stream::iter((0..).map(move |n: usize| v1::StreamAnalyzeTextRequest {
        item: Some(v1::BatchItem { text: texts[n % texts.len()].clone(), ..Default::default() }),
        ..Default::default()
    }))
    .take_while(move |_| Instant::now() < end);
    let mut answers = client.stream_analyze_text(messages).await.unwrap().into_inner();
    let (mut done, mut failed) = (0, 0);
    let mut latencies = histogram();
    let mut last = Instant::now();
    while let Some(answer) = answers.next().await {
        // For a stream: the time between answers.
        latencies.record(last.elapsed().as_micros().max(1) as u64).unwrap();
        last = Instant::now();
        match answer.unwrap().result.unwrap().outcome {
            Some(v1::item_result::Outcome::Assessment(_)) => done += 1,
            _ => failed += 1,
        }
    }
    (latencies, done, failed)
}
