//! Warm-up: the first runs of a session are slow, and what a batch should be depends on the machine.
//!
//! All workers run at the same time, as they will in service: they share caches and memory.

use std::time::{Duration, Instant};

use super::queue::BatchLimits;
use crate::inference::{Backend, EncodedBatch, InferenceError};
use crate::model::manifest::Markers;

/// Budgets to try, in tokens. Larger ones only add latency (docs/adr/0002).
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
/// Rows of the batch that shows what padding costs: as many tokens as the middle candidate, in unlike lengths.
const UNEVEN: [usize; 10] = [10, 14, 18, 20, 22, 24, 28, 32, 40, 48];
/// Bounds of what a token of padding costs, against one of text.
const PADDING: (f64, f64) = (0.05, 1.0);

/// What warm-up found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Calibration {
    pub(super) limits: BatchLimits,
    /// Tokens per second of one worker.
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
    let (tokens, padded) = (UNEVEN.iter().sum::<usize>() as f64, (UNEVEN[9] * UNEVEN.len()) as f64);
    let padding = (mean(|m| m.uneven) / batch - overhead - tokens) / (padded - tokens);
    let budget = all.iter().map(|m| m.budget).max().unwrap_or(CANDIDATES[0]);
    Ok(Calibration {
        limits: BatchLimits {
            budget,
            overhead: overhead as usize,
            padding: padding.clamp(PADDING.0, PADDING.1),
        },
        rate: 1.0 / batch.max(1e-9),
    })
}

struct Measured {
    /// Seconds of one short message alone.
    single: f64,
    /// Seconds of the uneven batch.
    uneven: f64,
    budget: usize,
    /// Seconds per token at that budget.
    per_token: f64,
}

fn measure(backend: &mut dyn Backend, markers: Markers) -> Result<Measured, InferenceError> {
    let started = Instant::now();
    let even = |tokens: usize| vec![COLUMNS; (tokens / COLUMNS).max(1)];
    time(backend, &even(CANDIDATES[0]), markers)?;
    let (mut rounds, mut single, mut uneven, mut batches) = (0.0, 0.0, 0.0, [0.0; CANDIDATES.len()]);
    // Shapes take turns, as in service: the same shape again and again would find everything in the caches.
    while rounds < ROUNDS && (rounds == 0.0 || started.elapsed() < PATIENCE) {
        single += time(backend, &[COLUMNS], markers)?;
        uneven += time(backend, &UNEVEN, markers)?;
        for (sum, budget) in batches.iter_mut().zip(CANDIDATES) {
            let rows = even(budget);
            *sum += time(backend, &rows, markers)? / (rows.len() * COLUMNS) as f64;
        }
        rounds += 1.0;
    }
    let mut best = (CANDIDATES[0], f64::INFINITY);
    for (sum, budget) in batches.iter().zip(CANDIDATES) {
        if sum / rounds < best.1 * GAIN {
            best = (budget, sum / rounds);
        }
    }
    Ok(Measured { single: single / rounds, uneven: uneven / rounds, budget: best.0, per_token: best.1 })
}

/// Seconds of a batch whose rows have these lengths, markers included.
fn time(backend: &mut dyn Backend, lengths: &[usize], markers: Markers) -> Result<f64, InferenceError> {
    let row = [markers.end; 64];
    let rows: Vec<&[u32]> = lengths.iter().map(|l| &row[..l.saturating_sub(2).min(row.len())]).collect();
    let batch = EncodedBatch::new(&rows, markers);
    let started = Instant::now();
    backend.run(&batch)?;
    Ok(started.elapsed().as_secs_f64())
}
