//! Weights, configuration and manifest that do not belong together: said when the model is loaded, with what is wrong.

use attune::inference::rust_bert::RustBertFactory;
use attune::inference::{BackendFactory, EncodedBatch};
use attune::model::ModelBundle;

use crate::subjects::{factory, fixture};

/// The error of loading a fixture that was changed.
fn refused(name: &str, change: impl FnOnce(&mut ModelBundle)) -> String {
    let mut bundle = fixture(name);
    change(&mut bundle);
    let built = RustBertFactory::load(&bundle).and_then(|factory| factory.build().map(drop));
    built.expect_err("the change should not go unseen").to_string()
}

/// `config.json` with one piece in place of another.
fn edited(from: &'static str, to: &'static str) -> impl FnOnce(&mut ModelBundle) {
    move |bundle| {
        let text = String::from_utf8(bundle.architecture_config.take().unwrap()).unwrap();
        assert!(text.contains(from), "{text}");
        bundle.architecture_config = Some(text.replace(from, to).into_bytes());
    }
}

#[test]
fn a_configuration_that_does_not_fit_is_refused_with_what_is_wrong() {
    for (name, from, to, problem) in [
        ("bert", "\"vocab_size\": 200", "\"vocab_size\": 201", "`bert.embeddings.word_embeddings.weight`"),
        ("bert", "\"vocab_size\": 200", "\"vocab_size\": 99999999999", "a size is not in 1 to 65536"),
        ("bert", "\"intermediate_size\": 64", "\"intermediate_size\": 60", "intermediate.dense"),
        (
            "bert",
            "\"num_hidden_layers\": 2",
            "\"num_hidden_layers\": 3",
            "the weights have no `bert.encoder.layer.2.",
        ),
        ("bert", "\"num_attention_heads\": 4", "\"num_attention_heads\": 5", "do not divide a width of 32"),
        (
            "bert",
            "\"hidden_act\": \"gelu\"",
            "\"hidden_act\": \"quick_gelu\"",
            "unknown variant `quick_gelu`",
        ),
        (
            "bert",
            "\"max_position_embeddings\": 64",
            "\"max_position_embeddings\": 63",
            "maximum_tokens is 64",
        ),
        (
            "bert",
            "\"2\": \"LABEL_2\"",
            "\"2\": \"LABEL_2\", \"3\": \"LABEL_3\"",
            "4 labels, and the manifest 3",
        ),
        ("bert", "\"absolute\"", "\"relative_key\"", "position_embedding_type is \"relative_key\""),
        ("bert", "\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": 0.001", "layer_norm_eps is 0.001"),
        (
            "roberta",
            "\"pad_token_id\": 1",
            "\"pad_token_id\": 0",
            "rust-bert's RoBERTa counts positions from id 1 on",
        ),
        ("distilbert", "\"n_layers\": 2", "\"n_layers\": \"two\"", "config.json: invalid type"),
    ] {
        let message = refused(name, edited(from, to));
        assert!(message.contains(problem), "{name}, {to}: {message}");
    }
}

#[test]
fn deberta_is_refused_since_rust_bert_would_read_it_wrongly() {
    let message = refused("deberta", |_| ());
    assert!(message.contains("relative positions wrongly"), "{message}");
    assert!(message.contains("serve this model in ONNX"), "{message}");
}

#[test]
fn weights_of_another_architecture_are_refused_and_the_missing_ones_named() {
    let roberta = fixture("roberta").graph;
    let message = refused("bert", |bundle| bundle.graph = roberta);
    assert!(message.contains("the weights have no `bert.embeddings.word_embeddings.weight`"), "{message}");
    assert!(message.contains("of another architecture"), "{message}");
}

#[test]
fn a_padding_that_would_move_robertas_positions_is_refused() {
    let message = refused("roberta", |bundle| bundle.manifest.markers.pad = 0);
    assert!(message.contains("counts positions from id 1"), "{message}");
}

#[test]
fn rows_that_the_network_has_no_places_for_are_errors_and_the_next_run_works() {
    let bundle = fixture("bert");
    let mut backend = factory(&bundle).build().unwrap();
    let mut run = |ids: &[u32]| backend.run(&EncodedBatch::new(&[ids], bundle.manifest.markers));
    let message = run(&[120; 63]).unwrap_err().to_string();
    assert!(message.contains("a row has 65 tokens, and config.json has positions for 64"), "{message}");
    let message = run(&[120, 200]).unwrap_err().to_string();
    assert!(message.contains("id 200, and config.json has a vocabulary of 200"), "{message}");
    assert_eq!(run(&[120]).unwrap().len(), 1);
}
