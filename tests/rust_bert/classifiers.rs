//! Plain sequence classifiers: the logits of transformers, and the suite.

use attune::inference::rust_bert::RustBertFactory;
use attune::inference::{BackendFactory, EncodedBatch};
use serde::Deserialize;

use crate::conformance::{Subject, conforms};
use crate::files::refuses_wrong_files;
use crate::subjects::{CLASSIFIERS, factory, fixture};

#[derive(Deserialize)]
struct Expected {
    ids: Vec<u32>,
    logits: Vec<f32>,
}

fn expected(name: &str) -> Vec<Expected> {
    let text = std::fs::read_to_string(format!("tests/fixtures/rust_bert/{name}/expected.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_architecture_gives_the_logits_that_transformers_gives() {
    for name in CLASSIFIERS {
        let (bundle, expected) = (fixture(name), expected(name));
        let rows: Vec<&[u32]> = expected.iter().map(|row| row.ids.as_slice()).collect();
        let mut backend = factory(&bundle).build().unwrap();
        let found = backend.run(&EncodedBatch::new(&rows, bundle.manifest.markers)).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.logits.len(), expected.logits.len());
            let off =
                found.logits.iter().zip(&expected.logits).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            println!("{name}: {} tokens: {off}", expected.ids.len());
            assert!(off < 1e-4, "{name}, {} tokens: off by {off}", expected.ids.len());
            assert!(found.contributions.is_empty() && found.attention_scores.is_empty());
        }
    }
}

#[test]
fn each_architecture_passes_the_suite_of_every_backend() {
    for name in CLASSIFIERS {
        let bundle = fixture(name);
        let factory = factory(&bundle);
        conforms(&Subject {
            factory: &*factory,
            manifest: &bundle.manifest,
            ids: 110..200,
            terms: false,
            tolerance: 1e-4,
        });
        refuses_wrong_files(&bundle, |wrong| RustBertFactory::load(&wrong)?.build().map(drop));
    }
}
