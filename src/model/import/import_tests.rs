//! What an export may say, and what is made of it.

use std::path::Path;

use super::*;
use crate::domain::EvidenceMethod;
use crate::domain::emotion::EKMAN_GROUPS;
use crate::model::manifest::Markers;
use crate::model::{Activation, HeadKind, Manifest};

fn config(labels: &[&str], more: &str) -> ExportConfig {
    let names: Vec<String> =
        labels.iter().enumerate().map(|(n, name)| format!("\"{n}\": {name:?}")).collect();
    let text = format!(
        "{{\"model_type\": \"bert\", \"max_position_embeddings\": 512, \"id2label\": {{{}}}{more}}}",
        names.join(", ")
    );
    ExportConfig::parse(&text).unwrap()
}

fn export(config: ExportConfig) -> Export {
    Export {
        directory: "models/My Model_v2".into(),
        config,
        config_file: b"{}".to_vec(),
        special: SpecialTokens::default(),
        tokenizer: b"tokenizer".to_vec(),
        network: Network::Onnx,
        weights: b"graph".to_vec(),
    }
}

fn tokens() -> Tokens {
    Tokens { markers: Markers { begin: 101, end: 102, pad: 0 }, occlusion: 103 }
}

fn manifest(config: ExportConfig, options: &DraftOptions) -> Result<Manifest, ImportError> {
    Draft::new(&export(config), tokens(), options).map(|draft| draft.manifest)
}

fn mapped(text: &str) -> DraftOptions {
    DraftOptions { mapping: Mapping::parse(text, "mine.toml").unwrap(), ..DraftOptions::default() }
}

const MULTI: &str = ", \"problem_type\": \"multi_label_classification\"";

