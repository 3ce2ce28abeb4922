//! What a customer's interactions say together.

use serde::{Deserialize, Serialize};

use super::account::{Account, Stage};
use super::observation::Observation;
use super::signal::Reason;

/// A customer as of the newest interaction.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Profile {
    /// Time of the newest interaction, in milliseconds since 1970; 0 without one.
    pub as_of_ms: i64,
    /// Interactions that were taken into account.
    pub observations: u32,
    /// The decayed, channel-normalised sentiment level, in [−1, 1].
    pub level: Option<f64>,
    /// Where the customer stands with the company.
    pub stage: Option<Stage>,
    /// How likely the customer is to leave.
    pub churn: Option<Churn>,
}

/// A risk in log-odds: `base + Σ contributions = log_odds`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Churn {
    /// The sum.
    pub log_odds: f64,
    /// The same as a probability.
    pub probability: f64,
    /// What every customer starts from.
    pub base: f64,
    /// What speaks for leaving (positive) or staying (negative), strongest first.
    pub reasons: Vec<Reason>,
}

impl Profile {
    /// The profile of a customer with these interactions, in any order.
    pub fn of(observations: &[Observation], _account: &Account) -> Self {
        let as_of_ms = observations.iter().map(|o| o.at_ms).max().unwrap_or_default();
        Self { as_of_ms, observations: observations.len() as u32, ..Self::default() }
    }
}
