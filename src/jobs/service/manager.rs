//! The jobs of a service: what callers ask of them, and the tasks that run them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::board::{Board, Bounds, Ended, Wanted};
use super::buckets::Buckets;
use super::desk::Desk;
use super::directories::Allowed;
use super::folder::Folder;
use super::pin;
use super::record::{Failure, Record, State};
use super::spec::Spec;
use super::transfer::Patience;
use super::work::{Means, Spool, Work};
use crate::error::{Error, ErrorKind};
use crate::jobs::plan::Rules;
use crate::pipeline::Models;
use crate::pipeline::monitor::now_ms;

/// How often old jobs are looked for, beside each end of a job.
const SWEEP: Duration = Duration::from_secs(60);

/// What jobs go by.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the jobs are kept.
    pub directory: PathBuf,
    /// Directories that jobs may read and write.
    pub directories: Vec<PathBuf>,
    /// Buckets that jobs may read and write.
    pub buckets: Vec<String>,
    /// How many there may be.
    pub bounds: Bounds,
    /// Bytes of downloads that may lie on the disk at once.
    pub spool_bytes: u64,
    /// How often a transfer is tried.
    pub patience: Patience,
    /// What the runner goes by.
    pub rules: Rules,
}

/// The jobs. Clones are the same jobs.
#[derive(Clone)]
pub struct Jobs {
    desk: Arc<Desk>,
    means: Arc<Means>,
    concurrent: usize,
    tasks: TaskTracker,
}

impl Jobs {
    /// Reads the jobs that earlier processes have left; [`Self::start`] runs them. Blocks.
    ///
    /// Errors: `Precondition`, `NotFound` and `InvalidInput` for directories that can't be used, with the setting;
    /// `Unavailable` when another process has the directory.
    pub fn open(settings: Settings, buckets: Arc<dyn Buckets>) -> Result<Self, Error> {
        let folder = Folder::open(&settings.directory)?;
        let allowed = Allowed::try_new(&settings.directories, &settings.buckets, folder.root())?;
        let mut board = Board::new(settings.bounds);
        let now = now_ms();
        folder.load()?.into_iter().for_each(|record| board.restore(record, now));
        board.prune(now).iter().try_for_each(|id| folder.remove(id))?;
        let unfinished =
            board.list(None, None, usize::MAX).iter().filter(|job| !job.state.is_final()).count();
        if unfinished > 0 {
            tracing::info!(jobs = unfinished, "jobs of an earlier process go on");
        }
        let means = Means {
            allowed,
            buckets,
            rules: settings.rules,
            patience: settings.patience,
            spool: Spool::new(settings.spool_bytes),
        };
        Ok(Self {
            desk: Arc::new(Desk::new(board, folder)),
            means: Arc::new(means),
            concurrent: settings.bounds.concurrent,
            tasks: TaskTracker::new(),
        })
    }

