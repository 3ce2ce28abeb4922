//! What a store does.

use std::fmt;

use async_trait::async_trait;

use super::audit::{AuditEntry, AuditRow};
use super::customer::{
    Customer, CustomerFilter, CustomerState, Decision, SignalCursor, SignalPage, TimelineEntry,
};
use super::held::HeldTable;
use super::outbox::{DeadFilter, Delivery, Outcome};
use super::record::{CustomerKey, Record, Recorded};
use crate::error::Error;
use crate::lifecycle::Account;

/// Decides what follows from what is added. Pure: a store may ask twice when a transaction has to be repeated.
pub trait Decide: Send + Sync {
    /// `added` are the new records of this customer, in the order of their arrival; none when the CRM has spoken. An error
    /// ends the transaction, and nothing of it is kept.
    fn decide(&self, key: &CustomerKey, state: &CustomerState, added: &[&Record]) -> Result<Decision, Error>;
}

/// How many rows of which table went.
pub type Counts = Vec<(&'static str, u64)>;

/// What has outlived its time. Each is a time in milliseconds since 1970; what is older goes. 0 keeps all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purge {
    /// Texts; their interactions stay.
    pub texts_before_ms: i64,
    /// Interactions with all that was read in them.
    pub interactions_before_ms: i64,
    /// Signals, and deliveries that are done or given up.
    pub signals_before_ms: i64,
}

/// Interactions, profiles and signals. Errors of all methods: `Unavailable` when the store can't be reached or is busy
/// for too long, `Internal` for what it can't explain.
#[async_trait]
pub trait CustomerStore: Send + Sync {
    /// Keeps interactions and what follows from them, all of them or none. Answers in the order of the records; the second
    /// of two equal ones is not new. One that took place before its customer was erased is dropped as if it were known.
    async fn record(&self, records: &[Record], decide: &dyn Decide) -> Result<Vec<Recorded>, Error>;

    /// Takes over what a CRM says of customers, and decides again.
    async fn import(
        &self,
        accounts: &[(CustomerKey, Account)],
        now_ms: i64,
        decide: &dyn Decide,
    ) -> Result<(), Error>;

    /// The customer, if there is one.
    async fn customer(&self, key: &CustomerKey) -> Result<Option<Customer>, Error>;

    /// Customers, likeliest to leave first (those without a risk count as 0), then by id.
    async fn customers(&self, filter: &CustomerFilter) -> Result<Vec<Customer>, Error>;

    /// A customer's interactions, newest first, older than `before` (time and id) when it is given.
    async fn timeline(
        &self,
        key: &CustomerKey,
        before: Option<(i64, String)>,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, Error>;

    /// Interactions by tenant and id, in any order; those that are not there are left out.
    async fn interactions(&self, tenant: &str, ids: &[String]) -> Result<Vec<TimelineEntry>, Error>;

    /// The log of a tenant's signals (of all when it is `None`) after a place. What was ever given out before the cursor stays
    /// before it: no row appears behind.
    async fn signals(
        &self,
        tenant: Option<&str>,
        after: SignalCursor,
        limit: usize,
    ) -> Result<SignalPage, Error>;

    /// The signals of one customer after a place in the log, as many as `limit`.
    async fn signals_of(
        &self,
        key: &CustomerKey,
        after: SignalCursor,
        limit: usize,
    ) -> Result<SignalPage, Error>;

    /// The rows of a table that say something of a customer, each as a JSON object, without the first `skip`.
    async fn held(
        &self,
        key: &CustomerKey,
        table: HeldTable,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<String>, Error>;

    /// A customer's events for sinks after a place, in their order, whatever became of them.
    async fn deliveries_of(
        &self,
        key: &CustomerKey,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error>;

    /// Where the log of signals ends now.
    async fn signals_end(&self) -> Result<SignalCursor, Error>;

    /// Takes a customer out of every table, and leaves `receipt` in the audit log, with the counts added to its detail.
    /// `mark` is the customer's [`Record::mark`]: interactions up to `receipt.at_ms` are dropped when they arrive later.
    async fn erase(
        &self,
        key: &CustomerKey,
        mark: &str,
        receipt: AuditEntry,
    ) -> Result<(Counts, AuditRow), Error>;

    /// Takes away what has outlived its time; how many rows it was.
    async fn purge(&self, purge: Purge) -> Result<Counts, Error>;

    /// Whether the store answers.
    async fn check(&self) -> Result<(), Error>;
}

/// What is to be delivered.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Takes up to `limit` due events of a sink, in their order, until `lease_until_ms`: who takes them has them for itself as
    /// long. An event waits while an earlier one of its customer is taken by another, or waits for another try.
    async fn claim(
        &self,
        sink: &str,
        limit: usize,
        now_ms: i64,
        lease_until_ms: i64,
    ) -> Result<Vec<Delivery>, Error>;

    /// Says what became of what was taken; what another has delivered or given up meanwhile stays so.
    async fn settle(&self, outcomes: &[(u64, Outcome)], now_ms: i64) -> Result<(), Error>;

    /// Events that were given up, in their order.
    async fn dead(&self, filter: &DeadFilter) -> Result<Vec<Delivery>, Error>;

    /// Gives events that were given up another chance; how many there were.
    async fn replay(&self, filter: &DeadFilter, now_ms: i64) -> Result<u64, Error>;

    /// Events that wait, and events that were given up, by sink.
    async fn backlog(&self) -> Result<Vec<(String, u64, u64)>, Error>;
}

/// Who did what with customers' data; each entry is bound to the one before.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Adds an entry.
    async fn append(&self, entry: AuditEntry) -> Result<AuditRow, Error>;

    /// Entries after a place, in their order.
    async fn entries(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, Error>;
}

/// A store.
pub trait Store: CustomerStore + Outbox + AuditLog + fmt::Debug {}

impl<T: CustomerStore + Outbox + AuditLog + fmt::Debug> Store for T {}
