//! Waiting for a store or a stream that is away: a while with what is in hand, then the messages go back.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::fate;
use crate::error::Error;

/// So long a batch in hand waits for what is away: a restart is over by then, and nothing is read twice. After it the
/// messages go back, for another worker may be better placed.
const PATIENCE: Duration = Duration::from_secs(30);
/// First and longest pause between two tries.
const PAUSE: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

/// Whether everything that is needed was there when it was last asked.
pub(super) struct Patience {
    well: watch::Sender<bool>,
    stop: CancellationToken,
}

impl Patience {
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self { well: watch::Sender::new(true), stop }
    }

    /// Changes when something goes away or comes back.
    pub(super) fn well(&self) -> watch::Receiver<bool> {
        self.well.subscribe()
    }

    /// Tries until it succeeds, fails for good, or has been away for too long; only once after `stop`. Errors: those of
    /// what is tried.
    pub(super) async fn with<T, F, Fut>(&self, what: &'static str, attempt: F) -> Result<T, Error>
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Error>> + Send,
    {
        let (until, mut pause) = (Instant::now() + PATIENCE, PAUSE[0]);
        loop {
            let error = match attempt().await {
                Ok(value) => {
                    self.is(true);
                    return Ok(value);
                }
                Err(error) if !fate::passes(error.kind()) => return Err(error),
                Err(error) => error,
            };
            if self.is(false) {
                tracing::warn!(what, %error, causes = error.causes(), "waiting");
            }
            if self.stop.is_cancelled() || Instant::now() + pause > until {
                return Err(error);
            }
            let _stopped = self.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            pause = (pause * 2).min(PAUSE[1]);
        }
    }

    /// Waits until it succeeds, however long, or until `stop`.
    pub(super) async fn until<T, F, Fut>(&self, what: &'static str, attempt: F)
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Error>> + Send,
    {
        while self.with(what, &attempt).await.is_err() && !self.stop.is_cancelled() {
            // What fails for good has not paused by itself.
            let _stopped = self.stop.run_until_cancelled(tokio::time::sleep(PAUSE[1])).await;
        }
    }

    /// Whether that is news.
    fn is(&self, well: bool) -> bool {
        self.well.send_if_modified(|was| std::mem::replace(was, well) != well)
    }
}
