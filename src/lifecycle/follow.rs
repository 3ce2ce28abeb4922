//! Compares a customer with what was last told of them: one signal per kind and change.
//!
//! The states of [`super::rules`] move one step each, so a batch of many interactions changes each at most once. Only what
//! is newer than what was last told of a state may change it: an interaction that arrives late enters the profile, but never
//! contradicts what was told after it; the next newer one tells. Escalated conversations are told by
//! [`super::escalated`], each for itself. With nothing added, only another renewal date of the CRM changes anything, and
//! only where it counts.

use super::account::Account;
use super::hysteresis::{Border, Measured, Track};
use super::memory::Memory;
use super::observation::Observation;
use super::profile::Profile;
use super::rules::{STATES, Value, measure};
use super::signal::{Reason, Signal, SignalKind};
use super::timeline::in_order;

/// States that know of the renewal.
const OF_RENEWAL: [SignalKind; 2] = [SignalKind::ChurnRiskRaised, SignalKind::RenewalRisk];

/// What changes with `added`, which `profile` already holds; what is remembered of it, and what is told.
///
/// Signals are as of [`Profile::at_ms`], and never before the last ones. With nothing new it answers with the same memory and no
/// signal.
pub fn follow(
    memory: &Memory,
    profile: &Profile,
    account: &Account,
    added: &[Observation],
) -> (Memory, Vec<Signal>) {
    let added = in_order(added);
    let by_account = memory.renewal_ms != account.renewal_ms;
    let mut memory = Memory { renewal_ms: account.renewal_ms, ..memory.clone() };
    if profile.observations == 0 || (added.is_empty() && !by_account) {
        return (memory, Vec::new());
    }
    memory.at_ms = memory.at_ms.max(profile.at_ms);
    let change = Change { profile, added: &added, by_account };
    let mut signals: Vec<Signal> =
        STATES.iter().filter_map(|border| change.step(&mut memory, border)).collect();
    let at_ms = memory.at_ms;
    for (kind, value, reasons, cause) in memory.escalations.follow(&added, at_ms) {
        signals.push(memory.tell(kind, value, reasons, cause));
    }
    (memory, signals)
}

/// What is new.
struct Change<'a> {
    profile: &'a Profile,
    added: &'a [&'a Observation],
    by_account: bool,
}

impl Change<'_> {
    /// Moves one state on.
    fn step(&self, memory: &mut Memory, border: &Border) -> Option<Signal> {
        let mut track = memory.tracks.get(&border.kind).cloned().unwrap_or_default();
        let by_account = self.by_account && OF_RENEWAL.contains(&border.kind);
        if !by_account && !self.newer_than(&track) {
            return None;
        }
        if border.lapsed(&track, memory.at_ms) {
            track.held = false;
        }
        let measured = measure(border.kind, self.profile, &track);
        let told = measured.and_then(|measured| self.tell(memory, border, &mut track, measured, by_account));
        track.before = track.before.filter(|_| track.held);
        // What was never told and does not hold is not worth remembering.
        if track == Track::default() {
            memory.tracks.remove(&border.kind);
        } else {
            memory.tracks.insert(border.kind, track);
        }
        told
    }

    fn tell(
        &self,
        memory: &mut Memory,
        border: &Border,
        track: &mut Track,
        measured: Value,
        by_account: bool,
    ) -> Option<Signal> {
        let Value { value, reasons, subject, before } = measured;
        track.before = before;
        let now = Measured { value, at_ms: memory.at_ms, subject: subject.as_deref(), by_account };
        let kind = border.step(track, now)?;
        let cause = self.cause(&reasons);
        Some(memory.tell(kind, value, reasons, cause))
    }

    /// Whether anything added is newer than what was last told.
    fn newer_than(&self, track: &Track) -> bool {
        let newest = self.added.last().map(|newest| newest.at_ms);
        newest.is_some_and(|newest| track.told_ms.is_none_or(|told_ms| newest > told_ms))
    }

    /// The newest added interaction that is among the reasons, else the newest added; empty when the CRM brought it about.
    fn cause(&self, reasons: &[Reason]) -> String {
        let named = |id: &String| reasons.iter().any(|reason| reason.observations.contains(id));
        let among = self.added.iter().rev().find(|added| named(&added.id));
        among.or(self.added.last()).map_or_else(String::new, |added| added.id.clone())
    }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "stories_tests.rs"]
mod stories;
