//! What the company's own systems know of a customer.

use serde::{Deserialize, Serialize};

/// Where a customer stands with the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Has heard of the company.
    Awareness,
    /// Compares it with others.
    Consideration,
    /// Is about to buy, or has just bought.
    Acquisition,
    /// Gets started.
    Onboarding,
    /// Uses more and more.
    Growth,
    /// Stays, or thinks about leaving.
    Retention,
    /// Recommends the company to others.
    Advocacy,
}

impl Stage {
    /// Every stage, in the order of a customer's life.
    pub const ALL: [Self; 7] = [
        Self::Awareness,
        Self::Consideration,
        Self::Acquisition,
        Self::Onboarding,
        Self::Growth,
        Self::Retention,
        Self::Advocacy,
    ];

    /// The stage's name in events and exports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Awareness => "awareness",
            Self::Consideration => "consideration",
            Self::Acquisition => "acquisition",
            Self::Onboarding => "onboarding",
            Self::Growth => "growth",
            Self::Retention => "retention",
            Self::Advocacy => "advocacy",
        }
    }

    /// The stage of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// What a CRM has said of a customer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The CRM's own stage, which wins over the one that attune would infer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The customer's tier, such as "enterprise".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// When the contract is to be renewed, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal_ms: Option<i64>,
    /// Who looks after the customer, by the CRM's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Since when the company knows the customer, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
}
