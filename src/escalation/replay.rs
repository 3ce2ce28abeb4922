//! Conversations whose outcome is known, heard again under given rules.
//!
//! What a turn says is kept from the one time that the model read it; weights, thresholds and measures can then be
//! tried on it as often as needed. A replay ends as the live conversation would have: it goes through the same tracker.

use std::sync::Arc;

use crate::domain::{Channel, Outcome, Role};

use super::alert::{AlertEvent, Alerts, Change, Tier};
use super::features::Feature;
use super::policy::{Policies, Rules};
use super::risk::{Account, Risk};
use super::tracker::{Heard, Standing, Tracker};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// A conversation after the model has read it, and how it ended.
#[derive(Debug, Clone)]
pub struct Case {
    /// The source's id.
    pub id: String,
    /// The way it was led.
    pub channel: Channel,
    /// Whose it was.
    pub tenant: Option<String>,
    /// What was known of the account.
    pub account: Account,
    /// Every turn in its order.
    pub turns: Vec<Heard>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a conversation stood after a turn of the customer's that could be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Its place among all turns.
    pub turn: usize,
    /// In log-odds.
    pub detection: f64,
    /// In log-odds.
    pub forecast: f64,
    /// Whether the customer counts as recovered.
    pub recovered: bool,
}

impl Case {
    /// The rules that a policy has for it.
    pub fn rules(&self, policies: &Policies) -> Arc<Rules> {
        policies.rules(self.tenant.as_deref(), self.channel)
    }

    /// Places of the customer's turns that could be read.
    pub fn customer_turns(&self) -> impl Iterator<Item = usize> {
        self.turns.iter().enumerate().filter(|(_, heard)| is_read(heard)).map(|(turn, _)| turn)
    }

    /// Days since 1970 in UTC at the first turn that has a time; `None` without times.
    pub fn day(&self) -> Option<i64> {
        self.turns.iter().find_map(|heard| heard.at_ms).map(|at| at.div_euclid(DAY_MS))
    }

    /// Minutes from one turn to another; `None` when either has no time.
    pub fn minutes(&self, from: usize, to: usize) -> Option<f64> {
        let at = |turn: usize| self.turns.get(turn).and_then(|heard| heard.at_ms);
        Some(at(to)?.saturating_sub(at(from)?) as f64 / 60_000.0)
    }

    /// How it stood after each turn.
    pub fn standings(&self, rules: &Arc<Rules>) -> Vec<Standing> {
        let mut tracker = Tracker::new(Arc::clone(rules), self.channel, self.account.clone());
        self.turns.iter().map(|heard| tracker.push(heard.clone())).collect()
    }

    /// How it stood after each of [`Self::customer_turns`].
    pub fn moments(&self, rules: &Arc<Rules>) -> Vec<Moment> {
        let after = self.turns.iter().zip(self.standings(rules)).filter(|(heard, _)| is_read(heard));
        after.map(|(_, standing)| Moment::of(&standing)).collect()
    }

    /// The features' values after each of [`Self::customer_turns`].
    pub fn measured(&self, features: &[Feature], rules: &Arc<Rules>) -> Vec<Vec<f64>> {
        let mut tracker = Tracker::new(Arc::clone(rules), self.channel, Account::new());
        let mut measured = Vec::new();
        for heard in &self.turns {
            tracker.push(heard.clone());
            if is_read(heard) {
                let value = |f: &Feature| f.measure(tracker.history(), &rules.measures).value;
                measured.push(features.iter().map(value).collect());
            }
        }
        measured
    }
}

impl Moment {
    fn of(standing: &Standing) -> Self {
        Self {
            turn: standing.turn,
            detection: standing.detection.log_odds,
            forecast: standing.forecast.log_odds,
            recovered: standing.recovery.is_some(),
        }
    }

    /// The higher of the two risks, in log-odds.
    pub fn either(&self) -> f64 {
        self.detection.max(self.forecast)
    }
}

/// What the alerts of a conversation would have done.
pub fn alerts(moments: &[Moment], rules: &Rules) -> Vec<AlertEvent> {
    let mut alerts = Alerts::default();
    let risk = |log_odds: f64| Risk { base: log_odds, reasons: Vec::new(), log_odds };
    let events = moments.iter().filter_map(|moment| {
        let (detection, forecast) = (risk(moment.detection), risk(moment.forecast));
        alerts.evaluate(moment.turn, &detection, &forecast, moment.recovered, rules)
    });
    events.collect()
}

/// Places of the turns at which an alert came to `tier` or beyond it.
pub fn raises(events: &[AlertEvent], tier: Tier) -> impl Iterator<Item = usize> {
    let up = |event: &&AlertEvent| matches!(event.change, Change::Raised | Change::Escalated);
    let events = events.iter().filter(up);
    events.filter(move |event| event.before < tier && event.alert.tier >= tier).map(|event| event.turn)
}

fn is_read(heard: &Heard) -> bool {
    heard.role == Role::Customer && heard.signals.is_some()
}

#[cfg(test)]
#[path = "replay_tests.rs"]
pub(super) mod tests;
