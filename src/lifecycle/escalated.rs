//! Conversations that had escalated, each told once: raised; changed when the same conversation is given again with another
//! tier; recovered when it, or a later interaction, ended well.
//!
//! A conversation that both escalated and recovered before anybody was told is told as recovered alone. One that is older
//! than the newest interaction by more than [`NEWS_DAYS`] is history: it counts in the profile and is not told.

use serde::{Deserialize, Serialize};

use super::decay::days;
use super::observation::Observation;
use super::signal::{Reason, SignalKind};
use super::voiced::NAMED;

/// Conversations that are remembered; older ones are told no more.
pub const REMEMBERED: usize = 16;
/// Days for which an escalated conversation is news.
pub const NEWS_DAYS: f64 = 7.0;
/// Days for which it stays open when nobody says that the customer is better.
pub const OPEN_DAYS: f64 = 30.0;

/// What was told of escalated conversations.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Escalations {
    /// Oldest first; at most [`REMEMBERED`].
    known: Vec<Escalated>,
    /// Up to this time conversations may have been forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    forgotten_ms: Option<i64>,
}

/// One that was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Escalated {
    id: String,
    at_ms: i64,
    /// 0 none after all, 1 watch, 2 elevated, 3 urgent.
    tier: u8,
    open: bool,
}

/// What is to be told: the kind, the value, why, and the interaction that brought it about.
pub type Told = (SignalKind, f64, Vec<Reason>, String);

impl Escalations {
    /// Whether a conversation is escalated, and its customer not yet better.
    pub fn any_open(&self) -> bool {
        self.known.iter().any(|known| known.open)
    }

    /// What follows from added interactions as of a time; at most one for each conversation, and [`REMEMBERED`] in all.
    pub fn follow(&mut self, added: &[&Observation], now_ms: i64) -> Vec<Told> {
        let stale = |known: &Escalated| days(known.at_ms, now_ms) > OPEN_DAYS;
        self.known.iter_mut().filter(|known| stale(known)).for_each(|known| known.open = false);
        let concerns = |o: &&&Observation| tier(o) > 0 || o.recovered || self.place(&o.id).is_some();
        let news: Vec<&Observation> =
            added.iter().filter(|o| days(o.at_ms, now_ms) <= NEWS_DAYS).filter(concerns).copied().collect();
        let newest = &news[news.len().saturating_sub(REMEMBERED)..];
        let before = self.known.clone();
        let mut told: Vec<Told> = newest.iter().filter_map(|o| self.hear(o)).collect();
        // What has recovered in the meantime was told as that.
        let standing = self.known.iter().filter(|known| known.open || known.tier == 0);
        told.extend(standing.filter_map(|known| known.news(&before)));
        self.forget();
        told
    }

    /// Takes one in; answers when it ends what was open.
    fn hear(&mut self, observation: &Observation) -> Option<Told> {
        let Observation { id, at_ms, recovered, .. } = observation;
        let tier = tier(observation);
        if let Some(place) = self.place(id) {
            let known = &mut self.known[place];
            known.open = tier > 0 && (known.open || tier != known.tier);
            known.tier = tier;
        } else if tier > 0 && self.forgotten_ms.is_none_or(|forgotten_ms| *at_ms > forgotten_ms) {
            self.known.push(Escalated { id: id.clone(), at_ms: *at_ms, tier, open: true });
        }
        let settled = |known: &&mut Escalated| known.open && *recovered && known.at_ms <= *at_ms;
        let ended: Vec<&Escalated> = self
            .known
            .iter_mut()
            .filter(settled)
            .map(|known| {
                known.open = false;
                &*known
            })
            .collect();
        recovery(&ended, id)
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.known.iter().position(|known| known.id == id)
    }

    fn forget(&mut self) {
        self.known.sort_by(|a, b| a.at_ms.cmp(&b.at_ms).then_with(|| a.id.cmp(&b.id)));
        let many = self.known.len().saturating_sub(REMEMBERED);
        let forgotten = self.known.drain(..many).map(|known| known.at_ms).max();
        self.forgotten_ms = self.forgotten_ms.max(forgotten);
    }
}

impl Escalated {
    /// What is new of it since it was `before`.
    fn news(&self, before: &[Self]) -> Option<Told> {
        let kind = match before.iter().find(|known| known.id == self.id) {
            None => SignalKind::EscalationRaised,
            Some(known) if known.tier != self.tier => SignalKind::EscalationChanged,
            Some(_) => return None,
        };
        let reason = reason(self.tier, vec![self.id.clone()]);
        Some((kind, reason.contribution, vec![reason], self.id.clone()))
    }
}

/// 0 none, 1 watch, 2 elevated, 3 urgent.
fn tier(observation: &Observation) -> u8 {
    match observation.escalation {
        strength if strength > 5.0 / 6.0 => 3,
        strength if strength > 0.5 => 2,
        strength if strength > 0.0 => 1,
        _ => 0,
    }
}

/// The end of what was open; the newest ones are named.
fn recovery(ended: &[&Escalated], cause: &str) -> Option<Told> {
    let highest = ended.iter().map(|known| known.tier).max()?;
    let ids = ended.iter().rev().take(NAMED).map(|known| known.id.clone()).collect();
    let reason = reason(highest, ids);
    Some((SignalKind::EscalationRecovered, reason.contribution, vec![reason], cause.to_owned()))
}

fn reason(tier: u8, observations: Vec<String>) -> Reason {
    let name = match tier {
        3 => "urgent",
        2 => "elevated",
        1 => "watch",
        _ => "none",
    };
    Reason { code: format!("escalation.{name}"), contribution: f64::from(tier) / 3.0, observations }
}

#[cfg(test)]
#[path = "escalated_tests.rs"]
mod tests;
