//! What was read in an interaction: as columns, as what the lifecycle hears, and as JSON without any text.

use serde::Serialize;

use super::channel_name;
use super::interaction::Interaction;
use crate::domain::{Assessment, ClassEvidence, Evidence, LabelAssessment, Role, Sentiment, Span, Spans};
use crate::error::Error;
use crate::escalation::{AlertEvent, Rules, Tier, TurnSignals};
use crate::lifecycle::Observation;
use crate::pipeline::conversation::ConversationReading;
use crate::pipeline::monitor::ConversationKey;
use crate::privacy::{HashKey, Redacted};
use crate::storage::{AlertRecord, AssessmentRecord, ConversationRecord, CustomerKey, KeptText, Record};

/// What the lifecycle hears, and what has columns of its own.
pub(super) struct Heard {
    status: &'static str,
    language: Option<String>,
    score: Option<f64>,
    label: Option<&'static str>,
    emotion: Option<String>,
    cues: Vec<(String, f64)>,
    policy: String,
    conversation: Option<ConversationRecord>,
    escalation: f64,
    recovered: bool,
}

impl Heard {
    /// What one text says.
    pub(super) fn message(read: &Assessment, signals: Option<&TurnSignals>) -> Self {
        let predicted = read.cues.iter().filter(|cue| cue.predicted);
        let cues = predicted
            .filter_map(|cue| Some((cue.label.clone(), signals?.cue(&cue.label))))
            .filter(|(_, strength)| *strength > 0.0);
        Self {
            status: read.status.name(),
            language: read.language.clone(),
            score: read.sentiment.as_ref().map(Sentiment::score),
            label: read.sentiment.as_ref().map(|sentiment| sentiment.label.name()),
            emotion: read.emotions.first().map(|label| label.label.clone()),
            cues: cues.collect(),
            policy: String::new(),
            conversation: None,
            escalation: 0.0,
            recovered: false,
        }
    }

    /// What a conversation says at its end: the customer's end-weighted level, every cue at its strongest, and the worst
    /// tier it had.
    pub(super) fn conversation(interaction: &Interaction, read: &ConversationReading, rules: &Rules) -> Self {
        let standing = read.tracker.standing();
        let said: Vec<&Assessment> = customer_turns(interaction, read).collect();
        let worst = read.events.iter().map(|event| event.alert.highest).max().unwrap_or_default();
        let recovered = standing.is_some_and(|standing| standing.recovery.is_some());
        let risk =
            standing.map_or(0.0, |s| s.detection.probability().get().max(s.forecast.probability().get()));
        let score = read.tracker.trajectory().level();
        let status = if said.is_empty() { "empty" } else { said[said.len() - 1].status.name() };
        Self {
            status,
            language: said.iter().find_map(|read| read.language.clone()),
            score,
            label: score.map(|score| {
                if score > LEAN {
                    "positive"
                } else if score < -LEAN {
                    "negative"
                } else {
                    "neutral"
                }
            }),
            emotion: strongest(said.iter().flat_map(|read| &read.emotions)),
            cues: strongest_cues(&said),
            policy: rules.version.clone(),
            conversation: Some(ConversationRecord {
                turns: read.turns.len() as u32,
                tier: worst.name().to_owned(),
                risk,
                recovered,
                alerts: alerts(interaction, &read.events),
            }),
            escalation: strength_of(worst),
            recovered,
        }
    }

    pub(super) fn record(
        self,
        interaction: &Interaction,
        (now_ms, model, body): (i64, String, String),
        text: KeptText,
        key: &HashKey,
    ) -> Record {
        let id = interaction.id();
        Record {
            mark: key.mark(&interaction.tenant, &interaction.customer),
            key: CustomerKey::new(interaction.tenant.as_str(), interaction.customer.as_str()),
            id: id.clone(),
            source: interaction.source.clone(),
            external_id: interaction.external_id.clone(),
            kind: interaction.content.kind(),
            received_ms: now_ms,
            text,
            observation: Observation {
                id,
                at_ms: interaction.at_ms,
                channel: channel_name(&interaction.content, interaction.channel).to_owned(),
                score: self.score,
                cues: self.cues,
                nps: interaction.nps,
                csat: interaction.csat,
                escalation: self.escalation,
                recovered: self.recovered,
            },
            assessment: AssessmentRecord {
                model,
                policy: self.policy,
                status: self.status.to_owned(),
                language: self.language,
                score: self.score,
                label: self.label.map(str::to_owned),
                emotion: self.emotion,
                body,
                scored_ms: now_ms,
            },
            conversation: self.conversation,
        }
    }
}

