//! What a manifest may and may not say.

use super::*;
use crate::model::ArchitectureKind;

fn manifest() -> String {
    let sha = "0".repeat(64);
    format!(
        r#"
schema = 1
id = "tiny"
version = "1"
license = "Apache-2.0"
languages = ["en"]
maximum_tokens = 16
window_overlap = 4
graph = {{ file = "model.onnx", sha256 = "{sha}" }}
tokenizer = {{ file = "tokenizer.json", sha256 = "{sha}" }}
markers = {{ begin = 101, end = 102, pad = 0 }}

[[heads]]
name = "sentiment"
kind = "sentiment"
activation = "softmax"
labels = ["negative", "neutral", "positive"]
thresholds = [0.5, 0.5, 0.5]
scale = [1.0, 1.0, 1.0]
shift = [0.0, 0.0, 0.0]
mixed = {{ clause_probability = 0.5, minimum_share = 0.2 }}

[[heads]]
name = "cue"
kind = "cue"
activation = "sigmoid"
labels = ["urgency"]
thresholds = [0.4]
scale = [1.1]
shift = [-0.2]
"#
    )
}

#[test]
fn heads_share_the_label_axis_in_their_order() {
    let manifest = Manifest::parse(&manifest()).unwrap();
    let ranges: Vec<_> = manifest.heads_with_ranges().map(|(h, r)| (h.name.as_str(), r)).collect();
    assert_eq!(ranges, [("sentiment", 0..3), ("cue", 3..4)]);
    assert_eq!((manifest.label_count(), manifest.window_tokens()), (4, 14));
}

#[test]
fn labels_may_stand_in_any_order_in_the_network_and_evidence_may_come_from_covered_words() {
    let plain = Manifest::parse(&manifest()).unwrap();
    assert_eq!(
        (plain.columns, plain.evidence, plain.occlusion_token),
        (None, EvidenceMethod::Contributions, 0)
    );
    let text = manifest()
        .replace("mixed =", "outputs = [3, 1, 0]\nmixed =")
        .replace("scale = [1.1]", "scale = [1.1]\noutputs = [2]")
        .replace("languages =", "evidence = \"occlusion\"\nocclusion_token = 103\nlanguages =");
    let arranged = Manifest::parse(&text).unwrap();
    assert_eq!((arranged.evidence, arranged.occlusion_token), (EvidenceMethod::Occlusion, 103));
    assert_eq!(arranged.columns, Some(vec![3, 1, 0, 2]));
    let in_order = Manifest::parse(&manifest().replace("mixed =", "outputs = [0, 1, 2]\nmixed =")).unwrap();
    assert_eq!(in_order.columns, None);
}

#[test]
fn each_broken_rule_is_named_with_its_key() {
    let sha = "0".repeat(64);
    for (from, to, message) in [
        ("schema = 1", "schema = 2", "schema: this build reads form 1, not 2"),
        ("id = \"tiny\"", "id = \"Tiny!\"", "id: expected lower-case"),
        ("file = \"model.onnx\"", "file = \"../model.onnx\"", "graph.file: expected a plain file name"),
        (sha.as_str(), "abc", "graph.sha256: expected 64"),
        ("maximum_tokens = 16", "maximum_tokens = 2", "maximum_tokens: expected at least 3"),
        ("window_overlap = 4", "window_overlap = 8", "window_overlap: expected at most half"),
        ("thresholds = [0.4]", "thresholds = [1.4]", "heads[1].thresholds: 1.4 is not a probability"),
        ("thresholds = [0.4]", "thresholds = []", "heads[1].thresholds: has 0 entries for 1 labels"),
        ("scale = [1.1]", "scale = [0.0]", "heads[1].scale: expected finite numbers"),
        ("name = \"cue\"", "name = \"sentiment\"", "heads[1].name: is used twice"),
        ("kind = \"cue\"", "kind = \"sentiment\"", "heads[1].kind: only heads of kind"),
        ("labels = [\"urgency\"]", "labels = []", "heads[1].labels: expected at least one"),
        ("\"neutral\", \"positive\"", "\"positive\", \"neutral\"", "heads[0].labels: a sentiment head"),
        ("minimum_share = 0.2", "minimum_share = 0.7", "heads[0].mixed: clause_probability"),
        (
            "minimum_share = 0.2",
            "minimum_share = 0.2, text_probability = 0.6",
            "heads[0].mixed: clause_probability",
        ),
        (
            "minimum_share = 0.2",
            "minimum_share = 0.2, text_probability = 0.0",
            "heads[0].mixed: clause_probability",
        ),
        ("scale = [1.1]", "scale = [1.1]\noutputs = [0]", "heads[1].outputs: column 0 belongs to two"),
        ("scale = [1.1]", "scale = [1.1]\noutputs = [4]", "heads[1].outputs: column 4 does not exist"),
        ("scale = [1.1]", "scale = [1.1]\noutputs = [3, 2]", "heads[1].outputs: has 2 entries for 1"),
        ("languages =", "evidence = \"magic\"\nlanguages =", "unknown variant `magic`"),
        ("license = \"Apache-2.0\"", "licence = \"Apache-2.0\"", "unknown field `licence`"),
    ] {
        let text = manifest().replacen(from, to, 1);
        let error = Manifest::parse(&text).expect_err(to).to_string();
        assert!(error.contains(message), "{to}: {error}");
    }
}

#[test]
fn a_manifest_that_names_no_backend_is_of_an_onnx_graph() {
    assert_eq!(Manifest::parse(&manifest()).unwrap().network, Network::Onnx);
}

#[test]
fn native_weights_come_with_their_architecture_and_its_configuration() {
    let sha = "0".repeat(64);
    let table = format!(
        r#"architecture = {{ kind = "roberta", config = {{ file = "config.json", sha256 = "{sha}" }} }}"#
    );
    let with = |lines: &str| {
        Manifest::parse(&manifest().replace("window_overlap = 4", &format!("window_overlap = 4\n{lines}")))
    };
    let parsed = with(&format!("backend = \"rust-bert\"\n{table}")).unwrap();
    let Network::RustBert(architecture) = parsed.network else { panic!("{:?}", parsed.network) };
    assert_eq!(
        (architecture.kind, architecture.config.file.as_str()),
        (ArchitectureKind::Roberta, "config.json")
    );
    for (lines, key) in [
        ("backend = \"rust-bert\"".to_owned(), "architecture: is missing"),
        (table.clone(), "architecture: goes with backend"),
        ("backend = \"candle\"".to_owned(), "unknown variant `candle`"),
        (
            format!("backend = \"rust-bert\"\n{}", table.replace("roberta", "albert")),
            "unknown variant `albert`",
        ),
        (
            format!("backend = \"rust-bert\"\n{}", table.replace("config.json", "../config.json")),
            "architecture.config.file",
        ),
    ] {
        let problem = with(&lines).unwrap_err().to_string();
        assert!(problem.contains(key), "{lines}: {problem}");
    }
}

#[test]
fn a_text_is_mixed_as_a_whole_when_both_sides_reach_the_bound_and_only_where_there_is_one() {
    let rule = |text| {
        Manifest::parse(&manifest().replace("minimum_share = 0.2", text)).unwrap().heads[0].mixed.unwrap()
    };
    let bounded = rule("minimum_share = 0.2, text_probability = 0.25");
    assert!(bounded.holds_of_text(0.25, 0.7) && bounded.holds_of_text(0.4, 0.25));
    assert!(!bounded.holds_of_text(0.24, 0.7) && !bounded.holds_of_text(0.7, 0.24));
    assert!(!rule("minimum_share = 0.2").holds_of_text(0.5, 0.5));
}
