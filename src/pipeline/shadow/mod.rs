//! A candidate that reads a share of what another model is asked for, beside the answers, so that its differences are known
//! before anybody depends on it.
//!
//! The live call hands over its text and its probabilities and goes on; what does not fit into the queue is dropped and
//! counted. One task reads the texts one after the other, in the bulk lane: the candidate's workers share the processors
//! with the live model's. A text is gone when it was read; what stays are the counts of `tally.rs`.

mod plan;
mod reading;
mod tally;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::analyzer::Analyzer;
use super::customers::bulk;
use super::models::ModelName;
use super::monitor::now_ms;
use crate::error::{Error, ErrorKind};
use crate::telemetry::metrics::{self, Shadowed};

pub use plan::{HeadPlan, LabelPlan, Plan};
pub use tally::{HeadTally, LabelTally, Tally};

/// Texts that may wait for the candidate.
const WAITING: usize = 1024;
/// Bytes of them: a long text may have a megabyte.
const WAITING_BYTES: usize = 4 << 20;

/// A text on its way to the candidate. It has no `Debug`: it holds what a customer wrote.
struct Sample {
    text: String,
    language: Option<String>,
    live: Vec<f64>,
    took: Duration,
}

/// What is known of a candidate.
#[derive(Debug, Clone)]
pub struct Report {
    /// The model that answers, and the candidate.
    pub names: [ModelName; 2],
    /// Share of the texts that the candidate is to read.
    pub share: f64,
    /// When it began, in milliseconds since 1970.
    pub started_ms: i64,
    /// Texts that the candidate did not get.
    pub dropped: u64,
    /// What is compared.
    pub plan: Arc<Plan>,
    /// How it came out.
    pub tally: Tally,
}

/// A shadow that runs. Dropping it ends it; what waits is thrown away.
pub struct Shadow {
    names: [ModelName; 2],
    model: Weak<Analyzer>,
    share: f64,
    started_ms: i64,
    asked: AtomicU64,
    dropped: AtomicU64,
    /// Bytes of the texts that wait.
    bytes: Arc<AtomicUsize>,
    plan: Arc<Plan>,
    tally: Arc<Mutex<Tally>>,
    send: mpsc::Sender<Sample>,
    task: JoinHandle<()>,
}

impl Shadow {
    /// Starts to read for `candidate`. On a tokio runtime.
    ///
    /// Errors: `InvalidInput` for a share that is none; `Precondition` for models that have nothing in common.
    pub fn spawn(model: &Arc<Analyzer>, candidate: Arc<Analyzer>, share: f64) -> Result<Self, Error> {
        if !(share > 0.0 && share <= 1.0) {
            return Err(Error::invalid("share", "expected a number above 0 and at most 1"));
        }
        let names = [model, &candidate].map(|one| ModelName::of(one.manifest()));
        let plan = Arc::new(Plan::of(model.manifest(), candidate.manifest()));
        if plan.heads.is_empty() {
            let problem =
                "the two models have no label of the same head in common, so there is nothing to compare";
            return Err(Error::new(ErrorKind::Precondition, problem));
        }
        let (send, receive) = mpsc::channel(WAITING);
        let (bytes, tally) = (Arc::<AtomicUsize>::default(), Arc::new(Mutex::new(Tally::new(&plan))));
        let reader = Reader {
            candidate,
            plan: Arc::clone(&plan),
            tally: Arc::clone(&tally),
            bytes: Arc::clone(&bytes),
        };
        Ok(Self {
            names,
            model: Arc::downgrade(model),
            share,
            started_ms: now_ms(),
            asked: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            bytes,
            plan,
            tally,
            send,
            task: tokio::spawn(reader.run(receive)),
        })
    }

    /// The model that answers, and the candidate.
    pub fn names(&self) -> &[ModelName; 2] {
        &self.names
    }

    /// How it stands.
    pub fn report(&self) -> Report {
        Report {
            names: self.names.clone(),
            share: self.share,
            started_ms: self.started_ms,
            dropped: self.dropped.load(Ordering::Relaxed),
            plan: Arc::clone(&self.plan),
            tally: self.tally.lock().clone(),
        }
    }

    /// Takes it off its model, so that no further text comes.
    pub(super) fn take_off(&self) {
        if let Some(model) = self.model.upgrade() {
            model.set_shadow(None);
        }
    }

    /// Whether it is this text's turn.
    pub(super) fn is_due(&self) -> bool {
        is_due(self.asked.fetch_add(1, Ordering::Relaxed), self.share)
    }

    /// Takes a text over if there is room; never waits. `busy` says that the service has none to spare.
    pub(super) fn offer(
        &self,
        text: &str,
        language: Option<&str>,
        (live, took): (Vec<f64>, Duration),
        busy: bool,
    ) {
        if busy || !self.reserve(text.len()) {
            return self.drop_one();
        }
        let language = language.map(ToOwned::to_owned);
        let sample = Sample { text: text.to_owned(), language, live, took };
        if let Err(error) = self.send.try_send(sample) {
            self.bytes.fetch_sub(error.into_inner().text.len(), Ordering::Relaxed);
            self.drop_one();
        }
    }

    fn reserve(&self, bytes: usize) -> bool {
        let add = |held: usize| (held + bytes <= WAITING_BYTES).then_some(held + bytes);
        self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok()
    }

    fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        metrics::shadowed(Shadowed::Dropped);
    }
}

impl Drop for Shadow {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Spreads the share evenly: of the first n texts, whole(n · share) are due.
fn is_due(place: u64, share: f64) -> bool {
    let due = |texts: u64| (texts as f64 * share).floor();
    due(place.saturating_add(1)) > due(place)
}

/// The task's own part.
struct Reader {
    candidate: Arc<Analyzer>,
    plan: Arc<Plan>,
    tally: Arc<Mutex<Tally>>,
    bytes: Arc<AtomicUsize>,
}

impl Reader {
    async fn run(self, mut samples: mpsc::Receiver<Sample>) {
        while let Some(sample) = samples.recv().await {
            let started = Instant::now();
            let Sample { text, language, live, took } = sample;
            let read = self.candidate.probabilities(&text, language.as_deref(), bulk()).await;
            self.bytes.fetch_sub(text.len(), Ordering::Relaxed);
            // Why a text can't be read says something of the text, so that it is counted and not logged.
            let Ok(Some(read)) = read else {
                self.tally.lock().fail();
                metrics::shadowed(Shadowed::Failed);
                continue;
            };
            self.tally.lock().add(&self.plan, &live, &read, [took, started.elapsed()]);
            metrics::shadowed(Shadowed::Compared);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::is_due;

    proptest! {
        #[test]
        fn a_share_of_the_texts_is_due_and_they_are_spread_evenly(share in 0.001..=1.0f64, count in 1..3000u64) {
            let due = (0..count).filter(|place| is_due(*place, share)).count() as f64;
            prop_assert!((due - count as f64 * share).abs() <= 1.0, "{} of {}", due, count);
        }
    }

    #[test]
    fn all_texts_are_due_at_a_share_of_one_and_every_fourth_at_a_quarter() {
        assert!((0..1000).all(|place| is_due(place, 1.0)));
        assert_eq!((0..8).filter(|place| is_due(*place, 0.25)).collect::<Vec<_>>(), [3, 7]);
    }
}
