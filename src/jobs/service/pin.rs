//! Which model reads a job: decided when it is first run, and kept to its end, so that one file is read by one version.

use std::sync::Arc;

use super::record::Record;
use crate::error::{Error, ErrorKind};
use crate::pipeline::models::ModelName;
use crate::pipeline::{Analyzer, Models};

/// The model of a run.
pub(super) struct Pinned {
    pub(super) analyzer: Arc<Analyzer>,
    /// What whoever asked for the job should know of the choice.
    pub(super) note: Option<String>,
}

impl Pinned {
    /// `id@version`.
    pub(super) fn name(&self) -> String {
        ModelName::of(self.analyzer.manifest()).to_string()
    }
}

/// The model that a job was begun with, or else the one that it asks for. A job that names no model begins again when what
/// it was begun with is no longer there, which happens when a service is started anew with a newer model.
///
/// Errors: `NotFound` for a model that is not loaded; `Precondition` when the job names a model, and the version that it was
/// begun with is not loaded any more.
pub(super) fn pin(models: &Models, job: &Record) -> Result<Pinned, Error> {
    let wanted = job.spec.model.as_deref();
    let found = |analyzer| Ok(Pinned { analyzer, note: None });
    if job.model.is_empty() {
        return models.get(wanted.unwrap_or_default()).and_then(found);
    }
    match (models.exact(&job.model), wanted) {
        (Ok(analyzer), _) => found(analyzer),
        (Err(error), Some(wanted)) => {
            let problem = format!(
                "the job asks for {wanted} and was begun with {}, which is no longer loaded; load it and create the job \
                 again, or create one for another model ({})",
                job.model,
                error.public()
            );
            Err(Error::new(ErrorKind::Precondition, problem))
        }
        (Err(_), None) => {
            let analyzer = models.default_model();
            let now = ModelName::of(analyzer.manifest());
            let note = format!("begun with {}, which is no longer loaded; begun again with {now}", job.model);
            tracing::warn!(job = job.id, before = job.model, now = %now, "a job begins again with another model");
            Ok(Pinned { analyzer, note: Some(note) })
        }
    }
}
