//! `[drift]`: how what is read is compared with the model's baseline.

use std::time::Duration;

use serde::Deserialize;

use super::milliseconds;

/// `[drift]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// Whether anything is counted.
    pub enabled: bool,
    /// Texts of a window.
    pub window_texts: u32,
    /// How far back it reaches.
    #[serde(rename = "window_ms", deserialize_with = "milliseconds")]
    pub window: Duration,
    /// Tenants that are told apart.
    pub tenants: usize,
}

impl Drift {
    /// The first setting that breaks a rule, and which.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        // Below this, chance is larger than what is looked for.
        if !(200..=1_000_000).contains(&self.window_texts) {
            return Some(("drift.window_texts", "expected 200 to 1000000"));
        }
        if self.window < Duration::from_secs(60) {
            return Some(("drift.window_ms", "expected at least 60000"));
        }
        if !(1..=10_000).contains(&self.tenants) {
            return Some(("drift.tenants", "expected 1 to 10000"));
        }
        None
    }
}
