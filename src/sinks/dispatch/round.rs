//! One look into the outbox, and what is done with what was there.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Dispatcher;
use crate::error::Error;
use crate::sinks::Failure;
use crate::storage::{Delivery, Outcome};
use crate::telemetry::metrics;

/// Events that are taken at once: enough for every customer of the largest concurrency, and few to be given back.
const BATCH: usize = 64;
/// How many deliveries in a row fit into a lease at least, were each to take its longest time. A longer lease would let
/// what a dead process has taken wait longer; what does not fit is given back and taken again.
const LEASE_SENDS: u32 = 4;
/// What a sink gets beyond its own time, to say by itself that the time is over.
const GRACE: Duration = Duration::from_secs(1);
/// What a lease is longer than its deliveries, for the last one's grace and for settling.
const LEASE_MARGIN: Duration = Duration::from_secs(15);
/// How often settling is tried; after that the lease ends by itself, and the events leave once more.
const SETTLE_TRIES: u32 = 3;
/// Time between these tries.
const SETTLE_PAUSE: Duration = Duration::from_millis(500);
/// Time until the outbox is asked again after it could not be reached.
const OUTBOX_PAUSE: Duration = Duration::from_secs(2);

/// How a look into the outbox went.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// There was something.
    Worked,
    /// Nothing was due.
    Idle,
    /// Nothing may be sent for so long.
    Paused(Duration),
    /// The sink is gone for good.
    Gone,
}

/// What holds for everything that was taken at once.
struct Lease<'a> {
    /// No delivery begins after this.
    last_start_ms: i64,
    stop: &'a CancellationToken,
    gone: AtomicBool,
}

impl Dispatcher {
    /// Takes what is due and sends it.
    pub(super) async fn round(&self, stop: &CancellationToken) -> Round {
        let now_ms = self.now_ms();
        let limit = match self.circuit.lock().admits(now_ms, BATCH) {
            Ok(limit) => limit,
            Err(pause) => return Round::Paused(pause),
        };
        let lease = self.settings.timeout * LEASE_SENDS + LEASE_MARGIN;
        let lease_until_ms = now_ms.saturating_add(millis(lease));
        let taken = match self.outbox.claim(&self.settings.sink, limit, now_ms, lease_until_ms).await {
            Ok(taken) if taken.is_empty() => return Round::Idle,
            Ok(taken) => taken,
            Err(error) => return self.unreachable(&error),
        };
        let last_start_ms = lease_until_ms - millis(self.settings.timeout + LEASE_MARGIN);
        let lease = Lease { last_start_ms, stop, gone: AtomicBool::new(false) };
        let queues = futures_util::stream::iter(by_customer(taken));
        queues.for_each_concurrent(self.settings.concurrency, |queue| self.customer(queue, &lease)).await;
        if lease.gone.into_inner() { Round::Gone } else { Round::Worked }
    }

    fn unreachable(&self, error: &Error) -> Round {
        tracing::warn!(sink = self.settings.sink, error = %error, causes = error.causes(), "no outbox");
        Round::Paused(OUTBOX_PAUSE)
    }

    /// Sends the events of one customer, one after the other, until one has to be tried again.
    async fn customer(&self, queue: Vec<Delivery>, lease: &Lease<'_>) {
        let mut outcomes = Vec::with_capacity(queue.len());
        let mut blocked = false;
        for delivery in queue {
            blocked = blocked || self.holds_back(lease);
            let outcome = if blocked { Outcome::Released } else { self.deliver(&delivery, lease).await };
            blocked = blocked || matches!(outcome, Outcome::Retry { .. } | Outcome::Released);
            outcomes.push((delivery.sequence, outcome));
        }
        self.settle(&outcomes).await;
    }

    /// Whether no further delivery may begin now.
    fn holds_back(&self, lease: &Lease<'_>) -> bool {
        let now_ms = self.now_ms();
        lease.stop.is_cancelled()
            || lease.gone.load(Ordering::Relaxed)
            || now_ms > lease.last_start_ms
            || self.circuit.lock().is_open(now_ms)
    }

    async fn deliver(&self, delivery: &Delivery, lease: &Lease<'_>) -> Outcome {
        let started = Instant::now();
        let sent = tokio::time::timeout(self.settings.timeout + GRACE, self.sink.send(delivery)).await;
        let sent = sent.unwrap_or_else(|_| {
            Err(Failure::retry(format!("took longer than {} ms", self.settings.timeout.as_millis())))
        });
        let outcome = match sent {
            Ok(()) => self.delivered(),
            Err(Failure::Gone { error }) => self.gone(&error, lease),
            Err(Failure::Permanent { error }) => self.dead(delivery, error),
            Err(Failure::Retry { error, after }) => self.failed(delivery, error, after),
        };
        if let Some(name) = counted(&outcome) {
            metrics::delivery(&self.settings.sink, name, started.elapsed());
        }
        outcome
    }

    fn delivered(&self) -> Outcome {
        self.circuit.lock().succeeded();
        Outcome::Delivered
    }

    /// The event is not lost: it waits in the outbox until somebody has changed the sink.
    fn gone(&self, error: &str, lease: &Lease<'_>) -> Outcome {
        if !lease.gone.swap(true, Ordering::Relaxed) {
            tracing::error!(sink = self.settings.sink, error, "the sink is off until the next start");
        }
        Outcome::Released
    }

    fn dead(&self, delivery: &Delivery, error: String) -> Outcome {
        let event = &delivery.event;
        tracing::warn!(sink = event.sink, event.id = event.id, event.kind = event.kind, error, "dead letter");
        Outcome::Dead { error }
    }

    fn failed(&self, delivery: &Delivery, error: String, after: Option<Duration>) -> Outcome {
        let now_ms = self.now_ms();
        if let Some(pause) = self.circuit.lock().failed(now_ms, after) {
            let pause_ms = millis(pause);
            tracing::warn!(sink = self.settings.sink, pause_ms, error, "the sink is left alone for a while");
        }
        let failures = delivery.attempts.saturating_add(1);
        if failures >= self.settings.max_attempts {
            return self.dead(delivery, format!("given up after {failures} attempts: {error}"));
        }
        let delay = self.jitter.lock().delay(failures).max(after.unwrap_or_default());
        Outcome::Retry { at_ms: now_ms.saturating_add(millis(delay)), error }
    }

    async fn settle(&self, outcomes: &[(u64, Outcome)]) {
        for tried in 1..=SETTLE_TRIES {
            let Err(error) = self.outbox.settle(outcomes, self.now_ms()).await else { return };
            if tried == SETTLE_TRIES {
                let causes = error.causes();
                tracing::error!(sink = self.settings.sink, error = %error, causes, "not settled; sent again");
                return;
            }
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
    }
}

/// What a metric calls it; what was not tried is not counted.
fn counted(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Delivered => Some("delivered"),
        Outcome::Retry { .. } => Some("retried"),
        Outcome::Dead { .. } => Some("dead"),
        Outcome::Released => None,
    }
}

/// The events of each customer in their order; customers by their oldest event.
fn by_customer(taken: Vec<Delivery>) -> Vec<Vec<Delivery>> {
    let mut queues: Vec<Vec<Delivery>> = Vec::new();
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    for delivery in taken {
        let whose = (delivery.tenant.clone(), delivery.customer.clone());
        let place = *places.entry(whose).or_insert_with(|| {
            queues.push(Vec::new());
            queues.len() - 1
        });
        if let Some(queue) = queues.get_mut(place) {
            queue.push(delivery);
        }
    }
    queues
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
