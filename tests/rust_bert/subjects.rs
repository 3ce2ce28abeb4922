//! Model directories, and backends over them.

use std::path::Path;
use std::sync::Arc;

use attune::app::{Surroundings, backends};
use attune::config::{Config, Sources};
use attune::inference::BackendFactory;
use attune::model::ModelBundle;

/// One tiny classifier per architecture that is read.
pub(crate) const CLASSIFIERS: [&str; 3] = ["bert", "roberta", "distilbert"];

/// A tiny classifier's directory.
pub(crate) fn fixture(name: &str) -> ModelBundle {
    ModelBundle::load_directory(&Path::new("tests/fixtures/rust_bert").join(name)).unwrap()
}

/// The embedded model in float32, for `onnx` or for `rust-bert`.
pub(crate) fn float32(backend: &str) -> ModelBundle {
    let directory = Path::new(".weights").join(backend);
    ModelBundle::load_directory(&directory).expect("`make fp32` writes it")
}

/// The backend that the manifest asks for, chosen as the service chooses it.
pub(crate) fn factory(bundle: &ModelBundle) -> Box<dyn BackendFactory> {
    try_factory(bundle.clone()).unwrap()
}

pub(crate) fn try_factory(bundle: ModelBundle) -> Result<Box<dyn BackendFactory>, attune::error::Error> {
    let config = Config::load(&Sources::default()).unwrap();
    let runtime_library = std::env::var_os("ORT_DYLIB_PATH").map(Into::into);
    let surroundings = Surroundings { runtime_library, ..Surroundings::default() };
    backends::factory(&config, &surroundings, &Arc::new(bundle))
}
