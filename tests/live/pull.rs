//! `attune models pull` as a person meets it: the environment's hub and token, what is printed, and the exit codes.

use std::path::Path;
use std::process::Output;

use crate::command::attune;
use crate::hub_server::{Hub, MODEL};

async fn run(hub: &Hub, home: &Path, arguments: &[&str]) -> Output {
    let mut command = attune();
    command.args(["models", "pull"]).args(arguments).current_dir(home);
    command.env("HF_ENDPOINT", hub.url()).env("HF_HOME", home).env_remove("HF_TOKEN");
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_fetched_with_the_token_of_the_token_file_and_the_next_step_is_told() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/attune-en-small");
    let file = |name: &str| std::fs::read(source.join(name)).unwrap();
    let hub = Hub::start(&[
        ("model.toml", &file("model.toml"), false),
        ("tokenizer.json", &file("tokenizer.json"), false),
        ("model.onnx", &file("model.onnx"), true),
    ])
    .await;
    hub.with(|shelf| shelf.token = Some("hf_canary".into()));
    let home = tempfile::tempdir().unwrap();
    let model = format!("hf://{MODEL}");
    let model = model.as_str();

    let refused = run(&hub, home.path(), &[model]).await;
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(77), "{told}");
    assert!(told.contains("acme/mood is gated") && told.contains("HF_TOKEN"), "{told}");

    std::fs::write(home.path().join("token"), "hf_canary\n").unwrap();
    let fetched = run(&hub, home.path(), &[model]).await;
    let told = String::from_utf8_lossy(&fetched.stderr).into_owned();
    assert!(fetched.status.success(), "{told}");
    let shown = String::from_utf8(fetched.stdout).unwrap();
    assert!(shown.contains("acme/mood (main, commit c0c0") && shown.contains("in mood\n"), "{shown}");
    assert!(shown.contains("next: attune analyze --model mood"), "{shown}");
    assert!(!shown.contains("hf_canary") && !told.contains("hf_canary"), "{shown}{told}");

    // What was fetched is a model.
    let listed = attune().args(["models", "--model", "mood"]).current_dir(home.path()).output().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).starts_with("attune-en-small"), "{listed:?}");
    let again = run(&hub, home.path(), &[model]).await;
    assert!(String::from_utf8_lossy(&again.stdout).contains("nothing was fetched"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_model_of_attunes_is_to_be_imported_next_and_mistakes_get_a_sentence() {
    let hub = Hub::start(&[("config.json", b"{}", false), ("onnx/a.onnx", b"graph", true)]).await;
    let home = tempfile::tempdir().unwrap();
    let model = format!("hf://{MODEL}");
    let model = model.as_str();
    for (arguments, code, message) in [
        (&["mood"][..], 65, "MODEL: expected hf://owner/name"),
        (&[model], 66, "it has onnx/a.onnx: name the one to fetch with --file"),
        (&[model, "--file", "../x"], 65, "--file: expected the plain name of a file"),
        (&[model, "--file", "onnx/a.onnx", "--max-bytes", "3"], 70, "raise --max-bytes"),
        (&["hf://acme/mood@v9"], 66, "has no revision v9"),
        (&[], 64, "<MODEL>"),
    ] {
        let output = run(&hub, home.path(), arguments).await;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(message), "{arguments:?}: {told}");
    }
    let fetched = run(&hub, home.path(), &[model, "--file", "onnx/a.onnx", "-o", "there"]).await;
    let shown = String::from_utf8_lossy(&fetched.stdout).into_owned();
    assert!(shown.contains("next: attune models import there"), "{fetched:?}");
}
