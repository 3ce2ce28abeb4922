//! A conversation for people: its turns with the words that count, a sparkline, and the reasons of its alert.

use std::io::Write;

use super::json::{sentiment_name, slice};
use super::paint::{BOLD, DIM, evidence_ranges, marked_to, sentiment, styled, visible};
use crate::api::grpc::v1;
use crate::domain::Conversation;
use crate::error::Error;

/// A turn is shown up to here, in bytes.
const SHOWN: usize = 600;
/// Reasons that are shown per risk.
const REASONS: usize = 8;
/// Pieces of evidence that are shown per reason, and characters of each.
const WORDS: usize = 2;
const WORDS_SHOWN: usize = 48;
/// Characters of the longest bar.
const BAR: f64 = 20.0;
const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Writes a conversation that was read.
pub(super) fn render(
    conversation: &Conversation,
    answer: &v1::AnalyzeConversationResponse,
    out: &mut Vec<u8>,
) {
    // Writing into a Vec can't fail.
    let _ = write(conversation, answer, out);
}

/// Writes why a conversation was not read.
pub(super) fn refused(conversation: &Conversation, error: &Error, out: &mut Vec<u8>) {
    let _ = writeln!(out, "{}\n  not read: {}", title(conversation), error.told());
}

fn title(conversation: &Conversation) -> String {
    let channel = conversation.channel.name();
    let turns = conversation.turns.len();
    format!(
        "{} {}",
        styled(BOLD, &visible(&conversation.id)),
        styled(DIM, &format!("{channel}, {turns} turns"))
    )
}

fn write(
    conversation: &Conversation,
    answer: &v1::AnalyzeConversationResponse,
    out: &mut Vec<u8>,
) -> std::io::Result<()> {
    writeln!(out, "{}", title(conversation))?;
    for (turn, result) in conversation.turns.iter().zip(&answer.turns) {
        write_turn(&turn.text, turn.role.name(), result, out)?;
        for event in answer.events.iter().filter(|event| event.turn == result.index) {
            write_event(event, out)?;
        }
    }
    writeln!(out)?;
    if let Some(trajectory) = &answer.trajectory {
        write_trajectory(trajectory, out)?;
    }
    if let Some(state) = &answer.state {
        write_state(conversation, state, out)?;
    }
    if let Some(empathy) = &answer.empathy {
        write_empathy(empathy, out)?;
    }
    let model = answer.model.as_ref().map(|m| format!("{}@{}", m.id, m.version)).unwrap_or_default();
    let policy = answer.state.as_ref().map(|s| s.policy_version.as_str()).unwrap_or_default();
    writeln!(out, "  {}", styled(DIM, &format!("model {model}, policy {policy}")))
}

fn write_turn(text: &str, role: &str, result: &v1::TurnResult, out: &mut Vec<u8>) -> std::io::Result<()> {
    let feeling = result.assessment.as_ref().and_then(|a| a.sentiment.as_ref());
    let customer = role == "customer";
    let (style, sign, score) = match feeling {
        Some(feeling) if customer => {
            let (style, sign) = sentiment(feeling.label());
            (style, sign, format!("{:+.2}", feeling.score))
        }
        _ => (DIM, " ", String::new()),
    };
    let place = styled(DIM, &format!("{:>3}", result.index));
    let head = styled(style, &format!("{role:<10} {sign} {score:>5}"));
    let words = match feeling {
        Some(feeling) if customer => marked_to(text, SHOWN, &evidence_ranges(feeling), style),
        _ => styled(DIM, &marked_to(text, SHOWN, &[], DIM)),
    };
    writeln!(out, "{place} {head}  {words}")?;
    let labels =
        result.assessment.iter().flat_map(|a| a.cues.iter().chain(&a.emotions)).filter(|l| l.predicted);
    let labels: Vec<String> = labels
        .filter(|l| l.label != "neutral")
        .map(|l| format!("{} {:.0} %", l.label, l.probability * 100.0))
        .collect();
    if customer && !labels.is_empty() {
        writeln!(out, "{:24}{}", "", styled(DIM, &labels.join(" · ")))?;
    }
    Ok(())
}

fn write_event(event: &v1::AlertEvent, out: &mut Vec<u8>) -> std::io::Result<()> {
    let alert = event.alert.clone().unwrap_or_default();
    let (before, after) = (tier_name(event.tier_before()), tier_name(alert.tier()));
    let ended = matches!(event.change(), v1::AlertChange::Cleared | v1::AlertChange::Recovered);
    let said = if ended {
        format!("{} (was {before})", change_name(event.change()))
    } else {
        format!("{}: {before} → {after}", change_name(event.change()))
    };
    let style = sentiment(if ended { v1::SentimentLabel::Positive } else { v1::SentimentLabel::Negative }).0;
    writeln!(out, "{:24}{} {}", "", styled(style, &format!("▲ alert {said}")), styled(DIM, &alert.id))
}

fn write_trajectory(from: &v1::Trajectory, out: &mut Vec<u8>) -> std::io::Result<()> {
    let spark: String = from.points.iter().map(|p| spark(p.score)).collect();
    write!(out, "  trajectory {spark}")?;
    if let Some(level) = from.level {
        write!(out, "  level {level:+.2}  trend {:+.2}", from.trend)?;
    }
    if let Some(lowest) = &from.lowest {
        write!(out, "  lowest {:+.2} in turn {}", lowest.score, lowest.turn)?;
    }
    if let Some(turned) = &from.turned {
        write!(out, "  turned in {} ({:+.2})", turned.turn, turned.score)?;
    }
    if let Some(recovery) = &from.recovery {
        let style = sentiment(v1::SentimentLabel::Positive).0;
        let how = recovery.resolved_turn.map(|t| format!(", settled in turn {t}")).unwrap_or_default();
        write!(out, "  {}", styled(style, &format!("recovered{how}")))?;
    }
    writeln!(out)
}

