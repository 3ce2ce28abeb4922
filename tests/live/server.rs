//! `attune serve` as a process: ready, remote scoring, SIGTERM, a port in use.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The service as a process.
pub(crate) struct Serving {
    child: Child,
    pub(crate) grpc: String,
    http: String,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Serving {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_attune"))
            .args(["serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"])
            .args(["--set", "log.format=json", "--set", "server.lame_duck_ms=0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = std::sync::mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut serving = Self { child, grpc: String::new(), http: String::new(), lines };
        let ready = serving.line(|line| line["message"] == "ready");
        assert_eq!(ready["inference.provider"], "cpu");
        serving.grpc = ready["grpc.address"].as_str().unwrap().to_owned();
        serving.http = ready["http.address"].as_str().unwrap().to_owned();
        serving
    }

    /// The next log line that fits; the log's end fails the test.
    pub(crate) fn line(&self, fits: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        loop {
            let line = self.lines.recv().expect("the service ended before it logged the line");
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            if fits(&value) {
                return value;
            }
        }
    }

    /// Sends a signal, such as TERM; the shell's own `kill` is there on every machine.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    pub(crate) fn terminate(mut self) -> std::process::ExitStatus {
        self.signal("TERM");
        self.child.wait().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Nothing may be left running when an assertion fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_served_model_answers_the_command_line_and_ends_in_order_at_sigterm() {
    let serving = Serving::start(&[]);
    let url = format!("http://{}", serving.grpc);
    let output = Command::new(env!("CARGO_BIN_EXE_attune"))
        .args([
            "analyze",
            "--format",
            "jsonl",
            "--server",
            &url,
            "This is the worst service I have ever had.",
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let row: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(row["sentiment_label"], "negative");
    let models =
        Command::new(env!("CARGO_BIN_EXE_attune")).args(["models", "--server", &url]).output().unwrap();
    assert!(String::from_utf8(models.stdout).unwrap().contains("attune-en-small"));
    assert!(serving.terminate().success());
}

#[test]
fn a_port_in_use_ends_the_start_with_a_sentence() {
    let serving = Serving::start(&[]);
    for (flag, address) in [("--grpc", &serving.grpc), ("--http", &serving.http)] {
        let output = Command::new(env!("CARGO_BIN_EXE_attune"))
            .args(["serve", flag, address, if flag == "--grpc" { "--http" } else { "--grpc" }, "127.0.0.1:0"])
            .output()
            .unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{flag}");
        assert!(message.contains("another process listens there"), "{message}");
    }
}

#[test]
fn no_text_reaches_the_log_even_when_everything_is_logged() {
    const CANARY: &str = "zanzibarcanary";
    let serving = Serving::start(&["--log", "trace,h2=info,hyper=info,tonic=info,tower=info"]);
    let url = format!("http://{}", serving.grpc);
    for text in [
        format!("my {CANARY} order is late again"),
        format!("{CANARY} ist seit Wochen nicht da und keiner antwortet mir"),
    ] {
        let arguments = ["analyze", "--server", &url, "--threshold", "anger=0.1", &text];
        assert!(
            Command::new(env!("CARGO_BIN_EXE_attune")).args(arguments).output().unwrap().status.success()
        );
    }
    serving.signal("TERM");
    let mut lines = 0;
    for line in &serving.lines {
        lines += 1;
        assert!(!line.contains(CANARY), "{line}");
    }
    assert!(lines > 2, "only {lines} lines were logged");
}
