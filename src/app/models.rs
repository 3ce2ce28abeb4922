//! Models out of the configuration: the one that a command or a service is started with, others out of `models.directory`,
//! and both again when the configuration is read again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::{Surroundings, backends};
use crate::batching::{AdmissionSettings, Batcher, BatcherSettings};
use crate::config::{self, Config};
use crate::error::{Error, ErrorKind};
use crate::inference::{Arranged, BackendFactory, TextTokenizer};
use crate::model::{Manifest, ModelBundle, Overlay};
use crate::pipeline::models::{ModelName, Source, Wanted};
use crate::pipeline::{Analyzer, AnalyzerSettings, DriftMonitor, DriftSettings, Models};

/// What builds sessions over a model's files.
pub type Backends = dyn Fn(&Arc<ModelBundle>) -> Result<Box<dyn BackendFactory>, Error> + Send + Sync;

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

/// Loads the model that commands work with, and starts its workers. Slow, and blocks.
pub fn build_models(config: &Config, surroundings: &Surroundings) -> Result<Models, Error> {
    Ok(Models::new(Arc::new(build_first(config, &*backends(config, surroundings))?)))
}

/// The same for a service, which may load others beside it. Slow, and blocks.
pub fn build_served_models(config: &Config, surroundings: &Surroundings) -> Result<Models, Error> {
    build_models_over(config, backends(config, surroundings))
}

/// The same over other backends; tests bring their own.
pub fn build_models_over(config: &Config, backends: Arc<Backends>) -> Result<Models, Error> {
    let first = Arc::new(build_first(config, &*backends)?);
    let Some(root) = &config.models.directory else { return Ok(Models::new(first)) };
    let directories = Directories::try_new(root, config.clone(), backends)?;
    Ok(Models::with_source(first, Arc::new(directories), config.models.maximum))
}

fn build_first(config: &Config, backends: &Backends) -> Result<Analyzer, Error> {
    let bundle = Arc::new(load_bundle(config)?);
    build_analyzer(config, &bundle, &*backends(&bundle)?)
}

/// What each model's manifest asks for; libraries are looked for with the first model.
fn backends(config: &Config, surroundings: &Surroundings) -> Arc<Backends> {
    let (config, surroundings) = (config.clone(), surroundings.clone());
    Arc::new(move |bundle| backends::factory(&config, &surroundings, bundle))
}

