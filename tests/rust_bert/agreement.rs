//! Two engines over the same weights: the embedded model's own, in float32.

use std::sync::Arc;

use attune::inference::onnx::OnnxFactory;
use attune::inference::runtime_library::Search;
use attune::inference::rust_bert::RustBertFactory;
use attune::inference::{BackendFactory, EncodedBatch, TextTokenizer};

use crate::conformance::{Subject, conforms, distance};
use crate::files::refuses_wrong_files;
use crate::subjects::{factory, float32};

/// Texts of the golden file, as many as take a few seconds.
const TEXTS: usize = 60;

fn golden() -> Vec<String> {
    let text = std::fs::read_to_string("tests/fixtures/golden/attune-en-small.jsonl").unwrap();
    let text_of = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["text"].as_str().unwrap().to_owned()
    };
    text.lines().take(TEXTS).map(text_of).collect()
}

#[test]
fn the_embedded_models_weights_say_the_same_in_onnx_runtime_and_in_rust_bert() {
    let (onnx, native) = (float32("onnx"), float32("rust-bert"));
    let tokenizer = TextTokenizer::parse(&native.tokenizer).unwrap();
    let rows: Vec<Vec<u32>> = golden().iter().map(|text| tokenizer.tokenize(text).unwrap().ids).collect();
    let window = native.manifest.window_tokens();
    let rows: Vec<&[u32]> = rows.iter().map(|ids| &ids[..ids.len().min(window)]).collect();
    let (mut first, mut second) = (factory(&onnx).build().unwrap(), factory(&native).build().unwrap());
    let mut furthest = 0.0f32;
    // Eight rows of unlike lengths, so that each engine deals with padding in its way.
    for rows in rows.chunks(8) {
        let batch = EncodedBatch::new(rows, native.manifest.markers);
        let (first, second) = (first.run(&batch).unwrap(), second.run(&batch).unwrap());
        for (a, b) in first.iter().zip(&second) {
            furthest = furthest.max(distance(a, b));
            let scores = a.attention_scores.iter().zip(&b.attention_scores);
            furthest = scores.map(|(a, b)| (a - b).abs()).fold(furthest, f32::max);
        }
    }
    println!("{} texts: at most {furthest} apart", rows.len());
    assert!(furthest < 1e-4, "{furthest}");
}

#[test]
fn attunes_own_form_passes_the_suite_of_every_backend_in_both() {
    for name in ["onnx", "rust-bert"] {
        let bundle = float32(name);
        let factory = factory(&bundle);
        conforms(&Subject {
            factory: &*factory,
            manifest: &bundle.manifest,
            ids: 1996..20_000,
            terms: true,
            tolerance: 1e-4,
        });
        refuses_wrong_files(&bundle, |wrong| match name {
            "onnx" => {
                let runtime = std::env::var_os("ORT_DYLIB_PATH").map(Into::into);
                let library = Search::new(None, runtime).find()?;
                OnnxFactory::load(&library, Arc::new(wrong))?.build().map(drop)
            }
            _ => RustBertFactory::load(&wrong)?.build().map(drop),
        });
    }
}
