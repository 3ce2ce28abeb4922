//! `[storage]`, `[privacy]` and `[worker]`: where customers are kept, what of them, and where they come from.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::{milliseconds, path};

/// A value that can't be, and what was expected.
type Problem = Option<(&'static str, &'static str)>;

/// `[storage]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// `None`: customers are not kept.
    pub url: StorageUrl,
    /// Connections to PostgreSQL.
    pub connections: u32,
}

/// Where customers are kept.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum StorageUrl {
    /// Nowhere.
    #[default]
    None,
    /// In memory, until the process ends.
    Memory,
    /// In a file.
    Sqlite(PathBuf),
    /// In a database; may hold a password.
    Postgres(String),
}

impl std::fmt::Debug for StorageUrl {
    /// Leaves the address out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Memory => "Memory",
            Self::Sqlite(_) => "Sqlite",
            Self::Postgres(_) => "Postgres",
        })
    }
}

impl<'de> Deserialize<'de> for StorageUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "" => Ok(Self::None),
            "memory:" => Ok(Self::Memory),
            url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Self::Postgres(text))
            }
            url => match url.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
                Some(path) => Ok(Self::Sqlite(path.into())),
                None => {
                    let expected = "expected sqlite:FILE, postgres://USER:PASSWORD@HOST/DATABASE, or memory:";
                    Err(serde::de::Error::custom(expected))
                }
            },
        }
    }
}

impl Storage {
    pub(super) fn problem(&self) -> Problem {
        let fits = (2..=1000).contains(&self.connections);
        (!fits).then_some(("storage.connections", "expected 2 to 1000"))
    }
}

/// `[privacy]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// What stays of a text.
    pub keep_text: KeepText,
    /// The file of the secret behind hashes of texts and marks of customers; `None` for hashes that can be tried out.
    #[serde(deserialize_with = "path")]
    pub key_file: Option<PathBuf>,
    /// Texts go after so many days; 0 keeps them.
    pub text_days: u32,
    /// Interactions go after so many days; 0 keeps them.
    pub interaction_days: u32,
    /// Signals and settled deliveries go after so many days; 0 keeps them.
    pub signal_days: u32,
}

/// What stays of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepText {
    /// Nothing.
    None,
    /// A keyed hash.
    Hash,
    /// The text without what identifies a person.
    Redacted,
    /// All of it.
    Full,
}

impl Privacy {
    pub(super) fn problem(&self) -> Problem {
        let keyless = self.keep_text == KeepText::Hash && self.key_file.is_none();
        keyless.then_some((
            "privacy.key_file",
            "is required when privacy.keep_text is hash: short texts can be tried out",
        ))
    }
}

/// `[worker]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// Where NATS is.
    pub nats: String,
    /// The file of a token; `None` for none.
    #[serde(deserialize_with = "path")]
    pub token_file: Option<PathBuf>,
    /// A user's name; empty for none.
    pub user: String,
    /// The file of the user's password.
    #[serde(deserialize_with = "path")]
    pub password_file: Option<PathBuf>,
    /// The stream that interactions are read from.
    pub stream: String,
    /// Subjects begin with this.
    pub subject_prefix: String,
    /// Name of the durable consumer, which workers share.
    pub durable: String,
    /// Interactions that are read, kept and acknowledged together.
    pub batch: usize,
    /// Tries until an interaction becomes a dead letter.
    pub max_deliver: u32,
    /// NATS gives an interaction to somebody else when it is not acknowledged after so long.
    #[serde(rename = "ack_wait_ms", deserialize_with = "milliseconds")]
    pub ack_wait: Duration,
}

impl Worker {
    pub(super) fn problem(&self) -> Problem {
        if !(1..=10_000).contains(&self.batch) {
            return Some(("worker.batch", "expected 1 to 10000"));
        }
        if !(1..=1_000).contains(&self.max_deliver) {
            return Some(("worker.max_deliver", "expected 1 to 1000"));
        }
        if self.ack_wait < Duration::from_secs(1) {
            return Some(("worker.ack_wait_ms", "expected at least 1000"));
        }
        if self.user.is_empty() == self.password_file.is_some() {
            return Some(("worker.password_file", "is set together with worker.user, or neither is"));
        }
        if self.token_file.is_some() && !self.user.is_empty() {
            return Some(("worker.token_file", "and worker.user exclude each other"));
        }
        if !is_name(&self.stream) {
            return Some(("worker.stream", NAME));
        }
        if !is_name(&self.durable) {
            return Some(("worker.durable", NAME));
        }
        if !self.subject_prefix.split('.').all(is_name) {
            return Some(("worker.subject_prefix", "expected letters, digits, - and _, with dots between"));
        }
        None
    }
}

const NAME: &str = "expected 1 to 128 letters, digits, - and _";

/// Whether NATS takes it as a name or as a part of a subject.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=128).contains(&text.len()) && text.bytes().all(plain)
}
