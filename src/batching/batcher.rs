//! The batcher's face to its callers: submit a window, await its answer.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::{Semaphore, oneshot};

use super::admission::{Admission, AdmissionSettings, Decision, Reason, Refusal};
use super::cache::{self, ResultCache};
use super::closed::ClosedBatches;
use super::entries::{self, Entries, Waiter};
use super::queue::{BatchLimits, Lane, Queue};
use super::worker;
use crate::error::{Error, ErrorKind};
use crate::inference::{BackendFactory, InferenceError, WindowOutput};
use crate::model::manifest::Markers;
use crate::telemetry::metrics;

/// Markers around each window count as work too.
pub(super) const MARKER_TOKENS: usize = 2;
/// Dead entries are swept out of a full queue at most this often: a refusal must stay cheap.
const SWEEP_EVERY: Duration = Duration::from_millis(10);

/// How a batcher works.
#[derive(Debug, Clone)]
pub struct BatcherSettings {
    /// Id and version of the model, for the keys of the cache.
    pub model: String,
    /// Token ids that frame a window.
    pub markers: Markers,
    /// Threads, each with its own session; at least 1.
    pub workers: usize,
    /// Tokens per batch; `None` calibrates at warm-up.
    pub batch_tokens: Option<usize>,
    /// Bounds of each lane.
    pub admission: AdmissionSettings,
    /// Bytes of results that are kept; 0 for none.
    pub cache_bytes: usize,
}

/// How work enters the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// Refused at once when there is no room or the deadline can't be met.
    Refuse,
    /// Waits for room: for batches and streams, whose sender is slowed down by it.
    Wait,
    /// A further window of a text whose first window was admitted: always let in, because its caller bounds how many are
    /// in flight.
    Continue,
}

/// One window to be read.
#[derive(Debug, Clone)]
pub struct Request {
    /// Token ids without markers; at least one.
    pub ids: Arc<[u32]>,
    /// Which lane it waits in.
    pub lane: Lane,
    /// How it enters the queue.
    pub entrance: Entrance,
    /// When its caller stops waiting.
    pub deadline: Option<Instant>,
}

/// A window's result and where the time went.
#[derive(Debug, Clone)]
pub struct WindowAnswer {
    /// What the network says.
    pub output: Arc<WindowOutput>,
    /// Time in the queue; zero for a cached result.
    pub queued: Duration,
    /// Time of the batch at the network; zero for a cached result.
    pub inference: Duration,
    /// Whether the result came from the cache.
    pub cached: bool,
}

pub(super) type WindowResult = Result<WindowAnswer, Error>;

pub(super) struct State {
    pub(super) queue: Queue,
    pub(super) entries: Entries,
    pub(super) closed: ClosedBatches,
    pub(super) admission: Admission,
    pub(super) stopping: bool,
    swept: Instant,
    /// The tokens of each lane that the metric knows of: several batchers share it.
    told: [usize; 2],
}

impl State {
    /// Tells the metric how a lane's queue has changed.
    pub(super) fn tell_depth(&mut self, lane: Lane) {
        let (now, told) = (self.queue.tokens(lane), &mut self.told[lane.place()]);
        metrics::queue_changed(lane.name(), now as f64 - *told as f64);
        *told = now;
    }
}

pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) work: Condvar,
    pub(super) settings: BatcherSettings,
    pub(super) limits: BatchLimits,
    pub(super) cache: ResultCache,
    /// Room for work that waits to enter, per lane, in tokens.
    room: [Semaphore; 2],
    room_tokens: usize,
}

/// Where the workers are waited for when a batcher is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Where it is dropped: nothing is left when a process ends.
    Here,
    /// On a thread for blocking work of the tokio runtime, for whoever drops it last may be a call.
    Aside,
}

/// Batches windows of all callers dynamically. Dropping it stops the workers after the queue is empty.
pub struct Batcher {
    pub(super) shared: Arc<Shared>,
    workers: Vec<std::thread::JoinHandle<()>>,
    held: Vec<Box<dyn Any + Send + Sync>>,
    ends_aside: AtomicBool,
}

