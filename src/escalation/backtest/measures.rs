//! The numbers of a backtest, each a function of conversations.

use std::collections::{BTreeMap, BTreeSet};

use super::super::alert::Tier;
use super::super::judged::{Judged, Told, of, share};
use super::super::replay::Moment;
use crate::domain::ranking::{average_precision, quantile, taken_for};

/// Share of the escalated conversations that a review must find.
pub const AT_RECALL: f64 = 0.8;
/// Quantile of the lead time that stands for the short ones.
const SHORT: f64 = 0.1;

/// Conversations, some of them more than once in a resample.
pub(super) type Set<'a, 'b> = &'a [&'a Judged<'b>];

/// A number and how it comes about.
pub struct Measure {
    /// Its name in exports.
    pub name: &'static str,
    /// What it says, for a reader.
    pub meaning: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    pub(super) of: fn(Set<'_, '_>) -> Option<f64>,
}

/// What a number is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// In [0, 1], worth three digits.
    Score,
    /// A share, in [0, 1] but for work saved, which may be negative.
    Share,
    /// A plain count, or a mean of counts.
    Count,
    /// Minutes.
    Minutes,
}

/// Every number of a backtest.
pub const MEASURES: &[Measure] = &[
    score("average_precision", "PR-AUC, either risk up to the marked turn", |set| area(&ranked(set))),
    score("detection_average_precision", "PR-AUC, detection up to the marked turn", |set| {
        area(&scored(set, |j| j.peak(|m| m.detection)))
    }),
    score("forecast_average_precision", "PR-AUC, forecast before the marked turn", |set| {
        area(&scored(set, |j| j.peak_before(|m| m.forecast)))
    }),
    score("detection_f1", "urgent in time, F1", |set| of(1, set.len()).map(|_| told(set).f1())),
    share_of("detection_precision", "urgent in time, precision", |set| told(set).precision()),
    share_of("detection_recall", "urgent in time, recall", |set| told(set).recall()),
    share_of("forecast_recall", "told before the marked turn, elevated", |set| before(set, Tier::Elevated)),
    share_of("forecast_recall_watch", "told before the marked turn, watch", |set| before(set, Tier::Watch)),
    share_of("false_alarm_share", "others with an alert, elevated", |set| alarms(set, Tier::Elevated)),
    share_of("false_alarm_share_watch", "others with an alert, watch", |set| alarms(set, Tier::Watch)),
    count("lead_turns_median", "lead in customer turns, median", |set| quantile(&lead_turns(set), 0.5)),
    count("lead_turns_p10", "lead in customer turns, shortest tenth", |set| {
        quantile(&lead_turns(set), SHORT)
    }),
    minutes("lead_minutes_median", "lead in time, median", |set| quantile(&lead_minutes(set), 0.5)),
    minutes("lead_minutes_p10", "lead in time, shortest tenth", |set| quantile(&lead_minutes(set), SHORT)),
    count("false_alarms_per_1000", "false alarms per 1,000 conversations", false_alarms),
    count("alerts_per_day", "alerts per day, of any tier", |set| {
        of(set.iter().map(|judged| judged.alerts).sum(), days(set))
    }),
    share_of("precision_at_capacity", "each day's best alerts, precision", |set| {
        let (hits, taken) = taken(set);
        of(hits, taken)
    }),
    share_of("recall_at_capacity", "each day's best alerts, recall", |set| {
        of(taken(set).0, set.iter().filter(|judged| judged.case.outcome.escalated).count())
    }),
    share_of("unread_at_recall", "need not be read to find 80 %", unread),
    share_of("work_saved_at_recall", "work saved against reading at random", |set| {
        Some(unread(set)? - (1.0 - AT_RECALL))
    }),
    share_of("recovered_found", "recovered, and counted as recovered", |set| recovered(set, true)),
    share_of("recovered_wrongly", "not recovered, and counted as recovered", |set| recovered(set, false)),
];

type Of = fn(Set<'_, '_>) -> Option<f64>;

const fn score(name: &'static str, meaning: &'static str, of: Of) -> Measure {
    Measure { name, meaning, unit: Unit::Score, of }
}

const fn share_of(name: &'static str, meaning: &'static str, of: Of) -> Measure {
    Measure { name, meaning, unit: Unit::Share, of }
}

const fn count(name: &'static str, meaning: &'static str, of: Of) -> Measure {
    Measure { name, meaning, unit: Unit::Count, of }
}

