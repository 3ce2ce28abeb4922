//! The models that are loaded: several, with aliases, and changed while calls go on.
//!
//! [`Models`] is a handle whose clones all see the same catalogue, which is replaced as a whole. A call resolves its model
//! once and holds on to it, so that no change touches a call in flight; whoever lives longer than a call (streams, jobs,
//! customers) resolves anew for each piece of work. [`catalogue`] decides, `changes` carries out, [`Source`] opens files.

pub mod catalogue;
mod changes;
mod name;
mod per_model;
mod shadows;
mod source;

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::analyzer::Analyzer;
use super::shadow::Shadow;
use crate::error::{Error, ErrorKind};
use crate::telemetry::metrics;

pub use catalogue::{Catalogue, Entry};
pub use changes::Wanted;
pub use name::{DEFAULT, ModelName};
pub use per_model::PerModel;
pub use source::Source;

/// The loaded models. Clones are the same models.
#[derive(Clone)]
pub struct Models {
    shared: Arc<Shared>,
}

struct Shared {
    catalogue: ArcSwap<Catalogue<Arc<Analyzer>>>,
    /// Whoever holds it replaces the catalogue; held for microseconds.
    changing: Mutex<()>,
    /// Whoever holds it loads: one at a time, for a load takes the processors away from calls.
    loading: tokio::sync::Mutex<()>,
    source: Option<Arc<dyn Source>>,
    most: usize,
    /// By the model that answers.
    shadows: Mutex<BTreeMap<ModelName, Arc<Shadow>>>,
}

impl Models {
    /// With `default` as the only model, for good.
    pub fn new(default: Arc<Analyzer>) -> Self {
        Self::over(default, None, 1)
    }

    /// With `default` as the first model, and others to come from a source: at most `most` with it.
    pub fn with_source(default: Arc<Analyzer>, source: Arc<dyn Source>, most: usize) -> Self {
        Self::over(default, Some(source), most)
    }

    fn over(default: Arc<Analyzer>, source: Option<Arc<dyn Source>>, most: usize) -> Self {
        let catalogue = Catalogue::new(ModelName::of(default.manifest()), default);
        metrics::models_loaded(1);
        Self {
            shared: Arc::new(Shared {
                catalogue: ArcSwap::from_pointee(catalogue),
                changing: Mutex::default(),
                loading: tokio::sync::Mutex::default(),
                source,
                most,
                shadows: Mutex::default(),
            }),
        }
    }

    /// The model that answers when none is named, as of now.
    pub fn default_model(&self) -> Arc<Analyzer> {
        Arc::clone(self.shared.catalogue.load().default())
    }

    /// What is loaded as of now.
    pub fn catalogue(&self) -> Arc<Catalogue<Arc<Analyzer>>> {
        self.shared.catalogue.load_full()
    }

    /// What a request's `model` stands for now, as [`Catalogue::resolve`] has it. Errors: `NotFound`, with all there is.
    pub fn get(&self, wanted: &str) -> Result<Arc<Analyzer>, Error> {
        self.shared.catalogue.load().resolve(wanted).map(|entry| Arc::clone(&entry.model))
    }

    /// The version that is spelt out. Errors: `NotFound`, with all there is.
    pub fn exact(&self, wanted: &str) -> Result<Arc<Analyzer>, Error> {
        self.shared.catalogue.load().exact(wanted).map(|entry| Arc::clone(&entry.model))
    }

    /// Whether a short text would be refused right now whatever model it names; asked before a request is read, when that is
    /// not known yet. Errors: `Overloaded`.
    pub fn check_overload(&self) -> Result<(), Error> {
        let catalogue = self.shared.catalogue.load();
        // Nearly always the first one has room, and the others are not asked.
        let refused = catalogue.default().check_overload();
        if refused.is_ok() || catalogue.entries().iter().any(|entry| entry.model.check_overload().is_ok()) {
            return Ok(());
        }
        refused
    }

    fn source(&self) -> Result<Arc<dyn Source>, Error> {
        self.shared.source.clone().ok_or_else(|| {
            let problem = "no models can be loaded: set models.directory to the directory that holds a sub-directory for each \
                           model";
            Error::new(ErrorKind::Precondition, problem)
        })
    }
}

#[cfg(test)]
#[path = "models_tests.rs"]
mod tests;
