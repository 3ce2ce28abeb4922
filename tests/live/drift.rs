//! Drift with the real model: a stream that turns from English support text to German, or to spam, is told within 500
//! texts, and 20,000 texts of the baseline's kind are never told.
//!
//! Each text goes through the model once; what drift sees of it is then drawn as often as a stream needs.

use std::collections::BTreeMap;

use attune::batching::{Entrance, Lane};
use attune::drift::{Level, Observation, Reference, Span, Tenant, Watch};
use attune::model::{ModelBundle, Overlay};
use attune::pipeline::{Analyzer, Call};
use futures_util::StreamExt;
use serde::Deserialize;

use crate::command::succeeds;
use crate::reader::models_with;
use crate::server::Serving;

/// The messages of the embedded model's baseline.
const WRITTEN: &str = include_str!("../../models/training/data/written.jsonl");
/// The window of config/default.toml.
const SPAN: Span = Span { texts: 500, time_ms: 604_800_000 };
/// A text a second.
const EVERY_MS: i64 = 1000;
/// Every third of the written messages: enough for a baseline, few enough for a quick test.
const EVERY: usize = 3;
/// Texts that a business must have to be drawn from.
const FEWEST: usize = 12;

#[derive(Deserialize)]
struct Written {
    text: String,
    industry: String,
}

fn written() -> Vec<Written> {
    WRITTEN.lines().step_by(EVERY).map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn observe(analyzer: &Analyzer, texts: impl IntoIterator<Item = &str>) -> Vec<Observation> {
    let call = Call { lane: Lane::Bulk, entrance: Entrance::Wait, deadline: None, tenant: Tenant::NONE };
    let seen = futures_util::stream::iter(texts).map(|text| analyzer.observe(text, None, call));
    seen.buffered(64).map(Result::unwrap).collect().await
}

/// Knuth's MMIX generator: the same draws on every machine.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

/// A stream under watch.
struct Stream<'r> {
    reference: &'r Reference,
    watch: Watch,
    now_ms: i64,
}

impl<'r> Stream<'r> {
    fn new(reference: &'r Reference) -> Self {
        Self { reference, watch: Watch::new(reference), now_ms: 0 }
    }

    /// Reads texts until something has drifted so far; answers with how many that took, and what has.
    fn told(&mut self, texts: &[Observation], from: Level) -> Option<(usize, String)> {
        for (place, seen) in texts.iter().enumerate() {
            self.now_ms += EVERY_MS;
            self.watch.observe(self.reference, seen, SPAN, self.now_ms);
            if self.watch.level() >= from {
                let report = self.watch.report(self.reference, SPAN, self.now_ms);
                let told = report.features.iter().filter(|f| f.level >= from);
                let told = told.map(|f| format!("{} {:.2}", f.name, f.divergence.map_or(0.0, |d| d.psi)));
                return Some((place + 1, told.collect::<Vec<_>>().join(", ")));
            }
        }
        None
    }
}

fn resampled(texts: &[Observation], draw: &mut Draw, count: usize) -> Vec<Observation> {
    (0..count).map(|_| texts[draw.below(texts.len())]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_to_german_or_to_spam_is_told_within_500_texts_and_20000_of_the_same_kind_never() {
    // As it stands in the tree, which may be newer than the embedded one of this build.
    let models = models_with(&[("model.directory", "models/attune-en-small")]);
    let analyzer = models.default_model();
    let written = written();
    let seen = observe(&analyzer, written.iter().map(|row| row.text.as_str())).await;
    let mut counted = analyzer.empty_reference();
    seen.iter().for_each(|seen| counted.add(seen));
    let german = observe(&analyzer, include_str!("../fixtures/drift/german.txt").lines()).await;
    let spam = observe(&analyzer, include_str!("../fixtures/drift/spam.txt").lines()).await;
    let shipped = analyzer.manifest().baseline.as_ref();
    let shipped = shipped.expect("the model has no baseline: run scripts/baseline.sh");
    let mut draw = Draw(2024);
    // The baseline of these very texts, and the one that the model is shipped with.
    for (name, reference) in [("own", &counted), ("shipped", shipped)] {
        let same = resampled(&seen, &mut draw, 20_000);
        assert_eq!(Stream::new(reference).told(&same, Level::Watch), None, "{name}, resampled");
        let same = mixed(&written, &seen, &mut draw, 20_000);
        assert_eq!(Stream::new(reference).told(&same, Level::Alarm), None, "{name}, business after business");
        for (kind, other) in [("German", &german), ("spam", &spam)] {
            // Wherever in a sub-window the stream turns.
            for before in [1000, 1017, 1049] {
                let mut stream = Stream::new(reference);
                let same = resampled(&seen, &mut draw, before);
                assert_eq!(stream.told(&same, Level::Watch), None, "{name}, before {kind}");
                let told = stream.told(&resampled(other, &mut draw, 500), Level::Alarm);
                let (texts, features) = told.unwrap_or_else(|| panic!("{name}: {kind} is not told"));
                eprintln!("{name} baseline: {kind} told after {texts} texts: {features}");
            }
        }
    }
}

#[test]
fn a_baseline_of_ones_own_stands_in_an_overlay_and_the_service_is_watched_against_it() {
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    let (overlay, data) = (path("ours.toml"), path("ours.jsonl"));
    let manifest = ModelBundle::load_embedded().unwrap().manifest;
    Overlay::new(&manifest).save(overlay.as_ref()).unwrap();
    let lines: Vec<&str> = WRITTEN.lines().step_by(41).collect();
    std::fs::write(&data, lines.join("\n")).unwrap();
    succeeds(&["drift", "baseline", "--overlay", &overlay, "--data", &data, "--into", &overlay]);
    let server = Serving::start(&["--overlay", &overlay, "--set", "drift.window_texts=200"]);
    let url = format!("http://{}", server.grpc);
    let show = || succeeds(&["drift", "show", "--server", &url, "--all"]);
    assert!(show().contains(&format!("against a baseline of {}", lines.len())), "{}", show());
    succeeds(&["analyze", "--server", &url, "--file", "tests/fixtures/drift/german.txt"]);
    let shown = show();
    let language = shown.lines().find(|line| line.contains("language")).unwrap();
    assert!(language.contains("ALARM") && language.contains("other 0.0 →"), "{shown}");
    assert!(shown.contains("without a tenant") && !shown.contains("Bestellung"), "{shown}");
}

/// Texts in runs of 5 to 24 of one business each, as they come when one after the other has much to say.
fn mixed(written: &[Written], seen: &[Observation], draw: &mut Draw, count: usize) -> Vec<Observation> {
    let mut by_industry: BTreeMap<&str, Vec<Observation>> = BTreeMap::new();
    for (row, seen) in written.iter().zip(seen) {
        by_industry.entry(&row.industry).or_default().push(*seen);
    }
    // A run of a business with few texts would be the same text over and over.
    by_industry.retain(|_, texts| texts.len() >= FEWEST);
    assert!(!by_industry.is_empty(), "no business has {FEWEST} texts");
    let mut texts = Vec::with_capacity(count);
    while texts.len() < count {
        // A business as often as it has texts.
        let Some(of_industry) = by_industry.get(written[draw.below(written.len())].industry.as_str()) else {
            continue;
        };
        let run = 5 + draw.below(20);
        texts.extend(resampled(of_industry, draw, run));
    }
    texts.truncate(count);
    texts
}
