//! Worker threads: take a batch, run it, answer. Each owns its backend.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batcher::{BatcherSettings, MARKER_TOKENS, Shared, State, WindowAnswer};
use super::closed::ClosedBatch;
use super::entries;
use super::queue::Lane;
use crate::error::Error;
use crate::inference::{Backend, BackendFactory, EncodedBatch, InferenceError, WindowOutput};
use crate::telemetry::metrics;

/// One backend per worker, built side by side: loading a graph takes longer than everything else at start.
pub(super) fn build(
    factory: &dyn BackendFactory,
    settings: &BatcherSettings,
) -> Result<Vec<Box<dyn Backend>>, InferenceError> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..settings.workers.max(1)).map(|_| scope.spawn(|| factory.build())).collect();
        threads
            .into_iter()
            .map(|t| t.join().unwrap_or_else(|_| Err(InferenceError::Load("the loader panicked".into()))))
            .collect()
    })
}

/// Works until the batcher stops and the queue is empty.
pub(super) fn run(shared: &Shared, mut backend: Box<dyn Backend>) {
    while let Some(work) = take(shared) {
        let started = Instant::now();
        let rows: Vec<&[u32]> = match &work {
            Work::Windows(batch) => batch.iter().map(|(_, ids)| &ids[..]).collect(),
            Work::Closed(batch) => batch.rows.iter().map(Vec::as_slice).collect(),
        };
        let results = infer(backend.as_mut(), &rows, shared);
        let elapsed = started.elapsed();
        let columns = rows.iter().map(|r| r.len()).max().unwrap_or(0) + MARKER_TOKENS;
        let padded = columns * rows.len();
        let real: usize = rows.iter().map(|r| r.len() + MARKER_TOKENS).sum();
        metrics::batch(rows.len(), real, padded, elapsed);
        match work {
            Work::Windows(batch) => finish(shared, &batch, results, started, elapsed, real),
            Work::Closed(batch) => {
                shared.state.lock().admission.observe(real, elapsed, shared.settings.workers);
                batch.answer(results);
            }
        }
    }
}

/// What a worker does next.
enum Work {
    /// Windows of any callers, by ticket.
    Windows(Vec<(u64, Arc<[u32]>)>),
    /// A batch that its caller has made up.
    Closed(ClosedBatch),
}

/// The next batch, with the token ids of each ticket; `None` when it is time to go.
fn take(shared: &Shared) -> Option<Work> {
    let mut state = shared.state.lock();
    loop {
        let now = Instant::now();
        let State { queue, entries, closed, .. } = &mut *state;
        let tickets = queue.next_batch(shared.limits, |ticket| {
            closed.is_live(ticket).unwrap_or_else(|| entries.is_live(ticket, now))
        });
        if !tickets.is_empty() {
            Lane::ALL.into_iter().for_each(|lane| state.tell_depth(lane));
        }
        let State { entries, closed, .. } = &mut *state;
        if let Some(batch) = tickets.first().and_then(|ticket| closed.take(*ticket)) {
            return Some(Work::Closed(batch));
        }
        let batch: Vec<_> = tickets.iter().filter_map(|t| Some((*t, entries.ids(*t)?))).collect();
        if !batch.is_empty() {
            return Some(Work::Windows(batch));
        }
        if state.stopping {
            return None;
        }
        shared.work.wait(&mut state);
    }
}

/// Runs the batch; when it fails, its rows one by one, so that one bad window does not take the others with it.
fn infer(
    backend: &mut dyn Backend,
    rows: &[&[u32]],
    shared: &Shared,
) -> Vec<Result<WindowOutput, InferenceError>> {
    match guarded(backend, rows, shared) {
        Ok(outputs) => outputs.into_iter().map(Ok).collect(),
        Err(error) if rows.len() == 1 => vec![Err(error)],
        Err(error) => {
            tracing::warn!(rows = rows.len(), %error, "a batch failed; its windows are tried one by one");
            rows.iter()
                .map(|row| {
                    let mut outputs = guarded(backend, &[*row], shared)?;
                    outputs.pop().ok_or_else(|| InferenceError::Run("no output".into()))
                })
                .collect()
        }
    }
}

/// A panic of the backend is its failure, not the worker's end.
fn guarded(
    backend: &mut dyn Backend,
    rows: &[&[u32]],
    shared: &Shared,
) -> Result<Vec<WindowOutput>, InferenceError> {
    let batch = EncodedBatch::new(rows, shared.settings.markers);
    let outputs = catch_unwind(AssertUnwindSafe(|| backend.run(&batch)))
        .unwrap_or_else(|_| Err(InferenceError::Run("the backend panicked".into())))?;
    if outputs.len() == rows.len() {
        Ok(outputs)
    } else {
        Err(InferenceError::Run(format!("{} outputs for {} rows", outputs.len(), rows.len())))
    }
}

fn finish(
    shared: &Shared,
    batch: &[(u64, Arc<[u32]>)],
    results: Vec<Result<WindowOutput, InferenceError>>,
    started: Instant,
    elapsed: Duration,
    tokens: usize,
) {
    let mut done = Vec::with_capacity(batch.len());
    {
        let mut state = shared.state.lock();
        state.admission.observe(tokens, elapsed, shared.settings.workers);
        for ((ticket, _), result) in batch.iter().zip(results) {
            let Some((key, entry)) = state.entries.remove(*ticket) else { continue };
            let result = result.map(Arc::new);
            if let Ok(output) = &result {
                // Inside the lock: whoever misses the cache must find the window in flight, or run it once more.
                shared.cache.insert(key, output);
            }
            done.push((entry, result));
        }
    }
    for (entry, result) in done {
        match result {
            Ok(output) => {
                let answer =
                    WindowAnswer { output, queued: Duration::ZERO, inference: elapsed, cached: false };
                entries::answer(entry, |waiter| Ok(answer.joined(waiter, started)));
            }
            Err(error) => {
                let message = error.to_string();
                entries::answer(entry, |_| Err(Error::internal(InferenceError::Run(message.clone()))));
            }
        }
    }
}
