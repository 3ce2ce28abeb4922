//! Customers as a store gives them out.

use super::outbox::OutboxEvent;
use super::record::{AssessmentRecord, ConversationRecord, CustomerKey, KeptText};
use crate::lifecycle::{Account, Memory, Observation, Profile, Signal, SignalKind, Stage};

/// Interactions of one customer that a decision takes into account: the newest ones. With the half-lives of the profile,
/// what came before them has no weight left, but for customers with several hundred interactions a month.
pub const REMEMBERED: usize = 256;

/// A customer while something is decided; nobody else changes it meanwhile.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CustomerState {
    /// What the CRM has said.
    pub account: Account,
    /// What was last told.
    pub memory: Memory,
    /// The newest [`REMEMBERED`] interactions, those that are just added included, oldest first.
    pub observations: Vec<Observation>,
}

/// What follows from an interaction, or from what a CRM has said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decision {
    /// How the customer stands now.
    pub profile: Profile,
    /// What is remembered of what was told.
    pub memory: Memory,
    /// What has changed, each with the id of its event.
    pub signals: Vec<(String, Signal)>,
    /// What is to be delivered, in this order.
    pub events: Vec<OutboxEvent>,
}

/// A customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Who.
    pub key: CustomerKey,
    /// What the CRM has said.
    pub account: Account,
    /// How the customer stands as of the newest interaction.
    pub profile: Profile,
    /// What holds now.
    pub active: Vec<SignalKind>,
    /// When anything was last changed, in milliseconds since 1970.
    pub updated_ms: i64,
}

/// Which customers are listed, and where the list goes on. Likeliest to leave first.
#[derive(Clone, PartialEq, Default)]
pub struct CustomerFilter {
    /// Of this tenant.
    pub tenant: String,
    /// For whom this signal holds.
    pub signal: Option<SignalKind>,
    /// In this stage.
    pub stage: Option<Stage>,
    /// Probability of leaving at least so high.
    pub churn_at_least: Option<f64>,
    /// Sentiment level at most so high.
    pub level_at_most: Option<f64>,
    /// After this place: the probability of leaving, and the id, of the last customer of the page before.
    pub after: Option<(f64, String)>,
    /// At most so many.
    pub limit: usize,
}

/// An interaction with what was read in it.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineEntry {
    /// The interaction's id.
    pub id: String,
    /// The system it comes from.
    pub source: String,
    /// Its id there.
    pub external_id: String,
    /// `message`, `survey` or `conversation`.
    pub kind: String,
    /// When it was received, in milliseconds since 1970.
    pub received_ms: i64,
    /// What is kept of its text.
    pub text: KeptText,
    /// What it says of the customer.
    pub observation: Observation,
    /// What the newest model and policy have read in it.
    pub assessment: AssessmentRecord,
    /// What it was as a conversation.
    pub conversation: Option<ConversationRecord>,
}

/// A place in the log of signals; 0 is its beginning.
pub type SignalCursor = u64;

/// A signal of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalRow {
    /// Its place in the log.
    pub cursor: SignalCursor,
    /// The event's id.
    pub id: String,
    /// Whose it is.
    pub key: CustomerKey,
    /// The signal.
    pub signal: Signal,
}

/// A piece of the log of signals.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SignalPage {
    /// In their order.
    pub rows: Vec<SignalRow>,
    /// Where the next piece begins; equal to where this one began when there was nothing.
    pub next: SignalCursor,
}
