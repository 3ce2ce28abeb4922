//! Everything that is held of one customer, table by table, for whoever has the right to know it.
//!
//! A row comes as a JSON object with the columns of its table; columns that hold JSON come as what they hold. The order is
//! that of the rows' places, so that they can be read in pages.

/// A table that says something of customers. A mark that remembers an erasure is in none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldTable {
    /// What the CRM has said, the profile, and what was last told.
    Customers,
    /// What was said, as far as it is kept.
    Interactions,
    /// What models have read in it, each of them.
    Assessments,
    /// How conversations have ended.
    Conversations,
    /// Their alerts.
    Alerts,
    /// What was told.
    Signals,
    /// To whom, and what became of it.
    Outbox,
}

impl HeldTable {
    /// Every table.
    pub const ALL: [Self; 7] = [
        Self::Customers,
        Self::Interactions,
        Self::Assessments,
        Self::Conversations,
        Self::Alerts,
        Self::Signals,
        Self::Outbox,
    ];

    /// The table's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Interactions => "interactions",
            Self::Assessments => "assessments",
            Self::Conversations => "conversations",
            Self::Alerts => "alerts",
            Self::Signals => "signals",
            Self::Outbox => "outbox",
        }
    }
}
