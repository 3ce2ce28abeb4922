//! A store in memory that is away for some calls, or does not take some records.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use attune::error::{Error, ErrorKind};
use attune::lifecycle::Account;
use attune::storage::memory::MemoryStore;
use attune::storage::{
    AuditEntry, AuditLog, AuditRow, Counts, Customer, CustomerFilter, CustomerKey, CustomerStore, DeadFilter,
    Decide, Delivery, HeldTable, Outbox, Outcome, Purge, Record, Recorded, SignalCursor, SignalPage,
    TimelineEntry,
};

#[derive(Debug, Default)]
pub(crate) struct FlakyStore {
    inner: Arc<MemoryStore>,
    away: AtomicUsize,
    refused: Option<&'static str>,
}

impl FlakyStore {
    /// Away for so many calls to record.
    pub(crate) fn away(times: usize) -> Self {
        Self { away: AtomicUsize::new(times), ..Self::default() }
    }

    /// Does not take the record of this external id, nor any with it.
    pub(crate) fn refusing(external_id: &'static str) -> Self {
        Self { refused: Some(external_id), ..Self::default() }
    }

    /// What another one holds.
    pub(crate) fn over(other: &Self) -> Self {
        Self { inner: Arc::clone(&other.inner), ..Self::default() }
    }
}

#[async_trait]
impl CustomerStore for FlakyStore {
    async fn record(&self, records: &[Record], decide: &dyn Decide) -> Result<Vec<Recorded>, Error> {
        let less = |times: usize| times.checked_sub(1);
        if self.away.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            return Err(Error::new(ErrorKind::Unavailable, "away"));
        }
        if records.iter().any(|record| Some(record.external_id.as_str()) == self.refused) {
            return Err(Error::internal("a record that no store takes"));
        }
        self.inner.record(records, decide).await
    }

    async fn import(
        &self,
        accounts: &[(CustomerKey, Account)],
        now_ms: i64,
        decide: &dyn Decide,
    ) -> Result<(), Error> {
        self.inner.import(accounts, now_ms, decide).await
    }

    async fn customer(&self, key: &CustomerKey) -> Result<Option<Customer>, Error> {
        self.inner.customer(key).await
    }

    async fn customers(&self, filter: &CustomerFilter) -> Result<Vec<Customer>, Error> {
        self.inner.customers(filter).await
    }

    async fn timeline(
        &self,
        key: &CustomerKey,
        before: Option<(i64, String)>,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, Error> {
        self.inner.timeline(key, before, limit).await
    }

    async fn interactions(&self, tenant: &str, ids: &[String]) -> Result<Vec<TimelineEntry>, Error> {
        self.inner.interactions(tenant, ids).await
    }

    async fn signals(
        &self,
        tenant: Option<&str>,
        after: SignalCursor,
        limit: usize,
    ) -> Result<SignalPage, Error> {
        self.inner.signals(tenant, after, limit).await
    }

    async fn signals_of(
        &self,
        key: &CustomerKey,
        after: SignalCursor,
        limit: usize,
    ) -> Result<SignalPage, Error> {
        self.inner.signals_of(key, after, limit).await
    }

    async fn held(
        &self,
        key: &CustomerKey,
        table: HeldTable,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        self.inner.held(key, table, skip, limit).await
    }

    async fn deliveries_of(
        &self,
        key: &CustomerKey,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error> {
        self.inner.deliveries_of(key, after, limit).await
    }

    async fn signals_end(&self) -> Result<SignalCursor, Error> {
        self.inner.signals_end().await
    }

    async fn erase(
        &self,
        key: &CustomerKey,
        mark: &str,
        receipt: AuditEntry,
    ) -> Result<(Counts, AuditRow), Error> {
        self.inner.erase(key, mark, receipt).await
    }

    async fn purge(&self, purge: Purge) -> Result<Counts, Error> {
        self.inner.purge(purge).await
    }

    async fn check(&self) -> Result<(), Error> {
        self.inner.check().await
    }
}

#[async_trait]
impl Outbox for FlakyStore {
    async fn claim(
        &self,
        sink: &str,
        limit: usize,
        now_ms: i64,
        lease_until_ms: i64,
    ) -> Result<Vec<Delivery>, Error> {
        self.inner.claim(sink, limit, now_ms, lease_until_ms).await
    }

    async fn settle(&self, outcomes: &[(u64, Outcome)], now_ms: i64) -> Result<(), Error> {
        self.inner.settle(outcomes, now_ms).await
    }

    async fn dead(&self, filter: &DeadFilter) -> Result<Vec<Delivery>, Error> {
        self.inner.dead(filter).await
    }

    async fn replay(&self, filter: &DeadFilter, now_ms: i64) -> Result<u64, Error> {
        self.inner.replay(filter, now_ms).await
    }

    async fn backlog(&self) -> Result<Vec<(String, u64, u64)>, Error> {
        self.inner.backlog().await
    }
}

#[async_trait]
impl AuditLog for FlakyStore {
    async fn append(&self, entry: AuditEntry) -> Result<AuditRow, Error> {
        self.inner.append(entry).await
    }

    async fn entries(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, Error> {
        self.inner.entries(after, limit).await
    }
}
