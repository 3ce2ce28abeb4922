//! A conversation that was replayed, held against how it ended: what was told in time, what too late, what for nothing.

use super::alert::{AlertEvent, Change, Tier};
use super::labels::Marked;
use super::policy::Rules;
use super::replay::{Case, Moment, alerts, raises};
use crate::domain::ranking::f1;

/// A replayed conversation and its outcome.
#[derive(Debug, Clone)]
pub struct Judged<'a> {
    /// The conversation.
    pub case: &'a Case,
    /// Where it escalated; `None` when it did not, or when nobody marked where.
    pub marked: Option<Marked>,
    /// How it stood after each readable turn of the customer's.
    pub moments: Vec<Moment>,
    /// Alerts that were raised, whatever became of them.
    pub alerts: usize,
    /// Alerts that a tenant's people can take at the same time.
    pub capacity: usize,
    events: Vec<AlertEvent>,
}

impl<'a> Judged<'a> {
    /// Replays the alerts over `moments`.
    pub fn of(case: &'a Case, marked: Option<Marked>, moments: Vec<Moment>, rules: &Rules) -> Self {
        let events = alerts(&moments, rules);
        let alerts = events.iter().filter(|event| event.change == Change::Raised).count();
        Self { case, marked, moments, alerts, capacity: rules.capacity, events }
    }

    /// Places of the turns at which an alert came to `tier` or beyond it.
    pub fn told(&self, tier: Tier) -> impl Iterator<Item = usize> {
        raises(&self.events, tier)
    }

    /// Whether it was told as urgent in time; `None` unless it has a marked turn.
    pub fn in_time(&self) -> Option<bool> {
        self.marked.map(|marked| self.told(Tier::Urgent).any(|turn| marked.in_time(turn)))
    }

    /// Where it was first told before the marked turn.
    pub fn told_early(&self, tier: Tier) -> Option<usize> {
        let marked = self.marked?;
        self.told(tier).find(|turn| *turn < marked.turn)
    }

    /// Whether it was told before the marked turn; `None` unless that could be seen coming.
    pub fn told_before(&self, tier: Tier) -> Option<bool> {
        self.marked.and_then(|marked| marked.onset).map(|_| self.told_early(tier).is_some())
    }

    /// Whether it was told for nothing; `None` for an escalated one.
    pub fn false_alarm(&self, tier: Tier) -> Option<bool> {
        (!self.case.outcome.escalated).then(|| self.told(tier).next().is_some())
    }

    /// The highest of what `risk` gives up to the marked turn, or in all when there is none; in log-odds, `None` without
    /// a turn that could be read.
    pub fn peak(&self, risk: impl Fn(&Moment) -> f64) -> Option<f64> {
        let until = self.marked.map_or(usize::MAX, |marked| marked.turn);
        let until = self.moments.iter().take_while(|moment| moment.turn <= until);
        until.map(risk).reduce(f64::max)
    }

    /// The same before the marked turn; `None` as well where nothing could be foreseen or nobody marked where.
    pub fn peak_before(&self, risk: impl Fn(&Moment) -> f64) -> Option<f64> {
        let until = match self.marked {
            Some(marked) => marked.onset.map(|_| marked.turn)?,
            None if self.case.outcome.escalated => return None,
            None => usize::MAX,
        };
        self.moments.iter().take_while(|moment| moment.turn < until).map(risk).reduce(f64::max)
    }

    /// Whether the customer counts as recovered at the end.
    pub fn ends_recovered(&self) -> bool {
        self.moments.last().is_some_and(|moment| moment.recovered)
    }
}

/// Urgent alerts, by conversation. One that escalated where nobody marked is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// Told in time.
    pub hits: usize,
    /// Told for nothing, too early or too late.
    pub strays: usize,
    /// Escalated, and not told in time.
    pub misses: usize,
}

impl Told {
    /// Counts.
    pub fn of<'a, 'b: 'a>(judged: impl IntoIterator<Item = &'a Judged<'b>>) -> Self {
        let mut told = Self::default();
        for judged in judged {
            let any = usize::from(judged.told(Tier::Urgent).next().is_some());
            match judged.in_time() {
                Some(true) => told.hits += 1,
                Some(false) => {
                    told.misses += 1;
                    told.strays += any;
                }
                None if judged.case.outcome.escalated => {}
                None => told.strays += any,
            }
        }
        told
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(self) -> f64 {
        f1(self.hits, self.strays, self.misses)
    }

    /// Share of the conversations that were told which were told in time.
    pub fn precision(self) -> Option<f64> {
        of(self.hits, self.hits + self.strays)
    }

    /// Share of the escalated conversations that were told in time.
    pub fn recall(self) -> Option<f64> {
        of(self.hits, self.hits + self.misses)
    }
}

/// Share of what is true; `None` of nothing.
pub fn share(values: impl Iterator<Item = bool>) -> Option<f64> {
    let (count, hits) = values.fold((0, 0), |(count, hits), value| (count + 1, hits + usize::from(value)));
    of(hits, count)
}

/// A ratio; `None` of nothing.
pub fn of(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
