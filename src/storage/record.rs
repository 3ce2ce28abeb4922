//! One interaction as it is kept.

use std::fmt;

use serde::Deserialize;

use crate::lifecycle::{Observation, Signal};

/// Names a customer of a tenant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerKey {
    /// The tenant; empty for the only one.
    pub tenant: String,
    /// The customer's id in the caller's systems.
    pub customer: String,
}

impl CustomerKey {
    /// The customer of that tenant.
    pub fn new(tenant: impl Into<String>, customer: impl Into<String>) -> Self {
        Self { tenant: tenant.into(), customer: customer.into() }
    }
}

impl fmt::Debug for CustomerKey {
    /// Leaves the customer out: ids are often mail addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomerKey").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// What is kept of a text.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct KeptText {
    /// The text, whole or redacted.
    pub text: Option<String>,
    /// A keyed hash of it, in hex.
    pub hash: Option<String>,
}

impl fmt::Debug for KeptText {
    /// Says how long the text is, and never what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptText")
            .field("text_bytes", &self.text.as_ref().map(String::len))
            .field("hash", &self.hash.is_some())
            .finish()
    }
}

/// What a model has read in an interaction; one per model and policy version, never changed.
#[derive(Debug, Clone, PartialEq)]
pub struct AssessmentRecord {
    /// `id@version` of the model.
    pub model: String,
    /// Version of the escalation policy; empty where none was asked.
    pub policy: String,
    /// Whether the text could be read, by its name in exports.
    pub status: String,
    /// BCP 47 tag of the language.
    pub language: Option<String>,
    /// P(positive) − P(negative), in [−1, 1].
    pub score: Option<f64>,
    /// Label of the sentiment.
    pub label: Option<String>,
    /// The likeliest emotion.
    pub emotion: Option<String>,
    /// The whole of it, as a JSON object without text.
    pub body: String,
    /// When it was read, in milliseconds since 1970.
    pub scored_ms: i64,
}

/// A conversation at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversationRecord {
    /// Number of its turns.
    pub turns: u32,
    /// The highest tier of its alerts, by name.
    pub tier: String,
    /// Probability of the risk at its end.
    pub risk: f64,
    /// Whether the customer was clearly negative and better at the end.
    pub recovered: bool,
    /// Its alerts.
    pub alerts: Vec<AlertRecord>,
}

/// An alert of a conversation as it stood at the end. Databases give it out as JSON.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct AlertRecord {
    /// The alert's stable id.
    pub id: String,
    /// Its last tier, by name.
    pub tier: String,
    /// How it ended, by name; `raised` when it is open.
    pub change: String,
    /// The turn of its last event, from 0.
    pub turn: u32,
}

/// One interaction to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Whose it is.
    pub key: CustomerKey,
    /// A keyed hash of whose it is, by which an erased customer is known again.
    pub mark: String,
    /// Follows from tenant, source and external id, so that the same interaction has the same id wherever it arrives.
    pub id: String,
    /// The system it comes from.
    pub source: String,
    /// Its id there; with tenant and source, what makes it the same interaction.
    pub external_id: String,
    /// `message`, `survey` or `conversation`.
    pub kind: &'static str,
    /// When it was received, in milliseconds since 1970.
    pub received_ms: i64,
    /// What is kept of its text.
    pub text: KeptText,
    /// What was read in it.
    pub assessment: AssessmentRecord,
    /// What it says of the customer; with the time and the channel of the interaction.
    pub observation: Observation,
    /// What it was as a conversation.
    pub conversation: Option<ConversationRecord>,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The interaction's id.
    pub id: String,
    /// Whether it is new; `false` when it was there already, or is older than its customer's erasure: nothing was changed.
    pub new: bool,
    /// What followed from it.
    pub signals: Vec<Signal>,
}