/// A level further from 0 than this is negative or positive; a conversation's level is a mean, and has no likeliest class.
pub const LEAN: f64 = 0.2;

fn customer_turns<'r>(
    interaction: &'r Interaction,
    read: &'r ConversationReading,
) -> impl Iterator<Item = &'r Assessment> {
    let turns: &[crate::domain::Turn] = match &interaction.content {
        super::Content::Conversation(turns) => turns,
        super::Content::Message(_) | super::Content::Survey(_) => &[],
    };
    let customers = turns.iter().zip(&read.turns).filter(|(turn, _)| turn.role == Role::Customer);
    customers.filter_map(|(_, read)| read.assessment.as_ref())
}

fn strongest<'a>(labels: impl Iterator<Item = &'a LabelAssessment>) -> Option<String> {
    let best = labels.max_by(|a, b| a.probability.get().total_cmp(&b.probability.get()));
    best.map(|label| label.label.clone())
}

fn strongest_cues(said: &[&Assessment]) -> Vec<(String, f64)> {
    let mut cues = std::collections::BTreeMap::<&str, f64>::new();
    for label in said.iter().flat_map(|read| &read.cues).filter(|label| label.predicted) {
        let strength = crate::escalation::signals::strength(label);
        let held = cues.entry(&label.label).or_default();
        *held = held.max(strength);
    }
    cues.into_iter().filter(|(_, s)| *s > 0.0).map(|(cue, strength)| (cue.to_owned(), strength)).collect()
}

/// As [`Observation::escalation`] has it.
fn strength_of(tier: Tier) -> f64 {
    match tier {
        Tier::None => 0.0,
        Tier::Watch => 1.0 / 3.0,
        Tier::Elevated => 2.0 / 3.0,
        Tier::Urgent => 1.0,
    }
}

/// The last event of each alert.
fn alerts(interaction: &Interaction, events: &[AlertEvent]) -> Vec<AlertRecord> {
    let key = ConversationKey { tenant: interaction.tenant.clone(), id: interaction.external_id.clone() };
    let mut last = std::collections::BTreeMap::new();
    for event in events {
        last.insert(event.alert.ordinal, event);
    }
    let record = |(ordinal, event): (u32, &AlertEvent)| AlertRecord {
        id: key.alert_id(ordinal),
        tier: event.alert.tier.name().to_owned(),
        change: event.change.name().to_owned(),
        turn: event.turn as u32,
    };
    last.into_iter().map(record).collect()
}

#[derive(Serialize)]
struct MessageBody<'a> {
    coverage: f64,
    language_confidence: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentiment: Option<SentimentBody>,
    emotions: Vec<LabelBody<'a>>,
    cues: Vec<LabelBody<'a>>,
    /// What offsets count in: the redacted text, or the text as it was sent.
    offsets: &'static str,
}

#[derive(Serialize)]
struct SentimentBody {
    negative: f64,
    neutral: f64,
    positive: f64,
    evidence: Vec<ClassBody>,
}

#[derive(Serialize)]
struct ClassBody {
    class: &'static str,
    spans: Vec<SpanBody>,
}

#[derive(Serialize)]
struct LabelBody<'a> {
    label: &'a str,
    probability: f64,
    spans: Vec<SpanBody>,
}

/// Offsets in Unicode scalar values.
#[derive(Serialize)]
struct SpanBody {
    start: usize,
    end: usize,
    contribution: f64,
}

