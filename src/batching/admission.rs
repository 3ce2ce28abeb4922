//! Whether new work is let in: a pure decision over the queue's length, the measured rate and the caller's deadline.
//!
//! A queue that is merely deep (many callers who wait for their answers) is served to the end. A queue that overflows means
//! that more arrives than can ever be served: then it is cut back to what `overload_delay` covers, and kept there until
//! nothing was refused for `CALM`. So accepted work stays quick under any load, and goodput does not fall.

use std::time::{Duration, Instant};

/// How long nothing must be refused before the queue may grow to its capacity again.
const CALM: Duration = Duration::from_secs(1);
/// Bounds of the advice to callers that were refused.
const RETRY_BOUNDS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Weight of the newest measurement in the rate.
const SMOOTHING: f64 = 0.1;

/// Bounds of one lane's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdmissionSettings {
    /// Tokens that may wait.
    pub capacity_tokens: usize,
    /// Wait that the queue is cut back to when it overflows.
    pub overload_delay: Duration,
}

/// Why work was refused, and when it is worth another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// What is in the way.
    pub reason: Reason,
    /// When the queue will have moved on.
    pub retry_after: Duration,
}

/// What stands in the way of new work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The queue is at its limit.
    Full,
    /// By the estimate, the answer would come after the caller's deadline.
    Deadline,
}

/// A decision to let work in or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Let in.
    Admit,
    /// Refused.
    Refuse(Refusal),
    /// Refused, and the queue is to be cut to this many tokens.
    RefuseAndCut(Refusal, usize),
}

/// The state of the decision: the measured rate, and since when the queue overflows.
#[derive(Debug)]
pub struct Admission {
    settings: AdmissionSettings,
    /// Tokens per second of all workers together.
    rate: f64,
    overloaded_until: Option<Instant>,
}

impl Admission {
    /// `rate` is a first estimate, in tokens per second of all workers together.
    pub fn new(settings: AdmissionSettings, rate: f64) -> Self {
        Self { settings, rate: rate.max(1.0), overloaded_until: None }
    }

    /// Learns from a batch: `tokens` took one of `workers` workers `elapsed`.
    pub fn observe(&mut self, tokens: usize, elapsed: Duration, workers: usize) {
        if elapsed.is_zero() {
            return;
        }
        let rate = tokens as f64 * workers as f64 / elapsed.as_secs_f64();
        self.rate += SMOOTHING * (rate - self.rate);
    }

    /// The wait behind `tokens`.
    pub fn wait(&self, tokens: usize) -> Duration {
        Duration::from_secs_f64(tokens as f64 / self.rate)
    }

    /// Whether `tokens` may join a queue of `ahead` tokens; `deadline` is when the caller stops waiting.
    pub fn decide(
        &mut self,
        tokens: usize,
        ahead: usize,
        deadline: Option<Instant>,
        now: Instant,
    ) -> Decision {
        let refusal =
            |reason| Refusal { reason, retry_after: self.wait(ahead).clamp(RETRY_BOUNDS.0, RETRY_BOUNDS.1) };
        // An empty queue takes anything: a text longer than the limit must not be refused for ever, and a deadline that
        // can't be met even now is the caller's to move, not a matter of trying again.
        if ahead == 0 {
            return Decision::Admit;
        }
        if deadline.is_some_and(|d| now + self.wait(ahead + tokens) > d) {
            return Decision::Refuse(refusal(Reason::Deadline));
        }
        let short = ((self.settings.overload_delay.as_secs_f64() * self.rate) as usize)
            .min(self.settings.capacity_tokens);
        let overloaded = self.overloaded_until.is_some_and(|until| now < until);
        let limit = if overloaded { short } else { self.settings.capacity_tokens };
        if ahead + tokens <= limit {
            return Decision::Admit;
        }
        let refusal = refusal(Reason::Full);
        self.overloaded_until = Some(now + CALM);
        if overloaded { Decision::Refuse(refusal) } else { Decision::RefuseAndCut(refusal, short) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: AdmissionSettings =
        AdmissionSettings { capacity_tokens: 10_000, overload_delay: Duration::from_millis(50) };

    fn refused(decision: Decision) -> Option<Reason> {
        match decision {
            Decision::Admit => None,
            Decision::Refuse(r) | Decision::RefuseAndCut(r, _) => Some(r.reason),
        }
    }

    #[test]
    fn a_deep_queue_is_served_until_it_overflows_and_is_then_kept_short() {
        let start = Instant::now();
        let mut admission = Admission::new(SETTINGS, 10_000.0);
        assert_eq!(admission.decide(20, 9_900, None, start), Decision::Admit);
        let overflow = admission.decide(200, 9_900, None, start);
        assert!(matches!(overflow, Decision::RefuseAndCut(_, 500)), "{overflow:?}");
        let later = start + Duration::from_millis(900);
        assert_eq!(refused(admission.decide(20, 490, None, later)), Some(Reason::Full));
        assert_eq!(admission.decide(20, 400, None, later), Decision::Admit);
        // The refusal at 900 ms started the second anew.
        assert_eq!(
            refused(admission.decide(20, 490, None, start + Duration::from_millis(1_800))),
            Some(Reason::Full)
        );
        assert_eq!(admission.decide(20, 9_000, None, start + Duration::from_secs(4)), Decision::Admit);
    }

    #[test]
    fn work_that_would_come_too_late_is_refused_at_once() {
        let now = Instant::now();
        let mut admission = Admission::new(SETTINGS, 10_000.0);
        let deadline = Some(now + Duration::from_millis(100));
        assert_eq!(refused(admission.decide(20, 1_000, deadline, now)), Some(Reason::Deadline));
        assert_eq!(admission.decide(20, 900, deadline, now), Decision::Admit);
    }

    #[test]
    fn an_empty_queue_takes_a_text_of_any_length_whatever_its_deadline() {
        let mut admission = Admission::new(SETTINGS, 10_000.0);
        let now = Instant::now();
        assert_eq!(admission.decide(1_000_000, 0, None, now), Decision::Admit);
        assert_eq!(admission.decide(1_000_000, 0, Some(now + Duration::from_secs(1)), now), Decision::Admit);
    }

    #[test]
    fn the_rate_follows_what_is_measured() {
        let mut admission = Admission::new(SETTINGS, 1_000.0);
        for _ in 0..100 {
            admission.observe(200, Duration::from_millis(10), 2);
        }
        assert_eq!(admission.wait(40_000).as_secs_f64().round(), 1.0);
    }
}
