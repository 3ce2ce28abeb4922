//! The board with what hangs on it: state files, listeners, and the means to stop a run.
//!
//! One lock guards the board, held for microseconds and never over an await. State files are written one at a time, always
//! with what the board says at that moment, so that the last one written is the last one true.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::board::{Board, Ended};
use super::folder::Folder;
use super::record::Record;
use crate::error::Error;
use crate::pipeline::monitor::now_ms;
use crate::telemetry::metrics;

/// See the module.
pub(super) struct Desk {
    shared: Mutex<Shared>,
    pub(super) folder: Folder,
    /// Whoever holds it writes state files.
    writer: tokio::sync::Mutex<()>,
    /// Changes when there may be something to run.
    news: watch::Sender<()>,
}

pub(super) struct Shared {
    pub(super) board: Board,
    /// A channel for each job that somebody has watched and that has not ended: the latest state, and no other.
    channels: HashMap<String, watch::Sender<Arc<Record>>>,
    stops: HashMap<String, CancellationToken>,
}

impl Desk {
    pub(super) fn new(board: Board, folder: Folder) -> Self {
        let shared = Shared { board, channels: HashMap::new(), stops: HashMap::new() };
        let desk = Self {
            shared: Mutex::new(shared),
            folder,
            writer: tokio::sync::Mutex::default(),
            news: watch::channel(()).0,
        };
        desk.count();
        desk
    }

    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock()
    }

    /// Hears when there may be something to run.
    pub(super) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// The job to run now, and what stops it: the end of the service, or its cancellation.
    pub(super) fn next(&self, stop: &CancellationToken) -> Option<(Arc<Record>, CancellationToken)> {
        let mut shared = self.shared();
        let job = shared.board.next(now_ms())?;
        let stop = stop.child_token();
        if job.cancelling {
            stop.cancel();
        }
        shared.stops.insert(job.id.clone(), stop.clone());
        shared.tell(&job);
        drop(shared);
        self.count();
        Some((job, stop))
    }

    /// Changes a job that is run, and tells who watches.
    pub(super) fn update(&self, id: &str, change: impl FnOnce(&mut Record)) {
        let mut shared = self.shared();
        if let Some(job) = shared.board.update(id, change) {
            shared.tell(&job);
        }
    }

    /// Notes a job down as it is now. Errors: those of the disk.
    pub(super) async fn save(self: &Arc<Self>, id: &str) -> Result<(), Error> {
        let _turn = self.writer.lock().await;
        let found = self.shared().board.get(id).cloned();
        match found {
            Ok(job) => self.write(job).await,
            // It was forgotten meanwhile.
            Err(_) => Ok(()),
        }
    }

    async fn write(self: &Arc<Self>, job: Arc<Record>) -> Result<(), Error> {
        let desk = Arc::clone(self);
        tokio::task::spawn_blocking(move || desk.folder.save(&job)).await.map_err(Error::internal)?
    }

    /// Takes in a job, once `make` has said what it is; returns it when it is noted down, and whether it is new. Nobody
    /// else does so meanwhile. Errors: those of `make`, of the board, and of the disk.
    pub(super) async fn create<F>(self: &Arc<Self>, make: F) -> Result<(Arc<Record>, bool), Error>
    where
        F: FnOnce(&Mutex<Shared>) -> Result<(Arc<Record>, bool), Error> + Send + 'static,
    {
        let _turn = self.writer.lock().await;
        let desk = Arc::clone(self);
        let made = tokio::task::spawn_blocking(move || make(&desk.shared)).await.map_err(Error::internal)?;
        let (job, new) = made?;
        if new {
            if let Err(error) = self.write(Arc::clone(&job)).await {
                self.shared().board.forget(&job.id);
                return Err(error);
            }
            self.news.send_replace(());
            self.count();
        }
        Ok((job, new))
    }

    /// Takes a job back. Errors: `NotFound`, and those of the disk; then it ends all the same.
    pub(super) async fn cancel(self: &Arc<Self>, id: &str) -> Result<Arc<Record>, Error> {
        let (job, changed) = {
            let mut shared = self.shared();
            let before = Arc::clone(shared.board.get(id)?);
            let job = shared.board.cancel(id, now_ms())?;
            (Arc::clone(&job), before != job)
        };
        if !changed {
            return Ok(job);
        }
        let saved = self.save(id).await;
        {
            let mut shared = self.shared();
            if let Some(stop) = shared.stops.get(id) {
                stop.cancel();
            }
            // The run has gone on meanwhile.
            if let Ok(now) = shared.board.get(id).cloned() {
                shared.tell(&now);
            }
        }
        if job.state.is_final() {
            metrics::job_ended(job.state.name());
            self.clear(id).await;
        }
        self.count();
        saved.map(|()| job)
    }

    /// Ends a run, notes it down, and tells who watches.
    pub(super) async fn end(self: &Arc<Self>, id: &str, ended: Ended) {
        // Its own files may be what has filled the disk; but what was done well is not thrown away before it is noted.
        let done = matches!(ended, Ended::Succeeded);
        let job = {
            let mut shared = self.shared();
            shared.stops.remove(id);
            shared.board.end(id, ended, now_ms())
        };
        let Some(job) = job else { return };
        if job.state.is_final() && !done {
            self.clear(id).await;
        }
        let saved = self.save(id).await;
        if let Err(error) = &saved {
            tracing::warn!(job = id, error = %error, "how a job has ended could not be noted down; it is run again after a restart");
        }
        if job.state.is_final() {
            metrics::job_ended(job.state.name());
        }
        if done && saved.is_ok() {
            self.clear(id).await;
        }
        self.shared().tell(&job);
        self.prune().await;
        self.news.send_replace(());
    }

    /// Forgets what has been kept long enough.
    pub(super) async fn prune(self: &Arc<Self>) {
        let _turn = self.writer.lock().await;
        let gone = self.shared().board.prune(now_ms());
        self.count();
        let desk = Arc::clone(self);
        let remove = move || {
            for id in gone {
                if let Err(error) = desk.folder.remove(&id) {
                    tracing::warn!(job = id, error = %error, "a job's state file could not be taken away");
                }
            }
        };
        let _ = tokio::task::spawn_blocking(remove).await;
    }

    async fn clear(self: &Arc<Self>, id: &str) {
        let (desk, owned) = (Arc::clone(self), id.to_owned());
        let cleared = tokio::task::spawn_blocking(move || desk.folder.clear_work(&owned)).await;
        if let Ok(Err(error)) = cleared {
            tracing::warn!(job = id, error = %error, "a job's own files could not be taken away; the next start does it");
        }
    }

    fn count(&self) {
        for (state, count) in self.shared().board.counts() {
            metrics::jobs(state.name(), count);
        }
    }
}

impl Shared {
    /// Hears of a job; the channel holds its latest state. Errors: `NotFound`.
    pub(super) fn watch(&mut self, id: &str) -> Result<watch::Receiver<Arc<Record>>, Error> {
        let job = Arc::clone(self.board.get(id)?);
        if job.state.is_final() {
            return Ok(watch::channel(job).1);
        }
        let channel = self.channels.entry(id.to_owned()).or_insert_with(|| watch::channel(job).0);
        Ok(channel.subscribe())
    }

    /// Tells who watches; after its end nobody has to.
    fn tell(&mut self, job: &Arc<Record>) {
        if let Some(channel) = self.channels.get(&job.id) {
            channel.send_replace(Arc::clone(job));
            if job.state.is_final() || channel.receiver_count() == 0 {
                self.channels.remove(&job.id);
            }
        }
    }
}
