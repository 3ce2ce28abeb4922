//! The service's own way to a model in native weights: directory, manifest, workers, a text read with its evidence.

use attune::app::{Surroundings, build_models};
use attune::batching::{Entrance, Lane};
use attune::config::{Config, Sources};
use attune::domain::SentimentLabel;
use attune::drift::Tenant;
use attune::pipeline::{AnalysisOptions, Call};

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_native_weights_is_served_like_any_other_model() {
    let flags = vec![("model.directory".to_owned(), ".weights/rust-bert".to_owned())];
    let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
    let models = build_models(&config, &Surroundings::default()).unwrap();
    let analyzer = models.default_model();
    let options = AnalysisOptions { all_labels: true, ..AnalysisOptions::default() };
    let options = options.resolve(analyzer.manifest()).unwrap();
    let call = Call { lane: Lane::Bulk, entrance: Entrance::Wait, deadline: None, tenant: Tenant::NONE };
    let text = "I have called three times and nobody calls back. I want to speak to your manager.";
    let found = analyzer.analyze(text, Some("en"), &options, call).await.unwrap();
    assert_ne!(found.sentiment.unwrap().label, SentimentLabel::Positive);
    let cue = found.cues.iter().find(|cue| cue.label == "supervisor_request").unwrap();
    assert!(cue.predicted, "{cue:?}");
    let words = |cue: &attune::domain::LabelAssessment| -> Vec<String> {
        let spans = cue.evidence.as_ref().unwrap().spans.iter();
        spans.map(|s| text[s.span.byte_start..s.span.byte_end].to_owned()).collect()
    };
    assert!(words(cue).iter().any(|word| word.contains("manager")), "{:?}", words(cue));
}
