//! Between protobuf and values of customers, both ways; nowhere else.

use super::{convert, convert_conversation as talk, v1};
use crate::domain::Channel;
use crate::error::Error;
use crate::lifecycle::consistency::{ChannelLevel, Consistency};
use crate::lifecycle::nps::{Band, Nps};
use crate::lifecycle::{Account, Churn, Reason, Signal, SignalKind, Stage};
use crate::pipeline::customers::{Content, Interaction, event_id};
use crate::storage::{Customer, CustomerKey};

/// Errors name the field below the interaction. `turns` is the most of a conversation.
pub(super) fn interaction(from: v1::Interaction, turns: usize) -> Result<Interaction, Error> {
    let nps = from.nps.map(|nps| u8::try_from(nps).map_err(|_| Error::invalid("nps", "expected 0 to 10")));
    let language = convert::language(&from.language)?.map(str::to_owned);
    let interaction = Interaction {
        channel: talk::channel(from.channel, "channel")?,
        language,
        content: content(from.content, turns)?,
        nps: nps.transpose()?,
        csat: from.csat,
        tenant: from.tenant,
        customer: from.customer,
        source: from.source,
        external_id: from.external_id,
        at_ms: from.at_ms,
    };
    interaction.check()?;
    Ok(interaction)
}

fn content(from: Option<v1::interaction::Content>, most: usize) -> Result<Content, Error> {
    use v1::interaction::Content as From;
    match from {
        None => Err(Error::invalid("content", "expected a message, a survey or a conversation")),
        Some(From::Message(message)) => Ok(Content::Message(message.text)),
        Some(From::Survey(survey)) => Ok(Content::Survey(survey.text)),
        Some(From::Conversation(whole)) if whole.turns.len() > most => {
            let problem = format!("has {} turns, at most {most} are read", whole.turns.len());
            Err(Error::invalid("conversation.turns", format!("{problem}; raise limits.conversation_turns")))
        }
        Some(From::Conversation(whole)) => {
            let turns = whole.turns.into_iter().enumerate();
            let turns = turns.map(|(place, turn)| {
                talk::turn(turn).map_err(|e| e.within(&format!("conversation.turns[{place}]")))
            });
            Ok(Content::Conversation(turns.collect::<Result<_, _>>()?))
        }
    }
}

pub(super) fn stage(number: i32, field: &str) -> Result<Option<Stage>, Error> {
    if number == 0 {
        return Ok(None);
    }
    let known = Stage::ALL.into_iter().find(|stage| stage_number(Some(*stage)) == number);
    let problem = || format!("{number} is not a Stage; expected 0 to {}", Stage::ALL.len());
    known.map(Some).ok_or_else(|| Error::invalid(field, problem()))
}

fn stage_number(from: Option<Stage>) -> i32 {
    match from {
        None => v1::Stage::Unspecified,
        Some(Stage::Awareness) => v1::Stage::Awareness,
        Some(Stage::Consideration) => v1::Stage::Consideration,
        Some(Stage::Acquisition) => v1::Stage::Acquisition,
        Some(Stage::Onboarding) => v1::Stage::Onboarding,
        Some(Stage::Growth) => v1::Stage::Growth,
        Some(Stage::Retention) => v1::Stage::Retention,
        Some(Stage::Advocacy) => v1::Stage::Advocacy,
    }
    .into()
}

/// Unspecified is no kind.
pub(super) fn signal_kind(number: i32, field: &str) -> Result<Option<SignalKind>, Error> {
    if number == 0 {
        return Ok(None);
    }
    let known = SignalKind::ALL.into_iter().find(|kind| kind_number(*kind) == number);
    let problem = || format!("{number} is not a SignalKind; expected 0 to {}", SignalKind::ALL.len());
    known.map(Some).ok_or_else(|| Error::invalid(field, problem()))
}

fn kind_number(from: SignalKind) -> i32 {
    match from {
        SignalKind::SentimentDrop => v1::SignalKind::SentimentDrop,
        SignalKind::SentimentRecovered => v1::SignalKind::SentimentRecovered,
        SignalKind::ChurnRiskRaised => v1::SignalKind::ChurnRiskRaised,
        SignalKind::ChurnRiskCleared => v1::SignalKind::ChurnRiskCleared,
        SignalKind::OnboardingFriction => v1::SignalKind::OnboardingFriction,
        SignalKind::ExpansionInterest => v1::SignalKind::ExpansionInterest,
        SignalKind::RenewalRisk => v1::SignalKind::RenewalRisk,
        SignalKind::AdvocacyCandidate => v1::SignalKind::AdvocacyCandidate,
        SignalKind::NpsConflict => v1::SignalKind::NpsConflict,
        SignalKind::ChannelInconsistency => v1::SignalKind::ChannelInconsistency,
        SignalKind::EscalationRaised => v1::SignalKind::EscalationRaised,
        SignalKind::EscalationChanged => v1::SignalKind::EscalationChanged,
        SignalKind::EscalationRecovered => v1::SignalKind::EscalationRecovered,
    }
    .into()
}

