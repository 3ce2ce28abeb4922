//! A sink that is down is left alone for a while, so that it is not asked hundreds of times a second and events don't use
//! up their attempts on one outage. After the pause one event is sent to see; if it fails, the pause is twice as long.

use std::time::Duration;

/// Failures in a row that open the circuit; what the sink refuses for good is neither a failure nor a success here.
const FAILURES: u32 = 5;
/// The first pause, and the longest.
const PAUSE: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(120)];

/// How a sink has done lately. Knows no clock: it is told the time, in milliseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Circuit {
    failures: u32,
    /// Pauses since the last success.
    pauses: u32,
    open_until_ms: i64,
}

impl Circuit {
    /// How many events may be taken, of `batch`; the time until any may when there is a pause.
    pub(super) fn admits(&self, now_ms: i64, batch: usize) -> Result<usize, Duration> {
        match u64::try_from(self.open_until_ms - now_ms) {
            Ok(left) if left > 0 => Err(Duration::from_millis(left)),
            _ if self.pauses > 0 => Ok(1),
            _ => Ok(batch),
        }
    }

    /// Whether there is a pause.
    pub(super) fn is_open(&self, now_ms: i64) -> bool {
        now_ms < self.open_until_ms
    }

    /// The sink has taken an event.
    pub(super) fn succeeded(&mut self) {
        *self = Self { open_until_ms: self.open_until_ms, ..Self::default() };
    }

    /// The sink has failed; `after` is what it says of when to come back. The pause, when one begins.
    pub(super) fn failed(&mut self, now_ms: i64, after: Option<Duration>) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        // What was on its way when the pause began says nothing new.
        let tired = !self.is_open(now_ms) && (self.pauses > 0 || self.failures >= FAILURES);
        let own = tired.then(|| longer(self.pauses));
        let pause = own.into_iter().chain(after.map(|after| after.min(PAUSE[1]))).max()?;
        let until_ms = now_ms.saturating_add(pause.as_millis() as i64);
        self.pauses += u32::from(tired);
        let begins = !self.is_open(now_ms);
        self.open_until_ms = self.open_until_ms.max(until_ms);
        begins.then_some(pause)
    }
}

/// The pause after so many others.
fn longer(pauses: u32) -> Duration {
    PAUSE[0].saturating_mul(1u32.checked_shl(pauses).unwrap_or(u32::MAX)).min(PAUSE[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(pause: Option<Duration>) -> Option<u64> {
        pause.map(|pause| pause.as_secs())
    }

    #[test]
    fn five_failures_in_a_row_begin_a_pause_and_a_success_between_them_does_not() {
        let mut circuit = Circuit::default();
        for _ in 0..3 {
            assert_eq!((0..4).filter_map(|_| circuit.failed(0, None)).count(), 0);
            circuit.succeeded();
        }
        let pauses: Vec<_> = (0..7).map(|_| seconds(circuit.failed(0, None))).collect();
        assert_eq!(pauses, [None, None, None, None, Some(2), None, None]);
        assert_eq!(circuit.admits(500, 64), Err(Duration::from_millis(1_500)));
    }

    #[test]
    fn after_a_pause_one_event_is_tried_and_each_failure_doubles_the_next_pause() {
        let mut circuit = Circuit::default();
        assert_eq!((0..5).filter_map(|_| circuit.failed(0, None)).count(), 1);
        let mut now = 0;
        for pause in [4, 8, 16, 32, 64, 120, 120] {
            now = circuit.open_until_ms;
            assert_eq!(circuit.admits(now, 64), Ok(1));
            assert_eq!(seconds(circuit.failed(now, None)), Some(pause));
        }
        assert!(circuit.is_open(now + 119_999) && !circuit.is_open(now + 120_000));
        circuit.succeeded();
        assert_eq!(circuit.admits(now + 120_000, 64), Ok(64));
    }

    #[test]
    fn a_sink_that_says_when_to_come_back_is_left_alone_until_then() {
        let mut circuit = Circuit::default();
        assert_eq!(seconds(circuit.failed(0, Some(Duration::from_secs(30)))), Some(30));
        assert!(circuit.is_open(29_999) && !circuit.is_open(30_000));
        assert_eq!(circuit.admits(30_000, 64), Ok(64), "it was not down");
        circuit.succeeded();
        assert_eq!(seconds(circuit.failed(40_000, Some(Duration::from_secs(9_999)))), Some(120));
    }
}
