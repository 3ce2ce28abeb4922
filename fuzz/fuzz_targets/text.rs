//! A text from anywhere, through language identification, tokenizer, windows, sentences and evidence, with a deterministic
//! backend: every span slices the text, and evidence adds up.
#![no_main]

use std::sync::LazyLock;

use attune::app::build_analyzer;
use attune::batching::{Entrance, Lane};
use attune::config::{Config, Sources};
use attune::drift::Tenant;
use attune::inference::fake::FakeFactory;
use attune::model::ModelBundle;
use attune::pipeline::{AnalysisOptions, Analyzer, Call, ResolvedOptions};
use libfuzzer_sys::fuzz_target;

static PARTS: LazyLock<(Analyzer, ResolvedOptions, tokio::runtime::Runtime)> = LazyLock::new(|| {
    let config = Config::load(&Sources::default()).expect("the defaults are sound");
    let bundle = ModelBundle::load_embedded().expect("the embedded model is sound");
    let factory = FakeFactory::new(bundle.manifest.label_count(), bundle.manifest.heads.len());
    let analyzer = build_analyzer(&config, &bundle, &factory).expect("a fake backend always loads");
    let options = AnalysisOptions { sentences: true, all_labels: true, ..AnalysisOptions::default() };
    let options = options.resolve(analyzer.manifest()).expect("the options are sound");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    (analyzer, options, runtime)
});

fuzz_target!(|text: &str| {
    let (analyzer, options, runtime) = &*PARTS;
    let call = Call { lane: Lane::Bulk, entrance: Entrance::Wait, deadline: None, tenant: Tenant::NONE };
    let Ok(found) = runtime.block_on(analyzer.analyze(text, Some("en"), options, call)) else { return };
    for sentence in &found.sentences {
        assert!(text.get(sentence.span.byte_start..sentence.span.byte_end).is_some());
    }
    for label in found.emotions.iter().chain(&found.cues) {
        let Some(evidence) = &label.evidence else { continue };
        let mut sum = evidence.bias + evidence.remainder;
        for span in &evidence.spans {
            assert!(text.get(span.span.byte_start..span.span.byte_end).is_some());
            sum += span.contribution;
        }
        assert!((sum - evidence.logit).abs() < 1e-6);
    }
});
