//! The deterministic backend keeps what every backend must: tests that rest on it rest on the port.

use attune::inference::fake::FakeFactory;
use attune::model::ModelBundle;

use crate::conformance::{Subject, conforms};

#[test]
fn the_deterministic_backend_passes_the_suite_of_every_backend() {
    let manifest = ModelBundle::load_embedded().unwrap().manifest;
    let factory = FakeFactory::new(manifest.label_count(), manifest.heads.len());
    conforms(&Subject {
        factory: &factory,
        manifest: &manifest,
        ids: 1000..20_000,
        terms: true,
        tolerance: 1e-6,
    });
}
