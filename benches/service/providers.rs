//! The raw engine under two execution providers, taking turns: the machine's speed drifts.

use std::time::Duration;

use attune::inference::Provider;
use attune::inference::provider::{Device, OpenVino};
use attune::inference::runtime_library::Search;
use serde_json::{Value, json};

use crate::arguments::argument;
use crate::corpus::Corpus;
use crate::engine::Engine;

/// How often each has its turn.
const TURNS: usize = 5;

pub(crate) fn measure(corpus: &Corpus, length: Duration, name: &str) -> Value {
    let provider = provider(name);
    let mut engines = [Engine::new(corpus), Engine::with(corpus, provider)];
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        for (engine, rates) in engines.iter_mut().zip(&mut rates) {
            rates.push(engine.rate(length));
        }
    }
    let [cpu, other] = rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[TURNS / 2]
    });
    println!(
        "  cpu {cpu:>6.0}/s, {name} {other:>6.0}/s: {:.2} times as many (medians of {TURNS})",
        other / cpu
    );
    json!({ "cpu_texts_per_second": cpu, "provider": name, "provider_texts_per_second": other,
        "batch_tokens": [engines[0].budget(), engines[1].budget()] })
}

fn provider(name: &str) -> Provider {
    match name {
        "openvino" => Provider::OpenVino(OpenVino {
            library: Search::new(None, None).find_openvino(None).unwrap(),
            device: Device::Cpu,
            precision: argument("--precision"),
            load_config: None,
        }),
        "cuda" => Provider::Cuda(Vec::new()),
        other => panic!("--provider: expected openvino or cuda, not {other}"),
    }
}
