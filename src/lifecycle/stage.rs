//! Where a customer stands with the company, and why: pure rules, without memory.
//!
//! 1. The CRM's stage, if it gave one.
//! 2. What the customer says loudest ([`super::voiced`]), from [`LEAST`] on: an intent to leave or hesitation is retention,
//!    trouble getting started onboarding, recommending advocacy, wanting more growth, wanting to buy consideration, or
//!    acquisition when it is said clearly or by a known customer. Of equals the first of these.
//! 3. The age: up to [`NEW_DAYS`] onboarding; with a renewal near retention; up to [`YOUNG_DAYS`] growth; then retention.
//!    The age counts from the CRM's `since_ms`, else from the first interaction of a customer who has shown that they use
//!    the product.
//! 4. Awareness.

use super::account::{Account, Stage};
use super::churn::renewal_near;
use super::decay::days;
use super::observation::Observation;
use super::profile::Profile;
use super::signal::Reason;

/// Value of a topic from which on it speaks for a stage: a little less than one mention at its threshold, of today.
pub const LEAST: f64 = 0.25;
/// Value of an interest to buy from which on it is more than looking around: a clear mention.
pub const BUYING: f64 = 0.6;
/// Days in which customers mostly get started: six weeks.
pub const NEW_DAYS: f64 = 45.0;
/// Days until a customer has seen all seasons once.
pub const YOUNG_DAYS: f64 = 365.0;

/// Only customers talk of these.
const OF_USE: [&str; 5] = [
    "cue.unresolved_issue",
    "cue.repeat_contact",
    "cue.payment_dispute",
    "cue.resolution_confirmed",
    "service.escalation",
];

/// The stage as of the newest interaction, with its reason; `None` when neither the CRM nor the customer has said anything.
pub fn stage(profile: &Profile, account: &Account, timeline: &[&Observation]) -> Option<(Stage, Reason)> {
    if let Some(stage) = account.stage {
        return Some((stage, because("crm.stage", 1.0)));
    }
    let first = timeline.first()?;
    let voiced = said(profile, account.since_ms.is_some());
    voiced.or_else(|| aged(profile, account, first, timeline)).or(Some((
        Stage::Awareness,
        Reason { observations: vec![first.id.clone()], ..because("contact.first", 1.0) },
    )))
}

/// What the customer says loudest.
fn said(profile: &Profile, known: bool) -> Option<(Stage, Reason)> {
    let leaving = profile.heard("cue.churn_intent");
    let buying = profile.heard("cue.purchase_interest");
    let content = profile.level.is_none_or(|level| level >= 0.0);
    let bought =
        if known || buying.contribution >= BUYING { Stage::Acquisition } else { Stage::Consideration };
    let candidates = [
        Some((Stage::Retention, leaving)),
        Some((Stage::Retention, profile.heard("cue.renewal_hesitation"))),
        Some((Stage::Onboarding, profile.heard("cue.onboarding_difficulty"))),
        content.then(|| (Stage::Advocacy, profile.heard("cue.advocacy"))),
        Some((Stage::Growth, profile.heard("cue.expansion_interest"))),
        Some((bought, buying)),
    ];
    let loud = candidates.into_iter().flatten().filter(|(_, reason)| reason.contribution >= LEAST);
    loud.reduce(|most, next| if next.1.contribution > most.1.contribution { next } else { most })
}

/// What the age says of a customer who is one.
fn aged(
    profile: &Profile,
    account: &Account,
    first: &Observation,
    timeline: &[&Observation],
) -> Option<(Stage, Reason)> {
    let use_shown = || {
        let spoken = OF_USE.iter().any(|code| profile.heard(code).contribution > 0.0);
        spoken || timeline.iter().any(|o| o.nps.is_some() || o.csat.is_some())
    };
    let since_ms = account.since_ms.or_else(|| use_shown().then_some(first.at_ms))?;
    let age = days(since_ms, profile.as_of_ms);
    // The first word of a customer says nothing of how long they have been one.
    Some(if age <= NEW_DAYS && account.since_ms.is_some() {
        (Stage::Onboarding, because("age.new", 1.0))
    } else if renewal_near(account.renewal_ms, profile.as_of_ms) > 0.0 {
        (Stage::Retention, because("renewal.near", 1.0))
    } else if age <= YOUNG_DAYS {
        (Stage::Growth, because("age.young", 1.0))
    } else {
        (Stage::Retention, because("age.old", 1.0))
    })
}

fn because(code: &str, contribution: f64) -> Reason {
    Reason { code: code.to_owned(), contribution, observations: Vec::new() }
}
