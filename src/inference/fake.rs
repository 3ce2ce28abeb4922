//! A deterministic backend for tests: every token has fixed terms that follow from its id, so that the result of a text
//! does not depend on its batch, and tests can tell which window an answer belongs to.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::backend::{Backend, BackendFactory, EncodedBatch, InferenceError, WindowOutput};

/// Holds the workers of a fake backend back until a test opens it.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// A gate that is closed.
    pub fn closed() -> Self {
        Self::default()
    }

    /// Lets every run pass, now and later.
    pub fn open(&self) {
        *self.0.0.lock() = true;
        self.0.1.notify_all();
    }

    /// Holds every run back that has not passed yet.
    pub fn shut(&self) {
        *self.0.0.lock() = false;
    }

    fn wait(&self) {
        let mut open = self.0.0.lock();
        while !*open {
            self.0.1.wait(&mut open);
        }
    }
}

/// What the backends of a [`FakeFactory`] were asked to run.
#[derive(Debug, Clone, Default)]
pub struct RunLog(Arc<Mutex<Vec<(usize, usize)>>>);

impl RunLog {
    /// Rows and columns of every batch so far.
    pub fn shapes(&self) -> Vec<(usize, usize)> {
        self.0.lock().clone()
    }

    /// Windows that reached the network so far.
    pub fn windows(&self) -> usize {
        self.0.lock().iter().map(|(rows, _)| rows).sum()
    }
}

/// Words that speak for labels, in place of terms that follow from ids; every other word says nothing.
#[derive(Debug, Clone, Default)]
pub struct Steering {
    /// The logit that every label starts from.
    pub floor: f32,
    /// A token's id, a label of the label axis, and what each such token adds to it.
    pub words: Vec<(u32, usize, f32)>,
}

impl Steering {
    fn terms(&self, ids: &[u32], labels: usize) -> Vec<f32> {
        let mut terms = vec![0.0; ids.len() * labels];
        for (row, id) in terms.chunks_mut(labels).zip(ids) {
            self.words
                .iter()
                .filter(|(word, ..)| word == id)
                .for_each(|(_, label, term)| row[*label] += term);
        }
        terms
    }
}

/// Builds deterministic backends.
#[derive(Debug, Clone, Default)]
pub struct FakeFactory {
    /// Labels of the label axis.
    pub labels: usize,
    /// Heads.
    pub heads: usize,
    /// Holds runs back.
    pub gate: Option<Gate>,
    /// Records runs.
    pub log: RunLog,
    /// A token id at which a run fails.
    pub poison: Option<u32>,
    /// Lets a test say what a text scores high on.
    pub steering: Option<Steering>,
    /// Whether only logits come out, as of a network without terms; they are squashed, so that words don't add up.
    pub plain: bool,
    /// What a run takes per padded token, to load a server without a model.
    pub time_per_token: Duration,
}

impl FakeFactory {
    /// For a label axis of `labels` over `heads`.
    pub fn new(labels: usize, heads: usize) -> Self {
        Self { labels, heads, ..Self::default() }
    }

    /// The term of a token for a label, in [-1, 1].
    pub fn term(id: u32, label: usize) -> f32 {
        let mixed =
            id.wrapping_mul(2_654_435_761).wrapping_add(label as u32 * 40_503).wrapping_mul(2_246_822_519);
        (mixed >> 8) as f32 / f32::from(u16::MAX) / 128.0 - 1.0
    }
}

impl BackendFactory for FakeFactory {
    fn build(&self) -> Result<Box<dyn Backend>, InferenceError> {
        Ok(Box::new(FakeBackend(self.clone())))
    }
}

struct FakeBackend(FakeFactory);

impl Backend for FakeBackend {
    fn run(&mut self, batch: &EncodedBatch) -> Result<Vec<WindowOutput>, InferenceError> {
        if let Some(gate) = &self.0.gate {
            gate.wait();
        }
        self.0.log.0.lock().push((batch.rows(), batch.columns));
        if !self.0.time_per_token.is_zero() {
            std::thread::sleep(self.0.time_per_token * batch.padded_tokens() as u32);
        }
        let labels = self.0.labels;
        let rows = batch.input_ids.chunks(batch.columns).zip(&batch.lengths);
        rows.map(|(ids, tokens)| {
            let ids: Vec<u32> = ids[1..=*tokens].iter().map(|id| *id as u32).collect();
            if self.0.poison.is_some_and(|p| ids.contains(&p)) {
                return Err(InferenceError::Run("poisoned token".into()));
            }
            let share = 1.0 / ids.len().max(1) as f32;
            let mixed = || -> Vec<f32> {
                let terms =
                    ids.iter().flat_map(|id| (0..labels).map(move |l| FakeFactory::term(*id, l) * share));
                terms.collect()
            };
            let steering = self.0.steering.as_ref();
            let contributions = steering.map_or_else(mixed, |steering| steering.terms(&ids, labels));
            let floor = steering.map_or(0.0, |steering| steering.floor);
            let sum = |l: usize| contributions.iter().skip(l).step_by(labels).sum::<f32>();
            let squashed = |logit: f32| if self.0.plain { 8.0 * (logit / 8.0).tanh() } else { logit };
            let logits = (0..labels).map(|l| squashed(floor + sum(l))).collect();
            let attention_scores = vec![0.0; tokens * self.0.heads];
            let (contributions, attention_scores) =
                if self.0.plain { (Vec::new(), Vec::new()) } else { (contributions, attention_scores) };
            Ok(WindowOutput { logits, contributions, attention_scores, tokens: *tokens })
        })
        .collect()
    }
}
