//! Model artefacts: the manifest, the files it names, their checksums, and overlays. Knows nothing about inference.

pub mod architecture;
pub mod baseline;
pub mod bundle;
mod columns;
pub mod import;
pub mod manifest;
pub mod overlay;

pub use architecture::{Architecture, ArchitectureKind, Network};
pub use baseline::Baseline;
pub use bundle::{BundleError, ModelBundle};
pub use manifest::{Activation, Head, HeadKind, Manifest, ManifestError, MixedRule};
pub use overlay::{Overlay, OverlayEntry, OverlayError};
