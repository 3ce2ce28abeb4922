//! Deliveries in PostgreSQL.

use async_trait::async_trait;
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::customers::delivery;
use super::{PostgresStore, unavailable};
use crate::error::Error;
use crate::storage::outbox::{DeadFilter, Delivery, Outcome};
use crate::storage::port::Outbox;

const CLAIM: &str = "WITH due AS (SELECT sequence FROM outbox o WHERE sink = $1 AND state = 0 AND due_ms <= $2 \
     AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.sink = o.sink AND p.tenant = o.tenant AND p.customer = o.customer \
     AND p.state = 0 AND p.sequence < o.sequence AND p.due_ms > $2) ORDER BY sequence LIMIT $4), \
     taken AS (UPDATE outbox SET due_ms = $3 WHERE sequence IN (SELECT sequence FROM due) AND state = 0 AND due_ms <= $2 \
     RETURNING sequence, tenant, customer, id, sink, kind, at_ms, body, attempts, error) \
     SELECT * FROM taken ORDER BY sequence";

const SETTLE: &str = "UPDATE outbox o SET state = u.state, due_ms = u.due_ms, attempts = o.attempts + u.failed, \
     error = COALESCE(u.error, o.error), settled_ms = CASE WHEN u.state = 0 THEN NULL ELSE $6 END \
     FROM UNNEST($1::bigint[], $2::smallint[], $3::bigint[], $4::integer[], $5::text[]) \
     AS u(sequence, state, due_ms, failed, error) WHERE o.sequence = u.sequence AND o.state = 0";

const DEAD: &str = "SELECT sequence, tenant, customer, id, sink, kind, at_ms, body, attempts, error FROM outbox \
     WHERE state = 2 AND sequence > $1 AND ($2::text IS NULL OR sink = $2) AND ($3::bigint IS NULL OR sequence = $3) \
     ORDER BY sequence LIMIT $4";

const REPLAY: &str = "UPDATE outbox SET state = 0, due_ms = $5, attempts = 0, settled_ms = NULL WHERE sequence IN \
     (SELECT sequence FROM outbox WHERE state = 2 AND sequence > $1 AND ($2::text IS NULL OR sink = $2) \
     AND ($3::bigint IS NULL OR sequence = $3) ORDER BY sequence LIMIT $4)";

#[async_trait]
impl Outbox for PostgresStore {
    async fn claim(
        &self,
        sink: &str,
        limit: usize,
        now_ms: i64,
        lease_until_ms: i64,
    ) -> Result<Vec<Delivery>, Error> {
        let mut transaction = self.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('attune outbox ' || $1, 0))")
            .bind(sink)
            .execute(&mut *transaction)
            .await
            .map_err(unavailable)?;
        let rows = sqlx::query(CLAIM)
            .bind(sink)
            .bind(now_ms)
            .bind(lease_until_ms)
            .bind(limit as i64)
            .fetch_all(&mut *transaction)
            .await
            .map_err(unavailable)?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(rows.iter().map(delivery).collect())
    }

    async fn settle(&self, outcomes: &[(u64, Outcome)], now_ms: i64) -> Result<(), Error> {
        let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (sequence, outcome) in outcomes {
            let (state, due_ms, failed, error) = outcome.row(now_ms);
            columns.0.push(sequence.cast_signed());
            columns.1.push(state);
            columns.2.push(due_ms);
            columns.3.push(failed);
            columns.4.push(error);
        }
        sqlx::query(SETTLE)
            .bind(columns.0)
            .bind(columns.1)
            .bind(columns.2)
            .bind(columns.3)
            .bind(columns.4)
            .bind(now_ms)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(unavailable)
    }

    async fn dead(&self, filter: &DeadFilter) -> Result<Vec<Delivery>, Error> {
        let rows = sqlx::query(DEAD)
            .bind(filter.after.cast_signed())
            .bind(&filter.sink)
            .bind(filter.sequence.map(u64::cast_signed))
            .bind(filter.limit as i64)
            .fetch_all(&self.pool)
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
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(done.rows_affected())
    }

    async fn backlog(&self) -> Result<Vec<(String, u64, u64)>, Error> {
        let query = "SELECT sink, count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 2) FROM outbox \
                     WHERE state <> 1 GROUP BY sink ORDER BY sink";
        let rows = sqlx::query(query).fetch_all(&self.pool).await.map_err(unavailable)?;
        let count = |row: &PgRow, n: usize| row.get::<i64, _>(n).cast_unsigned();
        Ok(rows.iter().map(|row| (row.get(0), count(row, 1), count(row, 2))).collect())
    }
}
