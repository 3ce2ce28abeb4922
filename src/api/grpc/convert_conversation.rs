//! Between protobuf and domain values of conversations, both ways; nowhere else.

use std::collections::{BTreeSet, HashMap};

use super::{convert, v1};
use crate::domain::{Channel, Conversation, Role, Turn};
use crate::error::Error;
use crate::escalation::risk::{ACCOUNT as ACCOUNT_PREFIX, Account, Weights};
use crate::escalation::trajectory::{Point, Recovery, Trajectory};
use crate::escalation::{Alert, AlertEvent, Change, Feature, Risk, Rules, Standing, Tier};
use crate::pipeline::conversation::{ConversationReading, Participant, TurnReading};
use crate::pipeline::monitor::{Context, ConversationKey, Escalation, State};

/// Longest id, in bytes.
const ID_BYTES: usize = 256;
/// Most account features.
const ACCOUNT: usize = 64;
/// Largest account feature: with the heaviest weight, all of them together stay far from what a number can hold.
const ACCOUNT_VALUE: f64 = 1e12;

/// An id from outside: bounded.
pub(super) fn id(value: String, field: &str) -> Result<String, Error> {
    if value.len() > ID_BYTES {
        return Err(Error::invalid(
            field,
            format!("has {} bytes, at most {ID_BYTES} are taken", value.len()),
        ));
    }
    Ok(value)
}

/// An id that must be there.
pub(super) fn required_id(value: String, field: &str) -> Result<String, Error> {
    if value.is_empty() {
        return Err(Error::invalid(field, "expected an id"));
    }
    id(value, field)
}

pub(super) fn channel(number: i32, field: &str) -> Result<Channel, Error> {
    match v1::Channel::try_from(number) {
        Ok(v1::Channel::Unspecified) => Ok(Channel::Unknown),
        Ok(v1::Channel::Chat) => Ok(Channel::Chat),
        Ok(v1::Channel::Email) => Ok(Channel::Email),
        Ok(v1::Channel::Phone) => Ok(Channel::Phone),
        Ok(v1::Channel::Social) => Ok(Channel::Social),
        Ok(v1::Channel::Sms) => Ok(Channel::Sms),
        Err(_) => Err(Error::invalid(field, format!("{number} is not a Channel; expected 0 to 5"))),
    }
}

pub(super) fn channel_number(from: Channel) -> i32 {
    match from {
        Channel::Unknown => v1::Channel::Unspecified,
        Channel::Chat => v1::Channel::Chat,
        Channel::Email => v1::Channel::Email,
        Channel::Phone => v1::Channel::Phone,
        Channel::Social => v1::Channel::Social,
        Channel::Sms => v1::Channel::Sms,
    }
    .into()
}

fn role(number: i32) -> Result<Role, Error> {
    match v1::ParticipantRole::try_from(number) {
        Ok(v1::ParticipantRole::Customer) => Ok(Role::Customer),
        Ok(v1::ParticipantRole::Agent) => Ok(Role::Agent),
        Ok(v1::ParticipantRole::Bot) => Ok(Role::Bot),
        Ok(v1::ParticipantRole::Supervisor) => Ok(Role::Supervisor),
        Ok(v1::ParticipantRole::System) => Ok(Role::System),
        Ok(v1::ParticipantRole::Unspecified) | Err(_) => {
            Err(Error::invalid("role", format!("{number} is not a ParticipantRole; expected 1 to 5")))
        }
    }
}

fn role_number(from: Role) -> i32 {
    match from {
        Role::Customer => v1::ParticipantRole::Customer,
        Role::Agent => v1::ParticipantRole::Agent,
        Role::Bot => v1::ParticipantRole::Bot,
        Role::Supervisor => v1::ParticipantRole::Supervisor,
        Role::System => v1::ParticipantRole::System,
    }
    .into()
}

