//! A model's files: the embedded default, or a directory of the same form; checked against the manifest's checksums.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::manifest::{FileEntry, Manifest, ManifestError};
use crate::error::{Error, ErrorKind};

/// Largest manifest that is read: real ones have a few kilobytes.
const MANIFEST_BYTES: u64 = 1 << 20;
/// Largest `config.json` that is read: real ones have a few kilobytes, more with thousands of labels.
const CONFIG_BYTES: u64 = 1 << 20;
/// Largest graph or tokenizer that is read, so that a wrong path can't fill the memory.
pub(super) const FILE_BYTES: u64 = 2 << 30;

static EMBEDDED_MANIFEST: &str = include_str!("../../models/attune-en-small/model.toml");
static EMBEDDED_GRAPH: &[u8] = include_bytes!("../../models/attune-en-small/model.onnx");
static EMBEDDED_TOKENIZER: &[u8] = include_bytes!("../../models/attune-en-small/tokenizer.json");

/// The files of one model, read and verified.
#[derive(Debug, Clone)]
pub struct ModelBundle {
    /// What `model.toml` says.
    pub manifest: Manifest,
    /// The network: an ONNX graph, or weights.
    pub graph: Cow<'static, [u8]>,
    /// The configuration of the architecture that weights are read into; an ONNX graph has none.
    pub architecture_config: Option<Vec<u8>>,
    /// `tokenizer.json`.
    pub tokenizer: Cow<'static, [u8]>,
}

/// Why a model can't be read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
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
    /// The manifest is wrong.
    #[error("{origin}: {source}")]
    Manifest {
        /// The directory, or "embedded model".
        origin: String,
        /// What is wrong.
        source: ManifestError,
    },
    /// A file is not the one that the manifest speaks of.
    #[error(
        "{origin}: {file} is not the file that model.toml describes (sha256 {found}, expected {expected}); \
         the copy is damaged or of another version: fetch the model again"
    )]
    Checksum {
        /// The directory, or "embedded model".
        origin: String,
        /// The file's name.
        file: String,
        /// SHA-256 of the content.
        found: String,
        /// SHA-256 in the manifest.
        expected: String,
    },
}

impl From<BundleError> for Error {
    fn from(error: BundleError) -> Self {
        let kind = match &error {
            BundleError::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            BundleError::Read { .. } => ErrorKind::Unavailable,
            BundleError::TooLarge { .. } | BundleError::Manifest { .. } | BundleError::Checksum { .. } => {
                ErrorKind::Precondition
            }
        };
        Self::new(kind, format!("can't load the model: {error}"))
    }
}

impl ModelBundle {
    /// The default model, out of the binary itself.
    pub fn load_embedded() -> Result<Self, BundleError> {
        let origin = "embedded model";
        let manifest = parse(EMBEDDED_MANIFEST, origin)?;
        verify(origin, &manifest.graph, EMBEDDED_GRAPH)?;
        verify(origin, &manifest.tokenizer, EMBEDDED_TOKENIZER)?;
        Ok(Self {
            manifest,
            graph: Cow::Borrowed(EMBEDDED_GRAPH),
            architecture_config: None,
            tokenizer: Cow::Borrowed(EMBEDDED_TOKENIZER),
        })
    }

    /// What the `model.toml` of a directory says, without a look at the files it names.
    pub fn load_manifest(directory: &Path) -> Result<Manifest, BundleError> {
        let path = directory.join("model.toml");
        let text = String::from_utf8(read(&path, MANIFEST_BYTES)?).map_err(|e| BundleError::Read {
            path,
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, e.utf8_error()),
        })?;
        parse(&text, &directory.display().to_string())
    }

    /// A directory that holds `model.toml` and the files it names.
    pub fn load_directory(directory: &Path) -> Result<Self, BundleError> {
        let origin = directory.display().to_string();
        let manifest = Self::load_manifest(directory)?;
        let file = |entry: &FileEntry, limit| {
            let bytes = read(&directory.join(&entry.file), limit)?;
            verify(&origin, entry, &bytes)?;
            Ok::<_, BundleError>(bytes)
        };
        let graph = Cow::Owned(file(&manifest.graph, FILE_BYTES)?);
        let tokenizer = Cow::Owned(file(&manifest.tokenizer, FILE_BYTES)?);
        let config = manifest.network.config();
        let architecture_config = config.map(|entry| file(entry, CONFIG_BYTES)).transpose()?;
        Ok(Self { manifest, graph, architecture_config, tokenizer })
    }
}

fn parse(text: &str, origin: &str) -> Result<Manifest, BundleError> {
    Manifest::parse(text).map_err(|source| BundleError::Manifest { origin: origin.into(), source })
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, BundleError> {
    let fail = |source| BundleError::Read { path: path.into(), source };
    let metadata = std::fs::metadata(path).map_err(fail)?;
    if metadata.len() > limit {
        return Err(BundleError::TooLarge { path: path.into(), limit });
    }
    std::fs::read(path).map_err(fail)
}

fn verify(origin: &str, entry: &FileEntry, content: &[u8]) -> Result<(), BundleError> {
    let found = sha256(content);
    if found == entry.sha256 {
        return Ok(());
    }
    Err(BundleError::Checksum {
        origin: origin.into(),
        file: entry.file.clone(),
        found,
        expected: entry.sha256.clone(),
    })
}

/// The checksum of a file, as a manifest has it.
pub(super) fn sha256(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy_of_embedded() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("model.toml"), EMBEDDED_MANIFEST).unwrap();
        std::fs::write(directory.path().join("model.onnx"), EMBEDDED_GRAPH).unwrap();
        std::fs::write(directory.path().join("tokenizer.json"), EMBEDDED_TOKENIZER).unwrap();
        directory
    }

    #[test]
    fn a_directory_of_the_same_form_loads_like_the_embedded_model() {
        let directory = copy_of_embedded();
        let loaded = ModelBundle::load_directory(directory.path()).unwrap();
        assert_eq!(loaded.manifest, ModelBundle::load_embedded().unwrap().manifest);
    }

    #[test]
    fn one_flipped_byte_in_the_graph_is_found_and_the_file_named() {
        let directory = copy_of_embedded();
        let path = directory.path().join("model.onnx");
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let error = Error::from(ModelBundle::load_directory(directory.path()).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Precondition);
        assert!(error.public().contains("model.onnx is not the file that model.toml describes"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let directory = copy_of_embedded();
        std::fs::remove_file(directory.path().join("tokenizer.json")).unwrap();
        let error = Error::from(ModelBundle::load_directory(directory.path()).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.public().contains("tokenizer.json"), "{error}");
    }

    #[test]
    fn native_weights_are_read_with_their_configuration_which_is_checked_too() {
        let directory = tempfile::tempdir().unwrap();
        let fixture = Path::new("tests/fixtures/rust_bert/bert");
        for file in ["model.toml", "model.safetensors", "config.json", "tokenizer.json"] {
            std::fs::copy(fixture.join(file), directory.path().join(file)).unwrap();
        }
        let bundle = ModelBundle::load_directory(directory.path()).unwrap();
        assert!(bundle.architecture_config.unwrap().starts_with(b"{"));
        std::fs::write(directory.path().join("config.json"), b"{}").unwrap();
        let error = Error::from(ModelBundle::load_directory(directory.path()).unwrap_err());
        assert!(error.public().contains("config.json is not the file"), "{error}");
    }
}