/// Turns spans into offsets of what is kept.
struct Place<'a>(Option<(&'a Redacted, std::cell::RefCell<Spans<'a>>)>);

impl Place<'_> {
    fn spans(&self, evidence: Option<&Evidence>) -> Vec<SpanBody> {
        let spans = evidence.map_or(&[][..], |evidence| &evidence.spans);
        spans.iter().map(|one| self.span(one.span, one.contribution)).collect()
    }

    fn span(&self, span: Span, contribution: f64) -> SpanBody {
        let span = match &self.0 {
            None => span,
            Some((redacted, spans)) => spans.borrow_mut().of(redacted.map(span.byte_start..span.byte_end)),
        };
        SpanBody { start: span.char_start, end: span.char_end, contribution }
    }

    fn class(&self, class: &ClassEvidence) -> ClassBody {
        ClassBody { class: class.class.name(), spans: self.spans(Some(&class.evidence)) }
    }

    fn labels<'l>(&self, labels: &'l [LabelAssessment]) -> Vec<LabelBody<'l>> {
        let predicted = labels.iter().filter(|label| label.predicted);
        let body = |label: &'l LabelAssessment| LabelBody {
            label: &label.label,
            probability: label.probability.get(),
            spans: self.spans(label.evidence.as_ref()),
        };
        predicted.map(body).collect()
    }
}

/// What was read in a message. With a redacted text, offsets are moved to where the words stand in it.
pub(super) fn message(read: &Assessment, redacted: Option<&Redacted>) -> Result<String, Error> {
    let place = Place(redacted.map(|redacted| (redacted, Spans::new(&redacted.text).into())));
    let body = MessageBody {
        coverage: read.coverage,
        language_confidence: read.language_confidence,
        sentiment: read.sentiment.as_ref().map(|sentiment| SentimentBody {
            negative: sentiment.negative.get(),
            neutral: sentiment.neutral.get(),
            positive: sentiment.positive.get(),
            evidence: sentiment.evidence.iter().map(|class| place.class(class)).collect(),
        }),
        emotions: place.labels(&read.emotions),
        cues: place.labels(&read.cues),
        offsets: if redacted.is_some() { "redacted" } else { "sent" },
    };
    serde_json::to_string(&body).map_err(Error::internal)
}

#[derive(Serialize)]
struct ConversationBody {
    level: Option<f64>,
    trend: f64,
    turns: Vec<TurnBody>,
    reasons: Vec<ReasonBody>,
}

#[derive(Serialize)]
struct TurnBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cues: Vec<String>,
    tier: &'static str,
}

#[derive(Serialize)]
struct ReasonBody {
    code: String,
    contribution: f64,
    turns: Vec<usize>,
}

/// What was read in a conversation: turn by turn in short, and why it stands as it does at its end.
pub(super) fn conversation(read: &ConversationReading) -> Result<String, Error> {
    let trajectory = read.tracker.trajectory();
    let reasons = read.tracker.standing().map(|standing| {
        let higher = standing.detection.log_odds >= standing.forecast.log_odds;
        if higher { &standing.detection.reasons } else { &standing.forecast.reasons }
    });
    let reason = |reason: &crate::escalation::Reason| ReasonBody {
        code: reason.code.clone(),
        contribution: reason.contribution,
        turns: reason.turns.clone(),
    };
    let turn = |turn: &crate::pipeline::conversation::TurnReading| TurnBody {
        score: turn.assessment.as_ref().and_then(|read| read.sentiment.as_ref()).map(Sentiment::score),
        cues: turn.assessment.iter().flat_map(|read| &read.cues).map(|cue| cue.label.clone()).collect(),
        tier: turn.standing.tier.name(),
    };
    let body = ConversationBody {
        level: trajectory.level(),
        trend: trajectory.trend(),
        turns: read.turns.iter().map(turn).collect(),
        reasons: reasons.into_iter().flatten().map(reason).collect(),
    };
    serde_json::to_string(&body).map_err(Error::internal)
}