/// A turn; errors name the field below it.
pub(super) fn turn(from: v1::Turn) -> Result<Turn, Error> {
    let role = role(from.role)?;
    let participant = id(from.participant, "participant")?;
    let participant = if participant.is_empty() { role.name().to_owned() } else { participant };
    Ok(Turn { id: None, participant, role, text: from.text, at_ms: from.at_ms })
}

fn account(from: HashMap<String, f64>) -> Result<Account, Error> {
    if from.len() > ACCOUNT {
        return Err(Error::invalid(
            "account",
            format!("has {} features, at most {ACCOUNT} are taken", from.len()),
        ));
    }
    for (name, value) in &from {
        if name.len() > ID_BYTES || !(-ACCOUNT_VALUE..=ACCOUNT_VALUE).contains(value) {
            return Err(Error::invalid(
                "account",
                "expected numbers from -1e12 to 1e12 under names of at most 256 bytes",
            ));
        }
    }
    Ok(from.into_iter().collect())
}

/// What is known beside the turns, and the tenant; errors name the field below `context`.
pub(super) fn context(from: Option<v1::ConversationContext>) -> Result<(String, Context), Error> {
    let from = from.unwrap_or_default();
    let known = Context {
        channel: channel(from.channel, "channel")?,
        customer: id(from.customer_id, "customer_id")?,
        language: convert::language(&from.language)?.map(str::to_owned),
        account: account(from.account)?,
    };
    Ok((id(from.tenant, "tenant")?, known))
}

/// A whole conversation without its account; errors name their field.
pub(super) fn conversation(
    conversation_id: String,
    from: Option<v1::ConversationContext>,
    turns: Vec<v1::Turn>,
) -> Result<(Conversation, Account), Error> {
    let (tenant, context) = context(from).map_err(|e| e.within("context"))?;
    let turns = turns.into_iter().enumerate();
    let turns = turns.map(|(n, t)| turn(t).map_err(|e| e.within(&format!("turns[{n}]"))));
    let conversation = Conversation {
        id: id(conversation_id, "conversation_id")?,
        channel: context.channel,
        language: context.language,
        tenant: (!tenant.is_empty()).then_some(tenant),
        customer: (!context.customer.is_empty()).then_some(context.customer),
        turns: turns.collect::<Result<_, _>>()?,
        ..Conversation::default()
    };
    Ok((conversation, context.account))
}

/// The request that asks about a conversation.
pub(super) fn request(from: &Conversation) -> v1::AnalyzeConversationRequest {
    let turns = from.turns.iter().map(|turn| v1::Turn {
        role: role_number(turn.role),
        participant: turn.participant.clone(),
        text: turn.text.clone(),
        at_ms: turn.at_ms,
    });
    v1::AnalyzeConversationRequest {
        conversation_id: from.id.clone(),
        context: Some(v1::ConversationContext {
            tenant: from.tenant.clone().unwrap_or_default(),
            channel: channel_number(from.channel),
            customer_id: from.customer.clone().unwrap_or_default(),
            language: from.language.clone().unwrap_or_default(),
            ..v1::ConversationContext::default()
        }),
        turns: turns.collect(),
        ..v1::AnalyzeConversationRequest::default()
    }
}

/// The answer to AnalyzeConversation.
pub(super) fn reading(
    key: &ConversationKey,
    from: ConversationReading,
    omit_assessments: bool,
) -> v1::AnalyzeConversationResponse {
    let ConversationReading { turns, participants, events, tracker } = from;
    let assessed = turns.iter().find_map(|t| t.assessment.as_ref());
    let model =
        assessed.map(|a| v1::ModelReference { id: a.model_id.clone(), version: a.model_version.clone() });
    let empathy = tracker.empathy().clone().closed();
    v1::AnalyzeConversationResponse {
        conversation_id: key.id.clone(),
        turns: turns.into_iter().enumerate().map(|(n, t)| turn_result(n, t, omit_assessments)).collect(),
        participants: participants.into_iter().map(participant).collect(),
        state: tracker.standing().map(|standing| {
            let version = &tracker.rules().version;
            conversation_state(key, standing, tracker.alerts().open(), version)
        }),
        events: events.into_iter().map(|event| alert_event(key, event)).collect(),
        trajectory: Some(trajectory(tracker.trajectory(), tracker.rules())),
        empathy: Some(v1::Empathy { met_turns: places(&empathy.met), missed_turns: places(&empathy.missed) }),
        model,
    }
}

