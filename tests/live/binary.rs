//! The binary as a person meets it at the terminal.

use std::io::Write;
use std::process::{Output, Stdio};

use crate::command::attune;

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = attune()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that fails early closes its input: that is its right.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_text_on_the_command_line_is_printed_with_its_sentiment_and_evidence() {
    let output = run(&["analyze", "The engineer was brilliant, thank you!"], b"");
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("positive") && text.contains("coverage 100 %"), "{text}");
    assert!(text.contains("emotion admiration") || text.contains("emotion gratitude"), "{text}");
}

#[test]
fn lines_of_standard_input_become_lines_of_json_in_their_order() {
    let output = run(
        &["analyze", "--format", "jsonl", "--sentences"],
        "First one is fine.\r\n\nIch warte seit Wochen auf eine Antwort.\n".as_bytes(),
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let rows: Vec<serde_json::Value> =
        stdout(&output).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let statuses: Vec<&str> = rows.iter().map(|r| r["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["ok", "empty", "unsupported_language"]);
    assert_eq!(rows[0]["text"], "First one is fine.");
    assert_eq!(rows[0]["sentences"][0]["text"], "First one is fine.");
    let whole = run(&["analyze", "--format", "json", "--whole"], b"Line one.\nLine two.\n");
    let array: serde_json::Value = serde_json::from_str(&stdout(&whole)).unwrap();
    assert_eq!(array.as_array().unwrap().len(), 1);
}

#[test]
fn mistakes_at_the_terminal_get_a_sentence_and_an_exit_code() {
    let directory = tempfile::tempdir().unwrap();
    let wrong = directory.path().join("attune.toml");
    std::fs::write(&wrong, "[batching]\ncash_mb = 1\n").unwrap();
    let wrong = wrong.to_str().unwrap();
    let sinks = directory.path().join("sinks.toml");
    std::fs::write(
        &sinks,
        "[[sinks]]\nname = \"a\"\nkind = \"file\"\nevents = [\"*\"]\npath = \"a.jsonl\"\n",
    )
    .unwrap();
    let sinks = sinks.to_str().unwrap();
    let cases: [(&[&str], &[u8], i32, &str); 10] = [
        (&["analyze", "--file", "/nonexistent.txt"], b"", 66, "/nonexistent.txt"),
        (&["analyze"], b"caf\xe9\n", 65, "line 1: not UTF-8 from byte 4"),
        (&["analyze", "hi", "--threshold", "anger"], b"", 65, "expected LABEL=P"),
        (&["analyze", "hi", "--threshold", "furious=0.5"], b"", 65, "no such label"),
        (&["analyze", "hi", "--server", "http://127.0.0.1:1"], b"", 69, "attune serve"),
        (&["--model", "/nonexistent", "models"], b"", 66, "/nonexistent/model.toml"),
        (&["--config", wrong, "models"], b"", 65, "did you mean `batching.cache_mb`?"),
        (&["--set", "batching.cache_mb", "models"], b"", 65, "expected KEY=VALUE"),
        (&["--config", sinks, "serve"], b"", 65, "set storage.url"),
        (&["analyse", "hi"], b"", 64, "analyze"),
    ];
    for (arguments, input, code, message) in cases {
        let output = run(arguments, input);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(message), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_missing_or_wrong_runtime_library_says_what_to_type() {
    let directory = tempfile::tempdir().unwrap();
    let wrong = directory.path().join("libonnxruntime.so");
    std::fs::write(&wrong, b"this is no library").unwrap();
    for (path, message) in [
        ("/nonexistent/lib.so", "which is not a file"),
        (wrong.to_str().unwrap(), "can't be used as ONNX Runtime"),
    ] {
        let output = attune().args(["analyze", "hi"]).env("ORT_DYLIB_PATH", path).output().unwrap();
        assert_eq!(output.status.code(), Some(70), "{}", stderr(&output));
        assert!(
            stderr(&output).contains(message) && stderr(&output).contains("make runtime"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn a_graph_that_is_no_graph_is_refused_before_the_first_request() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/attune-en-small");
    std::fs::copy(source.join("tokenizer.json"), at("tokenizer.json")).unwrap();
    std::fs::write(at("model.onnx"), b"not a graph").unwrap();
    let manifest = std::fs::read_to_string(source.join("model.toml")).unwrap();
    std::fs::write(at("model.toml"), &manifest).unwrap();
    let model = directory.path().to_str().unwrap();
    let output = run(&["--model", model, "analyze", "hi"], b"");
    assert_eq!(output.status.code(), Some(70));
    assert!(
        stderr(&output).contains("model.onnx is not the file that model.toml describes"),
        "{}",
        stderr(&output)
    );
    // The same with a checksum that fits: the graph itself is refused.
    let old = manifest.lines().find(|l| l.starts_with("graph")).unwrap();
    // sha256 of "not a graph"
    let sha = old.split('"').nth(3).unwrap();
    let fitting = manifest.replace(sha, "895e68762bdb5ab0ea5d47bb1e70087dc75c721be8bf957051796f004e80ba23");
    std::fs::write(at("model.toml"), fitting).unwrap();
    let output = run(&["--model", model, "analyze", "hi"], b"");
    assert_eq!(output.status.code(), Some(70), "{}", stderr(&output));
    assert!(stderr(&output).contains("can't load the graph"), "{}", stderr(&output));
}

#[test]
fn models_config_and_completions_print() {
    for (arguments, expected) in [
        (vec!["models", "--labels"], "threshold"),
        (vec!["config"], "grpc_address"),
        (vec!["completions", "bash"], "_attune"),
        (vec!["--version"], "attune 0."),
    ] {
        let output = run(&arguments, b"");
        assert!(output.status.success() && stdout(&output).contains(expected), "{arguments:?}");
    }
}
