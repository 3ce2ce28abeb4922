//! The event of a signal: what has changed, why, and how the customer stands now. `docs/events/signal.v1.schema.json`
//! says the same as a schema.

use serde::Serialize;

use super::envelope::{Event, Head, rfc3339, wrap};
use super::id::signal_id;
use crate::error::Error;
use crate::lifecycle::{Profile, Reason, Signal};
use crate::storage::CustomerKey;

/// Reasons that an event lists: more than the lifecycle has names for.
const REASONS: usize = 64;
/// Interactions that an event lists for each reason, newest first; the timeline has them all.
const INTERACTIONS: usize = 16;

/// Who says it, by which versions.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The configured `events.source`.
    pub source: &'a str,
    /// `id@version` of the model.
    pub model: &'a str,
    /// Version of the policy; empty where there is none.
    pub policy: &'a str,
}

#[derive(Serialize)]
struct Data<'a> {
    tenant: &'a str,
    customer: &'a str,
    signal: &'static str,
    ordinal: u32,
    value: f64,
    reasons: Vec<Why<'a>>,
    interaction: &'a str,
    interactions: u32,
    sentiment_level: Option<f64>,
    sentiment_momentum: f64,
    lifecycle_stage: Option<&'static str>,
    churn_risk: Option<f64>,
    profile_as_of: String,
    model_version: &'a str,
    policy_version: &'a str,
}

#[derive(Serialize)]
struct Why<'a> {
    code: &'a str,
    contribution: f64,
    interactions: Vec<&'a str>,
}

/// The event that tells of a signal; `profile` is the customer's as the signal left it.
pub fn signal(
    origin: Origin<'_>,
    key: &CustomerKey,
    profile: &Profile,
    signal: &Signal,
) -> Result<Event, Error> {
    let kind = signal.kind.name();
    let head = Head {
        id: signal_id(key, signal),
        kind,
        event_type: format!("attune.signal.{kind}.v1"),
        source: origin.source,
        tenant: &key.tenant,
        customer: &key.customer,
        at_ms: signal.at_ms,
    };
    wrap(head, data(origin, key, profile, signal))
}

fn data<'a>(origin: Origin<'a>, key: &'a CustomerKey, profile: &Profile, signal: &'a Signal) -> Data<'a> {
    Data {
        tenant: &key.tenant,
        customer: &key.customer,
        signal: signal.kind.name(),
        ordinal: signal.ordinal,
        value: signal.value,
        reasons: signal.reasons.iter().take(REASONS).map(why).collect(),
        interaction: &signal.cause,
        interactions: profile.observations,
        sentiment_level: profile.level,
        sentiment_momentum: profile.momentum,
        lifecycle_stage: profile.stage.map(|stage| stage.name()),
        churn_risk: profile.churn.as_ref().map(|churn| churn.probability),
        profile_as_of: rfc3339(profile.as_of_ms),
        model_version: origin.model,
        policy_version: origin.policy,
    }
}

fn why(reason: &Reason) -> Why<'_> {
    let interactions = reason.observations.iter().take(INTERACTIONS).map(String::as_str).collect();
    Why { code: &reason.code, contribution: reason.contribution, interactions }
}
