//! What a customer has said or been through, summed up with its own half-life.
//!
//! A mention of strength `s` in (0, 1] counts s², so that a doubtful one counts less than its share, and halves with the
//! topic's half-life. The sum S of all mentions becomes a value in [0, 1): `1 − 4^(−S)`, which is 3/4 for one certain
//! mention of today and 0.29 for one at its threshold; more mentions say more, each one less than the one before. Since all
//! mentions of a topic age alike, S can be read at any later time.

use serde::{Deserialize, Serialize};

use super::decay::{days, left};
use super::observation::Observation;

/// Interactions that are named as what a value rests on: the ones that count most.
pub const NAMED: usize = 3;

/// What is listened to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Topic {
    /// Its name in reasons; `cue.NAME` for a cue.
    pub code: &'static str,
    /// Days after which a mention counts half.
    pub half_life_days: f64,
}

const fn topic(code: &'static str, half_life_days: f64) -> Topic {
    Topic { code, half_life_days }
}

/// Everything that is listened to. Half-lives are choices: an open matter is over in weeks, an intent to leave lasts about
/// a billing month, hesitation and wishes for more about a quarter's half, the will to recommend longer.
pub const TOPICS: [Topic; 12] = [
    topic("cue.churn_intent", 30.0),
    topic("cue.renewal_hesitation", 45.0),
    topic("cue.unresolved_issue", 14.0),
    topic("cue.repeat_contact", 14.0),
    topic("cue.payment_dispute", 30.0),
    topic("cue.onboarding_difficulty", 21.0),
    topic("cue.purchase_interest", 30.0),
    topic("cue.expansion_interest", 45.0),
    topic("cue.advocacy", 60.0),
    topic("cue.resolution_confirmed", 14.0),
    topic("service.escalation", 30.0),
    topic("service.recovery", 30.0),
];

/// What was said of a topic, as of the newest interaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Voiced {
    /// The topic's code.
    pub code: String,
    /// S: what the mentions add up to.
    pub sum: f64,
    /// The interactions that count most, newest first; at most three.
    pub observations: Vec<String>,
}

impl Topic {
    /// Strength in an interaction, in [0, 1].
    pub fn strength(&self, observation: &Observation) -> f64 {
        let strength = match self.code.strip_prefix("cue.") {
            Some(name) => {
                let named = observation.cues.iter().filter(|(cue, _)| cue == name);
                named.map(|(_, strength)| *strength).fold(0.0, f64::max)
            }
            None if self.code == "service.escalation" => observation.escalation,
            None => f64::from(u8::from(observation.recovered)),
        };
        // What is no number says nothing.
        if strength.is_nan() { 0.0 } else { strength.clamp(0.0, 1.0) }
    }

    fn voiced(&self, timeline: &[&Observation], as_of_ms: i64) -> Option<Voiced> {
        let mut counts: Vec<(f64, usize)> = Vec::new();
        for (place, observation) in timeline.iter().enumerate() {
            let age = days(observation.at_ms, as_of_ms);
            let count = self.strength(observation).powi(2) * left(age, self.half_life_days);
            if count > 0.0 {
                counts.push((count, place));
            }
        }
        let sum: f64 = counts.iter().map(|(count, _)| count).sum();
        counts.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
        counts.truncate(NAMED);
        counts.sort_by_key(|(_, place)| std::cmp::Reverse(*place));
        let observations = counts.iter().map(|(_, place)| timeline[*place].id.clone()).collect();
        (sum > 0.0).then(|| Voiced { code: self.code.to_owned(), sum, observations })
    }
}

impl Voiced {
    /// The value so many days later, in [0, 1].
    pub fn value_after(&self, days: f64) -> f64 {
        let half_life = TOPICS.iter().find(|topic| topic.code == self.code).map(|t| t.half_life_days);
        let sum = half_life.map_or(0.0, |half_life| self.sum * left(days, half_life));
        (1.0 - 0.25f64.powf(sum)).clamp(0.0, 1.0)
    }
}

/// Every topic that was mentioned, in the order of [`TOPICS`].
pub fn voiced(timeline: &[&Observation], as_of_ms: i64) -> Vec<Voiced> {
    TOPICS.iter().filter_map(|topic| topic.voiced(timeline, as_of_ms)).collect()
}
