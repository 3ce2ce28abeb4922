//! From which risk on each tier is raised, chosen by replaying alerts over cross-validated predictions.
//!
//! Elevated: the most escalations told before the marked turn, while no more than the allowed share of the other
//! conversations has an alert of that tier or beyond. Watch: the same at twice the share, for it asks nobody to step in.
//! Urgent comes first, by the best F1 of telling in time, at three quarters of the share: its false alarms are elevated's too. An alert is held down to a risk three quarters of the way from the base to `raise`, in log-odds.

use std::sync::Arc;

use crate::domain::Probability;

use super::super::alert::Tier;
use super::super::judged::{Judged, Told, share};
use super::super::labels::Marked;
use super::super::policy::{Rules, Source};
use super::super::replay::{Case, Moment};

/// Share of the way from the base to `raise`, in log-odds, at which a tier's `clear` lies.
pub const CLEAR: f64 = 0.75;
/// Watch may have so many times the false alarms of elevated.
pub const WATCH: f64 = 2.0;
/// Urgent may have so many times the false alarms of elevated.
pub const URGENT: f64 = 0.75;
/// A probability that no risk reaches.
const NEVER: f64 = 2.0;
/// Thresholds that are tried, in hundredths.
const HUNDREDTHS: std::ops::Range<u32> = 2..99;

/// A conversation as cross-validation sees it.
pub(super) struct Predicted<'a> {
    pub(super) case: &'a Case,
    pub(super) marked: Option<Marked>,
    pub(super) moments: Vec<Moment>,
    pub(super) rules: Arc<Rules>,
}

/// A tier's thresholds and what they are worth on conversations that the fit had not seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chosen {
    /// The tier.
    pub tier: Tier,
    /// Raised from this probability on.
    pub raise: f64,
    /// Held down to this probability.
    pub clear: f64,
    /// F1 of telling in time for urgent, else the share of escalations that are told before the marked turn.
    pub value: f64,
    /// Share of the conversations that do not escalate and have an alert of this tier or beyond.
    pub false_alarms: f64,
    /// Whether that is within what was allowed.
    pub within_limit: bool,
}

/// Chooses for urgent, then elevated, then watch; returned in the order of [`Rules::tiers`].
pub(super) fn choose(predicted: &[Predicted<'_>], bases: [f64; 2], max_false_alarms: f64) -> [Chosen; 3] {
    // What is not chosen yet is never raised.
    let mut raises = [NEVER; 3];
    let urgent = best(predicted, &mut raises, Tier::Urgent, URGENT * max_false_alarms);
    let elevated = best(predicted, &mut raises, Tier::Elevated, max_false_alarms);
    let watch = best(predicted, &mut raises, Tier::Watch, WATCH * max_false_alarms);
    [watch, elevated, urgent].map(|chosen| {
        let source = predicted.first().map_or(Source::Either, |p| p.rules.tiers[place(chosen.tier)].source);
        Chosen { clear: clear(chosen.raise, base(source, bases)), ..chosen }
    })
}

fn base(source: Source, [detection, forecast]: [f64; 2]) -> f64 {
    match source {
        Source::Detection => detection,
        Source::Forecast => forecast,
        Source::Either => detection.max(forecast),
    }
}

/// In hundredths, above 0 and at most `raise`.
fn clear(raise: f64, base: f64) -> f64 {
    let raised = (raise / (1.0 - raise)).ln();
    let held = base + CLEAR * (raised - base);
    let clear = (100.0 * Probability::of_logit(held.min(raised)).get()).round() / 100.0;
    clear.clamp(0.01, raise)
}

fn place(tier: Tier) -> usize {
    Tier::RAISED.iter().position(|t| *t == tier).unwrap_or(0)
}

/// The best threshold of a tier, the tiers beyond it as they are in `raised`, where it is entered; watch not above
/// elevated.
fn best(predicted: &[Predicted<'_>], raised: &mut [f64; 3], tier: Tier, limit: f64) -> Chosen {
    let highest = if tier == Tier::Watch { raised[place(Tier::Elevated)] } else { 1.0 };
    let tried = HUNDREDTHS.map(|n| f64::from(n) / 100.0).filter(|raise| *raise <= highest);
    let tried: Vec<Chosen> = tried
        .map(|raise| {
            raised[place(tier)] = raise;
            let (value, false_alarms) = worth(predicted, raised, tier);
            Chosen { tier, raise, clear: raise, value, false_alarms, within_limit: false_alarms <= limit }
        })
        .collect();
    let chosen = pick(&tried);
    raised[place(tier)] = chosen.raise;
    chosen
}

/// The most valuable within the limit; of equally good ones the middle, away from either edge. When none is within the
/// limit, the one with the fewest false alarms.
fn pick(tried: &[Chosen]) -> Chosen {
    let within: Vec<&Chosen> = tried.iter().filter(|chosen| chosen.within_limit).collect();
    let key = |chosen: &Chosen| if within.is_empty() { -chosen.false_alarms } else { chosen.value };
    let all = if within.is_empty() { tried.iter().collect() } else { within.clone() };
    let best = all.iter().map(|chosen| key(chosen)).fold(f64::NEG_INFINITY, f64::max);
    let equal: Vec<&&Chosen> = all.iter().filter(|chosen| key(chosen) >= best).collect();
    **equal[equal.len() / 2]
}

/// What is told with these thresholds: how much of what should be, and how much of what should not.
fn worth(predicted: &[Predicted<'_>], raised: &[f64; 3], tier: Tier) -> (f64, f64) {
    let judged = predicted.iter().map(|Predicted { case, marked, moments, rules }| {
        let mut rules = (**rules).clone();
        for (rule, raise) in rules.tiers.iter_mut().zip(raised) {
            // How long an alert is held matters little to when it is first raised; the share is set afterwards.
            (rule.raise, rule.clear) = (*raise, rule.clear.min(*raise));
        }
        Judged::of(case, *marked, moments.clone(), &rules)
    });
    let judged: Vec<Judged<'_>> = judged.collect();
    let value = match tier {
        Tier::Urgent => Told::of(&judged).f1(),
        _ => share(judged.iter().filter_map(|j| j.told_before(tier))).unwrap_or(0.0),
    };
    (value, share(judged.iter().filter_map(|j| j.false_alarm(tier))).unwrap_or(0.0))
}
