//! Warm-up: the first runs of a session are slow, and the best batch size depends on the machine.

use std::time::{Duration, Instant};

use crate::inference::{Backend, EncodedBatch, InferenceError};
use crate::model::manifest::Markers;

/// Budgets to try, in padded tokens. Larger ones have lost on every CPU measured so far (docs/adr/0002).
const CANDIDATES: [usize; 4] = [128, 256, 512, 1024];
/// Length of a usual message, markers included.
const COLUMNS: usize = 24;
/// A larger budget must be this much faster per token to be worth its latency.
const GAIN: f64 = 0.95;
/// Warm-up ends early on a slow machine: readiness matters more than the last percent.
const PATIENCE: Duration = Duration::from_millis(400);

/// What warm-up found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Calibration {
    /// Padded tokens per batch.
    pub(super) budget: usize,
    /// Padded tokens per second of one worker.
    pub(super) rate: f64,
}

/// Runs batches of growing size and picks the smallest budget that is about as fast per token as the fastest.
pub(super) fn calibrate(backend: &mut dyn Backend, markers: Markers) -> Result<Calibration, InferenceError> {
    let started = Instant::now();
    let mut best: Option<(usize, f64)> = None;
    time(backend, CANDIDATES[0], markers)?;
    for budget in CANDIDATES {
        let first = time(backend, budget, markers)?;
        let per_token = first.min(time(backend, budget, markers)?);
        if best.is_none_or(|(_, fastest)| per_token < fastest * GAIN) {
            best = Some((budget, per_token));
        }
        if started.elapsed() > PATIENCE {
            break;
        }
    }
    let (budget, seconds) = best.unwrap_or((CANDIDATES[0], 1e-4));
    Ok(Calibration { budget, rate: 1.0 / seconds.max(1e-9) })
}

/// Seconds per padded token.
fn time(backend: &mut dyn Backend, budget: usize, markers: Markers) -> Result<f64, InferenceError> {
    let row = [markers.end; COLUMNS - 2];
    let rows = vec![row.as_slice(); (budget / COLUMNS).max(1)];
    let batch = EncodedBatch::new(&rows, markers);
    let started = Instant::now();
    backend.run(&batch)?;
    Ok(started.elapsed().as_secs_f64() / batch.padded_tokens() as f64)
}
