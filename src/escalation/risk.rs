//! Risk, additive in log-odds: `log_odds = base + Σ contributions`, exactly, and every contribution is a reason.

use std::collections::BTreeMap;

use crate::domain::{Probability, Span};

use super::features::{Feature, Measured};
use super::history::History;
use super::policy::Measures;

/// What the caller knows of the account, such as `vip` or `open_tickets`; names and numbers are the caller's.
pub type Account = BTreeMap<String, f64>;

/// In front of an account feature's name.
pub const ACCOUNT: &str = "account.";

/// Weights in log-odds per unit of a feature.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    /// Log-odds of a conversation of which nothing else is known.
    pub base: f64,
    /// By feature; one that is not here weighs nothing.
    pub features: BTreeMap<Feature, f64>,
    /// By the name of what the caller knows, without `account.`.
    pub account: BTreeMap<String, f64>,
}

/// A risk and why it is what it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Risk {
    /// Log-odds before any feature.
    pub base: f64,
    /// Features that weigh something now, the heaviest first.
    pub reasons: Vec<Reason>,
    /// `base` plus the contributions, added in the order of `reasons`.
    pub log_odds: f64,
}

/// One feature's share of a risk.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The feature's name in the policy; where any of several cues may be behind it, that cue's name after a dot.
    pub code: String,
    /// The feature's value; [0, 1] but for account features.
    pub value: f64,
    /// Signed, in log-odds.
    pub contribution: f64,
    /// Places of the turns behind it.
    pub turns: Vec<usize>,
    /// The words behind it, each with its turn's place.
    pub spans: Vec<(usize, Span)>,
}

impl Weights {
    /// Weighs a conversation as it stands.
    pub fn evaluate(&self, history: &History, measures: &Measures, account: &Account) -> Risk {
        let measured = self.features.iter().map(|(feature, weight)| {
            let Measured { value, turns, spans, cue } = feature.measure(history, measures);
            let code = cue.map_or_else(|| feature.name(), |cue| format!("{}.{cue}", feature.name()));
            Reason { code, value, contribution: weight * value, turns, spans }
        });
        let known = self.account.iter().filter_map(|(name, weight)| {
            let value = *account.get(name)?;
            let code = format!("{ACCOUNT}{name}");
            let contribution = weight * value;
            Some(Reason { code, value, contribution, turns: Vec::new(), spans: Vec::new() })
        });
        let mut reasons: Vec<Reason> = measured.chain(known).filter(|r| r.contribution != 0.0).collect();
        reasons.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        let log_odds = reasons.iter().fold(self.base, |sum, reason| sum + reason.contribution);
        Risk { base: self.base, reasons, log_odds }
    }
}

impl Risk {
    /// The risk as a probability.
    pub fn probability(&self) -> Probability {
        Probability::of_logit(self.log_odds)
    }
}

#[cfg(test)]
#[path = "risk_tests.rs"]
mod tests;
