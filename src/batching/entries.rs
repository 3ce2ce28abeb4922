//! What the queue's tickets stand for: the windows in flight, and who waits for each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use super::batcher::{WindowAnswer, WindowResult};
use super::cache::Key;
use super::queue::Lane;
use crate::error::{Error, ErrorKind};

/// A caller that waits for a window.
pub(super) struct Waiter {
    pub(super) answer: oneshot::Sender<WindowResult>,
    pub(super) deadline: Option<Instant>,
    pub(super) since: Instant,
    /// Whether an overflowing queue may turn this caller away after all.
    pub(super) may_be_cut: bool,
}

impl Waiter {
    /// Answers if the caller's deadline has passed; tells whether the caller still waits.
    fn settle(self, now: Instant) -> Option<Self> {
        if self.answer.is_closed() {
            return None;
        }
        if self.deadline.is_some_and(|d| d <= now) {
            // A caller that went away in this moment needs no answer.
            let _ = self.answer.send(Err(Error::new(
                ErrorKind::DeadlineExceeded,
                "the deadline passed before the text was read",
            )));
            return None;
        }
        Some(self)
    }
}

/// A window in the queue or at a worker.
pub(super) struct Entry {
    pub(super) ids: Arc<[u32]>,
    pub(super) lane: Lane,
    key: Key,
    pub(super) waiters: Vec<Waiter>,
}

/// All windows in flight.
#[derive(Default)]
pub(super) struct Entries {
    next: u64,
    by_ticket: HashMap<u64, Entry>,
    by_key: HashMap<Key, u64>,
}

impl Entries {
    /// Joins a caller to the same window if it is in flight in this lane or a quicker one; else gives the caller back.
    pub(super) fn join(&mut self, key: &Key, lane: Lane, waiter: Waiter) -> Option<Waiter> {
        let entry = self.by_key.get(key).and_then(|ticket| self.by_ticket.get_mut(ticket));
        match entry {
            Some(entry) if entry.lane == Lane::Interactive || lane == Lane::Bulk => {
                entry.waiters.push(waiter);
                None
            }
            _ => Some(waiter),
        }
    }

    /// Adds a window; returns its ticket.
    pub(super) fn add(&mut self, key: Key, ids: Arc<[u32]>, lane: Lane, waiter: Waiter) -> u64 {
        let ticket = self.ticket();
        self.by_key.insert(key, ticket);
        self.by_ticket.insert(ticket, Entry { ids, lane, key, waiters: vec![waiter] });
        ticket
    }

    /// A ticket that nothing else has.
    pub(super) fn ticket(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Settles callers that are gone or too late; a window for which nobody waits any more is forgotten.
    pub(super) fn is_live(&mut self, ticket: u64, now: Instant) -> bool {
        let Some(entry) = self.by_ticket.get_mut(&ticket) else { return false };
        entry.waiters =
            std::mem::take(&mut entry.waiters).into_iter().filter_map(|w| w.settle(now)).collect();
        let live = !entry.waiters.is_empty();
        if !live {
            self.remove(ticket);
        }
        live
    }

    /// The token ids of a window.
    pub(super) fn ids(&self, ticket: u64) -> Option<Arc<[u32]>> {
        self.by_ticket.get(&ticket).map(|e| Arc::clone(&e.ids))
    }

    /// Takes a window out, with its key for the cache.
    pub(super) fn remove(&mut self, ticket: u64) -> Option<(Key, Entry)> {
        let entry = self.by_ticket.remove(&ticket)?;
        if self.by_key.get(&entry.key) == Some(&ticket) {
            self.by_key.remove(&entry.key);
        }
        Some((entry.key, entry))
    }

    /// Takes every window out.
    pub(super) fn drain(&mut self) -> Vec<Entry> {
        self.by_key.clear();
        self.by_ticket.drain().map(|(_, entry)| entry).collect()
    }

    /// Whether all callers of a window may be turned away.
    pub(super) fn may_be_cut(&self, ticket: u64) -> bool {
        self.by_ticket.get(&ticket).is_none_or(|entry| entry.waiters.iter().all(|w| w.may_be_cut))
    }

    /// Windows in flight.
    pub(super) fn len(&self) -> usize {
        self.by_ticket.len()
    }
}

/// Gives every caller of a window its copy of the answer.
pub(super) fn answer(entry: Entry, make: impl Fn(&Waiter) -> WindowResult) {
    for waiter in entry.waiters {
        let answer = make(&waiter);
        // A caller that went away in this moment needs no answer.
        let _ = waiter.answer.send(answer);
    }
}

impl WindowAnswer {
    pub(super) fn joined(&self, waiter: &Waiter, started: Instant) -> Self {
        Self { queued: started.saturating_duration_since(waiter.since), ..self.clone() }
    }
}