fn turn_result(index: usize, from: TurnReading, omit: bool) -> v1::TurnResult {
    let standing = &from.standing;
    v1::TurnResult {
        index: convert::count(index),
        detection: standing.detection.probability().get(),
        forecast: standing.forecast.probability().get(),
        tier: tier(standing.tier, standing.recovery.is_some()),
        assessment: from.assessment.filter(|_| !omit).map(convert::assessment),
    }
}

fn participant(from: Participant) -> v1::ParticipantResult {
    let lowest = from.trajectory.lowest();
    v1::ParticipantResult {
        participant: from.id,
        role: role_number(from.role),
        turn_count: convert::count(from.turn_count),
        level: from.trajectory.level(),
        mean: from.trajectory.mean(),
        trend: lowest.map(|_| from.trajectory.trend()),
        lowest_turn: lowest.map(|p| convert::count(p.turn)),
        lowest_score: lowest.map(|p| p.score),
    }
}

fn trajectory(from: &Trajectory, rules: &Rules) -> v1::Trajectory {
    let point = |p: &Point| v1::TrajectoryPoint { turn: convert::count(p.turn), score: p.score };
    v1::Trajectory {
        points: from.points().iter().map(point).collect(),
        level: from.level(),
        trend: from.trend(),
        lowest: from.lowest().as_ref().map(point),
        turned: from.turned().map(|(turn, score)| v1::TrajectoryPoint { turn: convert::count(turn), score }),
        recovery: from.recovery(&rules.recovery).map(recovery),
    }
}

fn recovery(from: Recovery) -> v1::Recovery {
    v1::Recovery {
        peak_turn: convert::count(from.peak_turn),
        peak_score: from.peak,
        end_score: from.end,
        resolved_turn: from.resolved_turn.map(convert::count),
    }
}

/// A tier's number. Without an open alert, a customer who has recovered is the better news.
pub(super) fn tier(from: Tier, recovered: bool) -> i32 {
    match from {
        Tier::None if recovered => v1::Tier::Recovered,
        Tier::None => v1::Tier::None,
        Tier::Watch => v1::Tier::Watch,
        Tier::Elevated => v1::Tier::Elevated,
        Tier::Urgent => v1::Tier::Urgent,
    }
    .into()
}

/// The lowest tier of a list; unspecified means watch.
pub(super) fn minimum_tier(number: i32) -> Result<Tier, Error> {
    match v1::Tier::try_from(number) {
        Ok(v1::Tier::Unspecified | v1::Tier::Watch) => Ok(Tier::Watch),
        Ok(v1::Tier::Elevated) => Ok(Tier::Elevated),
        Ok(v1::Tier::Urgent) => Ok(Tier::Urgent),
        Ok(v1::Tier::None | v1::Tier::Recovered) | Err(_) => Err(Error::invalid(
            "minimum_tier",
            "expected watch (2), elevated (3) or urgent (4): others have no alert",
        )),
    }
}

pub(super) fn state(key: &ConversationKey, from: &State) -> v1::ConversationState {
    conversation_state(key, &from.standing, from.alert.as_ref(), &from.policy_version)
}

fn conversation_state(
    key: &ConversationKey,
    standing: &Standing,
    open: Option<&Alert>,
    policy_version: &str,
) -> v1::ConversationState {
    v1::ConversationState {
        tier: tier(standing.tier, standing.recovery.is_some()),
        detection: Some(risk(&standing.detection)),
        forecast: Some(risk(&standing.forecast)),
        alert: open.map(|a| alert(key, a)),
        level: standing.level,
        recovery: standing.recovery.map(recovery),
        policy_version: policy_version.to_owned(),
    }
}

