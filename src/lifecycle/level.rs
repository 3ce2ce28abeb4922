//! How the customer feels: a decayed level, how it moves, and how much is known.
//!
//! Each interaction that says how the customer feels has a value in [−1, 1]: its score against what is usual in its channel
//! ([`super::channel`]); without a readable text its satisfaction at half the weight. Three means of these values, which
//! differ in their half-life:
//!
//! ```text
//! level    = 30 days, drawn to 0                 how the customer feels
//! slow     = 90 days, drawn to 0                 how they have felt for long
//! fast     =  7 days, drawn to slow              how they feel lately
//! momentum = fast − slow, in [−2, 2]             where it goes
//! ```
//!
//! Each is drawn to its prior as if that were one interaction of now (`Mean::drawn_to`). `fast` is drawn to `slow` and not
//! to 0, so that somebody who is always as unhappy has almost no momentum. With time, level and momentum go to 0.
//!
//! What the customer was *used to* is the slow sum without what the fast one still holds, drawn to 0: an interaction of `d`
//! days ago weighs `2^(−d / 90) − 2^(−d / 7)`, one of now nothing. So the first bad day does not spoil what it is compared
//! with.

use serde::{Deserialize, Serialize};

use super::channel::{Medium, against_usual};
use super::decay::{Mean, days, left};
use super::observation::Observation;
use super::recovery::{AT_LEAST, SETTLED};

/// A month: somebody who was annoyed last month is half as sure to be so today.
pub const LEVEL_DAYS: f64 = 30.0;
/// A week: what has happened lately.
pub const FAST_DAYS: f64 = 7.0;
/// A quarter: what the customer is used to.
pub const SLOW_DAYS: f64 = 90.0;
/// What the prior counts, in interactions of now: scores of one customer are taken to vary as much as customers do.
pub const PRIOR: f64 = 1.0;
/// Weight of a satisfaction without a text: a number says less than words.
const CSAT_WEIGHT: f64 = 0.5;
/// What the past must weigh to be what a customer is used to: about two interactions of some weeks ago.
const LEAST_PAST: f64 = 1.0;
/// Interactions that are named as what a level rests on.
pub const NAMED: usize = 3;

/// What an interaction says of how its customer feels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Felt {
    /// Where it was said.
    pub medium: Medium,
    /// Against what is usual in the channel, in [−1, 1].
    pub value: f64,
    /// What it counts on its day, in (0, 1].
    pub weight: f64,
}

impl Felt {
    /// `None` when the interaction has neither a score nor a satisfaction.
    pub fn of(observation: &Observation, settled: bool) -> Option<Self> {
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        let score = finite(observation.score).map(|score| (score, 1.0));
        let csat = || finite(observation.csat).map(|csat| (2.0 * csat - 1.0, CSAT_WEIGHT));
        let (score, weight) = score.or_else(csat)?;
        let medium = Medium::named(&observation.channel);
        let usual = against_usual(score, medium);
        let usual = if observation.recovered { usual.max(AT_LEAST) } else { usual };
        let value = if settled && usual < 0.0 { usual * SETTLED } else { usual };
        Some(Self { medium, value, weight })
    }
}

/// The sums behind the levels, as of the newest interaction.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Levels {
    fast: Mean,
    level: Mean,
    slow: Mean,
    /// The newest interactions that say how the customer feels, newest first; at most [`NAMED`].
    pub newest: Vec<String>,
}

/// The levels at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelsNow {
    /// How the customer feels, in [−1, 1].
    pub level: f64,
    /// How they feel lately, in [−1, 1].
    pub fast: f64,
    /// How they have felt for long, in [−1, 1].
    pub slow: f64,
    /// What the level rests on, in interactions of now.
    pub weight: f64,
    /// What they were used to, in [−1, 1]; `None` when there is too little past for that.
    pub used: Option<f64>,
}

impl Levels {
    /// Adds an interaction that is so many days old; they come oldest first.
    pub fn add(&mut self, id: &str, felt: Felt, days: f64) {
        for (mean, half_life) in
            [(&mut self.fast, FAST_DAYS), (&mut self.level, LEVEL_DAYS), (&mut self.slow, SLOW_DAYS)]
        {
            mean.add(felt.value, felt.weight * left(days, half_life));
        }
        self.newest.insert(0, id.to_owned());
        self.newest.truncate(NAMED);
    }

    /// The levels so many days later; `None` when no interaction has said anything.
    pub fn after(&self, days: f64) -> Option<LevelsNow> {
        if self.newest.is_empty() {
            return None;
        }
        let level = self.level.times(left(days, LEVEL_DAYS));
        let slow = self.slow.times(left(days, SLOW_DAYS));
        let fast = self.fast.times(left(days, FAST_DAYS));
        let past = Mean { sum: slow.sum - fast.sum, weight: slow.weight - fast.weight };
        let slow = slow.drawn_to(0.0, PRIOR);
        Some(LevelsNow {
            level: level.drawn_to(0.0, PRIOR),
            fast: fast.drawn_to(slow, PRIOR),
            slow,
            weight: level.weight,
            used: (past.weight >= LEAST_PAST).then(|| past.drawn_to(0.0, PRIOR)),
        })
    }
}

impl LevelsNow {
    /// Where it goes, in [−2, 2].
    pub fn momentum(&self) -> f64 {
        self.fast - self.slow
    }

    /// How much the level rests on what the customer said, and not on the prior, in [0, 1).
    pub fn confidence(&self) -> f64 {
        self.weight / (self.weight + PRIOR)
    }
}

/// The levels of a timeline as of a time that is not before its end, and what each interaction said.
pub fn levels(timeline: &[&Observation], felt: &[Option<Felt>], as_of_ms: i64) -> Levels {
    let mut levels = Levels::default();
    for (observation, felt) in timeline.iter().zip(felt) {
        if let Some(felt) = felt {
            levels.add(&observation.id, *felt, days(observation.at_ms, as_of_ms));
        }
    }
    levels
}