impl Batcher {
    /// Builds one backend per worker, warms them up, calibrates the budget, and starts the threads. Slow: for start-up.
    pub fn spawn(factory: &dyn BackendFactory, settings: BatcherSettings) -> Result<Self, InferenceError> {
        let mut backends = worker::build(factory, &settings)?;
        let calibration = super::calibrate::calibrate(&mut backends, settings.markers)?;
        let mut limits = calibration.limits;
        limits.budget = settings.batch_tokens.unwrap_or(limits.budget);
        let rate = calibration.rate * settings.workers as f64;
        let room_tokens = (settings.admission.capacity_tokens / 2).max(1);
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue: Queue::default(),
                entries: Entries::default(),
                closed: ClosedBatches::default(),
                admission: Admission::new(settings.admission, rate),
                stopping: false,
                swept: Instant::now(),
                told: [0; 2],
            }),
            work: Condvar::new(),
            limits,
            cache: ResultCache::new(settings.cache_bytes),
            room: [Semaphore::new(room_tokens), Semaphore::new(room_tokens)],
            room_tokens,
            settings,
        });
        tracing::info!(
            workers = backends.len(),
            batch_tokens = limits.budget,
            batch_overhead_tokens = limits.overhead,
            padding_cost = limits.padding,
            tokens_per_second = rate as u64,
            "dynamic batcher is ready"
        );
        let workers = backends
            .drain(..)
            .enumerate()
            .map(|(n, backend)| {
                let shared = Arc::clone(&shared);
                std::thread::Builder::new()
                    .name(format!("attune-worker-{n}"))
                    .spawn(move || worker::run(&shared, backend))
                    .map_err(|e| InferenceError::Run(format!("can't start a worker thread: {e}")))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { shared, workers, held: Vec::new(), ends_aside: AtomicBool::new(false) })
    }

    /// Keeps something as long as the workers; it is dropped where they are waited for.
    pub fn hold(&mut self, what: impl Send + Sync + 'static) {
        self.held.push(Box::new(what));
    }

    /// Says where the workers are to be waited for; at first, where it is dropped.
    pub fn set_ending(&self, ending: Ending) {
        self.ends_aside.store(ending == Ending::Aside, Ordering::Relaxed);
    }

    /// Windows in the queue and at the workers.
    pub fn in_flight(&self) -> usize {
        self.shared.state.lock().entries.len()
    }

    /// Whether about `tokens` more would be refused right now: asked before a text is tokenised, so that a refusal costs
    /// next to nothing.
    pub fn check_room(&self, tokens: usize, lane: Lane, deadline: Option<Instant>) -> Result<(), Error> {
        let mut state = self.shared.state.lock();
        self.admit(&mut state, tokens, lane, deadline)
    }

    /// Reads one window. Dropping the future takes the window back unless a worker has it or another caller waits for
    /// the same one.
    pub async fn submit(&self, request: Request) -> WindowResult {
        let key = cache::key(&self.shared.settings.model, &request.ids);
        if let Some(output) = self.shared.cache.get(&key) {
            metrics::cache_hit();
            return Ok(WindowAnswer {
                output,
                queued: Duration::ZERO,
                inference: Duration::ZERO,
                cached: true,
            });
        }
        let tokens = request.ids.len() + MARKER_TOKENS;
        let _room = match request.entrance {
            Entrance::Wait => Some(self.wait_for_room(tokens, request.lane, request.deadline).await?),
            Entrance::Refuse | Entrance::Continue => None,
        };
        let (sender, answer) = oneshot::channel();
        let waiter = Waiter {
            answer: sender,
            deadline: request.deadline,
            since: Instant::now(),
            may_be_cut: request.entrance == Entrance::Refuse,
        };
        {
            let mut state = self.shared.state.lock();
            if state.stopping {
                return Err(Error::new(ErrorKind::Unavailable, "the service is shutting down"));
            }
            if let Some(waiter) = state.entries.join(&key, request.lane, waiter) {
                if request.entrance == Entrance::Refuse {
                    self.admit(&mut state, tokens, request.lane, request.deadline)?;
                }
                let ticket = state.entries.add(key, request.ids, request.lane, waiter);
                state.queue.push(request.lane, ticket, tokens);
                state.tell_depth(request.lane);
                self.shared.work.notify_one();
            } else {
                metrics::coalesced();
            }
        }
        let result = match request.deadline {
            // The worker settles late callers when it meets them; a caller behind a long batch must not wait for that.
            Some(deadline) => tokio::time::timeout_at(deadline.into(), answer).await.map_err(|_| late())?,
            None => answer.await,
        };
        result.unwrap_or_else(|_| Err(Error::internal("a worker dropped a window without an answer")))
    }

    pub(super) async fn wait_for_room(
        &self,
        tokens: usize,
        lane: Lane,
        deadline: Option<Instant>,
    ) -> Result<tokio::sync::SemaphorePermit<'_>, Error> {
        let tokens = u32::try_from(tokens.min(self.shared.room_tokens)).unwrap_or(u32::MAX);
        let acquire = self.shared.room[lane.place()].acquire_many(tokens);
        let permit = match deadline {
            Some(deadline) => tokio::time::timeout_at(deadline.into(), acquire).await.map_err(|_| late())?,
            None => acquire.await,
        };
        permit.map_err(Error::internal)
    }

    fn admit(
        &self,
        state: &mut State,
        tokens: usize,
        lane: Lane,
        deadline: Option<Instant>,
    ) -> Result<(), Error> {
        let now = Instant::now();
        let ahead = ahead_of(&state.queue, lane);
        let refusal = match state.admission.decide(tokens, ahead, deadline, now) {
            Decision::Admit => return Ok(()),
            Decision::Refuse(refusal) => {
                if now.duration_since(state.swept) > SWEEP_EVERY {
                    state.swept = now;
                    let State { queue, entries, closed, .. } = state;
                    queue.sweep(|ticket| {
                        closed.is_live(ticket).unwrap_or_else(|| entries.is_live(ticket, now))
                    });
                }
                refusal
            }
            Decision::RefuseAndCut(refusal, limit) => {
                let State { queue, entries, closed, .. } = state;
                for ticket in
                    queue.cut(lane, limit, |ticket| !closed.holds(ticket) && entries.may_be_cut(ticket))
                {
                    if let Some((_, entry)) = entries.remove(ticket) {
                        metrics::refused(lane.name(), "cut");
                        entries::answer(entry, |_| Err(overloaded(refusal)));
                    }
                }
                refusal
            }
        };
        metrics::refused(lane.name(), if refusal.reason == Reason::Full { "full" } else { "deadline" });
        Err(overloaded(refusal))
    }

    /// Stops taking work, finishes what is queued, and waits for the workers. Blocks.
    pub fn stop(&mut self) {
        self.shared.begin_to_stop();
        end(&self.shared, self.workers.drain(..));
    }
}

