//! What one interaction says of its customer, as far as the lifecycle listens. Without text.

use serde::{Deserialize, Serialize};

/// One interaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// The interaction's id; unique within the customer, and decides between equal times.
    pub id: String,
    /// When it took place, in milliseconds since 1970.
    pub at_ms: i64,
    /// The channel's name, as [`crate::domain::Channel::name`] gives it, or `survey`.
    pub channel: String,
    /// P(positive) − P(negative), in [−1, 1]; `None` when there was nothing that could be read.
    pub score: Option<f64>,
    /// The cues that it has, by name, each with its strength in (0, 1]: 0.5 at its threshold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cues: Vec<(String, f64)>,
    /// The answer to "how likely are you to recommend us", 0 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nps: Option<u8>,
    /// The answer to "how satisfied are you", brought to [0, 1].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csat: Option<f64>,
    /// How far a conversation had escalated at its worst: 0 none, 1/3 watch, 2/3 elevated, 1 urgent.
    #[serde(default)]
    pub escalation: f64,
    /// Whether the customer was clearly negative in it and better at its end.
    #[serde(default)]
    pub recovered: bool,
}
