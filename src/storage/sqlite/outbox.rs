//! Deliveries in SQLite.

use async_trait::async_trait;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::customers::delivery;
use super::{SqliteStore, unavailable};
use crate::error::Error;
use crate::storage::outbox::{DeadFilter, Delivery, Outcome};
use crate::storage::port::Outbox;

const CLAIM: &str = "SELECT sequence, tenant, customer, id, sink, kind, at_ms, body, attempts, error FROM outbox o \
     WHERE sink = ?1 AND state = 0 AND due_ms <= ?2 AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.sink = o.sink \
     AND p.tenant = o.tenant AND p.customer = o.customer AND p.state = 0 AND p.sequence < o.sequence AND p.due_ms > ?2) \
     ORDER BY sequence LIMIT ?3";

const DEAD: &str = "SELECT sequence, tenant, customer, id, sink, kind, at_ms, body, attempts, error FROM outbox \
     WHERE state = 2 AND sequence > ?1 AND (?2 IS NULL OR sink = ?2) AND (?3 IS NULL OR sequence = ?3) \
     ORDER BY sequence LIMIT ?4";

const REPLAY: &str = "UPDATE outbox SET state = 0, due_ms = ?5, attempts = 0, settled_ms = NULL WHERE sequence IN \
     (SELECT sequence FROM outbox WHERE state = 2 AND sequence > ?1 AND (?2 IS NULL OR sink = ?2) \
     AND (?3 IS NULL OR sequence = ?3) ORDER BY sequence LIMIT ?4)";

#[async_trait]
impl Outbox for SqliteStore {
    async fn claim(
        &self,
        sink: &str,
        limit: usize,
        now_ms: i64,
        lease_until_ms: i64,
    ) -> Result<Vec<Delivery>, Error> {
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(CLAIM)
            .bind(sink)
            .bind(now_ms)
            .bind(limit as i64)
            .fetch_all(&mut *transaction)
            .await
            .map_err(unavailable)?;
        let taken: Vec<Delivery> = rows.iter().map(delivery).collect();
        for delivery in &taken {
            sqlx::query("UPDATE outbox SET due_ms = ?2 WHERE sequence = ?1")
                .bind(delivery.sequence.cast_signed())
                .bind(lease_until_ms)
                .execute(&mut *transaction)
                .await
                .map_err(unavailable)?;
        }
        transaction.commit().await.map_err(unavailable)?;
        Ok(taken)
    }

    async fn settle(&self, outcomes: &[(u64, Outcome)], now_ms: i64) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        for (sequence, outcome) in outcomes {
            let (state, due_ms, failed, error) = outcome.row(now_ms);
            let query = "UPDATE outbox SET state = ?2, due_ms = ?3, attempts = attempts + ?4, error = COALESCE(?5, error), \
                         settled_ms = CASE WHEN ?2 = 0 THEN NULL ELSE ?6 END WHERE sequence = ?1 AND state = 0";
            sqlx::query(query)
                .bind(sequence.cast_signed())
                .bind(state)
                .bind(due_ms)
                .bind(failed)
                .bind(error)
                .bind(now_ms)
                .execute(&mut *transaction)
                .await
                .map_err(unavailable)?;
        }
        transaction.commit().await.map_err(unavailable)
    }

    async fn dead(&self, filter: &DeadFilter) -> Result<Vec<Delivery>, Error> {
        let rows = sqlx::query(DEAD)
            .bind(filter.after.cast_signed())
            .bind(&filter.sink)
            .bind(filter.sequence.map(u64::cast_signed))
            .bind(filter.limit as i64)
            .fetch_all(&self.readers)
            .await
            .map_err(unavailable)?;
        Ok(rows.iter().map(delivery).collect())
    }

    async fn replay(&self, filter: &DeadFilter, now_ms: i64) -> Result<u64, Error> {
        let done = sqlx::query(REPLAY)
            .bind(filter.after.cast_signed())
            .bind(&filter.sink)
            .bind(filter.sequence.map(u64::cast_signed))
            .bind(filter.limit as i64)
            .bind(now_ms)
            .execute(&self.writer)
            .await
            .map_err(unavailable)?;
        Ok(done.rows_affected())
    }

    async fn backlog(&self) -> Result<Vec<(String, u64, u64)>, Error> {
        let query = "SELECT sink, sum(state = 0), sum(state = 2) FROM outbox WHERE state <> 1 GROUP BY sink ORDER BY sink";
        let rows = sqlx::query(query).fetch_all(&self.readers).await.map_err(unavailable)?;
        let count = |row: &SqliteRow, n: usize| row.get::<i64, _>(n).cast_unsigned();
        Ok(rows.iter().map(|row| (row.get(0), count(row, 1), count(row, 2))).collect())
    }
}