/// Joins a model's files with a backend; tests bring their own.
pub fn build_analyzer(
    config: &Config,
    bundle: &ModelBundle,
    factory: &dyn BackendFactory,
) -> Result<Analyzer, Error> {
    let manifest = bundle.manifest.clone();
    let factory = Arranged::new(factory, &manifest);
    // The tokenizer takes about as long to read as a session to build.
    let (tokenizer, batcher) = std::thread::scope(|scope| {
        let tokenizer = scope.spawn(|| TextTokenizer::parse(&bundle.tokenizer));
        let batcher = Batcher::spawn(
            &factory,
            BatcherSettings {
                model: ModelName::of(&manifest).to_string(),
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

fn workers(config: &Config) -> usize {
    match config.inference.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

/// What the configuration names beside the first model.
fn wanted(models: &config::Models) -> Wanted {
    Wanted { load: models.load.clone(), aliases: models.aliases.clone() }
}

/// Loads the first model, and whatever else the configuration names. Errors: those of the files, the settings and the
/// backends.
pub(super) async fn open(
    config: &Config,
    load: impl FnOnce() -> Result<Models, Error> + Send + 'static,
) -> Result<Models, Error> {
    let models = tokio::task::spawn_blocking(load).await.map_err(Error::internal)??;
    models.configure(&wanted(&config.models)).await?;
    Ok(models)
}

/// The sub-directories of a root, as a source of models.
struct Directories {
    /// Without any link.
    root: PathBuf,
    config: Config,
    backends: Arc<Backends>,
}

impl Directories {
    /// Errors: `NotFound` and `Precondition` for what is no directory, with the setting.
    fn try_new(root: &Path, config: Config, backends: Arc<Backends>) -> Result<Self, Error> {
        let fail = |e: &std::io::Error| Error::unread(format!("models.directory: {}", root.display()), e);
        let root = root.canonicalize().map_err(|e| fail(&e))?;
        if !root.is_dir() {
            let problem = format!("models.directory: {} is no directory", root.display());
            return Err(Error::new(ErrorKind::Precondition, problem));
        }
        Ok(Self { root, config, backends })
    }

    /// A path below the root, with every link followed. Errors: `NotFound`; `InvalidInput` for one that leads outside.
    fn inside(&self, path: &Path) -> Result<PathBuf, Error> {
        let shown = path.strip_prefix(&self.root).unwrap_or(path).display().to_string();
        let real =
            path.canonicalize().map_err(|e| Error::unread(format!("{shown} in models.directory"), &e))?;
        if real.starts_with(&self.root) {
            return Ok(real);
        }
        Err(Error::invalid("name", format!("{shown} is a link that leads out of models.directory")))
    }

    fn directory(&self, name: &str) -> Result<PathBuf, Error> {
        let directory = self.inside(&self.root.join(name))?;
        self.inside(&directory.join("model.toml"))?;
        Ok(directory)
    }
}

impl Source for Directories {
    fn look(&self, name: &str) -> Result<ModelName, Error> {
        Ok(ModelName::of(&ModelBundle::load_manifest(&self.directory(name)?)?))
    }

    fn open(&self, name: &str) -> Result<Analyzer, Error> {
        let directory = self.directory(name)?;
        let manifest = ModelBundle::load_manifest(&directory)?;
        for entry in [&manifest.graph, &manifest.tokenizer].into_iter().chain(manifest.network.config()) {
            self.inside(&directory.join(&entry.file))?;
        }
        let bundle = Arc::new(ModelBundle::load_directory(&directory)?);
        build_analyzer(&self.config, &bundle, &*(self.backends)(&bundle)?)
    }
}

/// Reads the configuration again.
pub type ReadAgain = dyn Fn() -> Result<Config, Error> + Send + Sync;

/// When, and how, the configuration is read again.
pub struct Reload {
    when: watch::Receiver<u64>,
    read: Arc<ReadAgain>,
}

impl Reload {
    /// Reads with `read` whenever `when` changes.
    pub fn new(when: watch::Receiver<u64>, read: Arc<ReadAgain>) -> Self {
        Self { when, read }
    }

    /// Follows until the handle is dropped. `config` is what the process was started with.
    pub(super) fn spawn(mut self, config: &Config, models: &Models) -> AbortOnDropHandle<()> {
        let (start, models) = (config.models.clone(), models.clone());
        AbortOnDropHandle::new(tokio::spawn(async move {
            while self.when.changed().await.is_ok() {
                match reload(&start, &models, Arc::clone(&self.read)).await {
                    Ok(()) => tracing::info!("[models] was read again, and is in force"),
                    Err(error) => tracing::warn!(
                        error = error.told(),
                        causes = error.causes(),
                        "[models] was read again and can't be used; everything stays as it was"
                    ),
                }
            }
        }))
    }
}

/// Makes what is loaded what the configuration says now: loads what is new, swaps aliases, unloads what it does not name.
///
/// Errors: `InvalidInput` with the setting, also for one that only a restart can change. Then all is as it was.
pub async fn reload(start: &config::Models, models: &Models, read: Arc<ReadAgain>) -> Result<(), Error> {
    let now = tokio::task::spawn_blocking(move || read()).await.map_err(Error::internal)??.models;
    let fixed = [
        ("models.directory", start.directory == now.directory),
        ("models.maximum", start.maximum == now.maximum),
        ("models.allow_changes", start.allow_changes == now.allow_changes),
    ];
    if let Some((setting, _)) = fixed.iter().find(|(_, same)| !same) {
        return Err(Error::invalid(*setting, "has changed, which takes a restart; put it back, or restart"));
    }
    models.configure(&wanted(&now)).await
}
