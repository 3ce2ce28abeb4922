//! Fits a policy to conversations whose outcome is known: weights, and from which risk on each tier is raised.
//!
//! Pure and repeatable: the same history gives the same policy, to the last digit. The model's readings come in with the
//! cases; measures, hysteresis, cool-down, recovery, quiet words and overrides stay as they are in the policy that the fit
//! starts from. What each turn should have told says [`super::labels`], what is chosen how say the parts here.

mod cross;
mod logistic;
mod table;
mod thresholds;
mod written;

use crate::error::{Error, ErrorKind};

use super::alert::Tier;
use super::features::Feature;
use super::labels::{Marked, Target, marks_onsets};
use super::policy::Policies;
use super::replay::{Case, Moment};
use crate::domain::ranking::average_precision;
use cross::{Crossed, cross_validate, fit as fit_all};
use table::Table;
pub use thresholds::{CLEAR, Chosen, URGENT, WATCH};

/// Escalated conversations with a marked turn, and conversations that do not escalate: at least so many of each. With
/// fewer, a fold of the cross-validation has one or none.
pub const LEAST: usize = 10;
/// Conversations in which an escalation shows before the marked turn: at least so many.
pub const LEAST_FORESEEN: usize = 5;
/// Largest weight that a policy may hold.
const WEIGHT: f64 = 50.0;

/// What the caller wants of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The new policy's version.
    pub name: String,
    /// Share of the conversations that do not escalate which may have an elevated alert, in [0, 1].
    pub max_false_alarms: f64,
}

/// A policy that was fitted, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyFit {
    /// The policy's file.
    pub policy: String,
    /// Conversations, those that escalated, those of them that show it before the marked turn.
    pub conversations: [usize; 3],
    /// Escalated conversations without a marked turn, which say nothing to a fit.
    pub unmarked: usize,
    /// Detection and forecast.
    pub targets: [TargetFit; 2],
    /// Watch, elevated, urgent.
    pub tiers: [Chosen; 3],
    /// Features that reached urgent by themselves before, and do so no longer.
    pub no_longer_alone: Vec<Feature>,
}

/// One risk's weights.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetFit {
    /// Which risk.
    pub target: Target,
    /// Labelled turns in which it holds, and in which it does not.
    pub turns: [usize; 2],
    /// The chosen penalty.
    pub alpha: f64,
    /// Mean over turns that the fit had not seen.
    pub log_loss: f64,
    /// Area under precision over recall of turns that the fit had not seen.
    pub average_precision: f64,
    /// The same of the policy that the fit starts from.
    pub average_precision_before: f64,
    /// Log-odds without any feature, in hundredths.
    pub base: f64,
    /// What weighs something, the heaviest first.
    pub weights: Vec<Weight>,
    /// What weighs nothing, and why.
    pub dropped: Vec<(String, Dropped)>,
}

/// The weight of a feature or of what is known of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// Its name in the policy.
    pub name: String,
    /// In hundredths.
    pub value: f64,
    /// Whether it is too rare in this history to fit, and kept as it stood among the others.
    pub carried: bool,
}

/// Why a column weighs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// Too few conversations have it.
    Rare,
    /// Its weight came out with the wrong sign, or below a hundredth.
    NoUse,
}

/// Fits a policy, starting from the policy file `base`. Errors: `InvalidInput` for a history that is too small, as
/// [`Policies::parse`] for `base`, and `Precondition` when the weights can't be found.
pub fn fit(cases: &[Case], base: &str, settings: &Settings) -> Result<PolicyFit, Error> {
    let policies = Policies::parse(base)?;
    let onsets = marks_onsets(cases);
    let marked: Vec<Option<Marked>> = cases.iter().map(|case| Marked::of(case, onsets)).collect();
    let [escalated, with_turn, foreseen] = check_size(cases, &marked)?;
    let table = Table::of(cases, &policies, onsets);
    let moments: Vec<Vec<Moment>> = cases.iter().map(|c| c.moments(&c.rules(&policies))).collect();
    let detection = Part::of(&table, cases, Target::Detection)?;
    let forecast = Part::of(&table, cases, Target::Forecast)?;
    let predicted = predicted(cases, &policies, &marked, [&detection.crossed, &forecast.crossed], &table);
    let tiers =
        thresholds::choose(&predicted, [detection.line.base, forecast.line.base], settings.max_false_alarms);
    let before: Vec<&Moment> = moments.iter().flatten().collect();
    let targets = [
        detection.report(&table, before.iter().map(|m| m.detection)),
        forecast.report(&table, before.iter().map(|m| m.forecast)),
    ];
    let policy = written::write(base, settings, &targets, &tiers)?;
    let still = Policies::parse(&policy)?.base().alone(Tier::Urgent);
    let mut no_longer_alone = policies.base().alone(Tier::Urgent);
    no_longer_alone.retain(|feature| !still.contains(feature));
    Ok(PolicyFit {
        policy,
        no_longer_alone,
        conversations: [cases.len(), escalated, foreseen],
        unmarked: escalated - with_turn,
        targets,
        tiers,
    })
}

