//! Every metric's name, in one place; base units; labels from closed sets only.
//!
//! docs/metrics.md says what each is for.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

const REQUESTS: &str = "attune_rpc_requests_total";
const REQUEST_SECONDS: &str = "attune_rpc_duration_seconds";
const STAGE_SECONDS: &str = "attune_stage_duration_seconds";
const QUEUE_TOKENS: &str = "attune_queue_tokens";
const REFUSED: &str = "attune_queue_refused_total";
const BATCHES: &str = "attune_batches_total";
const BATCH_ROWS: &str = "attune_batch_rows";
const BATCH_TOKENS: &str = "attune_batch_tokens_total";
const CACHE_HITS: &str = "attune_cache_hits_total";
const COALESCED: &str = "attune_coalesced_total";
const TEXTS: &str = "attune_texts_total";
const CONVERSATIONS: &str = "attune_conversations";
const ALERTS: &str = "attune_alert_changes_total";
const DELIVERIES: &str = "attune_deliveries_total";
const DELIVERY_SECONDS: &str = "attune_delivery_duration_seconds";
const OUTBOX_WAITING: &str = "attune_outbox_waiting";
const OUTBOX_DEAD: &str = "attune_outbox_dead";
const PROVIDER: &str = "attune_inference_provider";
const JOBS: &str = "attune_jobs";
const JOBS_ENDED: &str = "attune_jobs_ended_total";
const JOB_ROWS: &str = "attune_job_rows_total";
const WORKER_PULLED: &str = "attune_worker_pulled_total";
const WORKER_SETTLED: &str = "attune_worker_interactions_total";
const WORKER_BATCH_SECONDS: &str = "attune_worker_batch_duration_seconds";
const WORKER_WAITING: &str = "attune_worker_waiting";
const WORKER_UNANSWERED: &str = "attune_worker_unanswered";
const MODELS: &str = "attune_models";
const MODEL_LOADS: &str = "attune_model_loads_total";
const MODEL_SWAPS: &str = "attune_model_swaps_total";
const SHADOW_TEXTS: &str = "attune_shadow_texts_total";
const DRIFT_PSI: &str = "attune_drift_psi";
const DRIFT_JS: &str = "attune_drift_js_distance";
const DRIFT_ALARM: &str = "attune_drift_alarm";
const DRIFT_WINDOW: &str = "attune_drift_window_texts";
const DRIFT_TENANTS: &str = "attune_drift_tenants";

/// Upper bounds of duration buckets, in seconds: from a cached answer to a text of a megabyte.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
/// Upper bounds of the batch-size buckets, in rows.
const ROWS: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

