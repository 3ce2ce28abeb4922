//! Where events go: a webhook, NATS JetStream, a file; and the loop that takes them out of the outbox.
//!
//! Every sink is built alike: its settings, a constructor that says what is wrong with them, and [`Sink::send`], which
//! sends one event and says how it went. A sink knows no outbox, no retry and no other sink; the [`dispatch`] loop does, and
//! knows no sink. Errors say what failed, never what was sent, and no answer's body.

pub mod dispatch;
pub mod file;
pub mod mapping;
pub mod nats;
pub mod secret;
pub mod target;
pub mod webhook;

use std::time::Duration;

use async_trait::async_trait;

use crate::storage::Delivery;

pub use dispatch::{DispatchSettings, Dispatcher, Wake};
pub use secret::Secret;

/// Sends events to one place.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Sends one event. Whoever gives up waiting drops the future; the event may have arrived all the same.
    async fn send(&self, delivery: &Delivery) -> Result<(), Failure>;
}

/// Why an event has not arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It may go better another time.
    Retry {
        /// What failed, without any of the body.
        error: String,
        /// When the receiver wants to be asked again, if it said so.
        after: Option<Duration>,
    },
    /// This event will never arrive.
    Permanent {
        /// What failed, without any of the body.
        error: String,
    },
    /// No event will arrive any more: the receiver is gone for good.
    Gone {
        /// What failed, without any of the body.
        error: String,
    },
}

impl Failure {
    /// It may go better another time.
    pub fn retry(error: impl Into<String>) -> Self {
        Self::Retry { error: error.into(), after: None }
    }

    /// This event will never arrive.
    pub fn permanent(error: impl Into<String>) -> Self {
        Self::Permanent { error: error.into() }
    }

    /// What failed.
    pub fn error(&self) -> &str {
        match self {
            Self::Retry { error, .. } | Self::Permanent { error } | Self::Gone { error } => error,
        }
    }
}
