//! The policy: how features are measured, what they weigh, when an alert is raised and cleared.
//!
//! A file (TOML) holds a base and overrides by channel and tenant. Every combination is checked when the file is loaded, so
//! that a wrong number is found then and not at three in the morning.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::{Channel, EvidenceSpan, Probability};
use crate::error::Error;

use super::alert::Tier;
use super::features::Feature;
use super::policy_file;
use super::risk::Weights;
use super::signals::STEP_IN;

/// The policy that attune brings along.
pub const DEFAULT: &str = include_str!("../../config/escalation.toml");

/// Weights set by hand, by which tests can say what a cue alone does, whatever the default is fitted to.
#[cfg(test)]
pub(crate) const EXPLICIT: &str = include_str!("../../examples/policies/explicit.toml");

/// Rules of every channel and tenant.
#[derive(Debug, Clone)]
pub struct Policies {
    version: String,
    base: Arc<Rules>,
    special: HashMap<(Option<String>, Option<Channel>), Arc<Rules>>,
}

/// The rules of one channel and tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The policy's version, as in every answer.
    pub version: String,
    /// How features are measured.
    pub measures: Measures,
    /// A supervisor must see this now.
    pub detection: Weights,
    /// It will come to that.
    pub forecast: Weights,
    /// Watch, elevated, urgent.
    pub tiers: [TierRule; 3],
    /// Customer turns after an alert's end before watch or elevated can be raised anew.
    pub cool_down_turns: usize,
    /// When a customer counts as recovered.
    pub recovery: RecoveryRule,
    /// Alerts of a tenant that people can take at the same time.
    pub capacity: usize,
    /// Words that keep a cue from counting.
    pub quiet: Vec<Quiet>,
}

/// How features are measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measures {
    /// Customer turns after which a cue counts half.
    pub half_life_turns: f64,
    /// The same for the customer's tone.
    pub tone_half_life_turns: f64,
    /// What tone counts on the first turn, in [0, 1].
    pub first_turn: f64,
    /// Customer turns that a matter may take.
    pub usual_turns: f64,
    /// Seconds to an answer that nobody minds, by channel, unknown first; see [`Channel::ALL`].
    pub usual_wait_s: [f64; Channel::ALL.len()],
}

/// Which risk a tier looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Detection alone.
    Detection,
    /// Forecast alone.
    Forecast,
    /// The higher of the two.
    Either,
}

/// When a tier is raised and cleared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TierRule {
    /// Which risk.
    pub source: Source,
    /// Raised from this probability on.
    pub raise: f64,
    /// Held down to this probability; between the two nothing changes.
    pub clear: f64,
    /// For so many customer turns in a row.
    pub raise_turns: usize,
    /// For so many customer turns in a row.
    pub clear_turns: usize,
}

/// When a customer counts as recovered: a negative peak, then a better end in which they confirm that it is settled, or
/// are grateful, relieved or glad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecoveryRule {
    /// The lowest score is at most this, in [−1, 1].
    pub peak: f64,
    /// The end is at least so much better.
    pub lift: f64,
    /// The end is at least this, in [−1, 1].
    pub end: f64,
    /// The same for a customer who confirms a resolution.
    pub end_when_resolved: f64,
}

/// Words that keep a cue from counting in a turn when the core of all its evidence lies in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// The cue's name.
    pub cue: String,
    /// In small letters.
    pub words: Vec<String>,
}

impl Policies {
    /// Reads and checks a policy. Errors: `InvalidInput` with the key at fault as its field.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let file = policy_file::read(text)?;
        let special = file.special.into_iter().map(|(key, rules)| (key, Arc::new(rules))).collect();
        Ok(Self { version: file.base.version.clone(), base: Arc::new(file.base), special })
    }

    /// The policy that attune brings along. Errors: none but a defect.
    pub fn embedded() -> Result<Self, Error> {
        Self::parse(DEFAULT)
    }

    /// See [`EXPLICIT`].
    #[cfg(test)]
    pub(crate) fn explicit() -> Self {
        Self::parse(EXPLICIT).unwrap()
    }

    /// The version that its file names.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The rules where nothing is overridden.
    pub fn base(&self) -> &Rules {
        &self.base
    }

    /// The tenants and channels whose rules differ from the base.
    pub fn overridden(&self) -> impl Iterator<Item = (Option<&str>, Option<Channel>)> {
        self.special.keys().map(|(tenant, channel)| (tenant.as_deref(), *channel))
    }

    /// The rules for a tenant and channel: those of both, of the tenant, of the channel, or the base.
    pub fn rules(&self, tenant: Option<&str>, channel: Channel) -> Arc<Rules> {
        let tenant = tenant.map(str::to_owned);
        let keys = [(tenant.clone(), Some(channel)), (tenant, None), (None, Some(channel))];
        let found = keys.into_iter().find_map(|key| self.special.get(&key));
        Arc::clone(found.unwrap_or(&self.base))
    }
}

impl Rules {
    /// The features that reach `tier` by themselves, at full strength.
    pub fn alone(&self, tier: Tier) -> Vec<Feature> {
        let Some(rule) = Tier::RAISED.iter().position(|t| *t == tier).map(|n| self.tiers[n]) else {
            return Vec::new();
        };
        let enough = |weights: &Weights, feature: &Feature| {
            let weight = weights.features.get(feature).copied().unwrap_or(0.0);
            weight > 0.0 && Probability::of_logit(weights.base + weight).get() >= rule.raise
        };
        let reaches = |feature: &Feature| match rule.source {
            Source::Detection => enough(&self.detection, feature),
            Source::Forecast => enough(&self.forecast, feature),
            Source::Either => enough(&self.detection, feature) || enough(&self.forecast, feature),
        };
        Feature::all().filter(reaches).collect()
    }

    /// Whether all the words behind a label are quiet ones: of a cue its own, of [`STEP_IN`] any cue's. A label without
    /// evidence is never quiet.
    pub fn is_quiet(&self, text: &str, label: &str, spans: &[EvidenceSpan]) -> bool {
        let concerns = |quiet: &&Quiet| quiet.cue == label || label == STEP_IN;
        let mut words = self.quiet.iter().filter(concerns).flat_map(|q| &q.words).peekable();
        if spans.is_empty() || words.peek().is_none() {
            return false;
        }
        let small = small_letters(text);
        let places: Vec<(usize, usize)> = words
            .flat_map(|word| small.match_indices(word.as_str()).map(|(at, found)| (at, at + found.len())))
            .collect();
        spans.iter().all(|s| places.iter().any(|(start, end)| s.core.0 < *end && *start < s.core.1))
    }
}

/// Small letters in the places of the large ones; a letter whose small form takes more or fewer bytes stays as it is.
pub(super) fn small_letters(text: &str) -> String {
    let small = |c: char| {
        let mut lower = c.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(one), None) if one.len_utf8() == c.len_utf8() => one,
            _ => c,
        }
    };
    text.chars().map(small).collect()
}

impl Measures {
    /// Milliseconds to an answer that nobody minds.
    pub fn usual_wait_ms(&self, channel: Channel) -> f64 {
        let at = Channel::ALL.iter().position(|c| *c == channel).unwrap_or(0);
        self.usual_wait_s[at] * 1000.0
    }
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            half_life_turns: 2.0,
            tone_half_life_turns: 1.0,
            first_turn: 0.4,
            usual_turns: 4.0,
            usual_wait_s: [3600.0, 180.0, 86_400.0, 60.0, 7200.0, 1800.0],
        }
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
