//! A conversation as JSON: the flat field names that exports use, and the reasons with their words.

use serde::Serialize;

use super::conversation_table::{change_name, label_name, tier_name};
use super::json::{rounded, slice};
use crate::api::grpc::v1;
use crate::domain::Conversation;
use crate::error::Error;

#[derive(Serialize)]
struct Row<'a> {
    conversation_id: &'a str,
    channel: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    escalation_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detection: Option<Risk<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forecast: Option<Risk<'a>>,
    events: Vec<Event<'a>>,
    sentiment_level: Option<f64>,
    trend: Option<f64>,
    lowest: Option<Point>,
    turned: Option<Point>,
    recovered: bool,
    empathy_met: Vec<u32>,
    empathy_missed: Vec<u32>,
    turns: Vec<Turn<'a>>,
    model_version: Option<String>,
    policy_version: Option<&'a str>,
}

#[derive(Serialize)]
struct Risk<'a> {
    probability: f64,
    log_odds: f64,
    base: f64,
    reasons: Vec<Reason<'a>>,
}

#[derive(Serialize)]
struct Reason<'a> {
    code: &'a str,
    value: f64,
    contribution: f64,
    turns: &'a [u32],
    words: Vec<&'a str>,
}

#[derive(Serialize)]
struct Event<'a> {
    sequence: u64,
    change: &'static str,
    turn: u32,
    alert_id: &'a str,
    tier_before: &'static str,
    tier: &'static str,
}

#[derive(Serialize)]
struct Point {
    turn: u32,
    score: f64,
}

#[derive(Serialize)]
struct Turn<'a> {
    index: u32,
    role: &'static str,
    text: &'a str,
    sentiment_label: Option<&'static str>,
    sentiment_score: Option<f64>,
    emotions: Vec<&'a str>,
    cues: Vec<&'a str>,
    detection: f64,
    forecast: f64,
    escalation_tier: &'static str,
}

/// A conversation that was read, without a line break.
pub(super) fn row(from: &Conversation, answer: &v1::AnalyzeConversationResponse) -> Result<Vec<u8>, Error> {
    let state = answer.state.as_ref();
    let trajectory = answer.trajectory.as_ref();
    let point = |p: &v1::TrajectoryPoint| Point { turn: p.turn, score: rounded(p.score) };
    let empathy = answer.empathy.clone().unwrap_or_default();
    let row = Row {
        status: "ok",
        escalation_tier: state.map(|s| tier_name(s.tier())),
        detection: state.and_then(|s| s.detection.as_ref()).map(|r| risk(from, r)),
        forecast: state.and_then(|s| s.forecast.as_ref()).map(|r| risk(from, r)),
        events: answer.events.iter().map(event).collect(),
        sentiment_level: trajectory.and_then(|t| t.level).map(rounded),
        trend: trajectory.map(|t| rounded(t.trend)),
        lowest: trajectory.and_then(|t| t.lowest.as_ref()).map(point),
        turned: trajectory.and_then(|t| t.turned.as_ref()).map(point),
        recovered: trajectory.is_some_and(|t| t.recovery.is_some()),
        empathy_met: empathy.met_turns,
        empathy_missed: empathy.missed_turns,
        turns: from.turns.iter().zip(&answer.turns).map(|(turn, result)| self::turn(turn, result)).collect(),
        model_version: answer.model.as_ref().map(|m| format!("{}@{}", m.id, m.version)),
        policy_version: state.map(|s| s.policy_version.as_str()),
        ..empty(from)
    };
    serde_json::to_vec(&row).map_err(Error::internal)
}

/// Why a conversation was not read.
pub(super) fn refused(from: &Conversation, error: &Error) -> Result<Vec<u8>, Error> {
    let row = Row { error: Some(error.told()), ..empty(from) };
    serde_json::to_vec(&row).map_err(Error::internal)
}

fn empty(from: &Conversation) -> Row<'_> {
    Row {
        conversation_id: &from.id,
        channel: from.channel.name(),
        status: "error",
        error: None,
        escalation_tier: None,
        detection: None,
        forecast: None,
        events: Vec::new(),
        sentiment_level: None,
        trend: None,
        lowest: None,
        turned: None,
        recovered: false,
        empathy_met: Vec::new(),
        empathy_missed: Vec::new(),
        turns: Vec::new(),
        model_version: None,
        policy_version: None,
    }
}

/// Not rounded: the contributions add up.
fn risk<'a>(conversation: &'a Conversation, from: &'a v1::Risk) -> Risk<'a> {
    let words = |s: &v1::ReasonSpan| {
        let (turn, span) = (conversation.turns.get(s.turn as usize)?, s.span?);
        Some(slice(&turn.text, span.byte_start, span.byte_end))
    };
    let reason = |r: &'a v1::Reason| Reason {
        code: &r.code,
        value: rounded(r.value),
        contribution: r.contribution,
        turns: &r.turns,
        words: r.spans.iter().filter_map(words).collect(),
    };
    Risk {
        probability: rounded(from.probability),
        log_odds: from.log_odds,
        base: from.base,
        reasons: from.reasons.iter().map(reason).collect(),
    }
}

fn event(from: &v1::AlertEvent) -> Event<'_> {
    let alert = from.alert.as_ref();
    Event {
        sequence: from.sequence,
        change: change_name(from.change()),
        turn: from.turn,
        alert_id: alert.map(|a| a.id.as_str()).unwrap_or_default(),
        tier_before: tier_name(from.tier_before()),
        tier: tier_name(alert.map(v1::Alert::tier).unwrap_or_default()),
    }
}

fn turn<'a>(from: &'a crate::domain::Turn, result: &'a v1::TurnResult) -> Turn<'a> {
    let assessment = result.assessment.as_ref();
    let sentiment = assessment.and_then(|a| a.sentiment.as_ref());
    let names = |labels: &'a [v1::LabelAssessment]| {
        labels.iter().filter(|l| l.predicted).map(|l| l.label.as_str()).collect()
    };
    Turn {
        index: result.index,
        role: from.role.name(),
        text: &from.text,
        sentiment_label: sentiment.map(label_name),
        sentiment_score: sentiment.map(|s| rounded(s.score)),
        emotions: assessment.map(|a| names(&a.emotions)).unwrap_or_default(),
        cues: assessment.map(|a| names(&a.cues)).unwrap_or_default(),
        detection: rounded(result.detection),
        forecast: rounded(result.forecast),
        escalation_tier: tier_name(result.tier()),
    }
}