#[test]
fn label_sets_that_are_known_get_their_kind_and_the_columns_they_have() {
    let mut emotions: Vec<&str> =
        EKMAN_GROUPS.iter().flat_map(|(_, labels)| labels.iter().copied()).collect();
    emotions.sort_unstable_by(|a, b| b.cmp(a));
    let shouted: Vec<String> = emotions.iter().map(|label| label.to_uppercase()).collect();
    let shouted: Vec<&str> = shouted.iter().map(String::as_str).collect();
    // Labels, what else the config says, and the head that comes of it with its columns.
    type Row<'r> = (&'r [&'r str], &'r str, &'r str, HeadKind, Option<Vec<usize>>);
    let rows: [Row<'_>; 10] = [
        (&["POS", "neg", "Neutral"], "", "sentiment", HeadKind::Sentiment, Some(vec![1, 2, 0])),
        (&["negative", "neutral", "positive"], "", "sentiment", HeadKind::Sentiment, None),
        (&["NEGATIVE", "NEU", "pos"], "", "sentiment", HeadKind::Sentiment, None),
        (&["negative", "neutral", "positive"], MULTI, "own", HeadKind::Other, None),
        (&["LABEL_0", "LABEL_1", "LABEL_2"], "", "own", HeadKind::Other, None),
        (&["NEGATIVE", "POSITIVE"], "", "own", HeadKind::Other, None),
        (&["neg", "negative", "positive"], "", "own", HeadKind::Other, None),
        (&emotions[..], MULTI, "emotion", HeadKind::Emotion, None),
        (&shouted[..], MULTI, "emotion", HeadKind::Emotion, None),
        (&emotions[1..], MULTI, "own", HeadKind::Other, None),
    ];
    for (labels, more, name, kind, columns) in rows {
        let found = manifest(config(labels, more), &DraftOptions::default()).unwrap();
        let head = &found.heads[0];
        assert_eq!((head.name.as_str(), head.kind, found.heads.len()), (name, kind, 1), "{labels:?}");
        assert_eq!(found.columns, columns, "{labels:?}");
        if kind == HeadKind::Other {
            assert_eq!(head.labels, labels);
        }
        assert_eq!(found.evidence, EvidenceMethod::Occlusion);
    }
}

#[test]
fn activation_follows_from_the_problem_unless_the_caller_says_it() {
    let single = ", \"problem_type\": \"single_label_classification\"";
    for (more, asked, expected) in [
        (single, None, Activation::Softmax),
        (MULTI, None, Activation::Sigmoid),
        ("", None, Activation::Softmax),
        ("", Some(Activation::Sigmoid), Activation::Sigmoid),
        (MULTI, Some(Activation::Softmax), Activation::Softmax),
    ] {
        let options = DraftOptions { activation: asked, ..DraftOptions::default() };
        let draft = Draft::new(&export(config(&["spam", "ham"], more)), tokens(), &options).unwrap();
        assert_eq!(draft.manifest.heads[0].activation, expected, "{more} {asked:?}");
        let said = draft.findings.iter().find(|finding| finding.what == "activation").unwrap();
        assert_eq!(said.found.contains("has no problem_type"), more.is_empty() && asked.is_none());
    }
}

#[test]
fn a_mapping_puts_labels_into_heads_and_leaves_the_rest_as_it_is() {
    let labels = ["LABEL_0", "refund please", "LABEL_2", "LABEL_3", "spam"];
    let options = mapped(
        r#"
        [labels]
        LABEL_0 = "sentiment.positive"
        LABEL_2 = "sentiment.negative"
        LABEL_3 = "sentiment.neutral"
        "refund please" = "cue.payment_dispute"
        spam = "junk"
        [heads.cue]
        activation = "sigmoid"
        threshold = 0.3
        "#,
    );
    let found = manifest(config(&labels, ""), &options).unwrap();
    let heads: Vec<_> =
        found.heads.iter().map(|h| (h.name.as_str(), h.activation, h.labels.join(" "))).collect();
    assert_eq!(
        heads,
        [
            ("sentiment", Activation::Softmax, "negative neutral positive".to_owned()),
            ("cue", Activation::Sigmoid, "payment_dispute".to_owned()),
            ("own", Activation::Softmax, "junk".to_owned()),
        ]
    );
    assert_eq!(found.columns, Some(vec![2, 3, 0, 1, 4]));
    assert_eq!(found.heads[1].thresholds[0].get(), 0.3);
    // Names alone are enough where the label set is then a known one.
    let names = mapped("[labels]\nLABEL_0 = \"neg\"\nLABEL_1 = \"neutral\"\nLABEL_2 = \"positive\"");
    let found = manifest(config(&["LABEL_0", "LABEL_1", "LABEL_2"], ""), &names).unwrap();
    assert_eq!(found.heads[0].kind, HeadKind::Sentiment);
}

#[test]
fn the_examples_fit_the_labels_they_speak_of() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/imports");
    let tickets: &[&str] = &["Wants manager", "Cancels", "Refund", "Delivery", "Other"];
    for (file, labels, heads) in [
        ("sentiment-without-names.toml", &["LABEL_0", "LABEL_1", "LABEL_2"][..], "sentiment"),
        ("tickets.toml", tickets, "cue ticket"),
    ] {
        let text = std::fs::read_to_string(examples.join(file)).unwrap();
        let found = manifest(config(labels, ""), &mapped(&text)).unwrap();
        let names: Vec<&str> = found.heads.iter().map(|head| head.name.as_str()).collect();
        assert_eq!(names.join(" "), heads, "{file}");
    }
}

