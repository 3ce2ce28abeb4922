//! When what has failed is tried again: exponential backoff with full jitter
//! (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>), so that what failed together does not come
//! back together. The mean wait after failure n is half of `min(BASE · 2ⁿ⁻¹, CAP)`: with 20 attempts, an event is given up
//! after 17 hours in the mean.

use std::time::Duration;

/// Longest wait after the first failure.
const BASE: Duration = Duration::from_secs(5);
/// Longest wait at all.
const CAP: Duration = Duration::from_secs(4 * 3_600);

/// Draws waits.
#[derive(Debug)]
pub(super) struct Jitter {
    random: fastrand::Rng,
}

impl Jitter {
    /// The same seed draws the same waits.
    pub(super) fn new(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed) }
    }

    /// The wait after so many failures, from 1.
    pub(super) fn delay(&mut self, failures: u32) -> Duration {
        most(failures).mul_f64(self.random.f64())
    }
}

/// The longest wait after so many failures.
fn most(failures: u32) -> Duration {
    let factor = 1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    BASE.saturating_mul(factor).min(CAP)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_wait_is_within_its_bounds_whatever_the_seed_and_the_failures(seed: u64, failures in 1u32..1_000) {
            let wait = Jitter::new(seed).delay(failures);
            prop_assert!(wait <= most(failures) && most(failures) <= CAP);
            prop_assert_eq!(wait, Jitter::new(seed).delay(failures));
        }
    }

    #[test]
    fn the_bound_doubles_up_to_the_cap() {
        for (failures, seconds) in [(1, 5), (2, 10), (3, 20), (12, 10_240), (13, 14_400), (40, 14_400)] {
            assert_eq!(most(failures), Duration::from_secs(seconds), "{failures}");
        }
    }

    #[test]
    fn twenty_attempts_last_about_seventeen_hours() {
        let mean: f64 = (1..20).map(|failures| most(failures).as_secs_f64() / 2.0).sum();
        assert!((16.0..18.0).contains(&(mean / 3_600.0)), "{mean}");
    }
}
