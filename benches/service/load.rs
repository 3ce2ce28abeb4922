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

/// What came of a load; parts of it add up.
pub(crate) struct Sample {
    /// Microseconds of a call, or between the answers of a stream.
    latencies: Histogram<u64>,
    done: usize,
    pub(crate) failed: usize,
    seconds: f64,
    cpu_seconds: f64,
    rows: f64,
    batches: f64,
    real_tokens: f64,
    padding_tokens: f64,
}

impl Sample {
    pub(crate) fn none() -> Self {
        Self {
            latencies: histogram(),
            done: 0,
            failed: 0,
            seconds: 0.0,
            cpu_seconds: 0.0,
            rows: 0.0,
            batches: 0.0,
            real_tokens: 0.0,
            padding_tokens: 0.0,
        }
    }

    pub(crate) fn add(&mut self, part: &Self) {
        self.latencies.add(&part.latencies).unwrap();
        self.done += part.done;
        self.failed += part.failed;
        self.seconds += part.seconds;
        self.cpu_seconds += part.cpu_seconds;
        self.rows += part.rows;
        self.batches += part.batches;
        self.real_tokens += part.real_tokens;
        self.padding_tokens += part.padding_tokens;
    }

    /// Texts per second.
    pub(crate) fn rate(&self) -> f64 {
        self.done as f64 / self.seconds
    }

    /// Texts that a server of that rate would have read meanwhile.
    pub(crate) fn at(&self, rate: f64) -> f64 {
        rate * self.seconds
    }

    pub(crate) fn share_of(&self, texts: f64) -> f64 {
        self.done as f64 / texts
    }

    /// Milliseconds.
    pub(crate) fn latency(&self, q: f64) -> f64 {
        quantile(&self.latencies, q)
    }

    /// The service's processor time per text.
    pub(crate) fn cpu_ms(&self) -> f64 {
        self.cpu_seconds * 1e3 / self.done.max(1) as f64
    }

    pub(crate) fn batch_rows(&self) -> f64 {
        self.rows / self.batches.max(1.0)
    }

    /// Share of the tokens that were padding.
    pub(crate) fn padding(&self) -> f64 {
        self.padding_tokens / (self.real_tokens + self.padding_tokens).max(1.0)
    }
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
    let seconds = started.elapsed().as_secs_f64();
    let cpu_seconds = (server.cpu() - cpu).as_secs_f64();
    let after = server.counters().await;
    let grown =
        |name: &str| after.get(name).copied().unwrap_or(0.0) - before.get(name).copied().unwrap_or(0.0);
    Sample {
        latencies,
        done,
        failed,
        seconds,
        cpu_seconds,
        rows: grown("attune_batch_rows_sum"),
        batches: grown("attune_batches_total"),
        real_tokens: grown("attune_batch_tokens_total{kind=\"real\"}"),
        padding_tokens: grown("attune_batch_tokens_total{kind=\"padding\"}"),
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
