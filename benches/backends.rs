//! One network on three engines, on the same texts: the embedded model as it is (ONNX Runtime, int8), the same weights in float32 on
//! ONNX Runtime, and on rust-bert. Texts are tokenised and sorted by length beforehand, one engine per processor, no service.
//! Prints a table and writes `bench-results/backends.json`.
//!
//!     make bench-backends

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a benchmark prints, and ends when it can't go on"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use attune::app::{Surroundings, backends};
use attune::config::{Config, Sources};
use attune::inference::{Backend, EncodedBatch, TextTokenizer};
use attune::model::ModelBundle;
use serde_json::json;

/// Budgets to try per engine, in padded tokens.
const BUDGETS: [usize; 4] = [128, 256, 512, 1024];
/// What one figure takes, at least.
const LENGTH: Duration = Duration::from_secs(3);
/// Rounds in which the engines take turns, so that a machine that slows down slows all of them.
const ROUNDS: usize = 3;

struct Engine {
    name: &'static str,
    backends: Vec<Box<dyn Backend>>,
    budget: usize,
    rates: Vec<f64>,
}

fn main() {
    let embedded = ModelBundle::load_embedded().unwrap();
    let rows = rows(&embedded);
    let mean = rows.iter().map(Vec::len).sum::<usize>() as f64 / rows.len() as f64;
    println!("{} texts, mean {mean:.0} tokens; each engine at its best budget\n", rows.len());
    let float32 = |backend: &str| {
        ModelBundle::load_directory(&Path::new(".weights").join(backend)).expect("`make fp32`")
    };
    let mut engines = [
        Engine::new("onnx-int8", embedded.clone()),
        Engine::new("onnx-fp32", float32("onnx")),
        Engine::new("rust-bert-fp32", float32("rust-bert")),
    ];
    for engine in &mut engines {
        engine.choose_budget(&rows, &embedded);
    }
    for _ in 0..ROUNDS {
        for engine in &mut engines {
            let batches = batches(&rows, engine.budget, &embedded);
            let rate = engine.rate(&batches, rows.len(), LENGTH);
            engine.rates.push(rate);
        }
    }
    let first = engines[0].median();
    let report: Vec<_> = engines
        .iter_mut()
        .map(|engine| {
            let rate = engine.median();
            println!("{:<15} {rate:>6.0} texts/s  {:>4.2} of int8  budget {}", engine.name, rate / first, engine.budget);
            json!({"engine": engine.name, "texts_per_second": rate, "share_of_int8": rate / first, "budget_tokens": engine.budget})
        })
        .collect();
    std::fs::create_dir_all("bench-results").unwrap();
    let report = json!({"texts": rows.len(), "mean_tokens": mean, "engines": report});
    std::fs::write("bench-results/backends.json", serde_json::to_string_pretty(&report).unwrap()).unwrap();
    println!("\nwritten to bench-results/backends.json");
}

/// The golden texts' token ids, one window each, sorted by length.
fn rows(bundle: &ModelBundle) -> Vec<Vec<u32>> {
    let tokenizer = TextTokenizer::parse(&bundle.tokenizer).unwrap();
    let file = std::fs::read_to_string("tests/fixtures/golden/attune-en-small.jsonl").unwrap();
    let texts =
        file.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["text"].clone());
    let mut rows: Vec<Vec<u32>> = texts
        .map(|text| {
            let mut ids = tokenizer.tokenize(text.as_str().unwrap()).unwrap().ids;
            ids.truncate(bundle.manifest.window_tokens());
            ids
        })
        .collect();
    rows.sort_by_key(Vec::len);
    rows
}

fn batches(rows: &[Vec<u32>], budget: usize, bundle: &ModelBundle) -> Vec<EncodedBatch> {
    let (mut all, mut at) = (Vec::new(), 0);
    while at < rows.len() {
        let mut end = at + 1;
        while end < rows.len() && (rows[end].len() + 2) * (end - at + 1) <= budget {
            end += 1;
        }
        let slices: Vec<&[u32]> = rows[at..end].iter().map(Vec::as_slice).collect();
        all.push(EncodedBatch::new(&slices, bundle.manifest.markers));
        at = end;
    }
    all
}

impl Engine {
    fn new(name: &'static str, bundle: ModelBundle) -> Self {
        let config = Config::load(&Sources::default()).unwrap();
        let runtime_library = std::env::var_os("ORT_DYLIB_PATH").map(Into::into);
        let surroundings = Surroundings { runtime_library, ..Surroundings::default() };
        let factory = backends::factory(&config, &surroundings, &Arc::new(bundle)).unwrap();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let backends = (0..cores).map(|_| factory.build().unwrap()).collect();
        Self { name, backends, budget: 0, rates: Vec::new() }
    }

    fn choose_budget(&mut self, rows: &[Vec<u32>], bundle: &ModelBundle) {
        let mut best = 0.0;
        for budget in BUDGETS {
            let rate = self.rate(&batches(rows, budget, bundle), rows.len(), LENGTH / 3);
            if rate > best {
                (best, self.budget) = (rate, budget);
            }
        }
    }

    fn median(&mut self) -> f64 {
        self.rates.sort_by(f64::total_cmp);
        self.rates[self.rates.len() / 2]
    }

    /// Texts per second over whole passes that take about `length`, after one that is not counted.
    fn rate(&mut self, batches: &[EncodedBatch], texts: usize, length: Duration) -> f64 {
        let once = self.pass(batches, 1);
        let passes = (length.as_secs_f64() / once.as_secs_f64()).ceil() as usize;
        (texts * passes) as f64 / self.pass(batches, passes).as_secs_f64()
    }

    fn pass(&mut self, batches: &[EncodedBatch], passes: usize) -> Duration {
        let next = AtomicUsize::new(0);
        let started = Instant::now();
        std::thread::scope(|scope| {
            for backend in &mut self.backends {
                let next = &next;
                scope.spawn(move || {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        if at >= batches.len() * passes {
                            break;
                        }
                        backend.run(&batches[at % batches.len()]).unwrap();
                    }
                });
            }
        });
        started.elapsed()
    }
}
