//! Customers, their timelines, and the log of signals.

use async_trait::async_trait;
use sqlx::Row;

use super::reading::{self, customer, entry, signal};
use super::{PostgresStore, held, unavailable};
use crate::error::Error;
use crate::lifecycle::{Account, SignalKind, Stage};
use crate::storage::audit::{AuditEntry, AuditRow};
use crate::storage::customer::{Customer, CustomerFilter, SignalCursor, SignalPage, TimelineEntry};
use crate::storage::held::HeldTable;
use crate::storage::outbox::Delivery;
use crate::storage::port::{Counts, CustomerStore, Decide, Purge};
use crate::storage::record::{CustomerKey, Record, Recorded};

#[async_trait]
impl CustomerStore for PostgresStore {
    async fn record(&self, records: &[Record], decide: &dyn Decide) -> Result<Vec<Recorded>, Error> {
        self.record_all(records, decide).await
    }

    async fn import(
        &self,
        accounts: &[(CustomerKey, Account)],
        now_ms: i64,
        decide: &dyn Decide,
    ) -> Result<(), Error> {
        self.import_all(accounts, now_ms, decide).await
    }

    async fn customer(&self, key: &CustomerKey) -> Result<Option<Customer>, Error> {
        let row = sqlx::query(reading::CUSTOMER)
            .bind(&key.tenant)
            .bind(&key.customer)
            .fetch_optional(&self.pool)
            .await
            .map_err(unavailable)?;
        row.as_ref().map(customer).transpose()
    }

    async fn customers(&self, filter: &CustomerFilter) -> Result<Vec<Customer>, Error> {
        let rows = sqlx::query(reading::CUSTOMERS)
            .bind(&filter.tenant)
            .bind(filter.signal.map(SignalKind::name))
            .bind(filter.stage.map(Stage::name))
            .bind(filter.churn_at_least)
            .bind(filter.level_at_most)
            .bind(filter.after.as_ref().map(|(risk, _)| *risk))
            .bind(filter.after.as_ref().map(|(_, id)| id.as_str()))
            .bind(filter.limit as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        rows.iter().map(customer).collect()
    }

    async fn timeline(
        &self,
        key: &CustomerKey,
        before: Option<(i64, String)>,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, Error> {
        let rows = sqlx::query(reading::TIMELINE)
            .bind(&key.tenant)
            .bind(&key.customer)
            .bind(before.as_ref().map(|(at_ms, _)| *at_ms))
            .bind(before.as_ref().map(|(_, id)| id.as_str()))
            .bind(limit as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        rows.iter().map(entry).collect()
    }

    async fn interactions(&self, tenant: &str, ids: &[String]) -> Result<Vec<TimelineEntry>, Error> {
        let rows = sqlx::query(reading::INTERACTIONS)
            .bind(tenant)
            .bind(ids)
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        rows.iter().map(entry).collect()
    }

    async fn signals(
        &self,
        tenant: Option<&str>,
        after: SignalCursor,
        limit: usize,
    ) -> Result<SignalPage, Error> {
        let rows = sqlx::query(reading::SIGNALS)
            .bind(tenant)
            .bind(after.cast_signed())
            .bind(limit as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        let rows = rows.iter().map(signal).collect::<Result<Vec<_>, Error>>()?;
        Ok(SignalPage { next: rows.last().map_or(after, |row| row.cursor), rows })
    }

    async fn signals_of(
        &self,
        key: &CustomerKey,
        after: SignalCursor,
        limit: usize,
    ) -> Result<SignalPage, Error> {
        let rows = sqlx::query(reading::SIGNALS_OF)
            .bind(&key.tenant)
            .bind(&key.customer)
            .bind(after.cast_signed())
            .bind(limit as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        let rows = rows.iter().map(signal).collect::<Result<Vec<_>, Error>>()?;
        Ok(SignalPage { next: rows.last().map_or(after, |row| row.cursor), rows })
    }

    async fn held(
        &self,
        key: &CustomerKey,
        table: HeldTable,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let rows = sqlx::query(held::query(table))
            .bind(&key.tenant)
            .bind(&key.customer)
            .bind(limit as i64)
            .bind(skip as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn deliveries_of(
        &self,
        key: &CustomerKey,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error> {
        let rows = sqlx::query(super::outbox::OF_CUSTOMER)
            .bind(&key.tenant)
            .bind(&key.customer)
            .bind(after.cast_signed())
            .bind(limit as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(rows.iter().map(super::outbox::delivery).collect())
    }

    async fn signals_end(&self) -> Result<SignalCursor, Error> {
        let row = sqlx::query(reading::SIGNALS_END).fetch_one(&self.pool).await.map_err(unavailable)?;
        Ok(row.get::<i64, _>(0).cast_unsigned())
    }

    async fn erase(
        &self,
        key: &CustomerKey,
        mark: &str,
        receipt: AuditEntry,
    ) -> Result<(Counts, AuditRow), Error> {
        self.erase_all(key, mark, receipt).await
    }

    async fn purge(&self, purge: Purge) -> Result<Counts, Error> {
        self.purge_all(purge).await
    }

    async fn check(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(&self.pool).await.map(drop).map_err(unavailable)
    }
}
