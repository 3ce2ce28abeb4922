//! PostgreSQL (14 or newer): for more than one process.
//!
//! A batch of records is one transaction of about ten statements, whatever the number of records: rows travel as arrays.
//! Customers are locked in the order of their names, so that two batches with the same customers wait for each other
//! and never for ever. Deliveries are claimed by one process at a time per sink; only so does "no earlier one of this
//! customer is on its way" hold when two claim at once.

mod customers;
mod held;
mod outbox;
mod reading;
mod record;
mod rows;
mod upkeep;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool, Postgres, Row, Transaction};

use super::audit::{AuditEntry, AuditRow};
use crate::error::{Error, ErrorKind};

/// Longest wait for a connection from the pool, and so for a database that is away.
const ACQUIRE: Duration = Duration::from_secs(10);
/// Longest run of one statement; what takes longer holds locks that others wait for.
const STATEMENT: &str = "30s";
/// Tries of a transaction that lost against another one.
const TRIES: u32 = 5;
/// Locks are named by numbers in PostgreSQL; these are attune's own.
const AUDIT_LOCK: i64 = 0x6174_7475_6e65_0001;
/// Held from the numbering of signals to their commit: so a reader of the log never finds a row behind itself.
const SIGNALS_LOCK: i64 = 0x6174_7475_6e65_0002;

/// A pool of connections to one database.
pub struct PostgresStore {
    pool: PgPool,
}

impl fmt::Debug for PostgresStore {
    /// Leaves the address out: it may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects to `url` (`postgres://user:password@host/database`) with up to `connections` connections.
    ///
    /// Errors: `InvalidInput` for a URL that is none; `Unavailable` when the database can't be reached.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, Error> {
        let is_one = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let options = PgConnectOptions::from_str(url)
            .ok()
            .filter(|_| is_one)
            .ok_or_else(|| Error::invalid("storage.url", "is no postgres:// URL"))?
            .application_name("attune")
            .options([("statement_timeout", STATEMENT), ("idle_in_transaction_session_timeout", STATEMENT)]);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE)
            .connect_with(options)
            .await
            .map_err(unavailable)?;
        Ok(Self { pool })
    }

    /// Brings the tables up to this version. Errors: `Precondition` when they were changed by hand or are newer.
    pub async fn migrate(&self) -> Result<(), Error> {
        MIGRATIONS.run(&self.pool).await.map_err(super::migration::refused)
    }

    /// Which database it is, for people: host, port and name, without who may enter it.
    pub fn place(&self) -> String {
        let options = self.pool.connect_options();
        let database = options.get_database().unwrap_or_default();
        format!("{}:{}/{database}", options.get_host(), options.get_port())
    }

    /// The version of the tables that this attune makes.
    pub fn version() -> i64 {
        super::migration::newest(&MIGRATIONS)
    }

    /// Checks that the tables are of this version. Errors: `Precondition`, which says to run `attune migrate`.
    pub async fn check_schema(&self) -> Result<(), Error> {
        let applied = sqlx::query("SELECT version, checksum FROM _sqlx_migrations WHERE success")
            .fetch_all(&self.pool)
            .await
            .map(|rows| rows.iter().map(|row| (row.get(0), row.get(1))).collect());
        super::migration::check(&MIGRATIONS, super::migration::or_none(applied).map_err(unavailable)?)
    }

    async fn begin(&self) -> Result<Transaction<'_, Postgres>, Error> {
        self.pool.begin().await.map_err(unavailable)
    }
}

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("src/storage/postgres/migrations");

/// What a database's error means to a caller. A statement's values are never part of the message.
fn unavailable(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => away(error),
        sqlx::Error::Database(database) => match database.code().as_deref() {
            // Shutting down, starting up, too many connections, disk full or failing, lost against another transaction, and a
            // server that has become a read-only one.
            Some(code) if ["57P", "53", "08", "58"].iter().any(|class| code.starts_with(class)) => {
                away(error)
            }
            Some("40001" | "40P01" | "55P03" | "57014" | "25006" | "25P03") => away(error),
            Some("28P01" | "28000" | "3D000") => {
                let message =
                    "the database refuses the user, the password or the database's name: check storage.url";
                Error::new(ErrorKind::Precondition, message).with_source(error)
            }
            _ => Error::internal(error),
        },
        _ => Error::internal(error),
    }
}

fn away(error: sqlx::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "the database is not available").with_source(error)
}

/// Whether the same transaction may well succeed when it is tried again.
fn lost(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|e| e.code());
    matches!(code.as_deref(), Some("40001" | "40P01"))
}

/// Adds an entry to the chain; one at a time, or two would follow the same row.
async fn append(connection: &mut PgConnection, entry: AuditEntry) -> Result<AuditRow, Error> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(AUDIT_LOCK)
        .execute(&mut *connection)
        .await
        .map_err(unavailable)?;
    customers::chain(connection, entry).await
}
