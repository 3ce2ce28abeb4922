//! Criterion benches of the parts: tokenise, batch assembly, pooling of windows, the queue, drift.

#![expect(clippy::unwrap_used, reason = "a benchmark may end")]

use attune::batching::queue::{BatchLimits, Lane, Queue};
use attune::drift::{HeadSaid, Language, Observation, Reference, Said, Tenant};
use attune::inference::document::DocumentBuilder;
use attune::inference::window::windows;
use attune::inference::{EncodedBatch, TextTokenizer, WindowOutput};
use attune::model::ModelBundle;
use attune::model::manifest::Markers;
use attune::pipeline::{DriftMonitor, DriftSettings};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

const TEXT: &str =
    "I've called three times now and the router still drops every evening, what do I have to do?";
/// No word of it is one that is kept.
const NEW: &str = "I-ve called-3 times-now and-the router-1 still-2 drops-4 every-5 evening-6, what-7 do-8 I-9 have-10 to-11 do-12?";
const LABELS: usize = 51;

fn tokenize(c: &mut Criterion) {
    let tokenizer = TextTokenizer::parse(&ModelBundle::load_embedded().unwrap().tokenizer).unwrap();
    let mut group = c.benchmark_group("tokenize");
    for (name, text) in [
        ("short, words known", TEXT.to_owned()),
        ("20 kB, words known", TEXT.repeat(220)),
        ("short, words new", NEW.to_owned()),
    ] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| b.iter(|| tokenizer.tokenize(black_box(&text)).unwrap()));
    }
}

fn assemble(c: &mut Criterion) {
    let row = vec![2000u32; 22];
    let rows = vec![row.as_slice(); 10];
    let markers = Markers { begin: 101, end: 102, pad: 0 };
    c.bench_function("assemble 10 x 24", |b| b.iter(|| EncodedBatch::new(black_box(&rows), markers)));
}

fn pool(c: &mut Criterion) {
    let mut group = c.benchmark_group("pool");
    for tokens in [20usize, 2000] {
        let all = windows(tokens, 254, 64);
        let outputs: Vec<WindowOutput> = all
            .iter()
            .map(|w| WindowOutput {
                logits: vec![0.1; LABELS],
                contributions: vec![0.01; w.tokens.len() * LABELS],
                attention_scores: vec![0.5; w.tokens.len() * 3],
                tokens: w.tokens.len(),
            })
            .collect();
        group.bench_function(format!("{tokens} tokens"), |b| {
            b.iter(|| {
                let mut builder = DocumentBuilder::new(&[0..3, 3..31, 31..51]);
                for (window, output) in all.iter().zip(&outputs) {
                    builder.push(window, output);
                }
                builder.finish()
            });
        });
    }
}

fn queue(c: &mut Criterion) {
    c.bench_function("queue 256 in, batches out", |b| {
        b.iter(|| {
            let mut queue = Queue::default();
            for ticket in 0..256u64 {
                queue.push(Lane::Interactive, ticket, 5 + (ticket as usize * 37) % 60);
            }
            let mut batches = 0;
            let limits = BatchLimits { budget: 256, overhead: 12, padding: 0.2 };
            while !queue.next_batch(limits, |_| true).is_empty() {
                batches += 1;
            }
            black_box(batches)
        });
    });
}

/// What counting a text costs: in its tenant's window and in the model's.
fn drift(c: &mut Criterion) {
    let mut manifest = ModelBundle::load_embedded().unwrap().manifest;
    let mut said = Said::default();
    said.note(0, HeadSaid::new(std::iter::once(1), 0.4));
    said.note(1, HeadSaid::new([3, 9].into_iter(), 0.7));
    said.note(2, HeadSaid::new(std::iter::once(8), 0.6));
    let seen = Observation::read(Some(Language::OfModel), 22, 0, 18, said);
    manifest.baseline = Some(Reference::of(manifest.drift_layout(), &vec![seen; 1000]));
    let settings = DriftSettings { texts: 500, time: Duration::from_secs(604_800), tenants: 256 };
    let monitor = DriftMonitor::new(&manifest, settings).unwrap();
    let (tenant, mut now_ms) = (Tenant::of("acme"), 0);
    c.bench_function("drift observe", |b| {
        b.iter(|| {
            now_ms += 1;
            monitor.observe(tenant, black_box(&seen), now_ms);
        });
    });
}

criterion_group!(parts, tokenize, assemble, pool, queue, drift);
criterion_main!(parts);