#[test]
fn each_mistake_of_a_mapping_is_named() {
    for (text, message) in [
        ("[labels]\nspan = \"cue.urgency\"", "the export has no label \"span\"; it has spam, ham"),
        ("[heads.cue]\nthreshold = 0.3", "heads.cue: no label is put into this head"),
        ("[labels]\nspam = \"sentiment.negative\"", "the head sentiment has the labels negative, neutral"),
        ("[labels]\nspam = \"ham\"", "heads[0].labels: expected at least one name, each once"),
        ("[labels]\nspam = \"own.x\"", "heads[1].name: is used twice"),
        ("[heads.own]\nthreshold = 1.5", "heads[0].thresholds: 1.5 is not a probability"),
    ] {
        let error = manifest(config(&["spam", "ham"], ""), &mapped(text)).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
    let error = Mapping::parse("[label]", "mine.toml").unwrap_err().to_string();
    assert!(error.contains("mine.toml") && error.contains("unknown field `label`"), "{error}");
}

#[test]
fn a_window_holds_what_the_network_and_the_tokenizer_allow() {
    // Kind of network, its positions, the tokenizer's limit, what the caller asks for, and what comes of it.
    type Row = (&'static str, Option<i64>, Option<usize>, Option<usize>, Result<usize, &'static str>);
    let rows: [Row; 12] = [
        ("bert", Some(512), None, None, Ok(512)),
        ("roberta", Some(514), Some(512), None, Ok(512)),
        ("xlm-roberta", Some(514), None, None, Ok(512)),
        ("roberta", Some(130), None, None, Ok(128)),
        ("distilbert", Some(512), Some(128), None, Ok(128)),
        ("modernbert", Some(8192), None, None, Ok(512)),
        ("modernbert", Some(8192), None, Some(1024), Ok(1024)),
        ("bert", Some(512), None, Some(64), Ok(64)),
        ("bert", Some(512), None, Some(513), Err("513 is more than the 512 tokens")),
        ("xlnet", Some(-1), None, None, Err("neither max_position_embeddings nor model_max_length")),
        ("xlnet", Some(-1), Some(256), None, Ok(256)),
        ("bert", Some(32), None, None, Err("windows of 32 tokens; at least 48")),
    ];
    for (kind, positions, longest, asked, expected) in rows {
        let row = format!("{kind} {positions:?} {longest:?} {asked:?}");
        let mut export = export(config(&["a", "b"], ""));
        export.config.model_type = kind.into();
        export.config.positions = positions.and_then(|n| usize::try_from(n).ok());
        export.special.longest = longest;
        let options = DraftOptions { maximum_tokens: asked, ..DraftOptions::default() };
        match (Draft::new(&export, tokens(), &options), expected) {
            (Ok(draft), Ok(tokens)) => assert_eq!(draft.manifest.maximum_tokens, tokens, "{row}"),
            (Err(error), Err(message)) => assert!(error.to_string().contains(message), "{row}: {error}"),
            (found, _) => panic!("{row}: {found:?}"),
        }
    }
}

#[test]
fn each_mistake_of_a_config_is_named() {
    for (text, message) in [
        ("{", "config.json: EOF while parsing"),
        ("{}", "expected model_type"),
        ("[1]", "config.json: invalid"),
        (r#"{"model_type": "bert", "architectures": ["BertForMaskedLM"]}"#, "BertForMaskedLM"),
        (r#"{"model_type": "bert", "id2label": {}}"#, "id2label has 0 labels"),
        (r#"{"model_type": "bert", "id2label": {"1": "a"}}"#, "\"1\" is no number from 0 to 0"),
        (r#"{"model_type": "bert", "id2label": {"0": "a", "00": "b"}}"#, "\"00\" is no number from 0 to 1"),
        (r#"{"model_type": "bert", "id2label": {"0": "a", "x": "b"}}"#, "\"x\" is no number"),
        (r#"{"model_type": "bert", "id2label": {"0": "a", "1": "a"}}"#, "two labels are called \"a\""),
        (r#"{"model_type": "bert", "id2label": {"0": "a", "1": " "}}"#, "\"1\" is \" \", expected a name"),
        (r#"{"model_type": "bert", "num_labels": 100000}"#, "num_labels is 100000"),
        (r#"{"model_type": "bert", "num_labels": 1}"#, "it predicts a number"),
        (r#"{"model_type": "bert", "problem_type": "regression"}"#, "problem_type is \"regression\""),
    ] {
        let error = ExportConfig::parse(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
    let names_none = ExportConfig::parse(r#"{"model_type": "bert"}"#).unwrap();
    assert_eq!(names_none.labels, ["LABEL_0", "LABEL_1"]);
    let counted = ExportConfig::parse(r#"{"model_type": "bert", "num_labels": 3}"#).unwrap();
    assert_eq!(counted.labels, ["LABEL_0", "LABEL_1", "LABEL_2"]);
    let numbers = ExportConfig::parse(r#"{"model_type": "bert", "id2label": {"0": 1, "1": 5}}"#).unwrap();
    assert_eq!(numbers.labels, ["1", "5"]);
}

#[test]
fn special_tokens_are_names_or_tables_and_the_first_file_wins() {
    let map = r#"{"cls_token": "<s>", "mask_token": {"content": "<mask>", "lstrip": true}}"#;
    let configured = r#"{"bos_token": "<b>", "pad_token": "<pad>", "model_max_length": 512}"#;
    let unlimited = r#"{"model_max_length": 1000000000000000019884624838656}"#;
    let parse = |text| SpecialTokens::parse("tokenizer_config.json", text).unwrap();
    let all = parse(map).or(parse(configured));
    assert_eq!((all.begin.as_deref(), all.mask.as_deref()), (Some("<s>"), Some("<mask>")));
    assert_eq!((all.pad.as_deref(), all.longest, all.end), (Some("<pad>"), Some(512), None));
    assert_eq!(parse(unlimited).longest, None);
    let error =
        SpecialTokens::parse("special_tokens_map.json", "{\"pad_token\": 3}").unwrap_err().to_string();
    assert!(error.starts_with("special_tokens_map.json: "), "{error}");
}

#[test]
fn an_id_and_a_version_follow_from_the_export_unless_the_caller_says_them() {
    let named = |name: Option<&str>| {
        let mut export = export(config(&["a", "b"], ""));
        export.config.name = name.map(Into::into);
        Draft::new(&export, tokens(), &DraftOptions::default()).unwrap().manifest
    };
    assert_eq!(named(Some("acme/Roberta_Base.v2")).id, "roberta-base-v2");
    assert_eq!(named(Some("/home/me/out/")).id, "out");
    assert_eq!(named(Some("…")).id, "imported");
    assert_eq!(named(None).id, "my-model-v2");
    assert!(named(None).graph.sha256.starts_with(&named(None).version));
    let said = DraftOptions {
        id: Some("mine".into()),
        version: Some("3".into()),
        license: Some("MIT".into()),
        languages: vec!["en".into()],
        ..DraftOptions::default()
    };
    let found = manifest(config(&["a", "b"], ""), &said).unwrap();
    assert_eq!((found.id, found.version, found.license), ("mine".into(), "3".into(), "MIT".into()));
    assert_eq!(found.languages, ["en"]);
}

#[test]
fn weights_alone_become_a_manifest_for_the_backend_that_reads_them() {
    let export = Export { network: Network::Weights("roberta"), ..export(config(&["a", "b"], "")) };
    let text = Draft::new(&export, tokens(), &DraftOptions::default()).unwrap().text;
    let file: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(file["backend"].as_str(), Some("rust-bert"));
    assert_eq!(file["graph"]["file"].as_str(), Some("model.safetensors"));
    assert_eq!(file["architecture"]["kind"].as_str(), Some("roberta"));
    assert_eq!(file["architecture"]["config"]["file"].as_str(), Some("config.json"));
    assert_eq!(file["architecture"]["config"]["sha256"].as_str().map(str::len), Some(64));
}

#[test]
fn a_directory_is_written_whole_and_replaced_only_when_it_holds_a_model_and_the_caller_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let export = export(config(&["a", "b"], ""));
    let draft = Draft::new(&export, tokens(), &DraftOptions::default()).unwrap();
    let out = directory.path().join("deep/model");
    write(&export, &draft, &out, false).unwrap();
    let names = |path: &Path| {
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&out), ["config.json", "model.onnx", "model.toml", "tokenizer.json"]);
    assert_eq!(
        Manifest::parse(&std::fs::read_to_string(out.join("model.toml")).unwrap()).unwrap(),
        draft.manifest
    );
    let again = Error::from(write(&export, &draft, &out, false).unwrap_err());
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    assert!(again.public().contains("--force replaces it"), "{again}");
    std::fs::write(out.join("mine.txt"), "").unwrap();
    write(&export, &draft, &out, true).unwrap();
    assert_eq!(names(&out).len(), 4);
    assert_eq!(names(out.parent().unwrap()), ["model"]);
    let foreign = directory.path().join("photos");
    std::fs::create_dir(&foreign).unwrap();
    let refused = write(&export, &draft, &foreign, true).unwrap_err().to_string();
    assert!(refused.contains("holds no model"), "{refused}");
}
