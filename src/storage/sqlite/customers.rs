//! Customers, their timelines, the log of signals, and the audit log.

crate::storage::sql::shared!(SqliteStore, readers, sqlx::sqlite::SqliteRow, sqlx::SqliteConnection);
