//! What PostgreSQL and SQLite do alike: the same questions in two dialects, with the same parameters and columns.
//!
//! A macro and not a generic: a function over any database of sqlx would need a bound for every type of every column. Each
//! store invokes it in its `customers.rs`, beside a `reading` and a `held` with its own dialect, and keeps to itself what it
//! does in its own way: writing, claiming, erasing.

/// The port's [`CustomerStore`](super::CustomerStore) and [`AuditLog`](super::AuditLog) for `$store`, which reads through the pool
/// `$readers`, and the values out of its rows.
macro_rules! shared {
    ($store:ident, $readers:ident, $row:ty, $connection:ty) => {
        use async_trait::async_trait;
        use sqlx::Row;

        use super::{$store, append, held, reading, unavailable};
        use crate::error::Error;
        use crate::lifecycle::{Account, SignalKind, Stage};
        use crate::storage::audit::{AuditEntry, AuditRow};
        use crate::storage::customer::{
            Customer, CustomerFilter, SignalCursor, SignalPage, SignalRow, TimelineEntry,
        };
        use crate::storage::form;
        use crate::storage::held::HeldTable;
        use crate::storage::outbox::{Delivery, OutboxEvent};
        use crate::storage::port::{AuditLog, Counts, CustomerStore, Decide, Purge};
        use crate::storage::record::{
            AssessmentRecord, ConversationRecord, CustomerKey, KeptText, Record, Recorded,
        };

        #[async_trait]
        impl CustomerStore for $store {
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
                    .fetch_optional(&self.$readers)
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
                    .fetch_all(&self.$readers)
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
                    .fetch_all(&self.$readers)
                    .await
                    .map_err(unavailable)?;
                rows.iter().map(entry).collect()
            }

            async fn interactions(&self, tenant: &str, ids: &[String]) -> Result<Vec<TimelineEntry>, Error> {
                let rows = sqlx::query(reading::INTERACTIONS)
                    .bind(tenant)
                    .bind(reading::ids(ids)?)
                    .fetch_all(&self.$readers)
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
                    .fetch_all(&self.$readers)
                    .await
                    .map_err(unavailable)?;
                page(&rows, after)
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
                    .fetch_all(&self.$readers)
                    .await
                    .map_err(unavailable)?;
                page(&rows, after)
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
                    .fetch_all(&self.$readers)
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
                let query = "SELECT sequence, tenant, customer, id, sink, kind, at_ms, body, attempts, error FROM outbox \
                             WHERE tenant = $1 AND customer = $2 AND sequence > $3 ORDER BY sequence LIMIT $4";
                let rows = sqlx::query(query)
                    .bind(&key.tenant)
                    .bind(&key.customer)
                    .bind(after.cast_signed())
                    .bind(limit as i64)
                    .fetch_all(&self.$readers)
                    .await
                    .map_err(unavailable)?;
                Ok(rows.iter().map(delivery).collect())
            }

            async fn signals_end(&self) -> Result<SignalCursor, Error> {
                let query = "SELECT COALESCE(max(sequence), 0) FROM signals";
                let row = sqlx::query(query).fetch_one(&self.$readers).await.map_err(unavailable)?;
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
                sqlx::query("SELECT 1").execute(&self.$readers).await.map(drop).map_err(unavailable)
            }
        }

        #[async_trait]
        impl AuditLog for $store {
            async fn append(&self, entry: AuditEntry) -> Result<AuditRow, Error> {
                let mut transaction = self.begin().await?;
                let row = append(&mut transaction, entry).await?;
                transaction.commit().await.map_err(unavailable)?;
                Ok(row)
            }

            async fn entries(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, Error> {
                let query = "SELECT sequence, at_ms, actor, action, subject, detail, previous, hash FROM audit \
                             WHERE sequence > $1 ORDER BY sequence LIMIT $2";
                let rows = sqlx::query(query)
                    .bind(after.cast_signed())
                    .bind(limit as i64)
                    .fetch_all(&self.$readers)
                    .await
                    .map_err(unavailable)?;
                Ok(rows.iter().map(audit_row).collect())
            }
        }

        /// Adds an entry to the chain, which nobody else may do meanwhile.
        pub(super) async fn chain(connection: &mut $connection, entry: AuditEntry) -> Result<AuditRow, Error> {
            let last = sqlx::query("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1")
                .fetch_optional(&mut *connection)
                .await
                .map_err(unavailable)?;
            let before = last.map(|row| (row.get::<i64, _>(0).cast_unsigned(), row.get(1)));
            let row = AuditRow::bind(entry, before);
            sqlx::query("INSERT INTO audit VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
                .bind(row.sequence.cast_signed())
                .bind(row.entry.at_ms)
                .bind(&row.entry.actor)
                .bind(&row.entry.action)
                .bind(&row.entry.subject)
                .bind(&row.entry.detail)
                .bind(&row.previous)
                .bind(&row.hash)
                .execute(connection)
                .await
                .map_err(unavailable)?;
            Ok(row)
        }

        fn audit_row(row: &$row) -> AuditRow {
            AuditRow {
                sequence: row.get::<i64, _>(0).cast_unsigned(),
                entry: AuditEntry {
                    at_ms: row.get(1),
                    actor: row.get(2),
                    action: row.get(3),
                    subject: row.get(4),
                    detail: row.get(5),
                },
                previous: row.get(6),
                hash: row.get(7),
            }
        }

        fn customer(row: &$row) -> Result<Customer, Error> {
            Ok(Customer {
                key: CustomerKey::new(row.get::<String, _>(0), row.get::<String, _>(1)),
                account: form::read(row.get::<&str, _>(2))?,
                profile: form::read(row.get::<&str, _>(3))?,
                active: row.get::<&str, _>(4).split(',').filter_map(SignalKind::of_name).collect(),
                updated_ms: row.get(5),
            })
        }

        fn entry(row: &$row) -> Result<TimelineEntry, Error> {
            Ok(TimelineEntry {
                id: row.get(0),
                source: row.get(1),
                external_id: row.get(2),
                kind: row.get(3),
                received_ms: row.get(4),
                text: KeptText { text: row.get(5), hash: row.get(6) },
                observation: form::read(row.get::<&str, _>(7))?,
                assessment: AssessmentRecord {
                    model: row.get(8),
                    policy: row.get(9),
                    status: row.get(10),
                    language: row.get(11),
                    score: row.get(12),
                    label: row.get(13),
                    emotion: row.get(14),
                    body: row.get(15),
                    scored_ms: row.get(16),
                },
                conversation: conversation(row)?,
            })
        }

        fn conversation(row: &$row) -> Result<Option<ConversationRecord>, Error> {
            let Some(turns) = row.get::<Option<i32>, _>(17) else { return Ok(None) };
            Ok(Some(ConversationRecord {
                turns: turns.cast_unsigned(),
                tier: row.get(18),
                risk: row.get(19),
                recovered: row.get(20),
                alerts: form::read_or_default(row.get(21))?,
            }))
        }

        fn page(rows: &[$row], after: SignalCursor) -> Result<SignalPage, Error> {
            let signal = |row: &$row| {
                Ok(SignalRow {
                    cursor: row.get::<i64, _>(0).cast_unsigned(),
                    id: row.get(1),
                    key: CustomerKey::new(row.get::<String, _>(2), row.get::<String, _>(3)),
                    signal: form::read(row.get::<&str, _>(4))?,
                })
            };
            let rows = rows.iter().map(signal).collect::<Result<Vec<_>, Error>>()?;
            Ok(SignalPage { next: rows.last().map_or(after, |row| row.cursor), rows })
        }

        pub(super) fn delivery(row: &$row) -> Delivery {
            Delivery {
                sequence: row.get::<i64, _>(0).cast_unsigned(),
                tenant: row.get(1),
                customer: row.get(2),
                event: OutboxEvent {
                    id: row.get(3),
                    sink: row.get(4),
                    kind: row.get(5),
                    at_ms: row.get(6),
                    body: row.get(7),
                },
                attempts: row.get::<i32, _>(8).cast_unsigned(),
                error: row.get(9),
            }
        }
    };
}
pub(super) use shared;
