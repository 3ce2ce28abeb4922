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

/// Rewrites the tables, so that nothing of deleted rows stays in their files, and samples anew what the planner knows of ids.
const REWRITE: [&str; 7] = [
    "VACUUM (FULL, ANALYZE) alerts",
    "VACUUM (FULL, ANALYZE) conversations",
    "VACUUM (FULL, ANALYZE) assessments",
    "VACUUM (FULL, ANALYZE) interactions",
    "VACUUM (FULL, ANALYZE) signals",
    "VACUUM (FULL, ANALYZE) outbox",
    "VACUUM (FULL, ANALYZE) customers",
];

/// Rows that a purge takes at a time.
const PIECE: i64 = 5_000;

const TEXTS: &str = "WITH old AS (SELECT id FROM interactions WHERE at_ms < $1 \
     AND (text IS NOT NULL OR text_hash IS NOT NULL) LIMIT $2), \
     gone AS (UPDATE interactions i SET text = NULL, text_hash = NULL FROM old WHERE i.id = old.id RETURNING 1) \
     SELECT count(*) FROM gone";

const INTERACTIONS: &str = "WITH gone AS (DELETE FROM interactions WHERE id IN (SELECT id FROM interactions \
     WHERE at_ms < $1 LIMIT $2) RETURNING id), \
     a AS (DELETE FROM assessments USING gone WHERE interaction = gone.id), \
     c AS (DELETE FROM conversations USING gone WHERE interaction = gone.id), \
     l AS (DELETE FROM alerts USING gone WHERE interaction = gone.id) SELECT count(*) FROM gone";

const SIGNALS: &str = "WITH gone AS (DELETE FROM signals WHERE sequence IN (SELECT sequence FROM signals \
     WHERE at_ms < $1 LIMIT $2) RETURNING 1) SELECT count(*) FROM gone";

const OUTBOX: &str = "WITH gone AS (DELETE FROM outbox WHERE sequence IN (SELECT sequence FROM outbox \
     WHERE state <> 0 AND settled_ms < $1 LIMIT $2) RETURNING 1) SELECT count(*) FROM gone";

impl PostgresStore {
    pub(super) async fn erase_all(
        &self,
        key: &CustomerKey,
        mark: &str,
        mut receipt: AuditEntry,
    ) -> Result<(Counts, AuditRow), Error> {
        let mut transaction = self.begin().await?;
        // Before anything else: a batch of this customer that is under way ends first, one that comes later finds the mark.
        let made = hold(&mut transaction, key).await?;
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
            let mine = if table == "customers" { made } else { 0 };
            counts.push((table, deleted.rows_affected() - mine));
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

    /// In pieces, each a transaction of its own: a statement over millions of rows would not end within its time, and would
    /// hold what others wait for.
    pub(super) async fn purge_all(&self, purge: Purge) -> Result<Counts, Error> {
        let mut counts = Counts::new();
        for (name, statement, before_ms) in [
            ("texts", TEXTS, purge.texts_before_ms),
            ("interactions", INTERACTIONS, purge.interactions_before_ms),
            ("signals", SIGNALS, purge.signals_before_ms),
            ("outbox", OUTBOX, purge.signals_before_ms),
        ] {
            let mut gone = 0;
            loop {
                let row = sqlx::query(statement)
                    .bind(before_ms)
                    .bind(PIECE)
                    .fetch_one(&self.pool)
                    .await
                    .map_err(unavailable)?;
                let piece: i64 = row.get(0);
                gone += piece.cast_unsigned();
                if piece < PIECE {
                    break;
                }
            }
            counts.push((name, gone));
        }
        Ok(counts)
    }
}

/// Holds a customer until the end of the transaction; one who is not there is made, or a first batch that is under way, whose
/// row nobody sees yet, would not be waited for. How many rows were made.
async fn hold(transaction: &mut Transaction<'_, Postgres>, key: &CustomerKey) -> Result<u64, Error> {
    let make =
        "INSERT INTO customers (tenant, customer, updated_ms) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING";
    let hold = "SELECT 1 FROM customers WHERE tenant = $1 AND customer = $2 FOR UPDATE";
    let ask = |statement: &'static str| sqlx::query(statement).bind(&key.tenant).bind(&key.customer);
    let made = ask(make).execute(&mut **transaction).await.map_err(unavailable)?;
    ask(hold).execute(&mut **transaction).await.map_err(unavailable)?;
    Ok(made.rows_affected())
}
