//! A directory with models, for a server over the deterministic backend: small files that are what their manifests say.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use attune::app::models::Backends;
use attune::inference::fake::FakeFactory;
use sha2::{Digest, Sha256};

use crate::support::{TestServer, config, factory};

/// The id of the models in the root.
pub(crate) const ID: &str = "support";

/// See the module.
pub(crate) struct Root(tempfile::TempDir);

impl Root {
    /// With these versions of one model, each in a directory of its name.
    pub(crate) fn with(versions: &[&str]) -> Self {
        let root = Self(tempfile::tempdir().unwrap());
        versions.iter().for_each(|version| root.add(version, version));
        root
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    /// Writes a version into a directory.
    pub(crate) fn add(&self, directory: &str, version: &str) {
        write(&self.path().join(directory), version);
    }

    /// A server whose models are here, and whose callers may change them; what a model's backend is follows from its
    /// version.
    pub(crate) async fn serve(
        &self,
        settings: &[(&str, &str)],
        backend: impl Fn(&str) -> FakeFactory + Send + Sync + 'static,
    ) -> TestServer {
        let path = self.path().display().to_string();
        let mut all = vec![("models.directory", path.as_str()), ("models.allow_changes", "true")];
        all.extend(settings);
        TestServer::start_over(config(&all), backends(backend), (None, None)).await
    }

    /// The same, with one kind of backend for all.
    pub(crate) async fn serve_plainly(&self, settings: &[(&str, &str)]) -> TestServer {
        self.serve(settings, |_| factory()).await
    }
}

/// Backends by the version of the model.
pub(crate) fn backends(backend: impl Fn(&str) -> FakeFactory + Send + Sync + 'static) -> Arc<Backends> {
    Arc::new(move |bundle| Ok(Box::new(backend(&bundle.manifest.version))))
}

/// Writes a model directory: the embedded manifest and tokenizer over a graph that nobody reads.
pub(crate) fn write(directory: &Path, version: &str) {
    std::fs::create_dir_all(directory).unwrap();
    let graph = format!("the graph of {version}");
    let sha256: String = Sha256::digest(&graph).iter().map(|byte| format!("{byte:02x}")).collect();
    let manifest = std::fs::read_to_string("models/attune-en-small/model.toml").unwrap();
    let line = |line: &str| match line.split_once(" = ").map(|(key, _)| key) {
        Some("id") => format!("id = \"{ID}\""),
        Some("version") => format!("version = \"{version}\""),
        Some("graph") => format!("graph = {{ file = \"model.onnx\", sha256 = \"{sha256}\" }}"),
        _ => line.to_owned(),
    };
    let manifest: Vec<String> = manifest.lines().map(line).collect();
    std::fs::write(directory.join("model.toml"), manifest.join("\n")).unwrap();
    std::fs::write(directory.join("model.onnx"), graph).unwrap();
    std::fs::copy("models/attune-en-small/tokenizer.json", directory.join("tokenizer.json")).unwrap();
}
