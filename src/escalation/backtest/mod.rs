//! What a policy would have done on conversations whose outcome is known.
//!
//! Every number is a function of conversations, so that it has a bootstrap interval too. A risk counts up to the marked
//! turn, a forecast before it: what comes later helped nobody. `docs/escalation.md` has the formulas.

pub mod chart;
mod measures;
mod resample;

use serde::Serialize;

use super::judged::Judged;
use super::labels::{Marked, marks_onsets};
use super::policy::Policies;
use super::replay::Case;
use crate::domain::Probability;
pub use measures::{AT_RECALL, MEASURES, Measure, Unit};

/// What a policy would have done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backtest {
    /// The policy's version.
    pub version: String,
    /// Conversations.
    pub conversations: usize,
    /// Those that escalated.
    pub escalated: usize,
    /// Those that escalated where a turn is marked.
    pub marked: usize,
    /// Those of them that could be seen coming.
    pub foreseeable: usize,
    /// Days on which conversations begin, in UTC; those without a time are one.
    pub days: usize,
    /// In the order of [`MEASURES`].
    pub numbers: Vec<Number>,
    /// Highest risk up to the marked turn, as a probability, and whether it escalated; for the chart.
    #[serde(skip)]
    pub ranked: Vec<(f64, bool)>,
}

/// A measured number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Number {
    /// Its name.
    pub name: &'static str,
    /// `None` when there is nothing to measure it on.
    pub value: Option<f64>,
    /// 95 % of the bootstrap's resamples lie within; `None` without resamples.
    pub interval: Option<[f64; 2]>,
}

impl Backtest {
    /// Replays `cases` under `policies`. `resamples`: of the bootstrap, 0 for none.
    pub fn of(cases: &[Case], policies: &Policies, resamples: usize) -> Self {
        let judged = judge(cases, policies);
        let all: Vec<&Judged<'_>> = judged.iter().collect();
        let intervals = resample::intervals(&all, resamples);
        let numbers = MEASURES.iter().enumerate().map(|(n, measure)| Number {
            name: measure.name,
            value: (measure.of)(&all),
            interval: intervals.get(n).copied().flatten(),
        });
        Self {
            version: policies.version().to_owned(),
            conversations: cases.len(),
            escalated: cases.iter().filter(|case| case.outcome.escalated).count(),
            marked: judged.iter().filter(|j| j.marked.is_some()).count(),
            foreseeable: judged.iter().filter(|j| j.marked.is_some_and(|m| m.onset.is_some())).count(),
            days: measures::days(&all),
            numbers: numbers.collect(),
            ranked: measures::ranked(&all)
                .into_iter()
                .map(|(p, truth)| (Probability::of_logit(p).get(), truth))
                .collect(),
        }
    }

    /// A number by its name.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.numbers.iter().find(|number| number.name == name)?.value
    }
}

fn judge<'a>(cases: &'a [Case], policies: &Policies) -> Vec<Judged<'a>> {
    let onsets = marks_onsets(cases);
    let judged = cases.iter().map(|case| {
        let rules = case.rules(policies);
        Judged::of(case, Marked::of(case, onsets), case.moments(&rules), &rules)
    });
    judged.collect()
}

#[cfg(test)]
#[path = "../backtest_tests.rs"]
mod tests;
