//! Evidence and sentences of a network that only has logits, over the deterministic backend.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::batching::{AdmissionSettings, Batcher, BatcherSettings, Lane};
use crate::domain::{Assessment, Evidence, EvidenceMethod, EvidenceScope};
use crate::drift::Tenant;
use crate::error::ErrorKind;
use crate::inference::TextTokenizer;
use crate::inference::fake::{FakeFactory, Gate, Steering};
use crate::model::ModelBundle;
use crate::pipeline::{AnalysisOptions, AnalyzerSettings, BlockText};

const MASK: u32 = 103;
const CALL: Call = Call { lane: Lane::Bulk, entrance: Entrance::Wait, deadline: None, tenant: Tenant::NONE };

fn analyzer(change: impl FnOnce(&mut FakeFactory), cache_bytes: usize) -> (Arc<Analyzer>, FakeFactory) {
    let bundle = ModelBundle::load_embedded().unwrap();
    let mut manifest = bundle.manifest.clone();
    manifest.evidence = EvidenceMethod::Occlusion;
    manifest.occlusion_token = MASK;
    let plain = FakeFactory { plain: true, ..FakeFactory::new(manifest.label_count(), manifest.heads.len()) };
    let mut factory = plain;
    change(&mut factory);
    let settings = BatcherSettings {
        model: "plain@1".into(),
        markers: manifest.markers,
        workers: 2,
        batch_tokens: Some(256),
        admission: AdmissionSettings { capacity_tokens: 64, overload_delay: Duration::ZERO },
        cache_bytes,
    };
    let batcher = Batcher::spawn(&factory, settings).unwrap();
    let tokenizer = TextTokenizer::parse(&bundle.tokenizer).unwrap();
    let bounds = AnalyzerSettings { text_bytes: 100_000, text_tokens: 20_000 };
    (Arc::new(Analyzer::new(manifest, tokenizer, batcher, bounds)), factory)
}

async fn read(
    analyzer: &Analyzer,
    text: &str,
    options: &AnalysisOptions,
    call: Call,
) -> Result<Assessment, Error> {
    let options = options.resolve(analyzer.manifest())?;
    analyzer.analyze(text, Some("en"), &options, call).await
}

/// Every evidence of an assessment, with its label.
fn evidence(of: &Assessment) -> Vec<(String, &Evidence)> {
    let classes = of.sentiment.iter().flat_map(|s| &s.evidence);
    let classes = classes.map(|class| (class.class.name().to_owned(), &class.evidence));
    let labels = of.emotions.iter().chain(&of.cues);
    classes.chain(labels.filter_map(|label| Some((label.label.clone(), label.evidence.as_ref()?)))).collect()
}

