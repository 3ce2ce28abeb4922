//! Takes events out of the outbox and sends them: at least once, those of one customer in their order.
//!
//! One loop for each sink. It takes what is due for a while (a lease), shares it out by customer, and sends to several
//! customers at the same time but to each one after the other. What fails is tried again later, and what comes behind it
//! for the same customer is given back. A process that dies gives everything back when its lease ends. When a lease is
//! about to end, nothing more is sent under it, so that nobody sends the same at the same time.

mod backlog;
mod backoff;
mod circuit;
mod round;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use backlog::watch;

use super::Sink;
use crate::storage::Outbox;
use backoff::Jitter;
use circuit::Circuit;
use round::Round;

/// Shortest and longest time between two looks into an outbox in which nothing was due. Woken, a loop looks at once; what
/// another process has written, or what was to be tried again, is found so much later at most.
const POLL: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(5)];

/// Says the time, in milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Settings of one loop.
#[derive(Debug, Clone)]
pub struct DispatchSettings {
    /// The sink's name, as the outbox has it.
    pub sink: String,
    /// Longest time of one delivery.
    pub timeout: Duration,
    /// Failures until an event is given up; at least 1.
    pub max_attempts: u32,
    /// Customers to whom is sent at the same time; at least 1.
    pub concurrency: usize,
    /// Where the jitter starts from.
    pub seed: u64,
}

/// Wakes loops: there is something new in the outbox.
#[derive(Debug, Clone, Default)]
pub struct Wake {
    loops: Arc<[Arc<Notify>]>,
}

impl Wake {
    /// Wakes all loops of these.
    pub fn of(dispatchers: &[Dispatcher]) -> Self {
        Self { loops: dispatchers.iter().map(|dispatcher| Arc::clone(&dispatcher.news)).collect() }
    }

    /// There is something new. A loop that is busy looks again when it is done.
    pub fn wake(&self) {
        self.loops.iter().for_each(|news| news.notify_one());
    }
}

/// One sink's loop.
pub struct Dispatcher {
    settings: DispatchSettings,
    sink: Arc<dyn Sink>,
    outbox: Arc<dyn Outbox>,
    clock: Clock,
    news: Arc<Notify>,
    jitter: Mutex<Jitter>,
    circuit: Mutex<Circuit>,
}

impl Dispatcher {
    /// Joins a sink with the outbox.
    pub fn new(
        settings: DispatchSettings,
        sink: Arc<dyn Sink>,
        outbox: Arc<dyn Outbox>,
        clock: Clock,
    ) -> Self {
        let jitter = Mutex::new(Jitter::new(settings.seed));
        Self { settings, sink, outbox, clock, news: Arc::default(), jitter, circuit: Mutex::default() }
    }

    /// Delivers until `stop`; then what is on its way ends, and what was taken and not tried is given back. Ends by itself only
    /// when the sink is gone for good.
    pub async fn run(self, stop: CancellationToken) {
        let mut idle = POLL[0];
        while !stop.is_cancelled() {
            match self.round(&stop).await {
                Round::Worked => idle = POLL[0],
                Round::Idle => {
                    let woken = self.rest(idle, &stop).await;
                    idle = if woken { POLL[0] } else { (idle * 2).min(POLL[1]) };
                }
                Round::Paused(pause) => {
                    let _stopped = stop.run_until_cancelled(tokio::time::sleep(pause)).await;
                }
                Round::Gone => return,
            }
        }
    }

    /// Waits for news, or so long; whether there was news.
    async fn rest(&self, idle: Duration, stop: &CancellationToken) -> bool {
        tokio::select! {
            () = self.news.notified() => true,
            () = tokio::time::sleep(idle) => false,
            () = stop.cancelled() => false,
        }
    }

    fn now_ms(&self) -> i64 {
        (self.clock)()
    }
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
