//! `[models]`: models beside the one that the process is started with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::{ConfigError, path};

/// `[models]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Models {
    /// Holds a sub-directory for each model; `None` loads no others.
    #[serde(deserialize_with = "path")]
    pub directory: Option<PathBuf>,
    /// Names of the sub-directories that are loaded at start.
    pub load: Vec<String>,
    /// Aliases, and the model that each stands for.
    pub aliases: BTreeMap<String, String>,
    /// Most models that are loaded at once, with the one of the start.
    pub maximum: usize,
    /// Whether callers may change all this.
    pub allow_changes: bool,
}

impl Models {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong =
            |key: &str, problem: &str| Err(ConfigError::Value { key: key.into(), problem: problem.into() });
        if !(1..=64).contains(&self.maximum) {
            return wrong("models.maximum", "expected 1 to 64");
        }
        if self.directory.is_none() && !self.load.is_empty() {
            return wrong("models.load", "names models, and models.directory does not say where they are");
        }
        Ok(())
    }
}
