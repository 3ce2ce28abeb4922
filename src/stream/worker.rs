//! The worker: pulls, has batches read side by side, and keeps them one after the other.
//!
//! While one batch is kept and told of, the next ones are read, so that the model does not wait for the database. A worker
//! keeps its own batches in the order of the stream; between workers the store's lock on the customer decides, and an
//! interaction that comes late is placed where its time says.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::batch::{Desk, ReadBatch};
use super::held::Held;
use super::patience::Patience;
use super::transport::{Message, Transport};
use crate::pipeline::customers::Customers;
use crate::telemetry::metrics;

/// Batches of one worker at a time: one that is kept, and two that are read, so that the model has the next one's texts before
/// the last long text of this one is through.
pub const BATCHES: usize = 3;

/// How far behind the workers are is asked this often.
const LAG: Duration = Duration::from_secs(15);

/// Settings of a worker.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// What subjects begin with.
    pub subject_prefix: String,
    /// Name of the consumer that workers share.
    pub durable: String,
    /// Messages that are read and kept together; at least 1.
    pub batch: usize,
    /// Deliveries until a message that always fails becomes a dead letter; at least 1.
    pub max_deliver: u32,
    /// Time until the stream gives an unanswered message to somebody else.
    pub ack_wait: Duration,
}

/// A worker.
pub struct Worker {
    desk: Arc<Desk>,
    stop: CancellationToken,
}

/// A batch that is read, or about to be.
struct Reading {
    read: JoinHandle<ReadBatch>,
    sequences: Vec<u64>,
    pulled: Instant,
    slot: OwnedSemaphorePermit,
}

impl Worker {
    /// Joins customers with a stream; it works until `stop`.
    pub fn new(
        customers: Arc<Customers>,
        transport: Arc<dyn Transport>,
        settings: WorkerSettings,
        stop: CancellationToken,
    ) -> Self {
        let patience = Patience::new(stop.clone());
        let desk = Desk { customers, transport, settings, held: Held::default(), patience };
        Self { desk: Arc::new(desk), stop }
    }

    /// Whether everything that is needed was there when it was last asked; changes as it goes and comes.
    pub fn well(&self) -> watch::Receiver<bool> {
        self.desk.patience.well()
    }

    /// Pulls until `stop`; then what is in hand is finished and answered.
    pub async fn run(self) {
        let done = CancellationToken::new();
        let aside = [tokio::spawn(progress(Arc::clone(&self.desk), done.clone())), {
            let (transport, done) = (Arc::clone(&self.desk.transport), done.clone());
            tokio::spawn(async move { lag(transport.as_ref(), done).await })
        }];
        let (send, receive) = mpsc::channel(BATCHES);
        let keeping = tokio::spawn(keep(Arc::clone(&self.desk), receive));
        self.pull(send).await;
        // A task that has panicked has said so; what it held comes again.
        let _ended = keeping.await;
        done.cancel();
        for task in aside {
            let _ended = task.await;
        }
        self.desk.transport.flush().await;
    }

    async fn pull(&self, send: mpsc::Sender<Reading>) {
        let slots = Arc::new(Semaphore::new(BATCHES));
        let desk = &self.desk;
        while !self.stop.is_cancelled() {
            if !*self.well().borrow() {
                // Nothing is read that can't be kept.
                desk.patience.until("store", || desk.customers.store().check()).await;
                continue;
            }
            // One is free before anything is pulled; nobody else takes it.
            if slots.acquire().await.is_err() || self.stop.is_cancelled() {
                return;
            }
            for messages in self.messages().await {
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
                let (desk, pulled) = (Arc::clone(&self.desk), Instant::now());
                let sequences = messages.iter().map(|message| message.sequence).collect();
                let read = tokio::spawn(async move { desk.read(messages).await });
                if send.send(Reading { read, sequences, pulled, slot }).await.is_err() {
                    return;
                }
            }
        }
    }

    /// What there is, in batches. Messages that were given out again and again stand alone: one of them may be what ends
    /// workers, and is not to take others with it.
    async fn messages(&self) -> Vec<Vec<Message>> {
        let desk = &self.desk;
        let messages = match desk.transport.pull(desk.settings.batch).await {
            Ok(messages) => messages,
            Err(error) => {
                tracing::warn!(%error, causes = error.causes(), "can't pull");
                desk.patience.until("stream", || desk.transport.prepare()).await;
                return Vec::new();
            }
        };
        metrics::pulled(messages.len());
        desk.held.take(&messages);
        let most = u64::from(desk.settings.max_deliver);
        let (usual, suspect): (Vec<_>, Vec<_>) = messages.into_iter().partition(|m| m.deliveries <= most);
        let usual = Some(usual).filter(|usual| !usual.is_empty());
        usual.into_iter().chain(suspect.into_iter().map(|one| vec![one])).collect()
    }
}

/// Keeps batches in their order until there are no more.
async fn keep(desk: Arc<Desk>, mut batches: mpsc::Receiver<Reading>) {
    while let Some(Reading { read, sequences, pulled, slot }) = batches.recv().await {
        match read.await {
            Ok(batch) => desk.finish(batch).await,
            // Its messages come again when their time is over, which it never is while the stream hears of them.
            Err(error) => {
                desk.held.forget(&sequences);
                tracing::error!(%error, "a batch was not read");
            }
        }
        metrics::worker_batch(pulled.elapsed());
        drop(slot);
    }
}

async fn progress(desk: Arc<Desk>, stop: CancellationToken) {
    desk.held.tell(desk.transport.as_ref(), desk.settings.ack_wait, stop).await;
}

async fn lag(transport: &dyn Transport, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LAG);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        match transport.lag().await {
            Ok(lag) => metrics::worker_lag(lag.waiting, lag.unanswered),
            Err(error) => tracing::debug!(%error, causes = error.causes(), "no lag"),
        }
    }
}