fn check(text: &str, found: &Assessment) {
    let all = evidence(found);
    assert!(!all.is_empty());
    for (label, evidence) in all {
        let spans = evidence.spans.iter().map(|span| span.contribution).sum::<f64>();
        let sum = evidence.bias + spans + evidence.remainder;
        assert!((sum - evidence.logit).abs() < 1e-9, "{label}: {sum} is not {}", evidence.logit);
        for span in &evidence.spans {
            let words = &text[span.span.byte_start..span.span.byte_end];
            assert!(!words.is_empty() && words.trim() == words, "{words:?}");
        }
    }
    for label in found.emotions.iter().chain(&found.cues) {
        assert_eq!(label.predicted, label.evidence.is_some());
        if let Some(evidence) = &label.evidence {
            let implied = 1.0 / (1.0 + (-evidence.logit).exp());
            assert!((implied - label.probability.get()).abs() < 1e-9);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn evidence_adds_up_and_costs_a_bounded_number_of_runs(
        words in prop::collection::vec("[a-z]{1,4}|[0-9]{1,4}|😡|,|é", 1..60),
    ) {
        let text = words.join(" ");
        let (analyzer, factory) = analyzer(|_| (), 0);
        let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let warm = factory.log.windows();
        let found = executor.block_on(read(&analyzer, &text, &AnalysisOptions::default(), CALL)).unwrap();
        check(&text, &found);
        prop_assert_eq!(found.evidence, Some(EvidenceScope { method: EvidenceMethod::Occlusion, windows: 1 }));
        prop_assert!(factory.log.windows() - warm <= 2 + occlusion::PIECES);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_text_whose_evidence_is_asked_for_and_that_reports_something_is_read_again() {
    let (analyzer, factory) = analyzer(|_| (), 0);
    let scope = |windows| Some(EvidenceScope { method: EvidenceMethod::Occlusion, windows });
    let of_emotions = |threshold: f64| AnalysisOptions {
        heads: vec!["emotion".into()],
        thresholds: analyzer.manifest().heads[1]
            .labels
            .iter()
            .map(|l| (format!("emotion.{l}"), threshold))
            .collect(),
        ..AnalysisOptions::default()
    };
    for (options, runs, expected) in [
        (AnalysisOptions { evidence: false, ..AnalysisOptions::default() }, 1, None),
        (of_emotions(1.0), 1, scope(0)),
        (of_emotions(0.0), 2 + 5, scope(1)),
        (AnalysisOptions::default(), 2 + 5, scope(1)),
    ] {
        let before = factory.log.windows();
        let found = read(&analyzer, "my order never came again", &options, CALL).await.unwrap();
        assert_eq!((factory.log.windows() - before, found.evidence), (runs, expected), "{options:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_word_that_speaks_for_a_label_is_its_evidence_and_every_text_starts_from_the_same_logit() {
    let bundle = ModelBundle::load_embedded().unwrap();
    let lawyer = TextTokenizer::parse(&bundle.tokenizer).unwrap().tokenize("lawyer").unwrap().ids[0];
    let (head, range) = bundle.manifest.heads_with_ranges().nth(2).unwrap();
    let label = range.start + head.labels.iter().position(|label| label == "legal_threat").unwrap();
    let steering = Steering { floor: -8.0, words: vec![(lawyer, label, 16.0)] };
    let (analyzer, _) = analyzer(|factory| factory.steering = Some(steering), 1 << 20);
    let mut biases = Vec::new();
    for text in ["my lawyer will call you", "you will hear from my lawyer, and soon"] {
        let found = read(&analyzer, text, &AnalysisOptions::default(), CALL).await.unwrap();
        check(text, &found);
        let cue = found.cues.iter().find(|cue| cue.label == "legal_threat").unwrap();
        let evidence = cue.evidence.as_ref().unwrap();
        let strongest = evidence.spans.iter().max_by(|a, b| a.contribution.total_cmp(&b.contribution));
        let span = strongest.unwrap().span;
        assert!(text[span.byte_start..span.byte_end].contains("lawyer"), "{evidence:?}");
        biases.push(evidence.bias);
    }
    assert_eq!(biases[0], biases[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_is_looked_into_in_its_first_windows_and_still_adds_up() {
    let (analyzer, factory) = analyzer(|_| (), 0);
    let text: String = (0..900).map(|n| format!("order {n} is late, ")).collect();
    let before = factory.log.windows();
    let found = read(&analyzer, &text, &AnalysisOptions::default(), CALL).await.unwrap();
    check(&text, &found);
    assert!(found.window_count > 4);
    assert_eq!(found.evidence, Some(EvidenceScope { method: EvidenceMethod::Occlusion, windows: 4 }));
    assert_eq!(factory.log.windows() - before, found.window_count + 1 + 4 * occlusion::PIECES);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sentence_is_read_as_a_text_of_its_own_and_too_many_are_refused() {
    let (analyzer, _) = analyzer(|_| (), 1 << 20);
    let options = AnalysisOptions { sentences: true, all_labels: true, ..AnalysisOptions::default() };
    let sentences = ["The engineer was brilliant.", "Nobody called me back.", "I want my money!"];
    let long = format!("word {}", "and word ".repeat(400));
    for text in [sentences.join(" "), long] {
        let found = read(&analyzer, &text, &options, CALL).await.unwrap();
        assert!(!found.sentences.is_empty());
        for sentence in &found.sentences {
            let own = &text[sentence.span.byte_start..sentence.span.byte_end];
            let alone = read(&analyzer, own, &options, CALL).await.unwrap();
            let scores = |from: &[crate::domain::LabelAssessment]| -> Vec<_> {
                from.iter().map(|label| (label.label.clone(), label.probability)).collect()
            };
            assert_eq!(scores(&sentence.emotions), scores(&alone.emotions), "{own}");
            assert_eq!(sentence.sentiment.as_ref().map(|s| s.score()), alone.sentiment.map(|s| s.score()));
        }
    }
    let error = read(&analyzer, &"Bad! ".repeat(300), &options, CALL).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("options.sentences")));
    assert!(error.public().contains("at most 256"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_beside_an_admitted_text_is_never_refused_and_ends_with_its_deadline() {
    let gate = Gate::closed();
    gate.open();
    let held = gate.clone();
    let (analyzer, _) = analyzer(|factory| factory.gate = Some(held), 1 << 20);
    let refuse = Call { entrance: Entrance::Refuse, ..CALL };
    let text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen";
    // The lane has room for 64 tokens, and the covered texts together have more than 200.
    let found = read(&analyzer, text, &AnalysisOptions::default(), refuse).await.unwrap();
    check(text, &found);
    let quiet = AnalysisOptions { evidence: false, ..AnalysisOptions::default() };
    let other = text.replace("one", "zero");
    read(&analyzer, &other, &quiet, refuse).await.unwrap();
    // The text itself is known now, and what is covered waits at the gate.
    gate.shut();
    let deadline = Some(Instant::now() + Duration::from_millis(50));
    let late = read(&analyzer, &other, &AnalysisOptions::default(), Call { deadline, ..refuse }).await;
    gate.open();
    assert_eq!(late.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_says_the_same_as_calls_of_their_own() {
    let (analyzer, _) = analyzer(|_| (), 0);
    let options = AnalysisOptions { sentences: true, ..AnalysisOptions::default() };
    let resolved = Arc::new(options.resolve(analyzer.manifest()).unwrap());
    let mut texts: Vec<String> =
        (1..40).map(|n| format!("order {n} is late.{}", " Again and again!".repeat(n % 9))).collect();
    texts.push("the parcel never came ".repeat(300));
    texts.push("Bad! ".repeat(300));
    texts.push(" ".into());
    let block =
        texts.iter().map(|text| BlockText { text: text.clone(), language: Some("en".into()) }).collect();
    let together = analyzer.analyze_block(block, &resolved, 256).await.unwrap();
    for (text, together) in texts.iter().zip(together) {
        match (together, read(&analyzer, text, &options, CALL).await) {
            (Ok(together), Ok(alone)) => assert_eq!(together, alone, "{text}"),
            (Err(together), Err(alone)) => assert_eq!(together.public(), alone.public()),
            (together, _) => panic!("{text}: {together:?}"),
        }
    }
}
