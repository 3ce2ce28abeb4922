//! What runs a model's network: an ONNX graph says itself how it computes; native weights need an architecture to be read
//! into, and its configuration.

use serde::Deserialize;

use super::manifest::{FileEntry, ManifestError, check_file, invalid};

/// What runs the network, and what it needs beside the file that `graph` names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Network {
    /// An ONNX graph: ONNX Runtime.
    #[default]
    Onnx,
    /// Weights in safetensors: rust-bert.
    RustBert(Architecture),
}

/// How native weights are to be read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Which network the weights are of.
    pub kind: ArchitectureKind,
    /// `config.json`, as transformers writes it: sizes, layers, activation.
    pub config: FileEntry,
}

/// A network that is built in code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArchitectureKind {
    /// `BertForSequenceClassification`.
    Bert,
    /// `RobertaForSequenceClassification`.
    Roberta,
    /// `DistilBertForSequenceClassification`.
    Distilbert,
    /// `DebertaForSequenceClassification`: known, and refused when it is loaded (docs/models.md says why).
    Deberta,
    /// attune's own form: a BERT encoder, and per head attention pooling with a linear layer, whose terms add up.
    Attune,
}

/// The manifest's key `backend`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Backend {
    #[default]
    Onnx,
    RustBert,
}

impl Network {
    /// Joins two keys of the manifest, of which the second goes with one value of the first.
    pub(super) fn of(backend: Backend, architecture: Option<Architecture>) -> Result<Self, ManifestError> {
        match (backend, architecture) {
            (Backend::Onnx, None) => Ok(Self::Onnx),
            (Backend::Onnx, Some(_)) => {
                Err(invalid("architecture", "goes with backend = \"rust-bert\"; an ONNX graph needs none"))
            }
            (Backend::RustBert, None) => Err(invalid(
                "architecture",
                "is missing; backend = \"rust-bert\" needs a table with `kind` and `config`",
            )),
            (Backend::RustBert, Some(architecture)) => {
                check_file("architecture.config", &architecture.config)?;
                Ok(Self::RustBert(architecture))
            }
        }
    }

    /// The file that is read beside the network's own.
    pub fn config(&self) -> Option<&FileEntry> {
        match self {
            Self::Onnx => None,
            Self::RustBert(architecture) => Some(&architecture.config),
        }
    }
}
