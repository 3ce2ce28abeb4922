//! The event of an assessment: what was read in one interaction, in flat names, and the whole of it beside them.
//! `docs/events/assessment.v1.schema.json` says the same as a schema.

use serde::Serialize;
use serde_json::{Map, Value};

use super::ASSESSMENT;
use super::envelope::{Event, Head, rfc3339, wrap};
use super::id::assessment_id;
use crate::error::Error;
use crate::storage::{ConversationRecord, Record};

#[derive(Serialize)]
struct Data<'a> {
    tenant: &'a str,
    customer: &'a str,
    interaction: &'a str,
    kind: &'a str,
    source: &'a str,
    source_id: &'a str,
    channel: &'a str,
    at: String,
    status: &'a str,
    language: Option<&'a str>,
    sentiment_score: Option<f64>,
    sentiment_label: Option<&'a str>,
    emotion_top: Option<&'a str>,
    cues: Vec<Cue<'a>>,
    nps: Option<u8>,
    csat: Option<f64>,
    conversation: Option<Conversation<'a>>,
    input_hash: Option<&'a str>,
    model_version: &'a str,
    policy_version: &'a str,
    scored_at: String,
    assessment: Map<String, Value>,
}

#[derive(Serialize)]
struct Cue<'a> {
    cue: &'a str,
    strength: f64,
}

#[derive(Serialize)]
struct Conversation<'a> {
    turns: u32,
    escalation_tier: &'a str,
    escalation_risk: f64,
    recovered: bool,
}

/// The event that tells what was read in an interaction; `source` is the configured `events.source`. Error: `Internal` when
/// the record's assessment is no JSON object.
pub fn assessment(source: &str, record: &Record) -> Result<Event, Error> {
    let head = Head {
        id: assessment_id(record),
        kind: ASSESSMENT,
        event_type: "attune.assessment.v1".to_owned(),
        source,
        tenant: &record.key.tenant,
        customer: &record.key.customer,
        at_ms: record.assessment.scored_ms,
    };
    wrap(head, data(record)?)
}

fn data(record: &Record) -> Result<Data<'_>, Error> {
    let (read, said) = (&record.assessment, &record.observation);
    Ok(Data {
        tenant: &record.key.tenant,
        customer: &record.key.customer,
        interaction: &record.id,
        kind: record.kind,
        source: &record.source,
        source_id: &record.external_id,
        channel: &said.channel,
        at: rfc3339(said.at_ms),
        status: &read.status,
        language: read.language.as_deref(),
        sentiment_score: read.score,
        sentiment_label: read.label.as_deref(),
        emotion_top: read.emotion.as_deref(),
        cues: said.cues.iter().map(|(cue, strength)| Cue { cue, strength: *strength }).collect(),
        nps: said.nps,
        csat: said.csat,
        conversation: record.conversation.as_ref().map(conversation),
        input_hash: record.text.hash.as_deref(),
        model_version: &read.model,
        policy_version: &read.policy,
        scored_at: rfc3339(read.scored_ms),
        assessment: serde_json::from_str(&read.body).map_err(Error::internal)?,
    })
}

fn conversation(record: &ConversationRecord) -> Conversation<'_> {
    Conversation {
        turns: record.turns,
        escalation_tier: &record.tier,
        escalation_risk: record.risk,
        recovered: record.recovered,
    }
}
