//! Erasure and purge.

use sqlx::Row;

use super::{SqliteStore, append, unavailable};
use crate::error::{Error, ErrorKind};
use crate::storage::audit::{AuditEntry, AuditRow};
use crate::storage::port::{Counts, Purge};
use crate::storage::record::CustomerKey;

/// Tries to empty the log; each waits for readers up to the busy time by itself.
const CHECKPOINTS: usize = 2;

/// The interactions of a customer.
macro_rules! of_customer {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE interaction IN (SELECT id FROM interactions WHERE tenant = ?1 AND customer = ?2)"
        )
    };
}

/// Every table that says something of a customer.
const OF_CUSTOMERS: [(&str, &str); 7] = [
    ("alerts", of_customer!("alerts")),
    ("conversations", of_customer!("conversations")),
    ("assessments", of_customer!("assessments")),
    ("interactions", "DELETE FROM interactions WHERE tenant = ?1 AND customer = ?2"),
    ("signals", "DELETE FROM signals WHERE tenant = ?1 AND customer = ?2"),
    ("outbox", "DELETE FROM outbox WHERE tenant = ?1 AND customer = ?2"),
    ("customers", "DELETE FROM customers WHERE tenant = ?1 AND customer = ?2"),
];

/// What outlives its time, in the order in which it goes; the number of rows of the unnamed is not told.
const OUTLIVED: [(Option<&str>, &str); 7] = [
    (
        Some("texts"),
        "UPDATE interactions SET text = NULL, text_hash = NULL \
         WHERE at_ms < ?1 AND (text IS NOT NULL OR text_hash IS NOT NULL)",
    ),
    (None, "DELETE FROM alerts WHERE interaction IN (SELECT id FROM interactions WHERE at_ms < ?2)"),
    (None, "DELETE FROM conversations WHERE interaction IN (SELECT id FROM interactions WHERE at_ms < ?2)"),
    (None, "DELETE FROM assessments WHERE interaction IN (SELECT id FROM interactions WHERE at_ms < ?2)"),
    (Some("interactions"), "DELETE FROM interactions WHERE at_ms < ?2"),
    (Some("signals"), "DELETE FROM signals WHERE at_ms < ?3"),
    (Some("outbox"), "DELETE FROM outbox WHERE state <> 0 AND settled_ms < ?3"),
];

impl SqliteStore {
    pub(super) async fn erase_all(
        &self,
        key: &CustomerKey,
        mark: &str,
        mut receipt: AuditEntry,
    ) -> Result<(Counts, AuditRow), Error> {
        let mut transaction = self.begin().await?;
        let insert = "INSERT INTO erasures VALUES (?1, ?2, ?3) ON CONFLICT (tenant, mark) \
                      DO UPDATE SET at_ms = max(at_ms, excluded.at_ms)";
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
        self.empty_log().await?;
        Ok((counts, row))
    }

    /// Writes the log back into the file and empties it: until then, it still holds the pages as they were. Whoever reads an
    /// old page holds it up; that is over in milliseconds.
    async fn empty_log(&self) -> Result<(), Error> {
        for _ in 0..CHECKPOINTS {
            let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
            let row = sqlx::query(checkpoint).fetch_one(&self.writer).await.map_err(unavailable)?;
            if row.get::<i64, _>(0) == 0 {
                return Ok(());
            }
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            "the rows are gone, but another process holds the database's log, which has them still: repeat it",
        ))
    }

    pub(super) async fn purge_all(&self, purge: Purge) -> Result<Counts, Error> {
        let mut transaction = self.begin().await?;
        let mut counts = Counts::new();
        for (name, statement) in OUTLIVED {
            let done = sqlx::query(statement)
                .bind(purge.texts_before_ms)
                .bind(purge.interactions_before_ms)
                .bind(purge.signals_before_ms)
                .execute(&mut *transaction)
                .await
                .map_err(unavailable)?;
            counts.extend(name.map(|name| (name, done.rows_affected())));
        }
        transaction.commit().await.map_err(unavailable)?;
        self.empty_log().await?;
        Ok(counts)
    }
}