/// −1 is the lowest spark, 1 the highest.
fn spark(score: f64) -> char {
    let at = ((score + 1.0) / 2.0 * (SPARKS.len() - 1) as f64).round();
    SPARKS[(at.max(0.0) as usize).min(SPARKS.len() - 1)]
}

fn write_state(
    conversation: &Conversation,
    state: &v1::ConversationState,
    out: &mut Vec<u8>,
) -> std::io::Result<()> {
    let feeling = match state.tier() {
        v1::Tier::Urgent | v1::Tier::Elevated => v1::SentimentLabel::Negative,
        v1::Tier::Watch => v1::SentimentLabel::Mixed,
        v1::Tier::Recovered => v1::SentimentLabel::Positive,
        v1::Tier::None | v1::Tier::Unspecified => v1::SentimentLabel::Neutral,
    };
    writeln!(out, "  escalation {}", styled(sentiment(feeling).0, tier_name(state.tier())))?;
    let risks = [("now", &state.detection), ("coming", &state.forecast)];
    for (name, risk) in risks.into_iter().filter_map(|(name, risk)| Some((name, risk.as_ref()?))) {
        let sum = format!("log-odds {:+.2} = {:+.2} + reasons", risk.log_odds, risk.base);
        writeln!(out, "    {name:<7}{:>4.0} %  {}", risk.probability * 100.0, styled(DIM, &sum))?;
        let shown = &risk.reasons[..risk.reasons.len().min(REASONS)];
        let width = shown.iter().map(|reason| reason.code.len()).max().unwrap_or(0);
        for reason in shown {
            write_reason(conversation, reason, width, out)?;
        }
        let rest = &risk.reasons[shown.len()..];
        if !rest.is_empty() {
            let sum: f64 = rest.iter().map(|r| r.contribution).sum();
            writeln!(out, "      {:+.2} {}", sum, styled(DIM, &format!("{} more", rest.len())))?;
        }
    }
    Ok(())
}

fn write_reason(
    conversation: &Conversation,
    reason: &v1::Reason,
    width: usize,
    out: &mut Vec<u8>,
) -> std::io::Result<()> {
    let length = (reason.contribution.abs() * 3.0).round().clamp(1.0, BAR) as usize;
    let against = reason.contribution < 0.0;
    let style =
        sentiment(if against { v1::SentimentLabel::Positive } else { v1::SentimentLabel::Negative }).0;
    let words = reason.spans.iter().filter_map(|s| {
        let (turn, span) = (conversation.turns.get(s.turn as usize)?, s.span?);
        Some(format!("“{}”", clipped(&visible(slice(&turn.text, span.byte_start, span.byte_end)))))
    });
    let words: Vec<String> = words.take(WORDS).collect();
    let turns: Vec<String> = reason.turns.iter().rev().take(4).rev().map(u32::to_string).collect();
    let turns = if turns.is_empty() { String::new() } else { format!("turn {}", turns.join(", ")) };
    writeln!(
        out,
        "      {:+.2} {:<width$} {} {} {}",
        reason.contribution,
        reason.code,
        styled(style, &"█".repeat(length)),
        styled(DIM, &turns),
        words.join(" ")
    )
}

/// Evidence can be a whole clause; the turn above shows all of it.
fn clipped(words: &str) -> String {
    let short: String = words.chars().take(WORDS_SHOWN).collect();
    if short.len() < words.len() { format!("{}…", short.trim_end()) } else { short }
}

fn write_empathy(from: &v1::Empathy, out: &mut Vec<u8>) -> std::io::Result<()> {
    let (met, missed) = (from.met_turns.len(), from.missed_turns.len());
    if met + missed == 0 {
        return Ok(());
    }
    let after = from.missed_turns.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let after = if missed == 0 { String::new() } else { format!("; missed after turn {after}") };
    writeln!(out, "  empathy    {met} of {} turns in distress were acknowledged{after}", met + missed)
}

/// A tier's name in exports.
pub(super) fn tier_name(tier: v1::Tier) -> &'static str {
    match tier {
        v1::Tier::None | v1::Tier::Unspecified => "none",
        v1::Tier::Watch => "watch",
        v1::Tier::Elevated => "elevated",
        v1::Tier::Urgent => "urgent",
        v1::Tier::Recovered => "recovered",
    }
}

/// A change's name in exports.
pub(super) fn change_name(change: v1::AlertChange) -> &'static str {
    match change {
        v1::AlertChange::Raised => "raised",
        v1::AlertChange::Escalated => "escalated",
        v1::AlertChange::Lowered => "lowered",
        v1::AlertChange::Cleared => "cleared",
        v1::AlertChange::Recovered => "recovered",
        v1::AlertChange::Acknowledged => "acknowledged",
        v1::AlertChange::Snoozed => "snoozed",
        v1::AlertChange::Closed => "closed",
        v1::AlertChange::Unspecified => "unknown",
    }
}

/// A sentiment's name in exports, for turns that have one.
pub(super) fn label_name(sentiment: &v1::Sentiment) -> &'static str {
    sentiment_name(sentiment.label())
}
