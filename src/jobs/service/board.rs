//! Which jobs there are, which is next, which is refused and which is forgotten: a plain value, without clock, file or task.
//!
//! Time, ids and results are handed in. A job is changed only here, and only from a state that allows it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::record::{Failure, Record, State, VERSION};
use super::spec::Spec;
use crate::error::{Error, ErrorKind};
use crate::jobs::checkpoint::Totals;

/// When a caller may try again whose job had no room; jobs take seconds to hours.
const RETRY: Duration = Duration::from_secs(5);

/// How many jobs there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// That run at a time.
    pub concurrent: usize,
    /// That wait.
    pub queued: usize,
    /// That have ended and are kept.
    pub kept: usize,
    /// How long these are kept.
    pub keep: Duration,
}

/// A request that becomes a job.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) id: String,
    pub(super) idempotency_key: String,
    pub(super) spec: Spec,
    pub(super) targets: Vec<String>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    Succeeded,
    Failed(Failure),
    /// It was stopped: because it was cancelled, or because the service stops.
    Stopped,
}

/// The jobs.
pub(super) struct Board {
    bounds: Bounds,
    /// By sequence.
    jobs: BTreeMap<u64, Arc<Record>>,
    sequences: HashMap<String, u64>,
    keys: HashMap<String, u64>,
    /// What this process is running.
    active: BTreeSet<u64>,
    last: u64,
}

impl Board {
    pub(super) fn new(bounds: Bounds) -> Self {
        let (jobs, sequences, keys) = (BTreeMap::new(), HashMap::new(), HashMap::new());
        Self { bounds, jobs, sequences, keys, active: BTreeSet::new(), last: 0 }
    }

    /// Takes in a job that an earlier process has left. One that was running goes on, one that was to end ends now.
    pub(super) fn restore(&mut self, mut record: Record, now_ms: i64) {
        if record.cancelling && !record.state.is_final() {
            record.state = State::Cancelled;
            record.finished_ms = Some(now_ms);
        }
        self.insert(record);
    }

    fn insert(&mut self, record: Record) -> Arc<Record> {
        let sequence = record.sequence;
        self.last = self.last.max(sequence);
        self.sequences.insert(record.id.clone(), sequence);
        if !record.idempotency_key.is_empty() {
            self.keys.insert(record.idempotency_key.clone(), sequence);
        }
        let record = Arc::new(record);
        self.jobs.insert(sequence, Arc::clone(&record));
        record
    }

    /// The job that an earlier request with this key has made. Errors: `AlreadyExists`, with the field that differs.
    pub(super) fn made_before(&self, key: &str, spec: &Spec) -> Result<Option<Arc<Record>>, Error> {
        let Some(job) = self.keys.get(key).and_then(|sequence| self.jobs.get(sequence)) else {
            return Ok(None);
        };
        match job.spec.difference(spec) {
            None => Ok(Some(Arc::clone(job))),
            Some(field) => {
                let problem = format!(
                    "idempotency_key: job {} was created with this key, and its {field} is another; send what was sent \
                     then, or take a new key",
                    job.id
                );
                Err(Error::new(ErrorKind::AlreadyExists, problem))
            }
        }
    }

    /// Takes in a new job. Errors: `Overloaded` when too many wait; `Precondition` when another one writes the same.
    pub(super) fn create(&mut self, wanted: Wanted, now_ms: i64) -> Result<Arc<Record>, Error> {
        let waiting = self.waiting().count();
        if waiting >= self.bounds.queued {
            let problem = format!("{waiting} jobs wait, and no more may (jobs.queued); try again later");
            return Err(Error::new(ErrorKind::Overloaded, problem).with_retry_after(RETRY));
        }
        let unfinished = self.jobs.values().filter(|job| !job.state.is_final());
        let clash = unfinished.into_iter().find(|job| job.targets.iter().any(|t| wanted.targets.contains(t)));
        if let Some(job) = clash {
            let problem = format!(
                "spec.output: job {} is going to write the same file; wait for it, cancel it, or name another",
                job.id
            );
            return Err(Error::new(ErrorKind::Precondition, problem));
        }
        let Wanted { id, idempotency_key, spec, targets } = wanted;
        Ok(self.insert(Record {
            version: VERSION,
            id,
            sequence: self.last + 1,
            idempotency_key,
            spec,
            state: State::Queued,
            totals: Totals::default(),
            bytes_read: 0,
            bytes_total: 0,
            created_ms: now_ms,
            started_ms: None,
            finished_ms: None,
            failure: None,
            notes: Vec::new(),
            cancelling: false,
            publishing: false,
            model: String::new(),
            targets,
        }))
    }

