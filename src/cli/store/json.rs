//! Customers, their interactions and signals as lines of JSON.

use serde::Serialize;
use serde_json::Value;

use super::time;
use crate::error::Error;
use crate::lifecycle::{Account, Profile};
use crate::storage::{Customer, SignalRow, TimelineEntry};

#[derive(Serialize)]
pub(super) struct CustomerLine<'a> {
    tenant: &'a str,
    customer: &'a str,
    account: &'a Account,
    active_signals: Vec<&'static str>,
    last_interaction_at: Option<String>,
    profile_as_of: Option<String>,
    profile: Value,
}

/// A customer with the profile that is shown. Errors: none that can happen.
pub(super) fn customer<'a>(held: &'a Customer, profile: &Profile) -> Result<CustomerLine<'a>, Error> {
    let mut value = serde_json::to_value(profile).map_err(Error::internal)?;
    if let Value::Object(fields) = &mut value {
        // What the profile is read out of says nothing to anybody.
        fields.remove("sums");
    }
    let at = |at_ms: i64| (profile.observations > 0).then(|| time(at_ms));
    Ok(CustomerLine {
        tenant: &held.key.tenant,
        customer: &held.key.customer,
        account: &held.account,
        active_signals: held.active.iter().map(|kind| kind.name()).collect(),
        last_interaction_at: at(profile.as_of_ms),
        profile_as_of: at(profile.at_ms),
        profile: value,
    })
}

#[derive(Serialize)]
pub(super) struct EntryLine<'a> {
    id: &'a str,
    source: &'a str,
    external_id: &'a str,
    kind: &'a str,
    channel: &'a str,
    occurred_at: String,
    received_at: String,
    status: &'a str,
    language: Option<&'a str>,
    sentiment_score: Option<f64>,
    sentiment_label: Option<&'a str>,
    emotion: Option<&'a str>,
    cues: &'a [(String, f64)],
    nps: Option<u8>,
    csat: Option<f64>,
    model: &'a str,
    text: Option<&'a str>,
    assessment: Value,
}

pub(super) fn entry(of: &TimelineEntry) -> EntryLine<'_> {
    let (heard, read) = (&of.observation, &of.assessment);
    EntryLine {
        id: &of.id,
        source: &of.source,
        external_id: &of.external_id,
        kind: &of.kind,
        channel: &heard.channel,
        occurred_at: time(heard.at_ms),
        received_at: time(of.received_ms),
        status: &read.status,
        language: read.language.as_deref(),
        sentiment_score: read.score,
        sentiment_label: read.label.as_deref(),
        emotion: read.emotion.as_deref(),
        cues: &heard.cues,
        nps: heard.nps,
        csat: heard.csat,
        model: &read.model,
        text: of.text.text.as_deref(),
        assessment: serde_json::from_str(&read.body).unwrap_or_default(),
    }
}

#[derive(Serialize)]
pub(super) struct SignalLine<'a> {
    sequence: u64,
    id: &'a str,
    tenant: &'a str,
    customer: &'a str,
    occurred_at: String,
    signal: &'a crate::lifecycle::Signal,
}

pub(super) fn signal(row: &SignalRow) -> SignalLine<'_> {
    SignalLine {
        sequence: row.cursor,
        id: &row.id,
        tenant: &row.key.tenant,
        customer: &row.key.customer,
        occurred_at: time(row.signal.at_ms),
        signal: &row.signal,
    }
}
