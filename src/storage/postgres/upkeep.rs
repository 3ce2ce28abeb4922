//! Erasure and purge.

use sqlx::{Postgres, Row, Transaction};

use super::{PostgresStore, append, unavailable};
use crate::error::Error;
use crate::storage::audit::{AuditEntry, AuditRow};
use crate::storage::port::{Counts, Purge};
use crate::storage::record::CustomerKey;

/// Every table that says something of a customer.
const OF_CUSTOMERS: [(&str, &str); 7] = [
    (
        "alerts",
        "DELETE FROM alerts USING interactions i WHERE i.id = interaction AND i.tenant = $1 AND i.customer = $2",
    ),
    (
        "conversations",
        "DELETE FROM conversations USING interactions i WHERE i.id = interaction AND i.tenant = $1 AND i.customer = $2",
    ),
    (
        "assessments",
        "DELETE FROM assessments USING interactions i WHERE i.id = interaction AND i.tenant = $1 AND i.customer = $2",
    ),
    ("interactions", "DELETE FROM interactions WHERE tenant = $1 AND customer = $2"),
    ("signals", "DELETE FROM signals WHERE tenant = $1 AND customer = $2"),
    ("outbox", "DELETE FROM outbox WHERE tenant = $1 AND customer = $2"),
    ("customers", "DELETE FROM customers WHERE tenant = $1 AND customer = $2"),
];

/// Rewrites the tables, so that nothing of deleted rows stays in their files.
const REWRITE: [&str; 7] = [
    "VACUUM FULL alerts",
    "VACUUM FULL conversations",
    "VACUUM FULL assessments",
    "VACUUM FULL interactions",
    "VACUUM FULL signals",
    "VACUUM FULL outbox",
    "VACUUM FULL customers",
];

impl PostgresStore {
    pub(super) async fn erase_all(
        &self,
        key: &CustomerKey,
        mark: &str,
        mut receipt: AuditEntry,
    ) -> Result<(Counts, AuditRow), Error> {
        let mut transaction = self.pool.begin().await.map_err(unavailable)?;
        // Before anything else: a batch of this customer that is under way ends first, one that comes later finds the mark.
        hold(&mut transaction, key).await?;
        let insert = "INSERT INTO erasures VALUES ($1, $2, $3) ON CONFLICT (tenant, mark) \
                      DO UPDATE SET at_ms = GREATEST(erasures.at_ms, EXCLUDED.at_ms)";
        sqlx::query(insert)
            .bind(&key.tenant)
            .bind(mark)
            .bind(receipt.at_ms)
            .execute(&mut *transaction)
            .await
            .map_err(unavailable)?;
        let mut counts = Counts::new();
        for (table, delete) in OF_CUSTOMERS {
            let deleted = sqlx::query(delete)
                .bind(&key.tenant)
                .bind(&key.customer)
                .execute(&mut *transaction)
                .await
                .map_err(unavailable)?;
            counts.push((table, deleted.rows_affected()));
        }
        receipt.detail = receipt.with_counts(&counts)?;
        let row = append(&mut transaction, receipt).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok((counts, row))
    }

    /// Rewrites every table that says something of customers, and locks each meanwhile: for a quiet hour.
    ///
    /// Errors: `Unavailable`; what was rewritten before stays so.
    pub async fn rewrite(&self) -> Result<(), Error> {
        let mut connection = self.pool.acquire().await.map_err(unavailable)?;
        sqlx::query("SET statement_timeout = 0").execute(&mut *connection).await.map_err(unavailable)?;
        for statement in REWRITE {
            sqlx::query(statement).execute(&mut *connection).await.map_err(unavailable)?;
        }
        // The setting is the session's own: this one is not given back.
        connection.close().await.map_err(unavailable)
    }

    pub(super) async fn purge_all(&self, purge: Purge) -> Result<Counts, Error> {
        let texts = "UPDATE interactions SET text = NULL, text_hash = NULL \
                     WHERE at_ms < $1 AND (text IS NOT NULL OR text_hash IS NOT NULL)";
        let interactions = "WITH gone AS (DELETE FROM interactions WHERE at_ms < $1 RETURNING id), \
             a AS (DELETE FROM assessments USING gone WHERE interaction = gone.id), \
             c AS (DELETE FROM conversations USING gone WHERE interaction = gone.id), \
             l AS (DELETE FROM alerts USING gone WHERE interaction = gone.id) \
             SELECT count(*) FROM gone";
        let mut counts = Counts::new();
        counts.push(("texts", self.delete(texts, purge.texts_before_ms).await?));
        let gone = sqlx::query(interactions)
            .bind(purge.interactions_before_ms)
            .fetch_one(&self.pool)
            .await
            .map_err(unavailable)?;
        counts.push(("interactions", gone.get::<i64, _>(0).cast_unsigned()));
        let signals = "DELETE FROM signals WHERE at_ms < $1";
        counts.push(("signals", self.delete(signals, purge.signals_before_ms).await?));
        let outbox = "DELETE FROM outbox WHERE state <> 0 AND settled_ms < $1";
        counts.push(("outbox", self.delete(outbox, purge.signals_before_ms).await?));
        Ok(counts)
    }

    async fn delete(&self, statement: &'static str, before_ms: i64) -> Result<u64, Error> {
        let done = sqlx::query(statement).bind(before_ms).execute(&self.pool).await.map_err(unavailable)?;
        Ok(done.rows_affected())
    }
}

async fn hold(transaction: &mut Transaction<'_, Postgres>, key: &CustomerKey) -> Result<(), Error> {
    sqlx::query("SELECT 1 FROM customers WHERE tenant = $1 AND customer = $2 FOR UPDATE")
        .bind(&key.tenant)
        .bind(&key.customer)
        .execute(&mut **transaction)
        .await
        .map(drop)
        .map_err(unavailable)
}
