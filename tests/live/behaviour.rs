//! A checklist of what the model must understand (CheckList, Ribeiro et al., ACL 2020), capability by capability.
//!
//! `tests/fixtures/behaviour.jsonl` holds the cases: `expect` names what one text says, `same` lists texts that must be read
//! alike, `more` has a stronger text after a weaker one. The floors stand a little below what the embedded model
//! reaches (docs/models.md has the rates): a model that falls under one has unlearnt something.

use std::collections::BTreeMap;

use attune::domain::Assessment;
use attune::pipeline::Analyzer;
use serde::Deserialize;

use crate::reader::{models, read};

/// Cases of a hundred that must pass.
const FLOORS: &[(&str, usize)] = &[
    ("casing", 95),
    ("contrast", 75),
    ("cue_boundaries", 85),
    ("emojis_and_emoticons", 75),
    ("hypotheticals", 80),
    ("intensifiers", 75),
    ("names", 80),
    ("negation", 80),
    ("numbers_and_order_ids", 90),
    ("pronouns_and_gender", 90),
    ("questions_are_not_complaints", 85),
    ("reported_speech", 60),
    // Reported, not required.
    ("sarcasm", 0),
    ("settled_past_problems", 70),
    ("technical_negative_words", 85),
    ("typos", 55),
];
/// Share of the decisions, the sentiment and each cue of each text, that a swapped name or pronoun may change.
const FLIPS: f64 = 0.02;
/// Share of the texts in which any decision may change. The aim is `FLIPS` here too; the embedded model is at .075,
/// mostly where a probability lies at its threshold.
const TOUCHED: f64 = 0.10;

#[derive(Deserialize)]
struct Case {
    capability: String,
    kind: Kind,
    #[serde(default)]
    text: String,
    #[serde(default)]
    texts: Vec<String>,
    #[serde(default)]
    sentiment: Vec<String>,
    #[serde(default)]
    cues: Vec<String>,
    #[serde(default)]
    not_cues: Vec<String>,
    #[serde(default)]
    emotions_any: Vec<String>,
    #[serde(default)]
    measure: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Expect,
    Same,
    More,
}

/// The labels a caller acts on.
fn flags(found: &Assessment) -> (String, Vec<String>) {
    let mut cues: Vec<String> = found.cues.iter().filter(|c| c.predicted).map(|c| c.label.clone()).collect();
    cues.sort();
    (found.sentiment.as_ref().unwrap().label.name().to_owned(), cues)
}

fn measured(found: &Assessment, class: &str) -> f64 {
    let sentiment = found.sentiment.as_ref().unwrap();
    let p = match class {
        "negative" => sentiment.negative,
        "neutral" => sentiment.neutral,
        "positive" => sentiment.positive,
        emotion => found.emotions.iter().find(|e| e.label == emotion).unwrap().probability,
    };
    p.get()
}

async fn passes(analyzer: &Analyzer, case: &Case) -> bool {
    match case.kind {
        Kind::Expect => {
            let found = read(analyzer, &case.text).await;
            let (sentiment, cues) = flags(&found);
            // A label counts as said when it is predicted, or the likeliest of all.
            let emotions = found.emotions.iter().enumerate().filter(|(n, e)| e.predicted || *n == 0);
            let emotions: Vec<&str> = emotions.map(|(_, e)| e.label.as_str()).collect();
            (case.sentiment.is_empty() || case.sentiment.contains(&sentiment))
                && case.cues.iter().all(|c| cues.contains(c))
                && !case.not_cues.iter().any(|c| cues.contains(c))
                && (case.emotions_any.is_empty()
                    || case.emotions_any.iter().any(|e| emotions.contains(&e.as_str())))
        }
        Kind::Same => {
            let first = flags(&read(analyzer, &case.texts[0]).await);
            for text in &case.texts[1..] {
                if flags(&read(analyzer, text).await) != first {
                    return false;
                }
            }
            true
        }
        Kind::More => {
            let weak = measured(&read(analyzer, &case.texts[0]).await, &case.measure);
            let strong = measured(&read(analyzer, &case.texts[1]).await, &case.measure);
            strong > weak
        }
    }
}

fn cases() -> Vec<Case> {
    include_str!("../fixtures/behaviour.jsonl").lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_capability_passes_as_many_cases_as_it_did() {
    let models = models();
    let mut found: BTreeMap<String, (usize, Vec<usize>)> = BTreeMap::new();
    for (n, case) in cases().iter().enumerate() {
        let entry = found.entry(case.capability.clone()).or_default();
        entry.0 += 1;
        if !passes(&models.default_model(), case).await {
            entry.1.push(n + 1);
        }
    }
    assert_eq!(
        found.keys().map(String::as_str).collect::<Vec<_>>(),
        FLOORS.iter().map(|f| f.0).collect::<Vec<_>>(),
        "the capabilities of the fixture and the floors differ"
    );
    let report: Vec<String> = found
        .iter()
        .map(|(name, (all, failed))| {
            format!("{name}: {} of {all}; failed lines {failed:?}", all - failed.len())
        })
        .collect();
    let short = FLOORS.iter().filter(|(name, floor)| {
        let (all, failed) = &found[*name];
        (all - failed.len()) * 100 < floor * all
    });
    let short: Vec<&str> = short.map(|f| f.0).collect();
    eprintln!("{}", report.join("\n"));
    assert!(short.is_empty(), "under the floor: {short:?}\n{}", report.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_name_or_pronoun_does_not_change_what_is_read() {
    let models = models();
    let cues = models.default_model().manifest().heads.iter().find(|h| h.name == "cue").unwrap().labels.len();
    let (mut swaps, mut flips, mut touched) = (0usize, 0usize, Vec::new());
    for (n, case) in cases().iter().enumerate() {
        if !["names", "pronouns_and_gender"].contains(&case.capability.as_str()) {
            continue;
        }
        let first = flags(&read(&models.default_model(), &case.texts[0]).await);
        for text in &case.texts[1..] {
            swaps += 1;
            let other = flags(&read(&models.default_model(), text).await);
            let changed = usize::from(first.0 != other.0)
                + first.1.iter().filter(|c| !other.1.contains(c)).count()
                + other.1.iter().filter(|c| !first.1.contains(c)).count();
            if changed > 0 {
                flips += changed;
                touched.push(format!("line {}: {first:?} became {other:?}", n + 1));
            }
        }
    }
    let decisions = swaps * (1 + cues);
    let report = format!(
        "{flips} of {decisions} decisions, {} of {swaps} texts:\n{}",
        touched.len(),
        touched.join("\n")
    );
    eprintln!("{report}");
    assert!(flips as f64 <= FLIPS * decisions as f64, "{report}");
    assert!(touched.len() as f64 <= TOUCHED * swaps as f64, "{report}");
}
