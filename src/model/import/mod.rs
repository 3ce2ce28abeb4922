//! From a Hugging Face export of a sequence classifier to a model directory: what its files say, which heads its labels make,
//! and the manifest that follows. Runs no network and knows no tokenizer: who does hands in what it found.

mod config;
mod draft;
mod export;
mod labels;
mod mapping;
mod safetensors;
mod special;
mod window;
mod write;

use std::path::PathBuf;

use super::manifest::ManifestError;
use crate::error::{Error, ErrorKind};

pub use config::{ExportConfig, Problem};
pub use draft::{Draft, DraftOptions, Finding, Tokens};
pub use export::{Export, Network};
pub use labels::DraftHead;
pub use mapping::Mapping;
pub use special::SpecialTokens;
pub use write::write;

/// Why an export can't be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file is missing or can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is larger than anything that could be right.
    #[error("{}: larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The directory lacks what makes an export.
    #[error("{}: {problem}", directory.display())]
    Incomplete {
        /// The directory.
        directory: PathBuf,
        /// What was expected, and what to do.
        problem: String,
    },
    /// A file says something that can't be used.
    #[error("{file}: {problem}")]
    Wrong {
        /// The file's name.
        file: String,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// A flag's value can't be used.
    #[error("{problem}")]
    Flag {
        /// The flag.
        flag: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The manifest that follows breaks a rule.
    #[error("{0}")]
    Manifest(#[from] ManifestError),
    /// The output is there already.
    #[error("{}: {problem}", path.display())]
    Exists {
        /// The output.
        path: PathBuf,
        /// What to do.
        problem: &'static str,
    },
    /// The output can't be written.
    #[error("can't write {}: {source}", path.display())]
    Write {
        /// The output.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl ImportError {
    fn wrong(file: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Wrong { file: file.into(), problem: problem.into() }
    }
}

impl From<ImportError> for Error {
    fn from(error: ImportError) -> Self {
        let message = format!("can't import the model: {error}");
        let kind = match error {
            ImportError::Flag { flag, .. } => return Self::invalid(flag, message),
            ImportError::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            ImportError::Incomplete { .. } => ErrorKind::NotFound,
            ImportError::Read { .. } | ImportError::Write { .. } => ErrorKind::Unavailable,
            ImportError::TooLarge { .. } | ImportError::Wrong { .. } | ImportError::Manifest(_) => {
                ErrorKind::InvalidInput
            }
            ImportError::Exists { .. } => ErrorKind::AlreadyExists,
        };
        Self::new(kind, message)
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
