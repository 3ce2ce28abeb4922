//! `[jobs]`: files that are scored, by the command line and by the service.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, milliseconds, path};

/// Bytes below which hardly any object could be downloaded.
const SPOOL_LEAST: u64 = 1 << 20;

/// `[jobs]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Time between checkpoints.
    #[serde(rename = "checkpoint_ms", deserialize_with = "milliseconds")]
    pub checkpoint_every: Duration,
    /// `None` turns the service's jobs off.
    #[serde(deserialize_with = "path")]
    pub directory: Option<PathBuf>,
    /// Directories that jobs may read and write.
    pub directories: Vec<PathBuf>,
    /// Buckets that jobs may read and write.
    pub buckets: Vec<String>,
    /// URL of the S3 service; empty for what the variables say.
    pub s3_endpoint: String,
    /// Region; empty for what the variables say.
    pub s3_region: String,
    /// Id of the access key; empty for what the variables say.
    pub s3_access_key_id: String,
    /// Its secret.
    pub s3_secret_access_key: Hidden,
    /// Jobs that run at the same time.
    pub concurrent: usize,
    /// Jobs that may wait.
    pub queued: usize,
    /// How long jobs that have ended are kept.
    #[serde(rename = "keep_ms", deserialize_with = "milliseconds")]
    pub keep: Duration,
    /// Most of them that are kept.
    pub keep_jobs: usize,
    /// Bytes of downloaded objects at the same time.
    pub spool_bytes: u64,
}

/// Text that is never shown.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// The text, for whoever must have it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Jobs {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong =
            |key: &str, problem: &str| Err(ConfigError::Value { key: key.into(), problem: problem.into() });
        if !(1..=64).contains(&self.concurrent) {
            return wrong("jobs.concurrent", "expected 1 to 64");
        }
        if !(1..=100_000).contains(&self.queued) {
            return wrong("jobs.queued", "expected 1 to 100000");
        }
        if self.keep_jobs > 100_000 {
            return wrong("jobs.keep_jobs", "expected at most 100000");
        }
        if self.spool_bytes < SPOOL_LEAST {
            return wrong("jobs.spool_bytes", "expected at least 1048576");
        }
        if self.s3_access_key_id.is_empty() != self.s3_secret_access_key.0.is_empty() {
            return wrong("jobs.s3_access_key_id", "an id and its secret go together: set both, or neither");
        }
        Ok(())
    }
}
