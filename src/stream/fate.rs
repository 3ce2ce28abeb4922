//! What becomes of a message after an error: the stream's column of the error table.

use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// First and longest wait before a message is given out again.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// A message that was given out `max_deliver` times this often, whatever the reasons, is given up: it may be what ends the
/// workers that read it.
pub(super) const GIVE_UP: u64 = 10;

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is done already.
    Done,
    /// It comes again, not before this time.
    Again(Duration),
    /// It becomes a dead letter.
    Dead,
}

/// Whether the same may well succeed in a while, through nothing that anybody does to the message.
pub(super) fn passes(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Overloaded
        | ErrorKind::DeadlineExceeded
        | ErrorKind::Cancelled
        | ErrorKind::Unavailable => true,
        ErrorKind::InvalidInput
        | ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::Precondition
        | ErrorKind::Unauthenticated
        | ErrorKind::Forbidden
        | ErrorKind::Internal => false,
    }
}

/// What an error means to a message that was given out so often. Only `Internal` is counted: an outage is not the
/// message's fault, however long it takes.
pub(super) fn of(error: &Error, deliveries: u64, max_deliver: u32) -> Fate {
    let again = || Fate::Again(error.retry_after().unwrap_or_default().max(pause(deliveries)).min(AGAIN[1]));
    match error.kind() {
        ErrorKind::InvalidInput
        | ErrorKind::NotFound
        | ErrorKind::Precondition
        | ErrorKind::Unauthenticated
        | ErrorKind::Forbidden => Fate::Dead,
        ErrorKind::AlreadyExists => Fate::Done,
        ErrorKind::Overloaded
        | ErrorKind::DeadlineExceeded
        | ErrorKind::Cancelled
        | ErrorKind::Unavailable => again(),
        ErrorKind::Internal if deliveries >= u64::from(max_deliver) => Fate::Dead,
        ErrorKind::Internal => again(),
    }
}

/// The wait after so many deliveries, from 1.
pub(super) fn pause(deliveries: u64) -> Duration {
    let doublings = u32::try_from(deliveries.saturating_sub(1)).unwrap_or(u32::MAX);
    AGAIN[0].saturating_mul(1u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(AGAIN[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_decides_and_only_internal_ones_are_counted() {
        let of = |kind, deliveries| of(&Error::new(kind, "x"), deliveries, 5);
        for kind in ErrorKind::ALL {
            let last = of(kind, 5);
            assert_eq!(passes(kind), matches!(last, Fate::Again(_)), "{kind:?}");
        }
        assert_eq!(of(ErrorKind::InvalidInput, 1), Fate::Dead);
        assert_eq!(of(ErrorKind::AlreadyExists, 1), Fate::Done);
        assert_eq!(of(ErrorKind::Internal, 4), Fate::Again(Duration::from_secs(8)));
        assert_eq!(of(ErrorKind::Internal, 5), Fate::Dead);
        assert_eq!(of(ErrorKind::Unavailable, 1_000_000), Fate::Again(AGAIN[1]));
    }

    #[test]
    fn an_error_that_says_when_is_believed_within_the_bound() {
        let wait = |seconds| {
            let after = Duration::from_secs(seconds);
            of(&Error::new(ErrorKind::Overloaded, "x").with_retry_after(after), 1, 5)
        };
        assert_eq!(wait(7), Fate::Again(Duration::from_secs(7)));
        assert_eq!(wait(7_000), Fate::Again(AGAIN[1]));
        assert_eq!(wait(0), Fate::Again(AGAIN[0]));
    }
}