/// Escalated conversations, those with a marked turn, those that could be seen coming.
fn check_size(cases: &[Case], marked: &[Option<Marked>]) -> Result<[usize; 3], Error> {
    let escalated = cases.iter().filter(|case| case.outcome.escalated).count();
    let with_turn = marked.iter().flatten().count();
    let foreseen = marked.iter().flatten().filter(|marked| marked.onset.is_some()).count();
    let small = |message: String| Err(Error::new(ErrorKind::InvalidInput, message));
    if with_turn < LEAST || cases.len() - escalated < LEAST {
        return small(format!(
            "the history has {with_turn} escalated conversations with outcome.turn and {} that did not escalate; \
            expected at least {LEAST} of each, or keep the policy that you have",
            cases.len() - escalated
        ));
    }
    if foreseen < LEAST_FORESEEN {
        return small(format!(
            "{foreseen} of the escalated conversations have a customer turn in which it could be seen coming; expected at \
            least {LEAST_FORESEEN}, or a forecast has nothing to learn from"
        ));
    }
    Ok([escalated, with_turn, foreseen])
}

/// The conversations with the risks that cross-validation gives their turns.
fn predicted<'a>(
    cases: &'a [Case],
    policies: &Policies,
    marked: &[Option<Marked>],
    [detection, forecast]: [&Crossed; 2],
    table: &Table,
) -> Vec<thresholds::Predicted<'a>> {
    let mut rows = table.rows.iter().zip(detection.log_odds.iter().zip(&forecast.log_odds)).peekable();
    let mut found = Vec::new();
    for (place, case) in cases.iter().enumerate() {
        let rules = case.rules(policies);
        let mut moments = case.moments(&rules);
        for moment in &mut moments {
            if let Some((_, (detection, forecast))) = rows.next_if(|(row, _)| row.case == place) {
                (moment.detection, moment.forecast) = (*detection, *forecast);
            }
        }
        found.push(thresholds::Predicted { case, marked: marked[place], moments, rules });
    }
    found
}

/// One risk on its way.
struct Part {
    target: Target,
    crossed: Crossed,
    line: logistic::Line,
}

impl Part {
    fn of(table: &Table, cases: &[Case], target: Target) -> Result<Self, Error> {
        let crossed = cross_validate(table, cases, target)?;
        let line = fit_all(table, target, crossed.alpha, |_| true)?;
        Ok(Self { target, crossed, line })
    }

    fn report(self, table: &Table, before: impl Iterator<Item = f64>) -> TargetFit {
        let Self { target, crossed, line } = self;
        let truths = || table.rows.iter().map(|row| row.truth(target));
        let scored: Vec<(f64, bool)> =
            before.zip(truths()).filter_map(|(p, truth)| Some((p, truth?))).collect();
        let (weights, dropped) = weigh(table, target, &line);
        TargetFit {
            target,
            turns: [true, false].map(|kind| truths().filter(|truth| *truth == Some(kind)).count()),
            alpha: crossed.alpha,
            log_loss: crossed.log_loss,
            average_precision: crossed.average_precision,
            average_precision_before: average_precision(&scored),
            base: hundredths(line.base.clamp(-WEIGHT, WEIGHT)),
            weights,
            dropped,
        }
    }
}

/// Weights for the file. A threat to somebody's safety is rare, and a team that has not seen one still wants to hear of
/// it: what the history can't speak of is kept.
fn weigh(table: &Table, target: Target, line: &logistic::Line) -> (Vec<Weight>, Vec<(String, Dropped)>) {
    let usable = table.usable(target);
    let (mut weights, mut dropped) = (Vec::new(), Vec::new());
    for (place, column) in table.columns.iter().enumerate() {
        let carried = !usable.contains(&place);
        let value = hundredths((line.weights[place] / table.scales[place]).clamp(-WEIGHT, WEIGHT));
        match (value == 0.0, carried) {
            (false, _) => weights.push(Weight { name: column.name(), value, carried }),
            (true, true) => dropped.push((column.name(), Dropped::Rare)),
            (true, false) => dropped.push((column.name(), Dropped::NoUse)),
        }
    }
    weights.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
    (weights, dropped)
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
#[path = "../fit_tests.rs"]
mod tests;
