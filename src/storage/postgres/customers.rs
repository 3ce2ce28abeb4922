//! Customers, their timelines, the log of signals, and the audit log.

crate::storage::sql::shared!(PostgresStore, pool, sqlx::postgres::PgRow, sqlx::PgConnection);
