//! The composition root: the only place that names concrete parts and joins them.

pub mod customers;
pub mod jobs;
pub mod policies;
mod probes;
pub mod sinks;
pub mod worker;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::customers::Kept;
use self::probes::Probes;
use crate::api::grpc::server::{self, Served, ServerSettings};
use crate::batching::{AdmissionSettings, Batcher, BatcherSettings};
use crate::config::Config;
use crate::error::Error;
use crate::inference::onnx::OnnxFactory;
use crate::inference::runtime_library::Search;
use crate::inference::{BackendFactory, TextTokenizer};
use crate::jobs::service::{Buckets, NoBuckets};
use crate::model::{Manifest, ModelBundle, Overlay};
use crate::pipeline::monitor::{Monitor, MonitorSettings};
use crate::pipeline::{Analyzer, AnalyzerSettings, DriftMonitor, DriftSettings, Models};

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

/// Reads the model's files, the embedded ones or a directory, and lays the overlay over its manifest.
pub fn load_bundle(config: &Config) -> Result<ModelBundle, Error> {
    let mut bundle = match &config.model.directory {
        Some(directory) => ModelBundle::load_directory(directory)?,
        None => ModelBundle::load_embedded()?,
    };
    if let Some(overlay) = &config.model.overlay {
        Overlay::load_onto(&mut bundle.manifest, overlay)?;
        tracing::info!(overlay = %overlay.display(), "thresholds and calibration are replaced");
    }
    Ok(bundle)
}

/// Loads the model and starts its workers. Slow, and blocks.
pub fn build_models(config: &Config, surroundings: &Surroundings) -> Result<Models, Error> {
    let library =
        Search::new(config.inference.runtime_library.clone(), surroundings.runtime_library.clone()).find()?;
    let bundle = Arc::new(load_bundle(config)?);
    let factory = OnnxFactory::load(&library, Arc::clone(&bundle))?;
    Ok(Models::new(Arc::new(build_analyzer(config, &bundle, &factory)?)))
}

/// Joins a model's files with a backend; tests bring their own.
pub fn build_analyzer(
    config: &Config,
    bundle: &ModelBundle,
    factory: &dyn BackendFactory,
) -> Result<Analyzer, Error> {
    let manifest = bundle.manifest.clone();
    // The tokenizer takes about as long to read as a session to build.
    let (tokenizer, batcher) = std::thread::scope(|scope| {
        let tokenizer = scope.spawn(|| TextTokenizer::parse(&bundle.tokenizer));
        let batcher = Batcher::spawn(
            factory,
            BatcherSettings {
                model: format!("{}@{}", manifest.id, manifest.version),
                markers: manifest.markers,
                workers: workers(config),
                batch_tokens: (config.batching.batch_tokens > 0).then_some(config.batching.batch_tokens),
                admission: AdmissionSettings {
                    capacity_tokens: config.batching.queue_tokens,
                    overload_delay: config.batching.overload_delay,
                },
                cache_bytes: config.batching.cache_mb << 20,
            },
        );
        (tokenizer.join(), batcher)
    });
    let tokenizer = tokenizer.map_err(|_| Error::internal("the tokenizer's loader panicked"))??;
    let settings =
        AnalyzerSettings { text_bytes: config.limits.text_bytes, text_tokens: config.limits.text_tokens };
    let drift = build_drift(config, &manifest);
    Ok(Analyzer::new(manifest, tokenizer, batcher?, settings).with_drift(drift))
}

/// What counts the texts of a model, if it has a baseline and the configuration wants it.
fn build_drift(config: &Config, manifest: &Manifest) -> Option<DriftMonitor> {
    let drift = &config.drift;
    let settings = DriftSettings { texts: drift.window_texts, time: drift.window, tenants: drift.tenants };
    drift.enabled.then(|| DriftMonitor::new(manifest, settings)).flatten()
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

fn workers(config: &Config) -> usize {
    match config.inference.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
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
}

impl Service {
    /// Binds both listeners before the slow start of the model, so that a port in use is said at once.
    pub async fn bind(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            grpc: server::bind(config.server.grpc_address).await?,
            http: server::bind(config.server.http_address).await?,
            buckets: Arc::new(NoBuckets),
            surroundings: Surroundings::default(),
        })
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
        let models = tokio::task::spawn_blocking(load).await.map_err(Error::internal)??;
        let kept = match store {
            Some(store) => {
                let readers = (models.default_model(), monitor.policy_source());
                Some(Kept::open(&config, &self.surroundings, readers, store).await?)
            }
            None => None,
        };
        probes.readiness.set(true);
        let manifest = models.default_model().manifest();
        tracing::info!(
            grpc.address = %grpc,
            http.address = %http_address.map_or_else(|e| e.to_string(), |a| a.to_string()),
            model.id = manifest.id,
            model.version = manifest.version,
            start_ms = started.elapsed().as_millis() as u64,
            "ready"
        );
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
        };
        if let Some(jobs) = &jobs {
            jobs.start(models.default_model(), &stop);
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
        probes.close().await;
        tracing::info!("stopped");
        served
    }
}
