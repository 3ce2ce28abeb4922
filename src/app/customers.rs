//! Where customers are kept, out of the configuration.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Surroundings;
use super::sinks::{self, Dispatchers};
use crate::config::{Config, KeepText, StorageUrl};
use crate::error::{Error, ErrorKind};
use crate::model::Manifest;
use crate::pipeline::Models;
use crate::pipeline::conversation::PolicySource;
use crate::pipeline::customers::{Customers, Deciding, Keep, Keeping};
use crate::pipeline::monitor::now_ms;
use crate::privacy::HashKey;
use crate::sinks::Secret;
use crate::storage::memory::MemoryStore;
use crate::storage::postgres::PostgresStore;
use crate::storage::sqlite::SqliteStore;
use crate::storage::{Purge, Store, no_store};

/// What has outlived its time is looked for this often.
const PURGE: Duration = Duration::from_secs(3600);
const DAY_MS: i64 = 86_400_000;

/// Opens the store that the configuration names; `None` when it names none. A file gets its tables here; a database has to
/// have them. Errors: those of the stores, `Precondition` for a database without the tables of this version.
pub async fn open_store(config: &Config) -> Result<Option<Arc<dyn Store>>, Error> {
    Ok(match &config.storage.url {
        StorageUrl::None => None,
        StorageUrl::Memory => Some(Arc::new(MemoryStore::new())),
        StorageUrl::Sqlite(path) => {
            let store = SqliteStore::open(path).await?;
            store.migrate().await?;
            Some(Arc::new(store))
        }
        StorageUrl::Postgres(url) => {
            let store = PostgresStore::connect(url, config.storage.connections).await?;
            store.check_schema().await?;
            Some(Arc::new(store))
        }
    })
}

/// Opens the store, and says what to set when there is none. Errors: `Precondition`, and as [`open_store`].
pub async fn require_store(config: &Config) -> Result<Arc<dyn Store>, Error> {
    open_store(config).await?.ok_or_else(no_store)
}

/// The store of a command that looks at what others have kept: its tables have to be there. A file is not made, or a slip
/// in its name would be an empty store.
///
/// Errors: `Precondition` without a store, for `memory:`, which ends with its process, and without tables; those of the
/// stores.
pub async fn standing_store(config: &Config) -> Result<Arc<dyn Store>, Error> {
    standing(config).await.map(|(store, _)| store)
}

/// The same for a command that begins to keep: a file is made. Errors: as [`standing_store`].
pub async fn lasting_store(config: &Config) -> Result<Arc<dyn Store>, Error> {
    if config.storage.url == StorageUrl::Memory {
        return Err(passing());
    }
    require_store(config).await
}

fn passing() -> Error {
    let message = "memory: ends with its process, so a command finds nothing in it: set storage.url, for instance to \
                   sqlite:attune.db";
    Error::new(ErrorKind::Precondition, message)
}

/// Tables of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Which store, for people; without a password.
    pub store: String,
    /// Their version.
    pub version: i64,
}

/// Makes the tables of this version. Errors: those of the stores.
pub async fn migrate(config: &Config) -> Result<Tables, Error> {
    match &config.storage.url {
        StorageUrl::None => Err(no_store()),
        StorageUrl::Memory => Err(passing()),
        StorageUrl::Sqlite(path) => {
            SqliteStore::open(path).await?.migrate().await?;
            Ok(sqlite_tables(path))
        }
        StorageUrl::Postgres(url) => {
            let store = PostgresStore::connect(url, 2).await?;
            store.migrate().await?;
            Ok(postgres_tables(&store))
        }
    }
}

/// Says whether the tables are of this version, and changes nothing. Errors: `Precondition` when they are not, with what
/// to do; those of the stores.
pub async fn check_tables(config: &Config) -> Result<Tables, Error> {
    standing(config).await.map(|(_, tables)| tables)
}

async fn standing(config: &Config) -> Result<(Arc<dyn Store>, Tables), Error> {
    match &config.storage.url {
        StorageUrl::None => Err(no_store()),
        StorageUrl::Memory => Err(passing()),
        StorageUrl::Sqlite(path) if !path.exists() => {
            let message = format!(
                "{}: there is no database file: run `attune migrate` to make it, or correct storage.url",
                path.display()
            );
            Err(Error::new(ErrorKind::Precondition, message))
        }
        StorageUrl::Sqlite(path) => {
            let store = SqliteStore::open(path).await?;
            store.check_schema().await?;
            Ok((Arc::new(store), sqlite_tables(path)))
        }
        StorageUrl::Postgres(url) => {
            let store = PostgresStore::connect(url, config.storage.connections).await?;
            store.check_schema().await?;
            let tables = postgres_tables(&store);
            Ok((Arc::new(store), tables))
        }
    }
}

fn sqlite_tables(path: &Path) -> Tables {
    Tables { store: format!("SQLite {}", path.display()), version: SqliteStore::version() }
}

fn postgres_tables(store: &PostgresStore) -> Tables {
    Tables { store: format!("PostgreSQL {}", store.place()), version: PostgresStore::version() }
}

