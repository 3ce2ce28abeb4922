//! Interactions that were read and kept, as protobuf.

use super::{convert, convert_conversation as talk, convert_customers as customers, v1};
use crate::domain::{Assessment, Channel, SentimentLabel, Status};
use crate::escalation::{Change, Tier};
use crate::storage::{ConversationRecord, Delivery, Record, Recorded, TimelineEntry};

/// What became of a record, and what was read in it.
pub(super) fn recorded(
    record: &Record,
    from: Recorded,
    assessment: Option<Assessment>,
) -> v1::RecordedInteraction {
    use v1::recorded_interaction::Reading;
    let reading = assessment.map(|read| Reading::Assessment(convert::assessment(read)));
    let talk = record.conversation.as_ref().map(|talk| {
        let assessment = &record.assessment;
        Reading::Conversation(conversation(talk, assessment.score, &assessment.policy))
    });
    v1::RecordedInteraction {
        interaction_id: from.id,
        already_recorded: !from.new,
        reading: reading.or(talk),
        signals: from.signals.into_iter().map(|one| customers::signal(&record.key, one)).collect(),
    }
}

fn conversation(from: &ConversationRecord, level: Option<f64>, policy: &str) -> v1::ConversationSummary {
    let alerts = from.alerts.iter().map(|alert| v1::ConversationAlert {
        id: alert.id.clone(),
        tier: tier(&alert.tier),
        change: change(&alert.change),
        turn: alert.turn,
    });
    v1::ConversationSummary {
        turn_count: from.turns,
        highest_tier: tier(&from.tier),
        risk: from.risk,
        recovered: from.recovered,
        level,
        alerts: alerts.collect(),
        policy_version: policy.to_owned(),
    }
}

/// Names of rows; one that a newer version wrote is unspecified.
fn tier(name: &str) -> i32 {
    let known = [Tier::None].into_iter().chain(Tier::RAISED).find(|tier| tier.name() == name);
    known.map_or(0, |known| talk::tier(known, false))
}

fn change(name: &str) -> i32 {
    Change::ALL.into_iter().find(|change| change.name() == name).map_or(0, talk::change)
}

/// An interaction as it is kept.
pub(super) fn entry(from: TimelineEntry) -> v1::TimelineEntry {
    let TimelineEntry { observation, assessment, text, .. } = from;
    let (id, version) = assessment.model.rsplit_once('@').unwrap_or((&assessment.model, ""));
    let model = v1::ModelReference { id: id.to_owned(), version: version.to_owned() };
    let talk = from.conversation.as_ref();
    v1::TimelineEntry {
        interaction_id: from.id,
        source: from.source,
        external_id: from.external_id,
        kind: kind(&from.kind).into(),
        at_ms: observation.at_ms,
        received_ms: from.received_ms,
        channel: talk::channel_number(Channel::of_name(&observation.channel).unwrap_or_default()),
        text: text.text,
        text_hash: text.hash,
        status: status(&assessment.status).into(),
        language: assessment.language.unwrap_or_default(),
        score: assessment.score,
        label: label(assessment.label.as_deref().unwrap_or_default()).into(),
        emotion: assessment.emotion.unwrap_or_default(),
        cues: observation.cues.into_iter().map(|(cue, strength)| v1::CueStrength { cue, strength }).collect(),
        nps: observation.nps.map(u32::from),
        csat: observation.csat,
        conversation: talk.map(|talk| conversation(talk, assessment.score, &assessment.policy)),
        assessment_json: assessment.body,
        model: Some(model),
        policy_version: assessment.policy,
        scored_ms: assessment.scored_ms,
    }
}

fn kind(name: &str) -> v1::InteractionKind {
    match name {
        "message" => v1::InteractionKind::Message,
        "survey" => v1::InteractionKind::Survey,
        "conversation" => v1::InteractionKind::Conversation,
        _ => v1::InteractionKind::Unspecified,
    }
}

fn status(name: &str) -> v1::Status {
    let all = [Status::Ok, Status::Empty, Status::UnsupportedLanguage];
    match all.into_iter().find(|status| status.name() == name) {
        Some(Status::Ok) => v1::Status::Ok,
        Some(Status::Empty) => v1::Status::Empty,
        Some(Status::UnsupportedLanguage) => v1::Status::UnsupportedLanguage,
        None => v1::Status::Unspecified,
    }
}

fn label(name: &str) -> v1::SentimentLabel {
    use SentimentLabel as Label;
    let all = [Label::Negative, Label::Neutral, Label::Positive, Label::Mixed];
    match all.into_iter().find(|label| label.name() == name) {
        Some(Label::Negative) => v1::SentimentLabel::Negative,
        Some(Label::Neutral) => v1::SentimentLabel::Neutral,
        Some(Label::Positive) => v1::SentimentLabel::Positive,
        Some(Label::Mixed) => v1::SentimentLabel::Mixed,
        None => v1::SentimentLabel::Unspecified,
    }
}

/// An event that waits for its sink, or waited.
pub(super) fn event(from: Delivery) -> v1::ExportedEvent {
    v1::ExportedEvent {
        id: from.event.id,
        sink: from.event.sink,
        event_json: from.event.body,
        attempts: from.attempts,
        error: from.error.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rows_are_read_and_those_of_newer_versions_are_unspecified() {
        let numbers: std::collections::BTreeSet<i32> =
            Change::ALL.iter().map(|change| super::change(change.name())).collect();
        assert_eq!(numbers.len(), Change::ALL.len());
        let tiers = ["none", "watch", "elevated", "urgent", "newer"].map(tier);
        assert_eq!(tiers, [1, 2, 3, 4, 0]);
        assert_eq!((change("newer"), kind("newer") as i32, label("") as i32), (0, 0, 0));
        assert_eq!(status("empty"), v1::Status::Empty);
        assert_eq!(label("mixed"), v1::SentimentLabel::Mixed);
    }
}
