//! Whether the words that the service marks are the words that a person would mark, and whether they matter.
//!
//! `tests/fixtures/rationales.jsonl` holds hand-marked spans for cues and emotions of written messages that training never saw,
//! `rationales_dev.jsonl` those of dev messages, on which the form of spans was chosen.

use std::collections::BTreeMap;

use attune::domain::{Assessment, LabelAssessment};
use serde::Deserialize;

use crate::reader::{models, read};

/// Marked texts, and the token F1 that the spans must reach on their cues and emotions.
const MARKED: [(&str, &str, f64, f64); 2] = [
    ("held-out", include_str!("../fixtures/rationales.jsonl"), 0.58, 0.50),
    ("dev", include_str!("../fixtures/rationales_dev.jsonl"), 0.67, 0.54),
];

#[derive(Deserialize)]
struct Rationale {
    text: String,
    /// `cue:NAME` or `emotion:NAME`.
    label: String,
    spans: Vec<String>,
}

fn rationales(lines: &str) -> Vec<Rationale> {
    lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn labels<'a>(found: &'a Assessment, kind: &str) -> &'a [LabelAssessment] {
    if kind == "cue" { &found.cues } else { &found.emotions }
}

fn label<'a>(found: &'a Assessment, name: &str) -> &'a LabelAssessment {
    let (kind, name) = name.split_once(':').unwrap();
    labels(found, kind).iter().find(|l| l.label == name).unwrap()
}

/// Byte ranges of the words of a text.
fn words(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut words: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
        match words.last_mut() {
            Some(word) if word.end == at => word.end = at + c.len_utf8(),
            _ => words.push(at..at + c.len_utf8()),
        }
    }
    words
}

/// Which words the ranges touch.
fn touched(words: &[std::ops::Range<usize>], ranges: &[std::ops::Range<usize>]) -> Vec<bool> {
    words.iter().map(|w| ranges.iter().any(|r| w.start < r.end && r.start < w.end)).collect()
}

fn f1(truth: &[bool], found: &[bool]) -> f64 {
    let both = truth.iter().zip(found).filter(|(a, b)| **a && **b).count() as f64;
    let (t, f) = (truth.iter().filter(|x| **x).count() as f64, found.iter().filter(|x| **x).count() as f64);
    if t + f == 0.0 { 0.0 } else { 2.0 * both / (t + f) }
}

fn marked(label: &LabelAssessment) -> Vec<std::ops::Range<usize>> {
    let spans = label.evidence.iter().flat_map(|e| &e.spans);
    spans.filter(|s| s.contribution > 0.0).map(|s| s.span.byte_start..s.span.byte_end).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_marked_words_are_those_that_people_marked() {
    for (name, lines, cues, emotions) in MARKED {
        let marked = rationales(lines);
        let scores = token_f1(&marked).await;
        assert_eq!(scores.len(), 2);
        for (kind, scores) in scores {
            let mean = scores.iter().sum::<f64>() / scores.len() as f64;
            assert!(scores.len() >= 100, "{name} {kind}: only {} predicted", scores.len());
            eprintln!("{name} {kind}: token F1 {mean:.3} over {}", scores.len());
            let bar = if kind == "cue" { cues } else { emotions };
            assert!(mean >= bar, "{name} {kind}: token F1 {mean:.3} over {}", scores.len());
        }
    }
}

/// The token F1 of each predicted label, by kind.
async fn token_f1(all: &[Rationale]) -> BTreeMap<&str, Vec<f64>> {
    let models = models();
    let mut scores: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for case in all {
        let found = read(&models.default_model(), &case.text).await;
        let label = label(&found, &case.label);
        if !label.predicted {
            continue;
        }
        let words = words(&case.text);
        let truth: Vec<_> = case
            .spans
            .iter()
            .map(|s| {
                let at = case.text.find(s.as_str()).expect("the span is in the text");
                at..at + s.len()
            })
            .collect();
        let kind = case.label.split(':').next().unwrap();
        scores.entry(kind).or_default().push(f1(&touched(&words, &truth), &touched(&words, &marked(label))));
    }
    scores
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_marked_words_the_label_loses_more_than_without_as_many_others() {
    // AOPC (Samek et al., 2017) with one step: the drop of the probability when the marked words go, against the drop when
    // as many words go that stand evenly spread over the rest.
    let models = models();
    let (mut marked_drop, mut other_drop, mut n) = (0.0, 0.0, 0.0);
    for case in rationales(MARKED[0].1) {
        let found = read(&models.default_model(), &case.text).await;
        let before = label(&found, &case.label);
        let words = words(&case.text);
        let gone = touched(&words, &marked(before));
        let count = gone.iter().filter(|g| **g).count();
        let rest: Vec<usize> = (0..words.len()).filter(|w| !gone[*w]).collect();
        if !before.predicted || count == 0 || rest.len() < 2 * count {
            continue;
        }
        let others: Vec<usize> = (0..count).map(|k| rest[k * rest.len() / count]).collect();
        let without = |drop: &dyn Fn(usize) -> bool| {
            let kept: Vec<&str> =
                (0..words.len()).filter(|w| !drop(*w)).map(|w| &case.text[words[w].clone()]).collect();
            kept.join(" ")
        };
        let p = before.probability.get();
        let a = read(&models.default_model(), &without(&|w| gone[w])).await;
        let b = read(&models.default_model(), &without(&|w| others.contains(&w))).await;
        marked_drop += p - label(&a, &case.label).probability.get();
        other_drop += p - label(&b, &case.label).probability.get();
        n += 1.0;
    }
    assert!(n >= 60.0, "{n}");
    let (marked_drop, other_drop) = (marked_drop / n, other_drop / n);
    eprintln!("drop {marked_drop:.3} without the marked words, {other_drop:.3} without others, over {n}");
    assert!(marked_drop > 2.0 * other_drop.max(0.05), "{marked_drop:.3} against {other_drop:.3} over {n}");
}
