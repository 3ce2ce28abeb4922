//! Settings: embedded defaults < file < environment < flags. Unknown keys are errors with a suggestion.
//!
//! The sources are handed in; nothing below `cli` reads the environment.

mod customers;
mod drift;
mod inference;
mod jobs;
mod layers;
mod models;
mod sinks;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

pub use customers::{KeepText, Privacy, Storage, StorageUrl, Worker};
pub use drift::Drift;
pub use inference::{Inference, Provider};
pub use jobs::{Hidden, Jobs};
pub use layers::{ConfigError, Sources};
pub use models::Models;
pub use sinks::{Header, JsonLines, Method, Nats, Secret, Sink, Sync, Target, Webhook};

use crate::telemetry::logs::LogFormat;

/// The embedded defaults, with a comment for every key.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// All settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Listeners and shutdown.
    pub server: Server,
    /// Which model.
    pub model: Model,
    /// Others beside it.
    pub models: Models,
    /// How it runs.
    pub inference: Inference,
    /// The dynamic batcher.
    pub batching: Batching,
    /// Bounds of requests.
    pub limits: Limits,
    /// Conversations and their escalation.
    pub conversations: Conversations,
    /// How far texts are from the model's baseline.
    pub drift: Drift,
    /// Files that are scored.
    pub jobs: Jobs,
    /// Where customers are kept.
    pub storage: Storage,
    /// What is kept of them, and how long.
    pub privacy: Privacy,
    /// Interactions that come from a stream.
    pub worker: Worker,
    /// What events say of themselves.
    pub events: Events,
    /// Where events go.
    #[serde(skip)]
    pub sinks: Vec<Sink>,
    /// Log output.
    pub log: Log,
}

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Where gRPC listens.
    pub grpc_address: SocketAddr,
    /// Where metrics and probes are served.
    pub http_address: SocketAddr,
    /// Threads that serve connections; 0 for one for every four processors.
    pub io_threads: usize,
    /// How long new calls are taken after readiness is off.
    #[serde(rename = "lame_duck_ms", deserialize_with = "milliseconds")]
    pub lame_duck: Duration,
    /// How long calls in progress may go on after that.
    #[serde(rename = "drain_ms", deserialize_with = "milliseconds")]
    pub drain: Duration,
}

/// `[model]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// `None` for the embedded model.
    #[serde(deserialize_with = "path")]
    pub directory: Option<PathBuf>,
    /// `None` for the manifest's own thresholds and calibration.
    #[serde(deserialize_with = "path")]
    pub overlay: Option<PathBuf>,
}

/// `[batching]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batching {
    /// Tokens per batch; 0 measures the best at start.
    pub batch_tokens: usize,
    /// Tokens that may wait in each lane.
    pub queue_tokens: usize,
    /// What an overflowing lane is cut back to.
    #[serde(rename = "overload_delay_ms", deserialize_with = "milliseconds")]
    pub overload_delay: Duration,
    /// Megabytes of results that are kept; 0 for none.
    pub cache_mb: usize,
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Longest text, in bytes.
    pub text_bytes: usize,
    /// Most tokens in a text.
    pub text_tokens: usize,
    /// Most items in a batch.
    pub batch_items: usize,
    /// Largest message, in bytes.
    pub message_bytes: usize,
    /// Most turns of one conversation.
    pub conversation_turns: usize,
    /// Deadline of unary calls that name none.
    #[serde(rename = "default_deadline_ms", deserialize_with = "milliseconds")]
    pub default_deadline: Duration,
}

/// `[conversations]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversations {
    /// Followed live at the same time.
    pub maximum: usize,
    /// Forgotten after so long a silence.
    #[serde(rename = "idle_ms", deserialize_with = "milliseconds")]
    pub idle: Duration,
    /// `None` for the embedded policy.
    #[serde(deserialize_with = "path")]
    pub policy: Option<PathBuf>,
}

/// `[events]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// The `source` of every event.
    pub source: String,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// In `RUST_LOG` syntax.
    pub filter: String,
    /// Form of a line.
    pub format: LogFormat,
}

impl Config {
    /// Merges the sources and checks every key and value.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut config: Self = layers::merge(DEFAULTS, sources)?;
        config.sinks = layers::sinks(sources)?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let wrong =
            |key: &str, problem: &str| Err(ConfigError::Value { key: key.into(), problem: problem.into() });
        // A single long window must fit, or nothing long could ever be read.
        if self.batching.queue_tokens < 1024 {
            return wrong("batching.queue_tokens", "expected at least 1024");
        }
        if self.server.io_threads > 256 {
            return wrong("server.io_threads", "expected at most 256");
        }
        if self.limits.text_bytes == 0 || self.limits.text_bytes > (64 << 20) {
            return wrong("limits.text_bytes", "expected 1 to 67108864");
        }
        if self.limits.text_tokens == 0 || self.limits.batch_items == 0 {
            return wrong("limits", "text_tokens and batch_items must be above 0");
        }
        if self.limits.message_bytes < self.limits.text_bytes {
            return wrong("limits.message_bytes", "expected at least limits.text_bytes");
        }
        if !(1..=100_000).contains(&self.limits.conversation_turns) {
            return wrong("limits.conversation_turns", "expected 1 to 100000");
        }
        if !(1..=1_000_000).contains(&self.conversations.maximum) {
            return wrong("conversations.maximum", "expected 1 to 1000000");
        }
        if self.conversations.idle.is_zero() {
            return wrong("conversations.idle_ms", "expected at least 1");
        }
        if let Some((key, problem)) = self
            .storage
            .problem()
            .or_else(|| self.privacy.problem())
            .or_else(|| self.worker.problem())
            .or_else(|| self.drift.problem())
        {
            return wrong(key, problem);
        }
        if !is_uri_reference(&self.events.source) {
            return wrong("events.source", "expected 1 to 200 characters of a URI, such as attune/prod");
        }
        self.jobs.check()?;
        self.models.check()?;
        self.inference.check()
    }
}

/// Close enough to RFC 3986: none of the characters that no URI has.
fn is_uri_reference(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    (1..=200).contains(&text.len()) && text.bytes().all(allowed)
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok((!text.is_empty()).then(|| text.into()))
}
