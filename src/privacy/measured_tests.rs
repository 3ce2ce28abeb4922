//! Precision and recall on texts that people might write, with what identifies somebody marked in them.
//!
//! A hit has the right kind and the very range. The figures of `docs/privacy.md` come from here; run with
//! `--no-capture` to see them and every miss.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

const FIXTURE: &str = include_str!("../../tests/fixtures/privacy/redaction.jsonl");
/// What the detectors must reach on the fixture, for every kind; they reach a little more.
const PRECISION: f64 = 0.95;
const RECALL: f64 = 0.95;

#[derive(Deserialize)]
struct Text {
    text: String,
    found: Vec<(String, String)>,
}

#[derive(Default)]
struct Count {
    hits: usize,
    wrong: usize,
    missed: usize,
}

impl Text {
    /// What is marked, where it stands; the same words twice are marked in their order.
    fn expected(&self) -> Vec<(String, Range<usize>)> {
        let mut from = 0;
        let place = |(kind, words): &(String, String)| {
            let start = from + self.text[from..].find(words.as_str()).unwrap();
            from = start + words.len();
            (kind.clone(), start..from)
        };
        self.found.iter().map(place).collect()
    }
}

/// Counts what was found as it is marked, what was not, and what was found and is not marked.
fn compare(text: &Text, counts: &mut BTreeMap<String, Count>) {
    let redacted = redact(&text.text);
    let name = |kind: Kind| kind.placeholder().trim_matches(['[', ']']).to_owned();
    let found: Vec<(String, Range<usize>)> =
        redacted.redactions.iter().map(|r| (name(r.kind), r.original.clone())).collect();
    let expected = text.expected();
    for item in &expected {
        let count = counts.entry(item.0.clone()).or_default();
        if found.contains(item) { count.hits += 1 } else { count.missed += 1 }
    }
    for item in found.iter().filter(|item| !expected.contains(item)) {
        counts.entry(item.0.clone()).or_default().wrong += 1;
    }
    if found != expected {
        println!("{} | {}", text.text, redacted.text);
    }
}

#[test]
fn precision_and_recall_on_the_labelled_texts_stay_above_their_floors_for_every_kind() {
    let texts: Vec<Text> = FIXTURE.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(texts.len() >= 450 && texts.iter().filter(|text| text.found.is_empty()).count() >= 210);
    let mut counts = BTreeMap::new();
    texts.iter().for_each(|text| compare(text, &mut counts));
    assert_eq!(counts.len(), 8);
    for (kind, count) in &counts {
        println!("{kind:<12} {:>3} hits {:>2} wrong {:>2} missed", count.hits, count.wrong, count.missed);
        let precision = count.hits as f64 / (count.hits + count.wrong) as f64;
        let recall = count.hits as f64 / (count.hits + count.missed) as f64;
        assert!(precision >= PRECISION && recall >= RECALL, "{kind}: {precision:.3}, {recall:.3}");
    }
}
