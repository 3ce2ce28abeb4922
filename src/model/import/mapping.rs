//! The mapping file of an import: which head a label of the export belongs to, and what it is called there.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::ImportError;
use crate::model::Activation;

/// A mapping file. Labels that it does not name keep their names.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// A label of the export = "head.label", or another name for it.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// What is known of a head beside its labels.
    #[serde(default)]
    heads: BTreeMap<String, MappedHead>,
}

/// What a mapping says of a head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MappedHead {
    /// How its logits become probabilities, instead of the export's way.
    pub(super) activation: Option<Activation>,
    /// Probability from which its labels are reported; not used by softmax heads.
    pub(super) threshold: Option<f64>,
}

/// Where a label goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The head; `None` for one that its labels are to tell.
    pub(super) head: Option<String>,
    pub(super) label: String,
}

impl Mapping {
    /// Reads a mapping out of the TOML of the file called `origin`. Errors: [`ImportError::Wrong`].
    pub fn parse(text: &str, origin: &str) -> Result<Self, ImportError> {
        toml::from_str(text).map_err(|e| ImportError::wrong(origin, e.to_string()))
    }

    /// Errors: the first name in it that `labels` does not have.
    pub(super) fn check(&self, labels: &[String]) -> Result<(), ImportError> {
        match self.labels.keys().find(|label| !labels.contains(label)) {
            Some(unknown) => Err(ImportError::wrong(
                "mapping",
                format!("labels: the export has no label {unknown:?}; it has {}", labels.join(", ")),
            )),
            None => Ok(()),
        }
    }

    pub(super) fn place(&self, label: &str) -> Place {
        match self.labels.get(label).map(|to| to.split_once('.').ok_or(to)) {
            Some(Ok((head, label))) => Place { head: Some(head.to_owned()), label: label.to_owned() },
            Some(Err(label)) => Place { head: None, label: label.clone() },
            None => Place { head: None, label: label.to_owned() },
        }
    }

    pub(super) fn head(&self, name: &str) -> MappedHead {
        self.heads.get(name).copied().unwrap_or_default()
    }

    pub(super) fn heads(&self) -> impl Iterator<Item = &str> {
        self.heads.keys().map(String::as_str)
    }
}
