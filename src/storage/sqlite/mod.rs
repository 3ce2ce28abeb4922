//! SQLite: one file, one process; the default where there is no PostgreSQL.
//!
//! One connection writes and a few read, beside each other thanks to the write-ahead log. A commit is on the disk before
//! it is answered (`synchronous = FULL`). What is deleted is overwritten (`secure_delete`).

mod customers;
mod held;
mod outbox;
mod reading;
mod record;
mod upkeep;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, Sqlite, SqlitePool, Transaction};

// Whoever writes holds the file: there is one at a time who adds to the chain.
use self::customers::chain as append;
use crate::error::{Error, ErrorKind};

/// Connections that read.
const READERS: u32 = 4;
/// Longest wait for another process that holds the file, such as `attune audit`.
const BUSY: Duration = Duration::from_secs(10);
/// Longest wait for a connection from the pool.
const ACQUIRE: Duration = Duration::from_secs(30);

/// One database file.
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("src/storage/sqlite/migrations");

impl SqliteStore {
    /// Opens a file, which is made when it is not there. Errors: `Unavailable` when it can't be opened or made.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .pragma("secure_delete", "ON");
        let opened = |error: sqlx::Error| {
            let message = format!(
                "{}: the database file can't be opened: is its directory there, and writable?",
                path.display()
            );
            Error::new(ErrorKind::Unavailable, message).with_source(error)
        };
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE)
            .connect_with(options.clone())
            .await
            .map_err(opened)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(ACQUIRE)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(opened)?;
        Ok(Self { writer, readers })
    }

    /// Brings the tables up to this version. Errors: `Precondition` when they were changed by hand or are newer.
    pub async fn migrate(&self) -> Result<(), Error> {
        MIGRATIONS.run(&self.writer).await.map_err(super::migration::refused)
    }

    /// The version of the tables that this attune makes.
    pub fn version() -> i64 {
        super::migration::newest(&MIGRATIONS)
    }

    /// Checks that the tables are of this version. Errors: `Precondition`, which says to run `attune migrate`.
    pub async fn check_schema(&self) -> Result<(), Error> {
        let applied = sqlx::query("SELECT version, checksum FROM _sqlx_migrations WHERE success")
            .fetch_all(&self.writer)
            .await
            .map(|rows| rows.iter().map(|row| (row.get(0), row.get(1))).collect());
        super::migration::check(&MIGRATIONS, super::migration::or_none(applied).map_err(unavailable)?)
    }

    /// A transaction that writes; it holds the file from its beginning, so that it can't lose against another one.
    async fn begin(&self) -> Result<Transaction<'_, Sqlite>, Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(unavailable)
    }
}

/// What a database's error means to a caller. A statement's values are never part of the message.
fn unavailable(error: sqlx::Error) -> Error {
    let code = error.as_database_error().and_then(|e| e.code()).and_then(|code| code.parse::<i32>().ok());
    // The lower byte of an extended code is its family: https://www.sqlite.org/rescode.html
    match code.map(|code| code & 0xff) {
        Some(5 | 6) => Error::new(ErrorKind::Unavailable, "the database file is held by another process"),
        Some(8) => Error::new(ErrorKind::Unavailable, "the database file can't be written: is it read-only?"),
        Some(10 | 14) => Error::new(ErrorKind::Unavailable, "the database file can't be read or written"),
        Some(11 | 26) => {
            Error::new(ErrorKind::Precondition, "the database file is damaged, or is none of SQLite")
        }
        Some(13) => Error::new(ErrorKind::Unavailable, "the disk of the database file is full"),
        _ if matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) => {
            Error::new(ErrorKind::Unavailable, "the database file is busy")
        }
        _ => return Error::internal(error),
    }
    .with_source(error)
}