fn risk(from: &Risk) -> v1::Risk {
    let reason = |r: &crate::escalation::Reason| v1::Reason {
        code: r.code.clone(),
        value: r.value,
        contribution: r.contribution,
        turns: places(&r.turns),
        spans: r
            .spans
            .iter()
            .map(|(turn, span)| v1::ReasonSpan {
                turn: convert::count(*turn),
                span: Some(convert::span(*span)),
            })
            .collect(),
    };
    v1::Risk {
        probability: from.probability().get(),
        log_odds: from.log_odds,
        base: from.base,
        reasons: from.reasons.iter().map(reason).collect(),
    }
}

fn alert(key: &ConversationKey, from: &Alert) -> v1::Alert {
    v1::Alert {
        id: key.alert_id(from.ordinal),
        tier: tier(from.tier, false),
        highest_tier: tier(from.highest, false),
        raised_at_turn: convert::count(from.raised_at_turn),
        acknowledged_by: from.acknowledged_by.clone().unwrap_or_default(),
        snoozed_until_ms: from.snoozed_until_ms,
    }
}

pub(super) fn change(from: Change) -> i32 {
    match from {
        Change::Raised => v1::AlertChange::Raised,
        Change::Escalated => v1::AlertChange::Escalated,
        Change::Lowered => v1::AlertChange::Lowered,
        Change::Cleared => v1::AlertChange::Cleared,
        Change::Recovered => v1::AlertChange::Recovered,
        Change::Acknowledged => v1::AlertChange::Acknowledged,
        Change::Snoozed => v1::AlertChange::Snoozed,
        Change::Closed => v1::AlertChange::Closed,
    }
    .into()
}

pub(super) fn alert_event(key: &ConversationKey, from: AlertEvent) -> v1::AlertEvent {
    v1::AlertEvent {
        sequence: from.sequence,
        change: change(from.change),
        turn: convert::count(from.turn),
        tier_before: tier(from.before, false),
        alert: Some(alert(key, &from.alert)),
    }
}

pub(super) fn escalation(from: &Escalation, within_capacity: bool) -> v1::Escalation {
    v1::Escalation {
        conversation_id: from.key.id.clone(),
        tenant: from.key.tenant.clone(),
        channel: channel_number(from.channel),
        customer_id: from.customer.clone(),
        state: Some(state(&from.key, &from.state)),
        within_capacity,
        updated_ms: from.updated_ms,
    }
}

pub(super) fn policy(rules: &Rules) -> v1::GetPolicyResponse {
    let weight = |weights: &Weights, feature| weights.features.get(&feature).copied().unwrap_or_default();
    let features = Feature::all().map(|feature| v1::PolicyFeature {
        code: feature.name(),
        meaning: feature.meaning(),
        detection_weight: weight(&rules.detection, feature),
        forecast_weight: weight(&rules.forecast, feature),
    });
    let names: BTreeSet<&String> =
        rules.detection.account.keys().chain(rules.forecast.account.keys()).collect();
    let account = |weights: &Weights, name: &str| weights.account.get(name).copied().unwrap_or_default();
    let known = names.into_iter().map(|name| v1::PolicyFeature {
        code: format!("{ACCOUNT_PREFIX}{name}"),
        meaning: "what the caller knows of the account".into(),
        detection_weight: account(&rules.detection, name),
        forecast_weight: account(&rules.forecast, name),
    });
    v1::GetPolicyResponse {
        version: rules.version.clone(),
        detection_base: rules.detection.base,
        forecast_base: rules.forecast.base,
        features: features
            .chain(known)
            .filter(|f| f.detection_weight != 0.0 || f.forecast_weight != 0.0)
            .collect(),
    }
}

fn places(from: &[usize]) -> Vec<u32> {
    from.iter().map(|turn| convert::count(*turn)).collect()
}
