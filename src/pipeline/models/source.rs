//! Where models come from: the port behind which files are read and sessions are built.

use crate::error::Error;
use crate::pipeline::Analyzer;

use super::name::ModelName;

/// Opens models by the names of their directories. Everything here blocks: it is called off the async threads.
pub trait Source: Send + Sync {
    /// Which model lies under a name now; cheap. Errors: `NotFound`, `Precondition` for what is no model, `InvalidInput`
    /// for what leads elsewhere.
    fn look(&self, name: &str) -> Result<ModelName, Error>;

    /// Verifies a model, builds its sessions and warms them up. Errors: as [`Self::look`], and those of the backend.
    fn open(&self, name: &str) -> Result<Analyzer, Error>;
}
