//! Which models are shadowed by which: set, ended and told of while calls go on.

use std::sync::Arc;

use super::{Catalogue, ModelName, Models};
use crate::error::{Error, ErrorKind};
use crate::pipeline::Analyzer;
use crate::pipeline::shadow::{Report, Shadow};

impl Models {
    /// Has `candidate` read a share of what `model` is asked for, and counts from 0. An earlier shadow of the model ends. On
    /// a tokio runtime.
    ///
    /// Errors: `NotFound`; `InvalidInput` with the field; `Precondition` for models that have nothing in common.
    pub fn set_shadow(&self, model: &str, candidate: &str, share: f64) -> Result<[ModelName; 2], Error> {
        // Nothing may be unloaded in between.
        let _turn = self.shared.changing.lock();
        let (model, candidate) = (self.get(model)?, self.get(candidate)?);
        if Arc::ptr_eq(&model, &candidate) {
            return Err(Error::invalid("candidate", "is the model itself; name another version or model"));
        }
        let shadow = Arc::new(Shadow::spawn(&model, candidate, share)?);
        let [name, other] = shadow.names().clone();
        model.set_shadow(Some(Arc::clone(&shadow)));
        self.shared.shadows.lock().insert(name.clone(), shadow);
        tracing::info!(model = %name, candidate = %other, share, "a model is shadowed");
        Ok([name, other])
    }

    /// How the candidate of `model` differs so far. Errors: `NotFound`.
    pub fn shadow_report(&self, model: &str) -> Result<Report, Error> {
        let name = ModelName::of(self.get(model)?.manifest());
        let shadow = self.shared.shadows.lock().get(&name).cloned();
        Ok(shadow.ok_or_else(|| no_shadow(&name))?.report())
    }

    /// Ends the shadow of `model`; returns its last report. Errors: `NotFound`.
    pub fn stop_shadow(&self, model: &str) -> Result<Report, Error> {
        let model = self.get(model)?;
        let name = ModelName::of(model.manifest());
        let shadow = self.shared.shadows.lock().remove(&name).ok_or_else(|| no_shadow(&name))?;
        model.set_shadow(None);
        tracing::info!(model = %name, "a model is no longer shadowed");
        Ok(shadow.report())
    }

    /// The candidate that shadows a model.
    pub fn shadow_of(&self, model: &ModelName) -> Option<ModelName> {
        self.shared.shadows.lock().get(model).map(|shadow| shadow.names()[1].clone())
    }

    /// Ends what a model takes part in that is no longer loaded.
    pub(super) fn end_shadows_of_others(&self, catalogue: &Catalogue<Arc<Analyzer>>) {
        let mut shadows = self.shared.shadows.lock();
        let loaded = |name: &ModelName| catalogue.entries().iter().any(|entry| entry.name == *name);
        for (name, shadow) in shadows.extract_if(.., |_, shadow| !shadow.names().iter().all(loaded)) {
            shadow.take_off();
            tracing::info!(model = %name, "a shadow has ended: one of its models was unloaded");
        }
    }
}

fn no_shadow(name: &ModelName) -> Error {
    Error::new(ErrorKind::NotFound, format!("{name} is not shadowed; SetShadow begins it"))
}
