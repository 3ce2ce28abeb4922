//! A customer for people: how they feel, where they stand, how likely they are to leave, and why.

use std::fmt::Write;

use super::super::paint::{BOLD, DIM, bar, sentiment, styled, visible};
use super::time;
use crate::api::grpc::v1::SentimentLabel;
use crate::lifecycle::{Account, Churn, Profile, Reason};
use crate::pipeline::customers::LEAN;
use crate::storage::Customer;

/// Characters of a level's bar on either side of its middle.
const HALF: f64 = 8.0;
/// Characters of the longest bar of a reason.
const LONGEST: f64 = 20.0;
/// Interactions that are named per reason.
const NAMED: usize = 2;

/// Everything that there is to say. `profile` is the customer's, at the time that is shown.
pub(super) fn text(held: &Customer, profile: &Profile) -> String {
    let mut out = styled(BOLD, &visible(&held.key.customer));
    // Writing into a String can't fail.
    if !held.key.tenant.is_empty() {
        let _ = write!(out, "  {}", styled(DIM, &format!("tenant {}", visible(&held.key.tenant))));
    }
    out.push('\n');
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(out, "  {} {value}", styled(DIM, &format!("{name:<11}")));
    };
    row("as of", &as_of(profile));
    if let Some(level) = profile.level {
        row(
            "level",
            &format!("{} {}  confidence {:.2}", level_bar(level), signed(level), profile.confidence),
        );
        row("momentum", &signed(profile.momentum));
    }
    if let Some(stage) = profile.stage {
        let why = profile.stage_reason.as_ref().map_or("", |reason| reason.code.as_str());
        row("stage", &format!("{}  {}", styled(BOLD, stage.name()), styled(DIM, &format!("for {why}"))));
    }
    if let Some(churn) = &profile.churn {
        row("churn risk", &risk(churn));
        let _ = write!(out, "{}", reasons(churn));
    }
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(out, "  {} {value}", styled(DIM, &format!("{name:<11}")));
    };
    let active: Vec<&str> = held.active.iter().map(|kind| kind.name()).collect();
    row("signals", &if active.is_empty() { "none".to_owned() } else { active.join(", ") });
    rest(held, profile, &mut row);
    out
}

fn as_of(profile: &Profile) -> String {
    if profile.observations == 0 {
        return "no interaction yet".into();
    }
    format!(
        "{}; {} interactions are taken into account, the last of {}",
        time(profile.at_ms),
        profile.observations,
        time(profile.as_of_ms)
    )
}

fn rest(held: &Customer, profile: &Profile, row: &mut impl FnMut(&str, &str)) {
    if let Some(nps) = &profile.nps {
        let conflict = if nps.conflict >= crate::lifecycle::nps::IN_DOUBT {
            format!("; its comment contradicts it ({:.2})", nps.conflict)
        } else {
            String::new()
        };
        row("nps", &format!("{} {}, of {}{conflict}", nps.answer, nps.band.name(), time(nps.at_ms)));
    }
    if profile.channels.len() > 1 {
        let level = |one: &crate::lifecycle::consistency::ChannelLevel| {
            format!("{} {}", one.channel, signed(one.level))
        };
        let levels: Vec<String> = profile.channels.iter().map(level).collect();
        let alike = profile.consistency.as_ref().map(|c| format!("; consistency {:.2}", c.value));
        row("channels", &(levels.join(", ") + &alike.unwrap_or_default()));
    }
    if let Some(recovery) = &profile.recovery {
        row("recovered", &time(recovery.at_ms));
    }
    let account = account(&held.account);
    if !account.is_empty() {
        row("account", &account);
    }
}

fn account(account: &Account) -> String {
    let parts = [
        account.stage.map(|stage| format!("stage {}", stage.name())),
        account.tier.as_deref().map(|tier| format!("tier {}", visible(tier))),
        account.renewal_ms.map(|at_ms| format!("renewal {}", time(at_ms))),
        account.owner.as_deref().map(|owner| format!("owner {}", visible(owner))),
        account.since_ms.map(|at_ms| format!("since {}", time(at_ms))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn risk(churn: &Churn) -> String {
    let sum = format!("log-odds {:+.2} = {:+.2} + reasons", churn.log_odds, churn.base);
    format!("{} {:>3.0} %  {}", bar(churn.probability), churn.probability * 100.0, styled(DIM, &sum))
}

/// A line for each reason; with the base they add up to the log-odds.
fn reasons(churn: &Churn) -> String {
    churn.reasons.iter().map(reason).collect()
}

fn reason(reason: &Reason) -> String {
    let length = (reason.contribution.abs() * 4.0).round().clamp(1.0, LONGEST) as usize;
    let feeling = if reason.contribution < 0.0 { SentimentLabel::Positive } else { SentimentLabel::Negative };
    let ids: Vec<&str> = reason.observations.iter().take(NAMED).map(String::as_str).collect();
    format!(
        "      {:+.2} {:<26} {} {}\n",
        reason.contribution,
        reason.code,
        styled(sentiment(feeling).0, &"█".repeat(length)),
        styled(DIM, &ids.join(" "))
    )
}

/// The feeling of a level or a score, for its colour.
pub(super) fn feeling(level: f64) -> SentimentLabel {
    if level < -LEAN {
        SentimentLabel::Negative
    } else if level > LEAN {
        SentimentLabel::Positive
    } else {
        SentimentLabel::Neutral
    }
}

/// A level from −1 to 1 as a bar from its middle: to the left bad, to the right good.
pub(super) fn level_bar(level: f64) -> String {
    let length = (level.abs().min(1.0) * HALF).round() as usize;
    let (half, style) = (HALF as usize, sentiment(feeling(level)).0);
    let full = styled(style, &"█".repeat(length));
    let empty = |count: usize| styled(DIM, &"░".repeat(count));
    if level < 0.0 {
        format!("{}{full}│{}", empty(half - length), empty(half))
    } else {
        format!("{}│{full}{}", empty(half), empty(half - length))
    }
}

pub(super) fn signed(value: f64) -> String {
    format!("{value:+.2}")
}

/// A customer in a list.
pub(super) fn line(held: &Customer) -> String {
    let profile = &held.profile;
    let level = profile.level.map_or_else(|| " ".repeat(5), signed);
    let style = sentiment(feeling(profile.level.unwrap_or_default())).0;
    let risk = profile.leaving();
    let stage = profile.stage.map_or("", |stage| stage.name());
    let active: Vec<&str> = held.active.iter().map(|kind| kind.name()).collect();
    let last = if profile.observations > 0 { time(profile.as_of_ms) } else { "-".into() };
    format!(
        "{:>4.0} % {}  {}  {stage:<13}  {}  {}  {}\n",
        risk * 100.0,
        bar(risk),
        styled(style, &level),
        styled(DIM, &last),
        styled(BOLD, &visible(&held.key.customer)),
        active.join(", ")
    )
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
