//! How likely a customer is to leave: additive in log-odds, and every contribution is a reason.
//!
//! ```text
//! log_odds = BASE + Σ weight · value          probability = 1 / (1 + e^−log_odds)
//! ```
//!
//! as in logistic regression and in points-based risk scores (L. Sullivan, J. Massaro, R. D'Agostino, *Presentation of
//! multivariate data for clinical use: the Framingham Study risk score functions*, Statistics in Medicine 23, 2004). Every
//! value lies in [0, 1], fades with a half-life of its own, and weighs in one direction only, so more of a risk is never
//! less risk. The weights are choices, not fitted: they rank customers, and the probability is no measured frequency.
//! Silence is no feature: whoever does not write may be content, or gone, and attune can't tell.

use serde::{Deserialize, Serialize};

use super::decay::days;
use super::signal::Reason;
use crate::domain::Probability;

/// Log-odds of a customer of whom nothing else is known: about one in twenty.
pub const BASE: f64 = -3.0;

/// What a value of 1 weighs, in log-odds. An outspoken intent to leave raises the risk alone, however calm it is said;
/// anger, waiting and escalations only together.
pub const WEIGHTS: [(&str, f64); 14] = [
    ("cue.churn_intent", 4.0),
    ("cue.renewal_hesitation", 2.0),
    ("cue.unresolved_issue", 1.0),
    ("cue.repeat_contact", 0.7),
    ("cue.payment_dispute", 0.8),
    ("level.low", 2.0),
    ("momentum.falling", 1.0),
    ("service.escalation", 1.2),
    ("nps.detractor", 1.2),
    ("renewal.near", 0.6),
    ("cue.resolution_confirmed", -0.8),
    ("service.recovery", -0.7),
    ("cue.advocacy", -1.0),
    ("cue.expansion_interest", -0.8),
];

/// Days before a renewal from which on it is near: when contracts are usually looked at again.
pub const RENEWAL_DAYS: f64 = 90.0;

/// A risk in log-odds: `base + Σ contributions = log_odds`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Churn {
    /// The sum, added in the order of `reasons`.
    pub log_odds: f64,
    /// The same as a probability.
    pub probability: f64,
    /// What every customer starts from.
    pub base: f64,
    /// What speaks for leaving (positive) or staying (negative), strongest first.
    pub reasons: Vec<Reason>,
}

impl Churn {
    /// Weighs features: reasons whose `contribution` is the feature's value in [0, 1]. A feature without a weight weighs
    /// nothing.
    pub fn of(features: impl IntoIterator<Item = Reason>) -> Self {
        let weigh = |feature: Reason| {
            let (_, weight) = WEIGHTS.iter().find(|(code, _)| *code == feature.code)?;
            Some(Reason { contribution: weight * feature.contribution, ..feature })
        };
        let weighed = features.into_iter().filter_map(weigh);
        let mut reasons: Vec<Reason> = weighed.filter(|reason| reason.contribution != 0.0).collect();
        let heaviest = |a: &Reason, b: &Reason| b.contribution.abs().total_cmp(&a.contribution.abs());
        reasons.sort_by(|a, b| heaviest(a, b).then_with(|| a.code.cmp(&b.code)));
        let log_odds = reasons.iter().fold(BASE, |sum, reason| sum + reason.contribution);
        Self { log_odds, probability: Probability::of_logit(log_odds).get(), base: BASE, reasons }
    }
}

/// How near a renewal is: from 0 at [`RENEWAL_DAYS`] before it to 1 on the day. One that has passed says nothing; the CRM will
/// name the next.
pub fn renewal_near(renewal_ms: Option<i64>, now_ms: i64) -> f64 {
    let ahead = renewal_ms.filter(|renewal_ms| *renewal_ms >= now_ms);
    ahead.map_or(0.0, |renewal_ms| (1.0 - days(now_ms, renewal_ms) / RENEWAL_DAYS).max(0.0))
}
