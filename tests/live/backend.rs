//! ONNX Runtime over the embedded graph, as a backend.

use std::sync::Arc;

use attune::inference::BackendFactory;
use attune::inference::onnx::OnnxFactory;
use attune::inference::runtime_library::Search;
use attune::model::ModelBundle;

use crate::conformance::{Subject, conforms};
use crate::files::refuses_wrong_files;

fn factory(bundle: ModelBundle) -> OnnxFactory {
    let library = Search::new(None, std::env::var_os("ORT_DYLIB_PATH").map(Into::into)).find().unwrap();
    OnnxFactory::load(&library, Arc::new(bundle)).unwrap()
}

#[test]
fn onnx_runtime_passes_the_suite_of_every_backend() {
    let bundle = ModelBundle::load_embedded().unwrap();
    // Activations are rounded by batch, and ids out of a hat are what rounding is worst at.
    conforms(&Subject {
        factory: &factory(bundle.clone()),
        manifest: &bundle.manifest,
        ids: 1996..20_000,
        terms: true,
        tolerance: 2.0,
    });
    refuses_wrong_files(&bundle, |wrong| factory(wrong).build().map(drop));
}