    /// Takes a job back that could not be noted down.
    pub(super) fn forget(&mut self, id: &str) {
        let Some(job) = self.sequences.remove(id).and_then(|sequence| self.jobs.remove(&sequence)) else {
            return;
        };
        self.active.remove(&job.sequence);
        if self.keys.get(&job.idempotency_key) == Some(&job.sequence) {
            self.keys.remove(&job.idempotency_key);
        }
    }

    fn waiting(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.jobs.values().filter(|job| !job.state.is_final() && !self.active.contains(&job.sequence))
    }

    /// The job to run now, if one may: first what an earlier process has begun, then the oldest.
    pub(super) fn next(&mut self, now_ms: i64) -> Option<Arc<Record>> {
        if self.active.len() >= self.bounds.concurrent {
            return None;
        }
        let chosen = self.waiting().min_by_key(|job| (job.state == State::Queued, job.sequence))?;
        let sequence = chosen.sequence;
        self.active.insert(sequence);
        self.change(sequence, |job| {
            job.state = State::Running;
            job.started_ms = job.started_ms.or(Some(now_ms));
        })
    }

    /// Changes a job that is run. `None` for one that is not.
    pub(super) fn update(&mut self, id: &str, change: impl FnOnce(&mut Record)) -> Option<Arc<Record>> {
        let sequence = *self.sequences.get(id)?;
        self.active.contains(&sequence).then(|| self.change(sequence, change)).flatten()
    }

    fn change(&mut self, sequence: u64, change: impl FnOnce(&mut Record)) -> Option<Arc<Record>> {
        let job = self.jobs.get_mut(&sequence)?;
        change(Arc::make_mut(job));
        Some(Arc::clone(job))
    }

    /// Ends a run. One that was stopped without being cancelled stays as it is, for the next process.
    pub(super) fn end(&mut self, id: &str, ended: Ended, now_ms: i64) -> Option<Arc<Record>> {
        let sequence = *self.sequences.get(id)?;
        if !self.active.remove(&sequence) {
            return None;
        }
        self.change(sequence, |job| {
            job.state = match ended {
                Ended::Succeeded => State::Succeeded,
                Ended::Failed(failure) => {
                    job.failure = Some(failure);
                    State::Failed
                }
                Ended::Stopped if job.cancelling => State::Cancelled,
                Ended::Stopped => return,
            };
            job.finished_ms = Some(now_ms);
        })
    }

    /// Takes a job back: at once when it waits, else when its run has stopped. One that has ended stays as it is.
    ///
    /// Errors: `NotFound`.
    pub(super) fn cancel(&mut self, id: &str, now_ms: i64) -> Result<Arc<Record>, Error> {
        let job = Arc::clone(self.get(id)?);
        if job.state.is_final() {
            return Ok(job);
        }
        let runs = self.active.contains(&job.sequence);
        let changed = self.change(job.sequence, |job| {
            job.cancelling = true;
            if !runs {
                job.state = State::Cancelled;
                job.finished_ms = Some(now_ms);
            }
        });
        Ok(changed.unwrap_or(job))
    }

    /// A job. Errors: `NotFound`.
    pub(super) fn get(&self, id: &str) -> Result<&Arc<Record>, Error> {
        let found = self.sequences.get(id).and_then(|sequence| self.jobs.get(sequence));
        found.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "there is no such job; one that ended long ago is forgotten")
        })
    }

    /// Jobs in a state, or all, the latest first, from before a sequence on.
    pub(super) fn list(&self, state: Option<State>, before: Option<u64>, most: usize) -> Vec<Arc<Record>> {
        let before = before.unwrap_or(u64::MAX);
        let jobs = self.jobs.range(..before).rev().map(|(_, job)| job);
        jobs.filter(|job| state.is_none_or(|state| job.state == state)).take(most).cloned().collect()
    }

    /// Forgets what has been kept long enough, and what is too many; returns their ids.
    pub(super) fn prune(&mut self, now_ms: i64) -> Vec<String> {
        let keep_ms = i64::try_from(self.bounds.keep.as_millis()).unwrap_or(i64::MAX);
        let mut ended: Vec<&Arc<Record>> = self.jobs.values().filter(|job| job.state.is_final()).collect();
        ended.sort_by_key(|job| std::cmp::Reverse((job.finished_ms, job.sequence)));
        let old = |job: &Record| job.finished_ms.is_none_or(|at| now_ms.saturating_sub(at) > keep_ms);
        let gone = ended.iter().enumerate().filter(|(n, job)| *n >= self.bounds.kept || old(job));
        let gone: Vec<String> = gone.map(|(_, job)| job.id.clone()).collect();
        gone.iter().for_each(|id| self.forget(id));
        gone
    }

    /// How many jobs are in each state.
    pub(super) fn counts(&self) -> [(State, usize); 5] {
        State::ALL.map(|state| (state, self.jobs.values().filter(|job| job.state == state).count()))
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
