//! The composition root: the only place that names concrete parts and joins them.

pub mod backends;
pub mod customers;
pub mod import;
pub mod jobs;
pub mod models;
pub mod policies;
mod probes;
mod providers;
pub mod sinks;
pub mod worker;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::customers::Kept;
use self::models::Reload;
pub use self::models::{build_analyzer, build_models, build_served_models, load_bundle};
use self::probes::Probes;
use crate::api::grpc::server::{self, Served, ServerSettings};
use crate::config::{Config, StorageUrl};
use crate::error::Error;
use crate::jobs::service::{Buckets, NoBuckets};
use crate::pipeline::Models;
use crate::pipeline::monitor::{Monitor, MonitorSettings};

/// How long runs of jobs may take to stop: a block is written and a checkpoint made.
const JOBS_STOP: Duration = Duration::from_secs(10);

/// Conversations that have gone silent are looked for this often.
const SWEEP: Duration = Duration::from_secs(30);

/// What the outside hands in beside the configuration.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Value of `ORT_DYLIB_PATH`.
    pub runtime_library: Option<std::path::PathBuf>,
    /// Variables in which secrets may be.
    pub environment: Environment,
}

/// The process's environment; it may hold secrets, so it is not printed.
#[derive(Clone, Default)]
pub struct Environment {
    variables: Arc<[(OsString, OsString)]>,
}

impl Environment {
    /// Holds these variables.
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self { variables: variables.into_iter().collect() }
    }

    /// The value of a variable; `None` when it is not set, or no text.
    pub fn get(&self, name: &str) -> Option<String> {
        let found = self.variables.iter().find(|(variable, _)| variable == name);
        found.and_then(|(_, value)| value.clone().into_string().ok())
    }

    /// The variables whose names begin so; those that are no text are left out.
    pub fn beginning(&self, prefix: &str) -> Vec<(String, String)> {
        let text = |value: &OsString| value.clone().into_string().ok();
        let all = self.variables.iter().filter_map(|(name, value)| Some((text(name)?, text(value)?)));
        all.filter(|(name, _)| name.starts_with(prefix)).collect()
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("variables", &self.variables.len()).finish()
    }
}

/// Follows conversations by the policy that the configuration names. Errors: as [`policies::load`].
pub fn build_monitor(config: &Config) -> Result<Monitor, Error> {
    let settings = MonitorSettings {
        conversations: config.conversations.maximum,
        turns: config.limits.conversation_turns,
        idle: config.conversations.idle,
    };
    Ok(Monitor::new(policies::follow(config)?, settings))
}

async fn sweep(monitor: Arc<Monitor>) {
    let mut tick = tokio::time::interval(SWEEP);
    loop {
        tick.tick().await;
        monitor.sweep();
    }
}

/// A service whose listeners are bound; ports may have been 0.
pub struct Service {
    /// Where gRPC listens.
    pub grpc: TcpListener,
    /// Where HTTP listens.
    pub http: TcpListener,
    buckets: Arc<dyn Buckets>,
    surroundings: Surroundings,
    reload: Option<Reload>,
}

impl Service {
    /// Binds both listeners before the slow start of the model, so that a port in use is said at once.
    ///
    /// Errors: `InvalidInput` for sinks without a store, in whose outbox their events would wait.
    pub async fn bind(config: &Config) -> Result<Self, Error> {
        if config.storage.url == StorageUrl::None && !config.sinks.is_empty() {
            let message = "events wait in the outbox of a store: set storage.url, or take the sinks out";
            return Err(Error::invalid("sinks", message));
        }
        Ok(Self {
            grpc: server::bind(config.server.grpc_address).await?,
            http: server::bind(config.server.http_address).await?,
            buckets: Arc::new(NoBuckets),
            surroundings: Surroundings::default(),
            reload: None,
        })
    }

    /// Has the models follow the configuration when that is read again; without it they don't.
    #[must_use]
    pub fn with_reload(self, reload: Reload) -> Self {
        Self { reload: Some(reload), ..self }
    }

    /// Gives jobs the buckets of an object storage; without it there are none.
    #[must_use]
    pub fn with_buckets(self, buckets: Arc<dyn Buckets>) -> Self {
        Self { buckets, ..self }
    }

    /// Gives sinks the variables in which their secrets are; without it there are none.
    #[must_use]
    pub fn with_surroundings(self, surroundings: Surroundings) -> Self {
        Self { surroundings, ..self }
    }

    /// Serves until `stop`: live at once, ready when the model is, and drained at the end.
    pub async fn run(
        self,
        config: Config,
        load: impl FnOnce() -> Result<Models, Error> + Send + 'static,
        metrics: PrometheusHandle,
        stop: CancellationToken,
    ) -> Result<(), Error> {
        let started = Instant::now();
        let (grpc, http_address) = (self.grpc.local_addr().map_err(Error::internal)?, self.http.local_addr());
        let probes = Probes::spawn(self.http, metrics);
        let monitor = Arc::new(build_monitor(&config)?);
        let jobs = jobs::open(&config, self.buckets).await?;
        let store = customers::open_store(&config).await?;
        let sweep = tokio::spawn(sweep(Arc::clone(&monitor)));
        let models = models::open(&config, load).await?;
        let kept = match store {
            Some(store) => {
                let readers = (&models, monitor.policy_source());
                Some(Kept::open(&config, &self.surroundings, readers, store).await?)
            }
            None => None,
        };
        probes.readiness.set(true);
        let reload = self.reload.map(|reload| reload.spawn(&config, &models));
        let default = models.default_model();
        tracing::info!(
            grpc.address = %grpc,
            http.address = %http_address.map_or_else(|e| e.to_string(), |a| a.to_string()),
            model.id = default.manifest().id,
            model.version = default.manifest().version,
            inference.provider = config.inference.provider.name(),
            start_ms = started.elapsed().as_millis() as u64,
            "ready"
        );
        // Whoever holds a model keeps it in memory.
        drop(default);
        let turned_off = {
            let (readiness, stop) = (probes.readiness.clone(), stop.clone());
            tokio::spawn(async move {
                stop.cancelled().await;
                readiness.set(false);
            })
        };
        let settings = ServerSettings {
            batch_items: config.limits.batch_items,
            conversation_turns: config.limits.conversation_turns,
            message_bytes: config.limits.message_bytes,
            default_deadline: config.limits.default_deadline,
            drain: config.server.drain,
            lame_duck: config.server.lame_duck,
            model_changes: config.models.allow_changes,
        };
        if let Some(jobs) = &jobs {
            jobs.start(&models, &stop);
        }
        let customers = kept.as_ref().map(|kept| Arc::clone(&kept.customers));
        let served = Served { models, monitor, jobs: jobs.clone(), customers };
        let served = server::serve(self.grpc, served, settings, stop).await;
        if let Some(jobs) = &jobs {
            jobs.stopped(JOBS_STOP).await;
        }
        if let Some(kept) = kept {
            kept.close().await;
        }
        turned_off.abort();
        sweep.abort();
        drop(reload);
        probes.close().await;
        tracing::info!("stopped");
        served
    }
}
