//! Criterion benches of the parts: tokenise, batch assembly, pooling of windows, the queue.

#![expect(clippy::unwrap_used, reason = "a benchmark may end")]

use attune::batching::queue::{BatchLimits, Lane, Queue};
use attune::inference::document::DocumentBuilder;
use attune::inference::window::windows;
use attune::inference::{EncodedBatch, TextTokenizer, WindowOutput};
use attune::model::ModelBundle;
use attune::model::manifest::Markers;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

const TEXT: &str =
    "I've called three times now and the router still drops every evening, what do I have to do?";
const LABELS: usize = 51;

fn tokenize(c: &mut Criterion) {
    let tokenizer = TextTokenizer::parse(&ModelBundle::load_embedded().unwrap().tokenizer).unwrap();
    let mut group = c.benchmark_group("tokenize");
    for (name, text) in [("short", TEXT.to_owned()), ("20 kB", TEXT.repeat(220))] {
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

criterion_group!(parts, tokenize, assemble, pool, queue);
criterion_main!(parts);
