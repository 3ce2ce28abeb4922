//! Blocks over the deterministic backend: the same as text by text, in batches that follow from the texts.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::batching::{AdmissionSettings, Batcher, BatcherSettings, Entrance};
use crate::domain::Status;
use crate::drift::Tenant;
use crate::error::ErrorKind;
use crate::inference::TextTokenizer;
use crate::inference::fake::FakeFactory;
use crate::model::ModelBundle;
use crate::pipeline::{AnalysisOptions, AnalyzerSettings, Call};

fn analyzer(poison: Option<u32>) -> (Arc<Analyzer>, FakeFactory) {
    let bundle = ModelBundle::load_embedded().unwrap();
    let manifest = bundle.manifest.clone();
    let factory = FakeFactory { poison, ..FakeFactory::new(manifest.label_count(), manifest.heads.len()) };
    let settings = BatcherSettings {
        model: "fake@1".into(),
        markers: manifest.markers,
        workers: 2,
        batch_tokens: Some(64),
        admission: AdmissionSettings { capacity_tokens: 4000, overload_delay: Duration::ZERO },
        cache_bytes: 0,
    };
    let batcher = Batcher::spawn(&factory, settings).unwrap();
    let tokenizer = TextTokenizer::parse(&bundle.tokenizer).unwrap();
    let bounds = AnalyzerSettings { text_bytes: 10_000, text_tokens: 2000 };
    (Arc::new(Analyzer::new(manifest, tokenizer, batcher, bounds)), factory)
}

fn block_text(text: impl Into<String>) -> BlockText {
    BlockText { text: text.into(), language: None }
}

fn options(analyzer: &Analyzer) -> Arc<ResolvedOptions> {
    Arc::new(AnalysisOptions::default().resolve(analyzer.manifest()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_says_of_each_text_what_a_call_of_its_own_says() {
    let (analyzer, _) = analyzer(None);
    let options = options(&analyzer);
    let mut texts: Vec<BlockText> =
        (0..150).map(|n| block_text(format!("my order {n} is late{}", " again".repeat(n % 40)))).collect();
    texts.push(block_text("   "));
    texts.push(block_text("Ich warte seit Wochen auf eine Antwort von Ihnen und bin sehr verärgert."));
    texts.push(block_text("the parcel never came ".repeat(200)));
    texts.push(block_text("x ".repeat(5001)));
    texts.push(BlockText { text: "hello there".into(), language: Some("fr".into()) });
    let results = analyzer.analyze_block(texts.clone(), &options, 256).await.unwrap();
    assert_eq!(results.len(), texts.len());
    let call = Call { lane: Lane::Bulk, entrance: Entrance::Wait, deadline: None, tenant: Tenant::NONE };
    for (place, (text, result)) in texts.iter().zip(results).enumerate() {
        let alone = analyzer.analyze(&text.text, text.language.as_deref(), &options, call).await;
        match (result, alone) {
            (Ok(together), Ok(alone)) => assert_eq!(together, alone, "{place}"),
            (Err(together), Err(alone)) => assert_eq!(together.public(), alone.public()),
            (together, _) => panic!("{place}: {together:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_batches_follow_from_the_texts_alone() {
    let texts: Vec<BlockText> = (0..200)
        .map(|n| block_text(format!("order {}", "late and later ".repeat(n * 7919 % 90 + 1))))
        .collect();
    let mut runs = Vec::new();
    for _ in 0..3 {
        let (analyzer, factory) = analyzer(None);
        let warm_up = factory.log.shapes().len();
        let options = options(&analyzer);
        analyzer.analyze_block(texts.clone(), &options, 512).await.unwrap();
        let mut shapes = factory.log.shapes().split_off(warm_up);
        shapes.sort_unstable();
        runs.push(shapes);
    }
    assert!(runs[0].iter().any(|(rows, _)| *rows > 4), "{:?}", runs[0]);
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0], runs[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_at_which_the_network_fails_takes_no_other_along() {
    let bundle = ModelBundle::load_embedded().unwrap();
    let tokenizer = TextTokenizer::parse(&bundle.tokenizer).unwrap();
    let poison = tokenizer.tokenize("zebra").unwrap().ids[0];
    let (analyzer, _) = analyzer(Some(poison));
    let options = options(&analyzer);
    let texts = ["all is well", "zebra", "thank you"].map(block_text).to_vec();
    let results = analyzer.analyze_block(texts, &options, 256).await.unwrap();
    assert_eq!(results[1].as_ref().unwrap_err().kind(), ErrorKind::Internal);
    assert!([0, 2].iter().all(|n| results[*n].as_ref().unwrap().status == Status::Ok));
    assert!(analyzer.analyze_block(Vec::new(), &options, 256).await.unwrap().is_empty());
}

proptest! {
    #[test]
    fn every_text_is_in_one_batch_within_the_budget(
        lengths in prop::collection::vec(1usize..300, 0..100), budget in 1usize..600,
    ) {
        let all = batches(lengths.iter().copied().enumerate().collect(), budget);
        let mut places: Vec<usize> = all.concat();
        for batch in &all {
            let longest = batch.iter().map(|place| lengths[*place]).max().unwrap();
            prop_assert!(batch.len() == 1 || (longest + MARKERS) * batch.len() <= budget);
        }
        places.sort_unstable();
        prop_assert_eq!(places, (0..lengths.len()).collect::<Vec<_>>());
    }
}
