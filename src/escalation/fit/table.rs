//! Every customer turn of a history as a row of numbers, with what it should have told.

use std::collections::BTreeSet;

use super::super::features::{Feature, Sign};
use super::super::labels::{Target, labels};
use super::super::policy::{Policies, Rules};
use super::super::replay::Case;
use super::super::risk::{ACCOUNT, Weights};

/// Conversations in which a column must say something, so that its weight is no accident of one of them.
pub(super) const CONVERSATIONS: usize = 5;
/// Value from which on a feature says something: a cue from 0.8 log-odds below its threshold on.
const SAYS: f64 = 0.45;

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    /// A feature of the conversation.
    Feature(Feature),
    /// What the caller knows of the account, by its name.
    Account(String),
}

impl Column {
    /// The name in policies.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Feature(feature) => feature.name(),
            Self::Account(name) => format!("{ACCOUNT}{name}"),
        }
    }

    /// Nobody but the caller knows what an account value speaks for.
    pub(super) fn sign(&self) -> Option<Sign> {
        match self {
            Self::Feature(feature) => Some(feature.sign()),
            Self::Account(_) => None,
        }
    }

    /// What it weighs in `weights`.
    pub(super) fn weight(&self, weights: &Weights) -> f64 {
        let found = match self {
            Self::Feature(feature) => weights.features.get(feature),
            Self::Account(name) => weights.account.get(name),
        };
        found.copied().unwrap_or(0.0)
    }
}

/// One customer turn.
pub(super) struct Row {
    /// Place of its conversation.
    pub(super) case: usize,
    /// Per column, account values divided by their scale.
    pub(super) values: Vec<f64>,
    /// For detection, then for forecast.
    truths: [Option<bool>; 2],
}

impl Row {
    /// What the turn should have told; `None` when it says nothing either way.
    pub(super) fn truth(&self, target: Target) -> Option<bool> {
        self.truths[target as usize]
    }
}

/// The rows of a history.
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    /// Per column: what its values were divided by, so that one penalty suits all.
    pub(super) scales: Vec<f64>,
    /// Of the policy that the fit starts from: detection, then forecast.
    priors: [Weights; 2],
    /// By conversation, in the order of its turns.
    pub(super) rows: Vec<Row>,
}

impl Table {
    /// Measures each conversation by the rules that a policy has for it.
    pub(super) fn of(cases: &[Case], policies: &Policies, marks_onsets: bool) -> Self {
        let features: Vec<Feature> = Feature::all().collect();
        let (known, scales) = accounts(cases, policies.base());
        let rows = cases.iter().enumerate().flat_map(|(place, case)| {
            let value = |(name, scale)| case.account.get(name).map_or(0.0, |value| value / scale);
            let account: Vec<f64> = known.iter().zip(&scales).map(value).collect();
            let measured = case.measured(&features, &case.rules(policies));
            let truths = [Target::Detection, Target::Forecast].map(|t| labels(case, t, marks_onsets));
            let rows = measured.into_iter().enumerate().map(move |(n, mut values)| {
                values.extend(&account);
                Row { case: place, values, truths: [truths[0][n], truths[1][n]] }
            });
            rows.collect::<Vec<Row>>()
        });
        let rows = rows.collect();
        let priors = [policies.base().detection.clone(), policies.base().forecast.clone()];
        let scales = features.iter().map(|_| 1.0).chain(scales).collect();
        let columns = features.into_iter().map(Column::Feature).chain(known.into_iter().map(Column::Account));
        Self { columns: columns.collect(), scales, priors, rows }
    }

    /// What the columns weigh in the policy that the fit starts from, per unit of a scaled value.
    pub(super) fn prior(&self, target: Target) -> Vec<f64> {
        let weights = &self.priors[target as usize];
        self.columns.iter().zip(&self.scales).map(|(column, scale)| column.weight(weights) * scale).collect()
    }

    /// The signs that the columns' weights may have.
    pub(super) fn signs(&self) -> Vec<Option<Sign>> {
        self.columns.iter().map(Column::sign).collect()
    }

    /// Places of the columns that say something in at least [`CONVERSATIONS`] conversations, among the turns that count.
    pub(super) fn usable(&self, target: Target) -> Vec<usize> {
        let conversations = |column: usize| {
            let saying = self.rows.iter().filter(|row| row.truth(target).is_some());
            let saying = saying.filter(|row| row.values[column].abs() >= SAYS);
            saying.map(|row| row.case).collect::<BTreeSet<_>>().len()
        };
        (0..self.columns.len()).filter(|column| conversations(*column) >= CONVERSATIONS).collect()
    }
}

/// The names of what is known of some account or weighed by the policy, and the largest value of each.
fn accounts(cases: &[Case], rules: &Rules) -> (Vec<String>, Vec<f64>) {
    let weighed = rules.detection.account.keys().chain(rules.forecast.account.keys());
    let known: BTreeSet<&String> = cases.iter().flat_map(|case| case.account.keys()).chain(weighed).collect();
    let scale = |name: &String| {
        let values = cases.iter().filter_map(|case| case.account.get(name));
        let largest = values.map(|value| value.abs()).fold(0.0, f64::max);
        if largest > 0.0 { largest } else { 1.0 }
    };
    let scales = known.iter().map(|name| scale(name)).collect();
    (known.into_iter().cloned().collect(), scales)
}