/// Installs the process's recorder; the handle renders what `/metrics` answers. Fails when one is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    use metrics_exporter_prometheus::Matcher::Full;
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Full(REQUEST_SECONDS.into()), &SECONDS)?
        .set_buckets_for_metric(Full(STAGE_SECONDS.into()), &SECONDS)?
        .set_buckets_for_metric(Full(DELIVERY_SECONDS.into()), &SECONDS)?
        .set_buckets_for_metric(Full(WORKER_BATCH_SECONDS.into()), &SECONDS)?
        .set_buckets_for_metric(Full(BATCH_ROWS.into()), &ROWS)?
        .install_recorder()?;
    describe_counter!(REQUESTS, "RPCs answered, by method and gRPC status code");
    describe_histogram!(REQUEST_SECONDS, "Time from the decoded request to its answer, by method");
    describe_histogram!(STAGE_SECONDS, "Time by stage: tokenize, queue, inference, readout");
    describe_gauge!(QUEUE_TOKENS, "Tokens waiting, by lane");
    describe_counter!(REFUSED, "Windows refused, by lane and reason: full, deadline, cut");
    describe_counter!(BATCHES, "Batches run");
    describe_histogram!(BATCH_ROWS, "Windows per batch");
    describe_counter!(BATCH_TOKENS, "Tokens run, by kind: real, padding");
    describe_counter!(CACHE_HITS, "Windows answered from the cache");
    describe_counter!(COALESCED, "Windows that joined the same window in flight");
    describe_counter!(TEXTS, "Texts assessed, by status");
    describe_gauge!(CONVERSATIONS, "Conversations that are followed live");
    describe_counter!(ALERTS, "Changes of alerts of followed conversations, by change");
    describe_counter!(
        DELIVERIES,
        "Attempts to deliver an event, by sink and outcome: delivered, retried, dead"
    );
    describe_histogram!(DELIVERY_SECONDS, "Time of an attempt to deliver an event, by sink");
    describe_gauge!(OUTBOX_WAITING, "Events that wait in the outbox, by sink");
    describe_gauge!(OUTBOX_DEAD, "Events that were given up and not removed, by sink");
    describe_gauge!(PROVIDER, "1, by the execution provider that runs the network");
    describe_gauge!(JOBS, "Jobs that are kept, by state");
    describe_counter!(JOBS_ENDED, "Jobs that have ended, by state");
    describe_counter!(JOB_ROWS, "Rows that jobs have read");
    describe_counter!(WORKER_PULLED, "Messages that this worker has pulled");
    describe_counter!(
        WORKER_SETTLED,
        "Messages that this worker has answered, by outcome: recorded, duplicate, dead, retried"
    );
    describe_histogram!(WORKER_BATCH_SECONDS, "Time from the pull of a batch to its last answer");
    describe_gauge!(WORKER_WAITING, "Messages of the stream that no worker has got yet");
    describe_gauge!(WORKER_UNANSWERED, "Messages that workers have got and not answered");
    describe_gauge!(MODELS, "Models that are loaded");
    describe_counter!(MODEL_LOADS, "Models that were to be loaded, by outcome: loaded, failed");
    describe_counter!(MODEL_SWAPS, "Aliases that were made to point to another model");
    describe_counter!(SHADOW_TEXTS, "Texts for candidates, by outcome: compared, dropped, failed");
    describe_gauge!(DRIFT_PSI, "Population stability index of the last texts, by model and feature");
    describe_gauge!(DRIFT_JS, "Jensen-Shannon distance of the last texts, by model and feature");
    describe_gauge!(DRIFT_ALARM, "1 while a feature of the last texts has drifted, by model and feature");
    describe_gauge!(DRIFT_WINDOW, "Texts that drift is measured on, by model");
    describe_gauge!(DRIFT_TENANTS, "Tenants whose texts have drifted, by model and level: watch, alarm");
    Ok(handle)
}

/// An RPC was answered with a gRPC status code.
pub fn request(method: &'static str, code: &'static str, elapsed: Duration) {
    counter!(REQUESTS, "method" => method, "code" => code).increment(1);
    histogram!(REQUEST_SECONDS, "method" => method).record(elapsed.as_secs_f64());
}

/// A stage of one text is over.
pub fn stage(stage: &'static str, elapsed: Duration) {
    histogram!(STAGE_SECONDS, "stage" => stage).record(elapsed.as_secs_f64());
}

/// A lane's queue changed by so many tokens, in one of the models.
pub fn queue_changed(lane: &'static str, tokens: f64) {
    gauge!(QUEUE_TOKENS, "lane" => lane).increment(tokens);
}

/// A window was refused.
pub fn refused(lane: &'static str, reason: &'static str) {
    counter!(REFUSED, "lane" => lane, "reason" => reason).increment(1);
}

/// A batch was run: `real` of its `padded` tokens belong to texts.
pub fn batch(rows: usize, real: usize, padded: usize, elapsed: Duration) {
    counter!(BATCHES).increment(1);
    histogram!(BATCH_ROWS).record(rows as f64);
    counter!(BATCH_TOKENS, "kind" => "real").increment(real as u64);
    counter!(BATCH_TOKENS, "kind" => "padding").increment(padded.saturating_sub(real) as u64);
    stage("inference", elapsed);
}

/// A window was answered from the cache.
pub fn cache_hit() {
    counter!(CACHE_HITS).increment(1);
}

/// A window joined the same window in flight.
pub fn coalesced() {
    counter!(COALESCED).increment(1);
}

/// A text was assessed.
pub fn text(status: &'static str) {
    counter!(TEXTS, "status" => status).increment(1);
}

/// So many conversations are followed now.
pub fn conversations(count: usize) {
    gauge!(CONVERSATIONS).set(count as f64);
}

/// An alert of a followed conversation changed.
pub fn alert(change: &'static str) {
    counter!(ALERTS, "change" => change).increment(1);
}

/// An event was tried to be delivered; sinks are named in the configuration, and bounded there.
pub fn delivery(sink: &str, outcome: &'static str, elapsed: Duration) {
    counter!(DELIVERIES, "sink" => sink.to_owned(), "outcome" => outcome).increment(1);
    histogram!(DELIVERY_SECONDS, "sink" => sink.to_owned()).record(elapsed.as_secs_f64());
}

