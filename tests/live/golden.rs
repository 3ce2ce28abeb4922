//! The Rust path on the int8 graph against scores of the fp32 network in PyTorch, on 200 texts.

use attune::domain::SentimentLabel;
use serde::Deserialize;

use crate::reader::{models, models_with, read};

#[derive(Deserialize)]
struct Golden {
    text: String,
    sentiment: Vec<f64>,
    emotion: Vec<f64>,
    cue: Vec<f64>,
}

fn golden() -> Vec<Golden> {
    include_str!("../fixtures/golden/attune-en-small.jsonl")
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

/// Mean absolute difference of a head's probabilities, by label name.
fn difference(labels: &[attune::domain::LabelAssessment], names: &[String], expected: &[f64]) -> f64 {
    let sum: f64 = names
        .iter()
        .zip(expected)
        .map(|(name, p)| (labels.iter().find(|l| l.label == *name).unwrap().probability.get() - p).abs())
        .sum();
    sum / names.len() as f64
}

#[tokio::test(flavor = "multi_thread")]
async fn the_int8_graph_in_rust_agrees_with_the_fp32_network_in_pytorch() {
    let models = models();
    let analyzer = &models.default_model();
    let golden = golden();
    assert_eq!(golden.len(), 200);
    let (mut same, mut emotion, mut cue) = (0, 0.0, 0.0);
    for row in &golden {
        let found = read(analyzer, &row.text).await;
        let s = found.sentiment.as_ref().unwrap();
        let found_classes = [s.negative, s.neutral, s.positive].map(|p| p.get());
        let top = |p: &[f64]| (0..3).max_by(|a, b| p[*a].total_cmp(&p[*b])).unwrap();
        same += usize::from(top(&found_classes) == top(&row.sentiment));
        let heads = &analyzer.manifest().heads;
        emotion += difference(&found.emotions, &heads[1].labels, &row.emotion);
        cue += difference(&found.cues, &heads[2].labels, &row.cue);
    }
    let n = golden.len() as f64;
    assert!(same as f64 / n >= 0.97, "sentiment agrees on {same} of {n}");
    assert!(emotion / n <= 0.02, "emotions differ by {:.4}", emotion / n);
    assert!(cue / n <= 0.02, "cues differ by {:.4}", cue / n);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_customers_mean_is_read_and_the_words_that_say_it_are_marked() {
    let models = models();
    let analyzer = &models.default_model();
    for (text, label, cue, word) in [
        (
            "Thank you so much, the new router arrived and everything works now!",
            SentimentLabel::Positive,
            "resolution_confirmed",
            "now",
        ),
        (
            "I have called three times and nobody calls back. I want to speak to your manager.",
            SentimentLabel::Negative,
            "supervisor_request",
            "manager",
        ),
        (
            "If this is not refunded by Monday you will hear from my solicitor.",
            SentimentLabel::Negative,
            "legal_threat",
            "solicitor",
        ),
    ] {
        let found = read(analyzer, text).await;
        let sentiment = found.sentiment.unwrap();
        if label == SentimentLabel::Positive {
            assert_eq!(sentiment.label, label, "{text}: {sentiment:?}");
        } else {
            assert_ne!(sentiment.label, SentimentLabel::Positive, "{text}: {sentiment:?}");
        }
        let cue = found.cues.iter().find(|l| l.label == cue).unwrap();
        assert!(cue.predicted, "{text}: {cue:?}");
        let spans = &cue.evidence.as_ref().unwrap().spans;
        let words: Vec<&str> = spans
            .iter()
            .filter(|s| s.contribution > 0.0)
            .map(|s| &text[s.span.byte_start..s.span.byte_end])
            .collect();
        assert!(words.iter().any(|w| w.contains(word)), "{text}: {words:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_reads_the_same_alone_and_in_company() {
    // Activations are quantised per batch: the company may move a probability a little, and only a little.
    let models = models();
    let analyzer = &models.default_model();
    let texts: Vec<String> = golden().into_iter().take(60).map(|g| g.text).collect();
    let together = futures_util::future::join_all(texts.iter().map(|t| read(analyzer, t))).await;
    let alone_models = models_with(&[("batching.batch_tokens", "1")]);
    let mut total = 0.0;
    for (text, company) in texts.iter().zip(together) {
        let alone = read(&alone_models.default_model(), text).await;
        let (a, b) = (alone.sentiment.unwrap().score(), company.sentiment.unwrap().score());
        assert!((a - b).abs() < 0.25, "{a} alone, {b} in company: {text}");
        total += (a - b).abs();
    }
    assert!(total / 60.0 < 0.02, "{}", total / 60.0);
}
