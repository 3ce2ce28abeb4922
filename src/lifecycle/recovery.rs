//! Service recovery: somebody was let down, it escalated, and the customer was better in the end.
//!
//! What was settled is not forgotten, but it says less: negative interactions of the [`REACH_DAYS`] before a recovery count
//! half as negative, and the recovered conversation itself, whose score is mostly that of its bad beginning, counts at
//! least as [`AT_LEAST`]. So a recovery never lowers a level. It does not lift a customer above one who was never let down:
//! whether there is such a "service recovery paradox" is disputed (C. de Matos, J. Henrique, C. Rossi, *Service Recovery
//! Paradox: A Meta-Analysis*, Journal of Service Research 10, 2007: for satisfaction, not for repurchase).

use serde::{Deserialize, Serialize};

use super::decay::days;
use super::observation::Observation;

/// Days back to which a recovery settles what went wrong: a matter seldom lives longer.
pub const REACH_DAYS: f64 = 30.0;
/// What a recovered conversation counts at least, in normalised score: mildly good.
pub const AT_LEAST: f64 = 0.25;
/// What is left of a negative score that was settled.
pub const SETTLED: f64 = 0.5;

/// A recovery after an escalation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// The recovered interaction.
    pub id: String,
    /// When it took place, in milliseconds since 1970.
    pub at_ms: i64,
    /// The escalated interaction that it settles; the same one when it escalated itself.
    pub escalated: String,
}

/// Every recovery after an escalation, with its place in the timeline, oldest first.
pub fn recoveries(timeline: &[&Observation]) -> Vec<(usize, Recovery)> {
    let mut escalated: Option<&Observation> = None;
    let mut found = Vec::new();
    for (place, observation) in timeline.iter().enumerate() {
        if observation.escalation > 0.0 {
            escalated = Some(observation);
        }
        let near = escalated.filter(|e| days(e.at_ms, observation.at_ms) <= REACH_DAYS);
        if let Some(escalated) = near.filter(|_| observation.recovered) {
            let (id, escalated) = (observation.id.clone(), escalated.id.clone());
            found.push((place, Recovery { id, at_ms: observation.at_ms, escalated }));
        }
    }
    found
}

/// For each interaction whether a later recovery has settled it.
pub fn settled(timeline: &[&Observation], recoveries: &[(usize, Recovery)]) -> Vec<bool> {
    let mut settled = vec![false; timeline.len()];
    let mut ahead = recoveries.iter().rev().peekable();
    let mut nearest: Option<i64> = None;
    for (place, observation) in timeline.iter().enumerate().rev() {
        settled[place] = nearest.is_some_and(|at_ms| days(observation.at_ms, at_ms) <= REACH_DAYS);
        if let Some((_, recovery)) = ahead.next_if(|(at, _)| *at == place) {
            nearest = Some(recovery.at_ms);
        }
    }
    settled
}
