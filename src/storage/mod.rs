//! What is kept of customers: interactions and what was read in them, profiles, signals, and what is still to be delivered.
//!
//! A port with three stores behind it: memory (tests), SQLite (one host), PostgreSQL (many workers). All of them hold the
//! same promises, which `tests/live/store/` checks one by one: an interaction is kept once, whoever sends it how often;
//! what follows from it (profile, signals, deliveries) is kept in the same transaction; a customer's records are decided
//! upon one after the other, and deliveries leave in that order. What follows is decided by the caller ([`Decide`]), so
//! that a store knows rows and no rules.
//!
//! Times are milliseconds since 1970 and come from the caller: a store has no clock.

pub mod audit;
pub mod customer;
mod form;
pub mod held;
pub mod memory;
mod migration;
pub mod outbox;
pub mod port;
pub mod postgres;
pub mod record;
mod sql;
pub mod sqlite;

pub use audit::{AuditEntry, AuditRow};
pub use customer::{
    Customer, CustomerFilter, CustomerState, Decision, SignalCursor, SignalPage, SignalRow, TimelineEntry,
};
pub use held::HeldTable;
pub use outbox::{DeadFilter, Delivery, OutboxEvent, Outcome};
pub use port::{AuditLog, Counts, CustomerStore, Decide, Outbox, Purge, Store};
pub use record::{
    AlertRecord, AssessmentRecord, ConversationRecord, CustomerKey, KeptText, Record, Recorded,
};

use crate::error::{Error, ErrorKind};

/// What a caller hears where customers are not kept.
pub fn no_store() -> Error {
    let message = "no storage is configured: set storage.url, for instance to sqlite:attune.db";
    Error::new(ErrorKind::Precondition, message)
}
