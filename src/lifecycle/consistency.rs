//! Whether a customer sounds the same in every channel.
//!
//! A channel's level is the mean of its values (against what is usual there, half-life 90 days, since people change the
//! channel seldom), drawn to the customer's level over all channels as if that were one interaction of now. So the priors
//! are in steps: little known of a channel, and it is as the customer is elsewhere; little known of the customer, and they
//! are as customers are. Only channels with at least [`LEAST_WEIGHT`] are compared.
//!
//! ```text
//! consistency = 1 − (best − worst) / 2, in [0, 1]; 1 is the same in every channel
//! ```

use serde::{Deserialize, Serialize};

use super::decay::{Mean, days, left};
use super::level::{Felt, NAMED, PRIOR, SLOW_DAYS};
use super::observation::Observation;

/// What a channel must weigh to be compared: two interactions that are not old. One is too easily a bad day.
pub const LEAST_WEIGHT: f64 = 1.5;

/// The sums of one channel as of the newest interaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelSums {
    /// The channel's name.
    pub channel: String,
    mean: Mean,
    /// Its newest interactions, newest first; at most three.
    pub newest: Vec<String>,
}

/// How a customer sounds in one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelLevel {
    /// The channel's name.
    pub channel: String,
    /// Against what is usual there, in [−1, 1].
    pub level: f64,
    /// What it rests on, in interactions of now.
    pub weight: f64,
    /// Its newest interactions, newest first; at most three.
    pub observations: Vec<String>,
}

/// How alike a customer sounds across channels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Consistency {
    /// 1 − half the distance of the best and the worst channel, in [0, 1].
    pub value: f64,
    /// Where the customer sounds worst.
    pub worst: ChannelLevel,
    /// Where they sound best.
    pub best: ChannelLevel,
}

/// The sums of every channel in which the customer has said something, by name: at most as many as there are channels.
pub fn sums(timeline: &[&Observation], felt: &[Option<Felt>], as_of_ms: i64) -> Vec<ChannelSums> {
    let mut all: Vec<ChannelSums> = Vec::new();
    for (observation, felt) in timeline.iter().zip(felt).filter_map(|(o, felt)| Some((o, felt.as_ref()?))) {
        let name = felt.medium.name();
        let place = all.binary_search_by(|sums| sums.channel.as_str().cmp(name)).unwrap_or_else(|place| {
            let (mean, newest) = (Mean::default(), Vec::new());
            all.insert(place, ChannelSums { channel: name.to_owned(), mean, newest });
            place
        });
        let sums = &mut all[place];
        sums.mean.add(felt.value, felt.weight * left(days(observation.at_ms, as_of_ms), SLOW_DAYS));
        sums.newest.insert(0, observation.id.clone());
        sums.newest.truncate(NAMED);
    }
    all
}

/// How the customer sounds in each channel so many days later, in the order of the sums.
pub fn levels_after(sums: &[ChannelSums], days: f64) -> Vec<ChannelLevel> {
    let left = left(days, SLOW_DAYS);
    let mut all = Mean::default();
    for sums in sums {
        all.sum += sums.mean.sum * left;
        all.weight += sums.mean.weight * left;
    }
    let customer = all.drawn_to(0.0, PRIOR);
    let level = |sums: &ChannelSums| {
        let mean = sums.mean.times(left);
        ChannelLevel {
            channel: sums.channel.clone(),
            level: mean.drawn_to(customer, PRIOR),
            weight: mean.weight,
            observations: sums.newest.clone(),
        }
    };
    sums.iter().map(level).collect()
}

/// How alike; `None` with fewer than two channels that weigh enough. Of equal channels the first is the worst, the last the
/// best.
pub fn consistency(levels: &[ChannelLevel]) -> Option<Consistency> {
    let heavy = || levels.iter().filter(|level| level.weight >= LEAST_WEIGHT);
    let worst = heavy().min_by(|a, b| a.level.total_cmp(&b.level))?;
    let best = heavy().max_by(|a, b| a.level.total_cmp(&b.level))?;
    let value = 1.0 - (best.level - worst.level) / 2.0;
    (worst.channel != best.channel).then(|| Consistency { value, worst: worst.clone(), best: best.clone() })
}
