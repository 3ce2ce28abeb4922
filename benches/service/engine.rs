//! The raw engine at its best: one session per processor, texts tokenised and sorted by length beforehand, batches up to
//! the budget that measures best. No service, no queue, no evidence.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use attune::inference::onnx::OnnxFactory;
use attune::inference::runtime_library::Search;
use attune::inference::window::windows;
use attune::inference::{Backend, BackendFactory, EncodedBatch, Provider};
use attune::model::ModelBundle;

use crate::corpus::Corpus;

/// Budgets to try, in padded tokens.
const BUDGETS: [usize; 4] = [128, 256, 512, 1024];

pub(crate) struct Engine {
    backends: Vec<Box<dyn Backend>>,
    batches: Vec<EncodedBatch>,
    /// Texts per batch: a window of a long text counts as its part.
    texts: Vec<f64>,
    budget: usize,
}

impl Engine {
    pub(crate) fn new(corpus: &Corpus) -> Self {
        Self::with(corpus, Provider::Cpu)
    }

    /// The engine under an execution provider.
    pub(crate) fn with(corpus: &Corpus, provider: Provider) -> Self {
        let bundle = Arc::new(ModelBundle::load_embedded().unwrap());
        let library = Search::new(None, std::env::var_os("ORT_DYLIB_PATH").map(Into::into)).find().unwrap();
        let name = provider.name();
        let factory = OnnxFactory::load(&library, Arc::clone(&bundle)).unwrap();
        let factory = factory.with_provider(provider).unwrap();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let backends = (0..cores).map(|_| factory.build().unwrap()).collect();
        let mut engine = Self { backends, batches: Vec::new(), texts: Vec::new(), budget: 0 };
        let mut best = (0.0, BUDGETS[0]);
        for budget in BUDGETS {
            engine.batch(corpus, &bundle, budget);
            let rate = engine.rate(Duration::from_secs(2));
            println!("  engine ({name}) with batches of {budget:>4} padded tokens: {rate:.0}/s");
            if rate > best.0 {
                best = (rate, budget);
            }
        }
        engine.batch(corpus, &bundle, best.1);
        engine
    }

    pub(crate) fn budget(&self) -> usize {
        self.budget
    }

    fn batch(&mut self, corpus: &Corpus, bundle: &ModelBundle, budget: usize) {
        let manifest = &bundle.manifest;
        let mut rows: Vec<(&[u32], f64)> = corpus
            .tokens
            .iter()
            .flat_map(|ids| {
                let all = windows(ids.len(), manifest.window_tokens(), manifest.window_overlap);
                let share = 1.0 / all.len().max(1) as f64;
                all.into_iter().map(move |w| (&ids[w.tokens], share))
            })
            .collect();
        rows.sort_by_key(|(ids, _)| ids.len());
        self.budget = budget;
        self.batches.clear();
        self.texts.clear();
        let mut at = 0;
        while at < rows.len() {
            let mut end = at + 1;
            while end < rows.len() && (rows[end].0.len() + 2) * (end - at + 1) <= budget {
                end += 1;
            }
            let ids: Vec<&[u32]> = rows[at..end].iter().map(|(ids, _)| *ids).collect();
            self.batches.push(EncodedBatch::new(&ids, manifest.markers));
            self.texts.push(rows[at..end].iter().map(|(_, share)| share).sum());
            at = end;
        }
        // Long and short ones take turns.
        let order: Vec<usize> = (0..self.batches.len()).map(|n| n * 7919 % self.batches.len()).collect();
        let distinct: std::collections::BTreeSet<usize> = order.iter().copied().collect();
        if distinct.len() == self.batches.len() {
            self.batches = order.iter().map(|n| self.batches[*n].clone()).collect();
            self.texts = order.iter().map(|n| self.texts[*n]).collect();
        }
    }

    /// Texts per second over whole passes through the corpus that take about `length`, after one that is not counted.
    pub(crate) fn rate(&mut self, length: Duration) -> f64 {
        let once = self.passes(1);
        let passes = (length.as_secs_f64() / once.as_secs_f64()).round().max(1.0) as usize;
        let texts: f64 = self.texts.iter().sum();
        texts * passes as f64 / self.passes(passes).as_secs_f64()
    }

    /// Runs every batch this many times, shared among the sessions.
    fn passes(&mut self, passes: usize) -> Duration {
        let next = AtomicUsize::new(0);
        let started = Instant::now();
        let batches = &self.batches;
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