impl Drop for Batcher {
    fn drop(&mut self) {
        self.shared.begin_to_stop();
        let (shared, held) = (Arc::clone(&self.shared), std::mem::take(&mut self.held));
        let workers = std::mem::take(&mut self.workers);
        let aside = self.ends_aside.load(Ordering::Relaxed);
        match tokio::runtime::Handle::try_current() {
            // When the runtime ends meanwhile, the workers end by themselves.
            Ok(runtime) if aside => drop(runtime.spawn_blocking(move || {
                end(&shared, workers);
                drop(held);
            })),
            _ => end(&shared, workers),
        }
    }
}

fn end(shared: &Shared, workers: impl IntoIterator<Item = std::thread::JoinHandle<()>>) {
    for worker in workers {
        if worker.join().is_err() {
            tracing::error!("a worker thread panicked");
        }
    }
    let mut state = shared.state.lock();
    state.closed = ClosedBatches::default();
    let left = state.entries.drain();
    for (lane, told) in Lane::ALL.into_iter().zip(std::mem::take(&mut state.told)) {
        metrics::queue_changed(lane.name(), -(told as f64));
    }
    drop(state);
    for entry in left {
        entries::answer(entry, |_| Err(Error::new(ErrorKind::Unavailable, "the service is shutting down")));
    }
}

impl Shared {
    fn begin_to_stop(&self) {
        self.state.lock().stopping = true;
        self.work.notify_all();
    }
}

/// Tokens that will be read before a newcomer of `lane`: its own lane, and what the other lane gets meanwhile.
fn ahead_of(queue: &Queue, lane: Lane) -> usize {
    let (own, other) = match lane {
        Lane::Interactive => (queue.tokens(Lane::Interactive), queue.tokens(Lane::Bulk)),
        Lane::Bulk => (queue.tokens(Lane::Bulk), queue.tokens(Lane::Interactive)),
    };
    let share = match lane {
        Lane::Interactive => own / 4,
        Lane::Bulk => own * 4,
    };
    own + other.min(share)
}

fn overloaded(refusal: Refusal) -> Error {
    let message = match refusal.reason {
        Reason::Full => "the queue is full; retry later",
        Reason::Deadline => "the deadline can't be met at the present load; retry later",
    };
    Error::new(ErrorKind::Overloaded, message).with_retry_after(refusal.retry_after)
}

fn late() -> Error {
    Error::new(ErrorKind::DeadlineExceeded, "the deadline passed before the text was read")
}

#[cfg(test)]
#[path = "batcher_tests.rs"]
mod tests;
