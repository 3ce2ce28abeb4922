//! Batches that their caller has made up, and that run as they are, together and with nobody else.
//!
//! An int8 graph rounds by the largest value of a batch, so that a text's scores depend a little on its company
//! (docs/models.md). Whoever needs the same bytes from the same input decides the company; there is no cache here and
//! no coalescing, since both would depend on the moment.

use std::collections::HashMap;

use tokio::sync::oneshot;

use super::batcher::{Batcher, MARKER_TOKENS};
use super::queue::Lane;
use crate::error::{Error, ErrorKind};
use crate::inference::{InferenceError, WindowOutput};

type Outputs = Vec<Result<WindowOutput, Error>>;

/// A batch that waits for a worker, and its caller.
pub(super) struct ClosedBatch {
    /// Token ids of its windows, without markers.
    pub(super) rows: Vec<Vec<u32>>,
    caller: oneshot::Sender<Outputs>,
}

impl ClosedBatch {
    /// Gives the caller its results, in the order of the rows.
    pub(super) fn answer(self, results: Vec<Result<WindowOutput, InferenceError>>) {
        let outputs = results.into_iter().map(|result| result.map_err(Error::internal)).collect();
        // A caller that went away in this moment needs no answer.
        let _ = self.caller.send(outputs);
    }
}

/// The batches in the queue, by ticket.
#[derive(Default)]
pub(super) struct ClosedBatches(HashMap<u64, ClosedBatch>);

impl ClosedBatches {
    /// Whether the ticket is one of these.
    pub(super) fn holds(&self, ticket: u64) -> bool {
        self.0.contains_key(&ticket)
    }

    /// Whether the batch's caller still waits; a batch for which nobody waits is forgotten. `None` for other tickets.
    pub(super) fn is_live(&mut self, ticket: u64) -> Option<bool> {
        let live = !self.0.get(&ticket)?.caller.is_closed();
        if !live {
            self.0.remove(&ticket);
        }
        Some(live)
    }

    /// Takes a batch out.
    pub(super) fn take(&mut self, ticket: u64) -> Option<ClosedBatch> {
        self.0.remove(&ticket)
    }
}

impl Batcher {
    /// Runs windows as one batch, whatever else waits; waits for room first. Results are in the order of `rows`, which
    /// hold token ids without markers, at least one each. Dropping the future takes the batch back unless a worker has
    /// it.
    ///
    /// Errors: `Unavailable` during shutdown; of a window, `Internal`.
    pub async fn submit_closed(&self, rows: Vec<Vec<u32>>, lane: Lane) -> Result<Outputs, Error> {
        let tokens = rows.iter().map(|ids| ids.len() + MARKER_TOKENS).sum();
        let _room = self.wait_for_room(tokens, lane, None).await?;
        let (caller, answer) = oneshot::channel();
        {
            let mut state = self.shared.state.lock();
            if state.stopping {
                return Err(Error::new(ErrorKind::Unavailable, "the service is shutting down"));
            }
            let ticket = state.entries.ticket();
            state.closed.0.insert(ticket, ClosedBatch { rows, caller });
            state.queue.push_closed(lane, ticket, tokens);
            self.shared.work.notify_one();
        }
        answer.await.map_err(|_| Error::internal("a worker dropped a batch without an answer"))
    }
}

#[cfg(test)]
#[path = "closed_tests.rs"]
mod tests;