/// Rewrites the tables of a database, so that nothing of what was deleted stays in its files; a file needs none of it, since
/// what is deleted there is overwritten at once. Errors: those of the stores.
pub async fn rewrite(config: &Config) -> Result<(), Error> {
    match &config.storage.url {
        StorageUrl::None => Err(no_store()),
        StorageUrl::Memory | StorageUrl::Sqlite(_) => Ok(()),
        StorageUrl::Postgres(url) => PostgresStore::connect(url, 2).await?.rewrite().await,
    }
}

/// What stays of texts, and the key of hashes. Errors: `NotFound` for a secret that is not there.
pub async fn keeping(config: &Config) -> Result<Keeping, Error> {
    let keep = match config.privacy.keep_text {
        KeepText::None => Keep::None,
        KeepText::Hash => Keep::Hash,
        KeepText::Redacted => Keep::Redacted,
        KeepText::Full => Keep::Full,
    };
    let secret = match &config.privacy.key_file {
        Some(path) => Secret::File(path.clone()).read().await?,
        None => String::new(),
    };
    let key = HashKey::of(secret.as_bytes());
    Ok(Keeping::new(keep, key))
}

/// What is decided, and told to whom. Errors: those of the settings.
pub fn deciding(config: &Config, manifest: &Manifest) -> Result<Deciding, Error> {
    Ok(Deciding {
        source: config.events.source.clone(),
        model: format!("{}@{}", manifest.id, manifest.version),
        routes: sinks::routes(config)?,
    })
}

/// Joins a model, a policy and a store, for a command that records much and long after it happened: what follows is kept,
/// and told to the sinks only when they are to `hear` it. Errors: those of the settings.
pub async fn build_backfill(
    config: &Config,
    models: &Models,
    store: Arc<dyn Store>,
    hear: bool,
) -> Result<Customers, Error> {
    let mut deciding = deciding(config, models.default_model().manifest())?;
    if !hear {
        deciding.routes = crate::events::Routes::default();
    }
    let policies = super::policies::follow(config)?;
    Ok(Customers::new(models.clone(), policies, store, keeping(config).await?, deciding))
}

/// Joins models, a policy and a store. Errors: those of the settings.
pub async fn build_customers(
    config: &Config,
    models: &Models,
    policies: PolicySource,
    store: Arc<dyn Store>,
) -> Result<Customers, Error> {
    let deciding = deciding(config, models.default_model().manifest())?;
    Ok(Customers::new(models.clone(), policies, store, keeping(config).await?, deciding))
}

/// Customers of a running process: kept, told of, and purged.
pub struct Kept {
    /// The use case.
    pub customers: Arc<Customers>,
    stop: CancellationToken,
    dispatchers: Dispatchers,
    tasks: Vec<JoinHandle<()>>,
}

impl Kept {
    /// Joins everything and starts what goes on by itself. Errors: those of the settings, the sinks and the store.
    pub async fn open(
        config: &Config,
        surroundings: &Surroundings,
        (models, policies): (&Models, PolicySource),
        store: Arc<dyn Store>,
    ) -> Result<Self, Error> {
        let stop = CancellationToken::new();
        let customers = Arc::new(build_customers(config, models, policies, Arc::clone(&store)).await?);
        let dispatchers =
            sinks::spawn_dispatchers(config, surroundings, Arc::clone(&store), stop.clone()).await?;
        let (mut news, wake) = (customers.news(), dispatchers.wake());
        let waking = async move {
            while news.changed().await.is_ok() {
                wake.wake();
            }
        };
        let stopped = stop.clone();
        let waking = async move {
            let _stopped = stopped.run_until_cancelled(waking).await;
        };
        let tasks = vec![tokio::spawn(waking), tokio::spawn(purge(config.clone(), store, stop.clone()))];
        Ok(Self { customers, stop, dispatchers, tasks })
    }

    /// Ends what goes on by itself; deliveries on their way end first.
    pub async fn close(self) {
        self.stop.cancel();
        self.dispatchers.join().await;
        for task in self.tasks {
            // A task that panicked has said so.
            let _ended = task.await;
        }
    }
}

/// Takes away what has outlived its time, once an hour until `stop`.
pub async fn purge(config: Config, store: Arc<dyn Store>, stop: CancellationToken) {
    let privacy = &config.privacy;
    let mut tick = tokio::time::interval(PURGE);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        let now_ms = now_ms();
        let before = |days: u32| if days == 0 { 0 } else { now_ms - i64::from(days) * DAY_MS };
        let purge = Purge {
            texts_before_ms: before(privacy.text_days),
            interactions_before_ms: before(privacy.interaction_days),
            signals_before_ms: before(privacy.signal_days),
        };
        match store.purge(purge).await {
            Ok(counts) => tracing::info!(?counts, "what has outlived its time is gone"),
            Err(error) => tracing::warn!(%error, "the purge failed, and is tried again in an hour"),
        }
    }
}
