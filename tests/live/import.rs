//! Exports of tiny classifiers, made by `models/training/tiny_export.py`: imported by the real binary, and held to what
//! transformers says of the same texts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use attune::domain::{Assessment, Evidence, EvidenceMethod};
use serde::Deserialize;

use crate::command::{attune, run, succeeds};
use crate::reader::{models_with, read};
use crate::server::Serving;

#[derive(Deserialize)]
struct Answer {
    text: String,
    probabilities: Vec<f64>,
}

#[derive(Deserialize)]
struct Config {
    id2label: BTreeMap<usize, String>,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models").join(name)
}

fn answers(name: &str) -> Vec<Answer> {
    let lines = std::fs::read_to_string(fixture(name).join("probabilities.jsonl")).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Labels of the export, by column.
fn labels(name: &str) -> Vec<String> {
    let config = std::fs::read_to_string(fixture(name).join("config.json")).unwrap();
    serde_json::from_str::<Config>(&config).unwrap().id2label.into_values().collect()
}

/// Imports a fixture; returns what the command said.
fn import(name: &str, out: &Path, more: &[&str]) -> String {
    let (from, out) = (fixture(name), out.display().to_string());
    let base = ["models", "import", from.to_str().unwrap(), "--out", &out];
    succeeds(&[&base[..], more].concat())
}

/// A copy of a fixture that a test may spoil.
fn copy(name: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(fixture(name)).unwrap().map(|entry| entry.unwrap().path()) {
        if file.is_file() {
            std::fs::copy(&file, directory.path().join(file.file_name().unwrap())).unwrap();
        }
    }
    directory
}

fn evidence(of: &Assessment) -> Vec<&Evidence> {
    let classes = of.sentiment.iter().flat_map(|sentiment| &sentiment.evidence).map(|class| &class.evidence);
    let labels = of.emotions.iter().chain(of.other_heads.iter().flat_map(|head| &head.labels));
    classes.chain(labels.filter_map(|label| label.evidence.as_ref())).collect()
}

fn check_evidence(found: &Assessment) {
    assert_eq!(found.evidence.unwrap().method, EvidenceMethod::Occlusion);
    for evidence in evidence(found) {
        let spans: f64 = evidence.spans.iter().map(|span| span.contribution).sum();
        assert!((evidence.bias + spans + evidence.remainder - evidence.logit).abs() < 1e-9);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_roberta_of_several_labels_says_what_transformers_says() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("model");
    let said = import("tiny-roberta", &out, &["--languages", "en", "--license", "Apache-2.0"]);
    for expected in [
        "head emotion  of kind emotion: any of 28 labels (the 28 labels of GoEmotions)",
        "sigmoid: problem_type is multi_label_classification",
        "96 tokens",
        "<s> 0 begins, </s> 2 ends, <pad> 1 pads",
        "by occlusion; <mask> 4 covers words",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    let models = models_with(&[("model.directory", out.to_str().unwrap())]);
    let (labels, answers) = (labels("tiny-roberta"), answers("tiny-roberta"));
    assert!(answers.len() >= 50);
    let mut spans = 0;
    for answer in answers {
        let found = read(&models.default_model(), &answer.text).await;
        assert_eq!(found.window_count, 1, "{}", answer.text);
        for (label, expected) in labels.iter().zip(&answer.probabilities) {
            let own = found.emotions.iter().find(|own| own.label == *label).unwrap().probability.get();
            assert!((own - expected).abs() < 1e-4, "{label}: {own}, not {expected}: {}", answer.text);
        }
        check_evidence(&found);
        spans += evidence(&found).iter().map(|evidence| evidence.spans.len()).sum::<usize>();
    }
    assert!(spans > 500, "only {spans} spans of evidence");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_bert_of_three_classes_is_a_sentiment_head_whatever_their_order_and_spelling() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("model");
    let said = import("tiny-bert", &out, &[]);
    assert!(
        said.contains("one of 3 labels (negative, neutral and positive, in an order of their own)"),
        "{said}"
    );
    assert_eq!(labels("tiny-bert"), ["POS", "neg", "Neutral"]);
    let models = models_with(&[("model.directory", out.to_str().unwrap())]);
    for answer in answers("tiny-bert") {
        let found = read(&models.default_model(), &answer.text).await;
        let sentiment = found.sentiment.as_ref().unwrap();
        let own = [sentiment.positive, sentiment.negative, sentiment.neutral];
        for (own, expected) in own.iter().zip(&answer.probabilities) {
            assert!((own.get() - expected).abs() < 1e-4, "{own:?}, not {expected}: {}", answer.text);
        }
        check_evidence(&found);
        assert!(sentiment.evidence.iter().all(|class| class.evidence.logit.is_finite()));
    }
    let long = "The parcel never came, and nobody answers my calls. ".repeat(60);
    let found = read(&models.default_model(), &long).await;
    assert!(found.window_count > 4 && found.evidence.unwrap().windows == 4, "{:?}", found.evidence);
    check_evidence(&found);
}

#[test]
fn an_imported_model_is_served_and_says_how_its_evidence_was_found() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("model");
    let mapping = directory.path().join("mapping.toml");
    std::fs::write(&mapping, "[labels]\nPOS = \"mood.up\"\nneg = \"mood.down\"\nNeutral = \"mood.flat\"\n")
        .unwrap();
    import("tiny-bert", &out, &["--mapping", mapping.to_str().unwrap(), "--id", "moody"]);
    let serving = Serving::start(&["--model", out.to_str().unwrap()]);
    let url = format!("http://{}", serving.grpc);
    let text = "My order is late again, and I am tired of it.";
    let row = succeeds(&["analyze", "--format", "jsonl", "--server", &url, "--sentences", text]);
    let row: serde_json::Value = serde_json::from_str(&row).unwrap();
    assert_eq!(row["evidence_method"], "occlusion");
    assert_eq!(row["evidence_windows"], 1);
    assert_eq!(row["heads"][0]["head"], "mood");
    assert!(!row["heads"][0]["labels"][0]["evidence"].as_array().unwrap().is_empty(), "{row}");
    assert_eq!(row["sentences"][0]["heads"][0]["head"], "mood");
    let listed = succeeds(&["models", "--server", &url]);
    assert!(listed.contains("moody") && listed.contains("evidence by occlusion"), "{listed}");
    let table = succeeds(&["analyze", "--server", &url, text]);
    assert!(table.contains("mood ") && table.contains("evidence by occlusion"), "{table}");
    assert!(serving.terminate().success());
}

#[test]
fn weights_alone_become_a_directory_for_the_backend_that_reads_them() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("model");
    let said = import("tiny-distilbert", &out, &[]);
    assert!(said.contains("distilbert, model.safetensors") && said.contains("has no problem_type"), "{said}");
    let manifest = std::fs::read_to_string(out.join("model.toml")).unwrap();
    for expected in ["backend = \"rust-bert\"", "kind = \"distilbert\"", "file = \"model.safetensors\""] {
        assert!(manifest.contains(expected), "{manifest}");
    }
    assert!(out.join("model.safetensors").is_file() && out.join("config.json").is_file());
}

#[test]
fn what_can_not_be_imported_is_named_with_its_file_and_what_was_expected() {
    type Spoil = fn(&Path);
    fn replace(file: &Path, from: &str, to: &str) {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(file, text.replacen(from, to, 1)).unwrap();
    }
    fn rename(directory: &Path, label: &str) {
        replace(&directory.join("config.json"), "\"27\": \"admiration\"", label);
    }
    let cases: [(&str, Spoil, i32, &str); 12] = [
        ("tiny-roberta", |d| std::fs::remove_file(d.join("config.json")).unwrap(), 66, "has no config.json"),
        (
            "tiny-roberta",
            |d| std::fs::remove_file(d.join("tokenizer.json")).unwrap(),
            66,
            "has no tokenizer.json",
        ),
        (
            "tiny-roberta",
            |d| std::fs::remove_file(d.join("model.onnx")).unwrap(),
            66,
            "no network: expected model.onnx",
        ),
        (
            "tiny-roberta",
            |d| rename(d, "\"27\": \"admiration\", \"28\": \"glee\""),
            65,
            "model.onnx: its logits have 28 columns, and config.json names 29 labels",
        ),
        ("tiny-roberta", |d| rename(d, "\"27\": \"anger\""), 65, "two labels are called \"anger\""),
        (
            "tiny-roberta",
            |d| std::fs::write(d.join("model.onnx"), "no graph").unwrap(),
            65,
            "model.onnx: can't load",
        ),
        (
            "tiny-roberta",
            |d| std::fs::write(d.join("tokenizer.json"), "{}").unwrap(),
            65,
            "tokenizer.json: can't load",
        ),
        (
            "tiny-roberta",
            |d| {
                replace(
                    &d.join("config.json"),
                    "\"max_position_embeddings\": 98",
                    "\"max_position_embeddings\": 514",
                )
            },
            65,
            "model.onnx: can't be run on a window of 512 tokens",
        ),
        (
            "tiny-roberta",
            |d| replace(&d.join("config.json"), "\"vocab_size\": 400", "\"vocab_size\": 300"),
            65,
            "has 400 tokens, and config.json says vocab_size 300",
        ),
        (
            "tiny-distilbert",
            |d| replace(&d.join("config.json"), "\"distilbert\"", "\"deberta-v2\""),
            65,
            "model_type is \"deberta-v2\"; weights can be read of bert, roberta",
        ),
        (
            "tiny-distilbert",
            |d| {
                replace(
                    &d.join("config.json"),
                    "\"0\": \"NEGATIVE\",",
                    "\"0\": \"NEGATIVE\", \"2\": \"MIXED\",",
                )
            },
            65,
            "model.safetensors: its classifier has 2 columns, and config.json names 3 labels",
        ),
        (
            "tiny-distilbert",
            |d| std::fs::write(d.join("model.safetensors"), "xx").unwrap(),
            65,
            "its header is broken",
        ),
    ];
    for (name, spoil, code, message) in cases {
        let from = copy(name);
        spoil(from.path());
        // A window of 512 needs a tokenizer that allows it.
        let tokenizer = from.path().join("tokenizer_config.json");
        let text = std::fs::read_to_string(&tokenizer).unwrap();
        std::fs::write(&tokenizer, text.replace("\"model_max_length\": 96", "\"model_max_length\": 512"))
            .unwrap();
        let out = from.path().join("out");
        let output =
            run(&["models", "import", from.path().to_str().unwrap(), "--out", out.to_str().unwrap()]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{message}: {stderr}");
        assert!(stderr.contains(message), "{message}: {stderr}");
        assert!(!out.exists(), "{message}");
    }
}

#[test]
fn a_tokenizer_without_markers_and_a_name_that_is_taken_are_refused() {
    let from = copy("tiny-roberta");
    let tokenizer = from.path().join("tokenizer.json");
    let mut content: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&tokenizer).unwrap()).unwrap();
    content["post_processor"] = serde_json::Value::Null;
    std::fs::write(&tokenizer, content.to_string()).unwrap();
    let directory = from.path().to_str().unwrap();
    let out = from.path().join("out").display().to_string();
    // By their names they are found all the same.
    succeeds(&["models", "import", directory, "--out", &out]);
    let taken = run(&["models", "import", directory, "--out", &out]);
    assert_eq!(taken.status.code(), Some(73), "{}", String::from_utf8_lossy(&taken.stderr));
    succeeds(&["models", "import", directory, "--out", &out, "--force"]);
    let text = content.to_string().replace("\"<s>\"", "\"<x>\"").replace("\"</s>\"", "\"</x>\"");
    std::fs::write(&tokenizer, text).unwrap();
    let refused = attune().args(["models", "import", directory, "--out", &out, "--force"]).output().unwrap();
    let stderr = String::from_utf8(refused.stderr).unwrap();
    assert!(stderr.contains("it puts 0 tokens before a text and 0 behind it"), "{stderr}");
}