    /// Runs jobs until `stop`; what runs then is stopped at a checkpoint and goes on at the next start. On a multi-threaded
    /// tokio runtime.
    pub fn start(&self, models: &Models, stop: &CancellationToken) {
        for _ in 0..self.concurrent {
            self.tasks.spawn(self.clone().run_jobs(models.clone(), stop.clone()));
        }
        let (desk, stop) = (Arc::clone(&self.desk), stop.clone());
        self.tasks.spawn(async move {
            let mut tick = tokio::time::interval(SWEEP);
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = tick.tick() => desk.prune().await,
                }
            }
        });
    }

    /// Waits until all runs have stopped, and lets another process have the directory. Afterwards nothing is run.
    pub async fn stopped(&self, patience: Duration) {
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!(
                "a job did not stop in time; it goes on from its last checkpoint at the next start"
            );
        }
        self.desk.folder.release();
    }

    async fn run_jobs(self, models: Models, stop: CancellationToken) {
        let mut news = self.desk.news();
        while !stop.is_cancelled() {
            news.borrow_and_update();
            let Some((job, stop)) = self.desk.next(&stop) else {
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = news.changed() => continue,
                }
            };
            self.run(&models, job, stop).await;
        }
    }

    async fn run(&self, models: &Models, job: Arc<Record>, stop: CancellationToken) {
        let id = job.id.clone();
        let pinned = pin::pin(models, &job);
        if let Ok(pinned) = &pinned {
            self.desk.update(&id, |job| job.model = pinned.name());
            tracing::info!(job = id, model = pinned.name(), "a job is run");
        }
        if let Err(error) = self.desk.save(&id).await {
            tracing::warn!(job = id, error = %error, "that a job is run could not be noted down");
        }
        let result = match pinned {
            Ok(pinned) => {
                let (means, desk) = (Arc::clone(&self.means), Arc::clone(&self.desk));
                let work = Work { means, desk, pinned, job, stop: stop.clone() };
                // A thread of its own: much of a run blocks, and what panics there must not end the others.
                let runtime = tokio::runtime::Handle::current();
                let run = tokio::task::spawn_blocking(move || runtime.block_on(work.run()));
                run.await.map_err(Error::internal).and_then(|result| result)
            }
            Err(error) => Err(error),
        };
        let ended = match result {
            Ok(()) => Ended::Succeeded,
            Err(error) if error.kind() == ErrorKind::Cancelled && stop.is_cancelled() => Ended::Stopped,
            Err(error) => {
                // The message may name columns: it is the caller's, not the log's.
                tracing::warn!(job = id, error.kind = ?error.kind(), "a job has failed");
                if error.kind() == ErrorKind::Internal {
                    tracing::error!(job = id, error.causes = error.causes(), "a job has met a defect");
                }
                Ended::Failed(Failure::from(&error))
            }
        };
        self.desk.end(&id, ended).await;
    }

    /// Creates a job, or finds the one that was created with this key and request; says whether it is new.
    ///
    /// Errors: `InvalidInput` with the field; `AlreadyExists` for a key of another request, and for an output that is
    /// there; `NotFound` for an input that is not; `Precondition` where nothing is allowed, and for the output of another
    /// job; `Overloaded`; those of the disk.
    pub async fn create(&self, spec: Spec, key: String) -> Result<(Arc<Record>, bool), Error> {
        spec.check()?;
        let (desk, means) = (Arc::clone(&self.desk), Arc::clone(&self.means));
        // A caller that goes away must not leave a job that is half created.
        let create = tokio::spawn(async move {
            desk.create(move |shared| {
                if let Some(job) = shared.lock().board.made_before(&key, &spec)? {
                    return Ok((job, false));
                }
                let places = means.allowed.places(&spec)?;
                Allowed::check_free(&places)?;
                let targets = places.targets().map(|(_, place)| place.to_string()).collect();
                let id = uuid::Uuid::new_v4().to_string();
                let wanted = Wanted { id, idempotency_key: key, spec, targets };
                shared.lock().board.create(wanted, now_ms()).map(|job| (job, true))
            })
            .await
        });
        create.await.map_err(Error::internal)?
    }

    /// A job. Errors: `NotFound`.
    pub fn get(&self, id: &str) -> Result<Arc<Record>, Error> {
        self.desk.shared().board.get(id).cloned()
    }

    /// Jobs in a state, or all, the latest first, from before a sequence on; at most `most`.
    pub fn list(&self, state: Option<State>, before: Option<u64>, most: usize) -> Vec<Arc<Record>> {
        self.desk.shared().board.list(state, before, most)
    }

    /// Takes a job back: at once when it waits, else as soon as its run has stopped. One that has ended stays as it is.
    /// Errors: `NotFound`, and those of the disk.
    pub async fn cancel(&self, id: &str) -> Result<Arc<Record>, Error> {
        let (desk, id) = (Arc::clone(&self.desk), id.to_owned());
        tokio::spawn(async move { desk.cancel(&id).await }).await.map_err(Error::internal)?
    }

    /// Hears of a job: the channel holds its latest state, and closes when nothing will change any more. Errors:
    /// `NotFound`.
    pub fn watch(&self, id: &str) -> Result<watch::Receiver<Arc<Record>>, Error> {
        self.desk.shared().watch(id)
    }
}
