//! The webhook sink against a receiver that shares no code with it: `examples/python/webhook_receiver.py`, which checks
//! signatures with the `standardwebhooks` of PyPI. `scripts/python-check.sh` prepares a Python that has it and names it in
//! ATTUNE_PYTHON; without that, or the script's own environment, the test says so and passes.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use attune::events;
use attune::sinks::target::Targets;
use attune::sinks::webhook::{Method, Webhook, WebhookSettings};
use attune::sinks::{Failure, Secret, Sink};
use attune::storage::{Delivery, OutboxEvent};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A Python with the package: the one that is named, which then must have it, or the one of the script, if there is one.
fn python() -> Option<String> {
    let named = std::env::var("ATTUNE_PYTHON").ok();
    let python = named.clone().unwrap_or_else(|| "target/python-check/bin/python".to_owned());
    let has = Command::new(&python).args(["-c", "import standardwebhooks"]).stderr(Stdio::null()).status();
    let has = has.is_ok_and(|status| status.success());
    assert!(has || named.is_none(), "{python} has no standardwebhooks");
    has.then_some(python)
}

struct Receiver {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Receiver {
    fn start(python: &str, secret: &std::path::Path) -> Self {
        let mut command = Command::new(python);
        command.args(["examples/python/webhook_receiver.py", "--port", "0", "--secret"]).arg(secret);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut receiver = Self { child, lines, url: String::new() };
        receiver.url = receiver.line()["listening"].as_str().unwrap().to_owned();
        receiver
    }

    fn line(&mut self) -> serde_json::Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn delivery(kind: &str) -> Delivery {
    let event = events::samples(kind).unwrap().remove(0);
    let (id, kind, at_ms, body) = (event.id, event.kind.to_owned(), event.at_ms, event.body);
    let event = OutboxEvent { id, sink: "crm".into(), kind, at_ms, body };
    Delivery { sequence: 1, tenant: "acme".into(), customer: "c".into(), event, attempts: 0, error: None }
}

async fn sink(url: &str, secrets: &[&str]) -> Webhook {
    let settings = WebhookSettings {
        url: url.to_owned(),
        method: Method::POST,
        targets: Targets::parse(true, &["127.0.0.0/8".into()]).unwrap(),
        secrets: secrets.iter().map(|secret| Secret::Value((*secret).to_owned())).collect(),
        headers: Vec::new(),
        mapping: None,
        timeout: Duration::from_secs(10),
    };
    Webhook::build(settings).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_in_python_takes_what_is_signed_once_and_nothing_else() {
    let Some(python) = python() else {
        println!("webhook: no Python with standardwebhooks; scripts/python-check.sh prepares one");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    let mut receiver = Receiver::start(&python, &secret);
    let url = receiver.url.clone();
    let refused = sink(&url, &[OTHER]).await.send(&delivery("nps_conflict")).await;
    assert_eq!(refused, Err(Failure::permanent("answered 401")));
    // The second one is a repetition, and the third is signed by the next secret too, as during rotation.
    let both = sink(&url, &[OTHER, SECRET]).await;
    sink(&url, &[SECRET]).await.send(&delivery("churn_risk_raised")).await.unwrap();
    both.send(&delivery("churn_risk_raised")).await.unwrap();
    both.send(&delivery("nps_conflict")).await.unwrap();
    for kind in ["churn_risk_raised", "nps_conflict"] {
        let (line, sent) = (receiver.line(), delivery(kind));
        assert_eq!(line["type"], format!("attune.signal.{kind}.v1"));
        assert_eq!(line["id"], sent.event.id.as_str());
    }
}
