//! What is still to be delivered, and what became of it.

use std::fmt;

/// An event on its way to one sink.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxEvent {
    /// The event's id: the same however often it is sent.
    pub id: String,
    /// The sink's name in the configuration.
    pub sink: String,
    /// What it tells, such as `churn_risk_raised`.
    pub kind: String,
    /// When that happened, in milliseconds since 1970.
    pub at_ms: i64,
    /// The CloudEvents 1.0 envelope in JSON; byte by byte what is signed and sent, unless the sink has a mapping.
    pub body: String,
}

impl fmt::Debug for OutboxEvent {
    /// Leaves the body out: it names the customer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxEvent")
            .field("id", &self.id)
            .field("sink", &self.sink)
            .field("kind", &self.kind)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// An event that somebody has taken to deliver it.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its place in the outbox.
    pub sequence: u64,
    /// The tenant whose it is.
    pub tenant: String,
    /// The customer it tells of: events of one customer leave one after the other.
    pub customer: String,
    /// What is delivered.
    pub event: OutboxEvent,
    /// How often it has failed.
    pub attempts: u32,
    /// What failed last.
    pub error: Option<String>,
}

impl fmt::Debug for Delivery {
    /// Leaves the customer out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("sequence", &self.sequence)
            .field("tenant", &self.tenant)
            .field("event", &self.event)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The sink has it.
    Delivered,
    /// It is tried again, and what comes after it for the same customer waits.
    Retry {
        /// Not before, in milliseconds since 1970.
        at_ms: i64,
        /// What failed, without any of the body.
        error: String,
    },
    /// It is given up, and what comes after it goes on.
    Dead {
        /// What failed last.
        error: String,
    },
    /// It was taken and not tried.
    Released,
}

impl Outcome {
    /// As a row of a database: the state (0 due, 1 delivered, 2 given up), when it is due again, whether it has failed once
    /// more, and why.
    pub(super) fn row(&self, now_ms: i64) -> (i16, i64, i32, Option<&str>) {
        match self {
            Self::Delivered => (1, 0, 0, None),
            Self::Released => (0, now_ms, 0, None),
            Self::Retry { at_ms, error } => (0, *at_ms, 1, Some(error)),
            Self::Dead { error } => (2, 0, 1, Some(error)),
        }
    }
}

/// Which dead letters are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeadFilter {
    /// Of this sink.
    pub sink: Option<String>,
    /// This one.
    pub sequence: Option<u64>,
    /// After this place.
    pub after: u64,
    /// At most so many.
    pub limit: usize,
}
