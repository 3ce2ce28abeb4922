//! The models that are loaded, by id.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::analyzer::Analyzer;
use crate::error::{Error, ErrorKind};

/// Name under which the default model is found too.
const DEFAULT: &str = "default";

/// The loaded models; one of them is the default.
#[derive(Clone)]
pub struct Models {
    by_id: BTreeMap<String, Arc<Analyzer>>,
    default: Arc<Analyzer>,
}

impl Models {
    /// With `default` as the only model.
    pub fn new(default: Arc<Analyzer>) -> Self {
        let by_id = BTreeMap::from([(default.manifest().id.clone(), Arc::clone(&default))]);
        Self { by_id, default }
    }

    /// The model that answers when none is named.
    pub fn default_model(&self) -> &Arc<Analyzer> {
        &self.default
    }

    /// All models, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Analyzer>> {
        self.by_id.values()
    }

    /// A model by id, or the default as "default".
    pub fn get(&self, id: &str) -> Result<&Arc<Analyzer>, Error> {
        if id == DEFAULT {
            return Ok(&self.default);
        }
        self.by_id.get(id).ok_or_else(|| {
            let ids: Vec<&str> = self.by_id.keys().map(String::as_str).collect();
            Error::new(ErrorKind::NotFound, format!("no such model; loaded are {}", ids.join(", ")))
        })
    }
}
