//! What a customer's interactions say together.
//!
//! A profile is a function of the *set* of interactions and of the account: order and repetitions change nothing, not even
//! the last bit. It keeps a few sums ([`Sums`]) beside the values read out of them, so that it can be read at any later
//! time without the interactions ([`Profile::at`]), and its size does not grow with their number.

use serde::{Deserialize, Serialize};

use super::account::{Account, Stage};
use super::churn::renewal_near;
use super::consistency::{self, ChannelLevel, ChannelSums, Consistency};
use super::decay::{days, left};
use super::level::{Felt, Levels, LevelsNow, levels};
use super::nps::{NPS_DAYS, Nps};
use super::observation::Observation;
use super::recovery::{Recovery, recoveries, settled};
use super::signal::Reason;
use super::stage;
use super::timeline::in_order;
use super::voiced::{Voiced, voiced};

pub use super::churn::Churn;

/// A customer as of the newest interaction, or read at a later time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Time of the newest interaction, in milliseconds since 1970; 0 without one.
    pub as_of_ms: i64,
    /// The time at which the values below were read, in milliseconds since 1970; never before `as_of_ms`.
    pub at_ms: i64,
    /// Interactions that were taken into account.
    pub observations: u32,
    /// The decayed, channel-normalised sentiment level, in [−1, 1]; 0 is usual.
    pub level: Option<f64>,
    /// How much of the level is the customer and not the prior, in [0, 1).
    pub confidence: f64,
    /// What the level rests on, in interactions of now.
    pub weight: f64,
    /// The level lately less the level for long, in [−2, 2].
    pub momentum: f64,
    /// The customer's level in each channel, by name.
    pub channels: Vec<ChannelLevel>,
    /// Whether they sound the same in every channel; `None` until two channels have said enough.
    pub consistency: Option<Consistency>,
    /// Where the customer stands with the company, as of the newest interaction.
    pub stage: Option<Stage>,
    /// Why.
    pub stage_reason: Option<Reason>,
    /// The newest answer to "how likely are you to recommend us".
    pub nps: Option<Nps>,
    /// The newest recovery after an escalation.
    pub recovery: Option<Recovery>,
    /// How likely the customer is to leave.
    pub churn: Option<Churn>,
    /// What the values are read out of.
    pub sums: Sums,
}

/// The sums behind a profile, as of the newest interaction.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sums {
    levels: Levels,
    channels: Vec<ChannelSums>,
    voiced: Vec<Voiced>,
    renewal_ms: Option<i64>,
}

impl Profile {
    /// The profile of a customer with these interactions, in any order; of those with one id one counts.
    pub fn of(observations: &[Observation], account: &Account) -> Self {
        let timeline = in_order(observations);
        let Some(as_of_ms) = timeline.last().map(|newest| newest.at_ms) else {
            let stage = stage::stage(&Self::default(), account, &[]);
            let (stage, stage_reason) = stage.unzip();
            return Self { stage, stage_reason, ..Self::default() };
        };
        let recoveries = recoveries(&timeline);
        let settled = settled(&timeline, &recoveries);
        let felt: Vec<_> = timeline.iter().zip(settled).map(|(o, settled)| Felt::of(o, settled)).collect();
        let sums = Sums {
            levels: levels(&timeline, &felt, as_of_ms),
            channels: consistency::sums(&timeline, &felt, as_of_ms),
            voiced: voiced(&timeline, as_of_ms),
            renewal_ms: account.renewal_ms,
        };
        let mut profile = Self {
            as_of_ms,
            observations: u32::try_from(timeline.len()).unwrap_or(u32::MAX),
            nps: Nps::newest(&timeline, &felt),
            recovery: recoveries.into_iter().next_back().map(|(_, recovery)| recovery),
            sums,
            ..Self::default()
        };
        profile.read(as_of_ms);
        (profile.stage, profile.stage_reason) = stage::stage(&profile, account, &timeline).unzip();
        profile
    }

    /// The same customer read at a later time: level, momentum, consistency and risk fade towards what is known of a
    /// customer of whom nothing is known. A time before the newest interaction reads as of it. The stage stays.
    pub fn at(&self, now_ms: i64) -> Self {
        let mut later = self.clone();
        if self.observations > 0 {
            later.read(now_ms.max(self.as_of_ms));
        }
        later
    }

    /// The probability of leaving, as customers are ordered by it; 0 where no risk is known.
    pub fn leaving(&self) -> f64 {
        self.churn.as_ref().map_or(0.0, |churn| churn.probability)
    }

    fn read(&mut self, at_ms: i64) {
        self.at_ms = at_ms;
        let levels = self.levels();
        self.level = levels.map(|levels| levels.level);
        self.weight = levels.map_or(0.0, |levels| levels.weight);
        self.confidence = levels.map_or(0.0, |levels| levels.confidence());
        self.momentum = levels.map_or(0.0, |levels| levels.momentum());
        self.channels = consistency::levels_after(&self.sums.channels, self.age());
        self.consistency = consistency::consistency(&self.channels);
        self.churn = Some(Churn::of(self.features()));
    }

    /// The levels at the time of reading.
    pub(super) fn levels(&self) -> Option<LevelsNow> {
        self.sums.levels.after(self.age())
    }

    /// The newest interactions that say how the customer feels, newest first.
    pub(super) fn newest(&self) -> &[String] {
        &self.sums.levels.newest
    }

    /// A topic of [`super::voiced`] at the time of reading, its value in [0, 1] as the contribution.
    pub(super) fn heard(&self, code: &str) -> Reason {
        let voiced = self.sums.voiced.iter().find(|voiced| voiced.code == code);
        Reason {
            code: code.to_owned(),
            contribution: voiced.map_or(0.0, |voiced| voiced.value_after(self.age())),
            observations: voiced.map_or_else(Vec::new, |voiced| voiced.observations.clone()),
        }
    }

    /// How near the renewal is at the time of reading, in [0, 1].
    pub(super) fn renewal_near(&self) -> f64 {
        renewal_near(self.sums.renewal_ms, self.at_ms)
    }

    /// What the newest answer to "how likely are you to recommend us" still says, as the share of `whole`.
    pub(super) fn nps_reason(&self, code: &str, whole: impl Fn(&Nps) -> f64) -> Reason {
        let said = |nps: &Nps| whole(nps) * left(days(nps.at_ms, self.at_ms), NPS_DAYS);
        Reason {
            code: code.to_owned(),
            contribution: self.nps.as_ref().map_or(0.0, said),
            observations: self.nps.iter().map(|nps| nps.id.clone()).collect(),
        }
    }

    /// Days from the newest interaction to the time of reading.
    fn age(&self) -> f64 {
        days(self.as_of_ms, self.at_ms)
    }

    /// What the risk is made of; values in [0, 1].
    fn features(&self) -> Vec<Reason> {
        let felt = |code: &str, value: f64| Reason {
            code: code.to_owned(),
            contribution: value.clamp(0.0, 1.0),
            observations: self.newest().to_vec(),
        };
        let renewal = Reason { observations: Vec::new(), ..felt("renewal.near", self.renewal_near()) };
        let mut features = vec![
            felt("level.low", -self.level.unwrap_or_default()),
            felt("momentum.falling", -self.momentum),
            self.nps_reason("nps.detractor", Nps::detracts),
            renewal,
        ];
        features.extend(self.sums.voiced.iter().map(|voiced| self.heard(&voiced.code)));
        features
    }
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
