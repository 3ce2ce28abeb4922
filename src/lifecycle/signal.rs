//! Changes of a customer that somebody should hear of, one event per change.

use serde::{Deserialize, Serialize};

pub use super::follow::follow;
pub use super::memory::Memory;

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// The sentiment level has fallen clearly.
    SentimentDrop,
    /// It has come back.
    SentimentRecovered,
    /// The customer is likely to leave.
    ChurnRiskRaised,
    /// That has passed.
    ChurnRiskCleared,
    /// Getting started goes badly.
    OnboardingFriction,
    /// The customer may want more.
    ExpansionInterest,
    /// A renewal is at risk.
    RenewalRisk,
    /// The customer may recommend the company.
    AdvocacyCandidate,
    /// The score and the comment contradict each other.
    NpsConflict,
    /// The customer sounds different from channel to channel.
    ChannelInconsistency,
    /// A conversation needs a person.
    EscalationRaised,
    /// Its tier has changed.
    EscalationChanged,
    /// The customer of an escalated conversation is better.
    EscalationRecovered,
}

impl SignalKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::SentimentDrop,
        Self::SentimentRecovered,
        Self::ChurnRiskRaised,
        Self::ChurnRiskCleared,
        Self::OnboardingFriction,
        Self::ExpansionInterest,
        Self::RenewalRisk,
        Self::AdvocacyCandidate,
        Self::NpsConflict,
        Self::ChannelInconsistency,
        Self::EscalationRaised,
        Self::EscalationChanged,
        Self::EscalationRecovered,
    ];

    /// The kind's name in events and exports.
    pub fn name(self) -> &'static str {
        match self {
            Self::SentimentDrop => "sentiment_drop",
            Self::SentimentRecovered => "sentiment_recovered",
            Self::ChurnRiskRaised => "churn_risk_raised",
            Self::ChurnRiskCleared => "churn_risk_cleared",
            Self::OnboardingFriction => "onboarding_friction",
            Self::ExpansionInterest => "expansion_interest",
            Self::RenewalRisk => "renewal_risk",
            Self::AdvocacyCandidate => "advocacy_candidate",
            Self::NpsConflict => "nps_conflict",
            Self::ChannelInconsistency => "channel_inconsistency",
            Self::EscalationRaised => "escalation_raised",
            Self::EscalationChanged => "escalation_changed",
            Self::EscalationRecovered => "escalation_recovered",
        }
    }

    /// The kind of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Why: a named part of a signal's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// What it is, such as `cue.churn_intent`.
    pub code: String,
    /// Its signed share of the value.
    pub contribution: f64,
    /// Ids of the interactions behind it, newest first.
    pub observations: Vec<String>,
}

/// A change of a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// What has changed.
    pub kind: SignalKind,
    /// As of when, in milliseconds since 1970.
    pub at_ms: i64,
    /// How many signals of this kind the customer has had, this one included: with the kind, its name within the customer.
    pub ordinal: u32,
    /// The value that crossed its border; what it is depends on the kind.
    pub value: f64,
    /// Why, strongest first.
    pub reasons: Vec<Reason>,
    /// The interaction that brought it about; empty when it was the CRM.
    pub cause: String,
}
