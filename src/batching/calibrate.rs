//! Warm-up: the first runs of a session are slow, and what a batch should be depends on the machine.
//!
//! All workers run at the same time, as they will in service: they share caches and memory.

use std::time::{Duration, Instant};

use super::queue::BatchLimits;
use crate::inference::{Backend, EncodedBatch, InferenceError};
use crate::model::manifest::Markers;

/// Budgets to try, in padded tokens. Larger ones only add latency (docs/adr/0002).
const CANDIDATES: [usize; 3] = [128, 256, 512];
/// Length of a usual message, markers included.
const COLUMNS: usize = 24;
/// A larger budget must be this much faster per token to be worth its latency.
const GAIN: f64 = 0.95;
/// How often every shape is timed.
const ROUNDS: f64 = 3.0;
/// Warm-up ends early on a slow machine: readiness matters more than the last percent.
const PATIENCE: Duration = Duration::from_millis(300);
/// Bounds of the overhead, in tokens, so that one odd measurement can't spoil the batches.
const OVERHEAD: (f64, f64) = (8.0, 64.0);

/// What warm-up found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Calibration {
    pub(super) limits: BatchLimits,
    /// Padded tokens per second of one worker.
    pub(super) rate: f64,
}

/// Runs batches of growing size on all workers; takes the smallest budget that is about as fast per token as the fastest.
pub(super) fn calibrate(
    backends: &mut [Box<dyn Backend>],
    markers: Markers,
) -> Result<Calibration, InferenceError> {
    let all = std::thread::scope(|scope| {
        let threads: Vec<_> =
            backends.iter_mut().map(|b| scope.spawn(|| measure(b.as_mut(), markers))).collect();
        threads
            .into_iter()
            .map(|t| t.join().unwrap_or_else(|_| Err(InferenceError::Run("warm-up panicked".into()))))
            .collect::<Result<Vec<_>, _>>()
    })?;
    let mean = |of: fn(&Measured) -> f64| all.iter().map(of).sum::<f64>() / all.len().max(1) as f64;
    let (single, batch) = (mean(|m| m.single), mean(|m| m.per_token));
    // seconds(batch) = (overhead + tokens) · per_token
    let overhead = (single / batch - COLUMNS as f64).clamp(OVERHEAD.0, OVERHEAD.1);
    let budget = all.iter().map(|m| m.budget).max().unwrap_or(CANDIDATES[0]);
    Ok(Calibration {
        limits: BatchLimits { budget, overhead: overhead as usize },
        rate: 1.0 / batch.max(1e-9),
    })
}

struct Measured {
    /// Seconds of one short message alone.
    single: f64,
    budget: usize,
    /// Seconds per padded token at that budget.
    per_token: f64,
}

fn measure(backend: &mut dyn Backend, markers: Markers) -> Result<Measured, InferenceError> {
    let started = Instant::now();
    time(backend, CANDIDATES[0], markers)?;
    let (mut rounds, mut single, mut batches) = (0.0, 0.0, [0.0; CANDIDATES.len()]);
    // Shapes take turns, as in service: the same shape again and again would find everything in the caches.
    while rounds < ROUNDS && (rounds == 0.0 || started.elapsed() < PATIENCE) {
        single += time(backend, COLUMNS, markers)?.0;
        for (sum, budget) in batches.iter_mut().zip(CANDIDATES) {
            let (seconds, tokens) = time(backend, budget, markers)?;
            *sum += seconds / tokens as f64;
        }
        rounds += 1.0;
    }
    let mut best = (CANDIDATES[0], f64::INFINITY);
    for (sum, budget) in batches.iter().zip(CANDIDATES) {
        if sum / rounds < best.1 * GAIN {
            best = (budget, sum / rounds);
        }
    }
    Ok(Measured { single: single / rounds, budget: best.0, per_token: best.1 })
}

/// Seconds of a batch of usual messages within `budget`, and its padded tokens.
fn time(backend: &mut dyn Backend, budget: usize, markers: Markers) -> Result<(f64, usize), InferenceError> {
    let row = [markers.end; COLUMNS - 2];
    let rows = vec![row.as_slice(); (budget / COLUMNS).max(1)];
    let batch = EncodedBatch::new(&rows, markers);
    let started = Instant::now();
    backend.run(&batch)?;
    Ok((started.elapsed().as_secs_f64(), batch.padded_tokens()))
}
