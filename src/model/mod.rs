//! Model artefacts: the manifest, the files it names, and their checksums. Knows nothing about inference.

pub mod bundle;
pub mod manifest;

pub use bundle::{BundleError, ModelBundle};
pub use manifest::{Activation, Head, HeadKind, Manifest, ManifestError, MixedRule};
