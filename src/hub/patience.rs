//! What is tried again, how often, and after which wait.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use super::answer::{RETRY_AFTER_MOST, Trouble};
use crate::error::Error;

/// Longest wait that the hub has not asked for.
const LONGEST: Duration = Duration::from_secs(20);

/// How often a request is made when what goes wrong may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Attempts in all.
    pub attempts: usize,
    /// The wait after the first one; it doubles, and up to as much again is added by chance.
    pub first: Duration,
}

impl Default for Patience {
    /// Half a minute to a minute in all.
    fn default() -> Self {
        Self { attempts: 6, first: Duration::from_secs(1) }
    }
}

impl Patience {
    /// Tries until it works, until the trouble is none that passes, until it was tried often enough, or until a hub asks for a
    /// longer wait than anybody sits through. Error: the last one.
    pub(super) async fn keep_trying<T, F>(self, attempt: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        let waits = ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_max_delay(LONGEST)
            .with_max_times(self.attempts.saturating_sub(1))
            .with_jitter();
        let tried = attempt
            .retry(waits)
            .when(|trouble: &Trouble| trouble.passing)
            .notify(|trouble, wait| {
                tracing::warn!(error = %trouble.error, wait_ms = wait.as_millis() as u64, "tried again");
            })
            .adjust(|trouble, wait| longer(wait?, trouble.error.retry_after()));
        tried.await.map_err(|trouble| trouble.error)
    }
}

/// The longer of two waits; `None` when the one that was asked for is too long.
fn longer(wait: Duration, asked: Option<Duration>) -> Option<Duration> {
    let asked = asked.unwrap_or_default();
    (asked <= RETRY_AFTER_MOST).then(|| wait.max(asked))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::error::ErrorKind;

    fn busy(after: u64) -> Trouble {
        let error = Error::new(ErrorKind::Overloaded, "busy");
        Trouble::passing(error.with_retry_after(Duration::from_secs(after)))
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_again_after_the_time_that_was_asked_for() {
        let (tried, started) = (Cell::new(0), tokio::time::Instant::now());
        let patience = Patience { attempts: 4, first: Duration::from_millis(10) };
        let found = patience.keep_trying(|| async {
            tried.set(tried.get() + 1);
            if tried.get() < 3 { Err(busy(30)) } else { Ok(tried.get()) }
        });
        assert_eq!(found.await.unwrap(), 3);
        assert_eq!(started.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_with_the_last_error_when_it_was_tried_often_enough_or_will_not_pass() {
        let patience = Patience { attempts: 4, first: Duration::from_millis(10) };
        let lasting = || Trouble::lasting(Error::new(ErrorKind::NotFound, "gone"));
        for (trouble, attempts, kind) in [
            (&busy as &dyn Fn(u64) -> Trouble, 4, ErrorKind::Overloaded),
            (&|_| lasting(), 1, ErrorKind::NotFound),
            (&|_| busy(3_600), 1, ErrorKind::Overloaded),
        ] {
            let tried = Cell::new(0);
            let found = patience.keep_trying(|| async {
                tried.set(tried.get() + 1);
                Err::<(), _>(trouble(1))
            });
            assert_eq!(found.await.unwrap_err().kind(), kind);
            assert_eq!(tried.get(), attempts, "{kind:?}");
        }
    }
}
