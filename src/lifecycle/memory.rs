//! What was last told of a customer, so that it is told once. Small for ever: one entry per kind and per state, and the newest
//! few escalated conversations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::escalated::Escalations;
use super::hysteresis::Track;
use super::signal::{Reason, Signal, SignalKind};

/// What was last said of a customer, so that it is said once.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// As of when anything was last followed, in milliseconds since 1970.
    pub(super) at_ms: i64,
    /// Signals so far, by kind.
    pub(super) told: BTreeMap<SignalKind, u32>,
    /// States, by the kind that begins them.
    pub(super) tracks: BTreeMap<SignalKind, Track>,
    /// Escalated conversations.
    pub(super) escalations: Escalations,
    /// The renewal that the CRM last named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) renewal_ms: Option<i64>,
}

impl Memory {
    /// The states that hold now, such as a raised churn risk, by the kind that began them; `EscalationRaised` while the
    /// customer of an escalated conversation is not better. What has no end, such as a conflict, holds for a while. As of
    /// the last [`follow`](super::follow()).
    pub fn active(&self) -> Vec<SignalKind> {
        let held = self.tracks.iter().filter(|(_, track)| track.held).map(|(kind, _)| *kind);
        held.chain(self.escalations.any_open().then_some(SignalKind::EscalationRaised)).collect()
    }

    /// Makes a signal as of now, and counts it.
    pub(super) fn tell(
        &mut self,
        kind: SignalKind,
        value: f64,
        reasons: Vec<Reason>,
        cause: String,
    ) -> Signal {
        let told = self.told.entry(kind).or_default();
        *told = told.saturating_add(1);
        Signal { kind, at_ms: self.at_ms, ordinal: *told, value, reasons, cause }
    }
}