/// What a CRM says; errors name the field below the entry.
pub(super) fn import(from: v1::CustomerImport) -> Result<(CustomerKey, Account), Error> {
    let said = from.account.unwrap_or_default();
    let text = |text: String| (!text.is_empty()).then_some(text);
    let account = Account {
        stage: stage(said.stage, "account.stage")?,
        tier: text(said.tier),
        renewal_ms: said.renewal_ms,
        owner: text(said.owner),
        since_ms: said.since_ms,
    };
    Ok((CustomerKey { tenant: from.tenant, customer: from.customer }, account))
}

fn account(from: Account) -> v1::CustomerAccount {
    v1::CustomerAccount {
        stage: stage_number(from.stage),
        tier: from.tier.unwrap_or_default(),
        renewal_ms: from.renewal_ms,
        owner: from.owner.unwrap_or_default(),
        since_ms: from.since_ms,
    }
}

/// A customer, read at a time.
pub(super) fn customer(from: Customer, now_ms: i64) -> v1::Customer {
    let profile = from.profile.at(now_ms);
    v1::Customer {
        tenant: from.key.tenant,
        customer: from.key.customer,
        account: Some(account(from.account)),
        as_of_ms: profile.as_of_ms,
        read_at_ms: profile.at_ms,
        interaction_count: profile.observations,
        level: profile.level,
        confidence: profile.confidence,
        momentum: profile.momentum,
        channels: profile.channels.into_iter().map(channel_level).collect(),
        consistency: profile.consistency.map(consistency),
        stage: stage_number(profile.stage),
        stage_reason: profile.stage_reason.map(reason),
        nps: profile.nps.map(net_promoter),
        churn: profile.churn.map(churn),
        recovery: profile.recovery.map(|recovery| v1::ServiceRecovery {
            interaction_id: recovery.id,
            at_ms: recovery.at_ms,
            escalated_interaction_id: recovery.escalated,
        }),
        active_signals: from.active.into_iter().map(kind_number).collect(),
        updated_ms: from.updated_ms,
    }
}

fn channel_level(from: ChannelLevel) -> v1::ChannelLevel {
    let channel = Channel::of_name(&from.channel);
    v1::ChannelLevel {
        channel: talk::channel_number(channel.unwrap_or_default()),
        survey: channel.is_none(),
        level: from.level,
        weight: from.weight,
        interaction_ids: from.observations,
    }
}

fn consistency(from: Consistency) -> v1::ChannelConsistency {
    v1::ChannelConsistency {
        value: from.value,
        worst: Some(channel_level(from.worst)),
        best: Some(channel_level(from.best)),
    }
}

fn net_promoter(from: Nps) -> v1::NetPromoter {
    v1::NetPromoter {
        answer: from.answer.into(),
        band: match from.band {
            Band::Promoter => v1::NetPromoterBand::Promoter,
            Band::Passive => v1::NetPromoterBand::Passive,
            Band::Detractor => v1::NetPromoterBand::Detractor,
        }
        .into(),
        conflict: from.conflict,
        interaction_id: from.id,
        at_ms: from.at_ms,
    }
}

fn churn(from: Churn) -> v1::ChurnRisk {
    v1::ChurnRisk {
        probability: from.probability,
        log_odds: from.log_odds,
        base: from.base,
        reasons: from.reasons.into_iter().map(reason).collect(),
    }
}

fn reason(from: Reason) -> v1::SignalReason {
    v1::SignalReason { code: from.code, contribution: from.contribution, interaction_ids: from.observations }
}

/// A customer's signal.
pub(super) fn signal(key: &CustomerKey, from: Signal) -> v1::Signal {
    v1::Signal {
        id: event_id(key, &from),
        tenant: key.tenant.clone(),
        customer: key.customer.clone(),
        kind: kind_number(from.kind),
        at_ms: from.at_ms,
        ordinal: from.ordinal,
        value: from.value,
        reasons: from.reasons.into_iter().map(reason).collect(),
        interaction_id: from.cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_what_they_number_and_unknown_ones_are_refused_with_their_field() {
        for known in Stage::ALL {
            assert_eq!(stage(stage_number(Some(known)), "stage").unwrap(), Some(known));
        }
        for known in SignalKind::ALL {
            assert_eq!(signal_kind(kind_number(known), "signal").unwrap(), Some(known));
            let name = v1::SignalKind::try_from(kind_number(known)).unwrap().as_str_name();
            assert_eq!(name, format!("SIGNAL_KIND_{}", known.name().to_uppercase()));
        }
        assert_eq!((stage(0, "stage").unwrap(), signal_kind(0, "signal").unwrap()), (None, None));
        for unknown in [-1, 99] {
            assert_eq!(stage(unknown, "stage").unwrap_err().field(), Some("stage"));
            assert_eq!(signal_kind(unknown, "signal").unwrap_err().field(), Some("signal"));
        }
    }
}
