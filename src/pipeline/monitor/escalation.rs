//! What the list of escalations says of a conversation, and by what it is ordered.

use super::State;
use crate::domain::Channel;
use crate::escalation::Tier;

/// Which conversation: ids are a tenant's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConversationKey {
    /// Empty for none.
    pub tenant: String,
    /// The caller's id.
    pub id: String,
}

/// An open alert and its conversation.
#[derive(Debug, Clone)]
pub struct Escalation {
    /// Which conversation.
    pub key: ConversationKey,
    /// The way it is led.
    pub channel: Channel,
    /// The customer's id; empty for none.
    pub customer: String,
    /// How it stands.
    pub state: State,
    /// Alerts of the tenant that people can take at once.
    pub capacity: usize,
    /// When the last turn came, in milliseconds since 1970.
    pub updated_ms: i64,
}

impl Escalation {
    /// What lists are ordered by: tier, then risk, then the alert's id, so that the order is total.
    pub fn rank(&self) -> (Tier, u64, String) {
        let standing = &self.state.standing;
        let risk = standing.detection.probability().get().max(standing.forecast.probability().get());
        let id = self.state.alert.as_ref().map_or_else(String::new, |alert| self.key.alert_id(alert.ordinal));
        // Probabilities are not negative: their bits have their order.
        (standing.tier, risk.to_bits(), id)
    }
}

impl ConversationKey {
    /// An alert's stable id: the same conversation's nth alert has it again, also in another process.
    pub fn alert_id(&self, ordinal: u32) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in [&self.tenant, &self.id] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        hasher.update(&ordinal.to_le_bytes());
        hasher.finalize().to_hex()[..24].to_owned()
    }
}
