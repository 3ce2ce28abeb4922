//! The real model, in two versions, changed by the command line and by SIGHUP.

use std::path::Path;

use crate::command::{run, succeeds};
use crate::server::Serving;

const MODEL: &str = "models/attune-en-small";

/// A copy of the embedded model with a version of its own.
fn copy(root: &Path, version: &str) {
    let directory = root.join(version);
    std::fs::create_dir(&directory).unwrap();
    for file in ["model.onnx", "tokenizer.json"] {
        std::fs::copy(format!("{MODEL}/{file}"), directory.join(file)).unwrap();
    }
    let manifest = std::fs::read_to_string(format!("{MODEL}/model.toml")).unwrap();
    let version = |line: &str| {
        if line.starts_with("version = ") { format!("version = \"{version}\"") } else { line.to_owned() }
    };
    let lines: Vec<String> = manifest.lines().map(version).collect();
    std::fs::write(directory.join("model.toml"), lines.join("\n")).unwrap();
}

#[test]
fn a_real_model_is_loaded_compared_and_swapped_by_command_and_by_signal() {
    let root = tempfile::tempdir().unwrap();
    ["a", "b"].iter().for_each(|version| copy(root.path(), version));
    let file = root.path().join("attune.toml");
    let configure = |text: &str| {
        let directory = root.path().display();
        let text = format!("[models]\ndirectory = \"{directory}\"\nallow_changes = true\n{text}");
        std::fs::write(&file, text).unwrap();
    };
    configure("load = [\"a\"]\naliases = { default = \"attune-en-small@a\" }");
    let serving = Serving::start(&["--config", file.to_str().unwrap()]);
    let url = format!("http://{}", serving.grpc);
    let models = |rest: &[&str]| {
        let all: Vec<&str> = ["models"].iter().chain(rest).chain(&["--server", &url]).copied().collect();
        succeeds(&all)
    };
    let default = || {
        let all = models(&[]);
        let line = all.lines().find(|line| line.contains("default")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(default(), "a");
    assert!(models(&["load", "b"]).contains("attune-en-small@b is loaded"));
    let shadow = models(&["shadow", "attune-en-small@b", "--share", "1"]);
    assert!(shadow.contains("100 % of the texts of attune-en-small@a"), "{shadow}");
    succeeds(&["analyze", "--server", &url, "This is the worst service I have ever had."]);
    let report = loop {
        let report = models(&["shadow-report"]);
        if report.contains("1 texts compared") {
            break report;
        }
    };
    // The same weights: the text ran alone in both.
    assert!(report.contains("the same label for 1 of 1") && report.contains("differ by 0.0000"), "{report}");
    assert_eq!(
        models(&["alias", "default", "attune-en-small@b"]),
        "default: attune-en-small@a → attune-en-small@b\n"
    );
    assert_eq!(default(), "b");
    assert!(!models(&["unload", "attune-en-small@a"]).contains("attune-en-small@a,"));
    let gone = run(&["models", "shadow-report", "attune-en-small@b", "--server", &url]);
    assert_eq!(gone.status.code(), Some(66));

    configure("load = [\"a\", \"none\"]");
    serving.signal("HUP");
    let refused =
        serving.line(|line| line["message"].as_str().is_some_and(|m| m.contains("everything stays")));
    assert!(refused["error"].as_str().unwrap().contains("none"), "{refused}");
    assert_eq!(default(), "b");
    configure("load = [\"a\"]\naliases = { default = \"attune-en-small@a\" }");
    serving.signal("HUP");
    serving.line(|line| line["message"].as_str().is_some_and(|m| m.contains("is in force")));
    assert_eq!(default(), "a");
    assert!(!models(&[]).contains("attune-en-small b"));
    assert!(serving.terminate().success());
}