const fn minutes(name: &'static str, meaning: &'static str, of: Of) -> Measure {
    Measure { name, meaning, unit: Unit::Minutes, of }
}

/// The higher risk of each conversation up to its marked turn, in log-odds, and whether it escalated.
pub(super) fn ranked(set: Set<'_, '_>) -> Vec<(f64, bool)> {
    scored(set, |judged| judged.peak(Moment::either))
}

fn scored(set: Set<'_, '_>, peak: impl Fn(&Judged<'_>) -> Option<f64>) -> Vec<(f64, bool)> {
    set.iter().filter_map(|judged| Some((peak(judged)?, judged.case.outcome.escalated))).collect()
}

/// `None` unless there are conversations of both kinds.
fn area(scored: &[(f64, bool)]) -> Option<f64> {
    let positives = scored.iter().filter(|(_, truth)| *truth).count();
    (positives > 0 && positives < scored.len()).then(|| average_precision(scored))
}

fn told(set: Set<'_, '_>) -> Told {
    Told::of(set.iter().copied())
}

fn before(set: Set<'_, '_>, tier: Tier) -> Option<f64> {
    share(set.iter().filter_map(|judged| judged.told_before(tier)))
}

fn alarms(set: Set<'_, '_>, tier: Tier) -> Option<f64> {
    share(set.iter().filter_map(|judged| judged.false_alarm(tier)))
}

/// Customer turns from the first alert, elevated or above, to the marked turn, where it came before.
fn lead_turns(set: Set<'_, '_>) -> Vec<f64> {
    let lead = |judged: &Judged<'_>| {
        let (told, marked) = (judged.told_early(Tier::Elevated)?, judged.marked?);
        Some(judged.case.customer_turns().filter(|turn| (told..marked.turn).contains(turn)).count() as f64)
    };
    set.iter().filter_map(|judged| lead(judged)).collect()
}

fn lead_minutes(set: Set<'_, '_>) -> Vec<f64> {
    let lead =
        |judged: &Judged<'_>| judged.case.minutes(judged.told_early(Tier::Elevated)?, judged.marked?.turn);
    set.iter().filter_map(|judged| lead(judged)).collect()
}

/// Alerts, elevated or above, in conversations that do not escalate.
fn false_alarms(set: Set<'_, '_>) -> Option<f64> {
    let others = set.iter().filter(|judged| !judged.case.outcome.escalated);
    of(1000 * others.map(|judged| judged.told(Tier::Elevated).count()).sum::<usize>(), set.len())
}

/// Days on which conversations begin; those without a time are one.
pub(super) fn days(set: Set<'_, '_>) -> usize {
    set.iter().map(|judged| judged.case.day()).collect::<BTreeSet<_>>().len()
}

/// Of each day and tenant, the conversations with an alert that people have the capacity to take, the highest risk first:
/// how many of them escalated, and how many they are.
fn taken(set: Set<'_, '_>) -> (usize, usize) {
    let mut queues: BTreeMap<_, Vec<(f64, &Judged<'_>)>> = BTreeMap::new();
    for judged in set.iter().filter(|judged| judged.alerts > 0) {
        let queue = queues.entry((judged.case.day(), &judged.case.tenant)).or_default();
        queue.push((judged.peak(Moment::either).unwrap_or(f64::NEG_INFINITY), judged));
    }
    let (mut hits, mut taken) = (0, 0);
    for queue in queues.values_mut() {
        // Of equally high ones those that did not escalate come first, so that the number can be relied on.
        queue.sort_by(|a, b| {
            b.0.total_cmp(&a.0).then(a.1.case.outcome.escalated.cmp(&b.1.case.outcome.escalated))
        });
        let capacity = queue.iter().map(|(_, judged)| judged.capacity).max().unwrap_or(0);
        let best = queue.iter().take(capacity);
        hits += best.clone().filter(|(_, judged)| judged.case.outcome.escalated).count();
        taken += best.count();
    }
    (hits, taken)
}

fn unread(set: Set<'_, '_>) -> Option<f64> {
    let ranked = ranked(set);
    taken_for(&ranked, AT_RECALL).map(|taken| 1.0 - taken as f64 / ranked.len() as f64)
}

fn recovered(set: Set<'_, '_>, truly: bool) -> Option<f64> {
    let known = set.iter().filter(|judged| judged.case.outcome.recovered == Some(truly));
    share(known.map(|judged| judged.ends_recovered()))
}