/// So many events wait for a sink, and so many were given up.
pub fn backlog(sink: &str, waiting: u64, dead: u64) {
    gauge!(OUTBOX_WAITING, "sink" => sink.to_owned()).set(waiting as f64);
    gauge!(OUTBOX_DEAD, "sink" => sink.to_owned()).set(dead as f64);
}

/// This execution provider runs the network.
pub fn provider(name: &'static str) {
    gauge!(PROVIDER, "provider" => name).set(1.0);
}

/// So many jobs are in a state now.
pub fn jobs(state: &'static str, count: usize) {
    gauge!(JOBS, "state" => state).set(count as f64);
}

/// A job has ended in a state.
pub fn job_ended(state: &'static str) {
    counter!(JOBS_ENDED, "state" => state).increment(1);
}

/// A job has read rows.
pub fn job_rows(count: u64) {
    counter!(JOB_ROWS).increment(count);
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is kept now.
    Recorded,
    /// It was kept already.
    Duplicate,
    /// It is a dead letter.
    Dead,
    /// It comes again.
    Retried,
}

/// So many messages were pulled.
pub fn pulled(count: usize) {
    counter!(WORKER_PULLED).increment(count as u64);
}

/// A message was answered.
pub fn settled(outcome: Settled) {
    let outcome = match outcome {
        Settled::Recorded => "recorded",
        Settled::Duplicate => "duplicate",
        Settled::Dead => "dead",
        Settled::Retried => "retried",
    };
    counter!(WORKER_SETTLED, "outcome" => outcome).increment(1);
}

/// A batch was answered.
pub fn worker_batch(elapsed: Duration) {
    histogram!(WORKER_BATCH_SECONDS).record(elapsed.as_secs_f64());
}

/// How far behind all workers are.
pub fn worker_lag(waiting: u64, unanswered: u64) {
    gauge!(WORKER_WAITING).set(waiting as f64);
    gauge!(WORKER_UNANSWERED).set(unanswered as f64);
}

/// So many models are loaded now.
pub fn models_loaded(count: usize) {
    gauge!(MODELS).set(count as f64);
}

/// A model was loaded, or was not.
pub fn model_load(loaded: bool) {
    counter!(MODEL_LOADS, "outcome" => if loaded { "loaded" } else { "failed" }).increment(1);
}

/// An alias points to another model.
pub fn model_swap() {
    counter!(MODEL_SWAPS).increment(1);
}

/// What became of a text that a candidate was to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shadowed {
    /// Both have read it.
    Compared,
    /// The candidate did not get it.
    Dropped,
    /// The candidate could not read it.
    Failed,
}

/// A text that a candidate was to read.
pub fn shadowed(outcome: Shadowed) {
    let outcome = match outcome {
        Shadowed::Compared => "compared",
        Shadowed::Dropped => "dropped",
        Shadowed::Failed => "failed",
    };
    counter!(SHADOW_TEXTS, "outcome" => outcome).increment(1);
}

/// A feature of what a model reads was measured: its population stability index and its Jensen-Shannon distance.
/// `pipeline::drift` bounds the models, and each model's manifest its features.
pub fn drift(model: &str, feature: &str, (psi, js): (f64, f64), alarm: bool) {
    let labels = || [("model", model.to_owned()), ("feature", feature.to_owned())];
    gauge!(DRIFT_PSI, &labels()).set(psi);
    gauge!(DRIFT_JS, &labels()).set(js);
    gauge!(DRIFT_ALARM, &labels()).set(if alarm { 1.0 } else { 0.0 });
}

/// So many texts of a model were measured.
pub fn drift_window(model: &str, texts: u32) {
    gauge!(DRIFT_WINDOW, "model" => model.to_owned()).set(f64::from(texts));
}

/// So many tenants are at a level now.
pub fn drifting_tenants(model: &str, level: &'static str, count: i64) {
    gauge!(DRIFT_TENANTS, "model" => model.to_owned(), "level" => level).set(count as f64);
}

/// A model is no longer read with.
pub fn drift_ended<'a>(model: &str, features: impl Iterator<Item = &'a str>, levels: [&'static str; 2]) {
    features.for_each(|feature| drift(model, feature, (0.0, 0.0), false));
    drift_window(model, 0);
    levels.into_iter().for_each(|level| drifting_tenants(model, level, 0));
}
