//! Interactions out of the messages that the model's training has written.

use serde_json::{Value, json};

const WRITTEN: &str = "models/training/data/written.jsonl";
/// Between two interactions of the made-up company.
const STEP_MS: i64 = 20_000;
const BEGIN_MS: i64 = 1_767_323_045_000;

pub(crate) fn written() -> Vec<String> {
    let text = std::fs::read_to_string(WRITTEN).expect("the written messages are part of the repository");
    let text_of =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned();
    text.lines().map(text_of).collect()
}

/// `many` texts, each different from every other: the written ones as they are, then again with a number behind them; every
/// tenth is three of them together.
pub(crate) fn distinct(many: usize) -> Vec<String> {
    let written = written();
    let text = |n: usize| {
        let at = |k: usize| written[(n * 7 + k * 1013) % written.len()].as_str();
        let one = if n % 10 == 9 { [at(0), at(1), at(2)].join(" ") } else { at(0).to_owned() };
        if n < written.len() { one } else { format!("{one} Reference {n}.") }
    };
    (0..many).map(text).collect()
}

/// The n-th interaction, of one of `customers`; each customer's are in the order of their times.
pub(crate) fn interaction(n: usize, text: &str, customers: usize) -> Value {
    let channel = ["chat", "email", "phone", "social", "sms"][n % 5];
    json!({"tenant": "bench", "customer": format!("c-{}", n % customers), "source": "bench", "id": format!("i-{n}"),
        "at": BEGIN_MS + n as i64 * STEP_MS, "channel": channel, "language": "en", "text": text})
}
