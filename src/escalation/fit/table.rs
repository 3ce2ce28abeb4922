//! Every customer turn of a history as a row of numbers, with what it should have told.

use std::collections::BTreeSet;

use super::super::features::{Feature, Sign};
use super::super::labels::{Target, labels};
use super::super::policy::Policies;
use super::super::replay::Case;
use super::super::risk::{ACCOUNT, Weights};

/// Conversations in which a column must say something, so that its weight is no accident of one of them.
pub(super) const CONVERSATIONS: usize = 5;
/// Value from which on a feature says something; a cue two log-odds below its threshold never does.
const SAYS: f64 = 0.25;

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
        let rules = policies.base();
        let old = rules.detection.account.keys().chain(rules.forecast.account.keys());
        let known: BTreeSet<&String> = cases.iter().flat_map(|case| case.account.keys()).chain(old).collect();
        let scale = |name: &str| {
            let values = cases.iter().filter_map(|case| case.account.get(name));
            let largest = values.map(|value| value.abs()).fold(0.0, f64::max);
            if largest > 0.0 { largest } else { 1.0 }
        };
        let account_scales: Vec<f64> = known.iter().map(|name| scale(name)).collect();
        let mut rows = Vec::new();
        for (place, case) in cases.iter().enumerate() {
            let account = known.iter().zip(&account_scales);
            let account: Vec<f64> = account
                .map(|(name, scale)| case.account.get(*name).map_or(0.0, |value| value / scale))
                .collect();
            let measured = case.measured(&features, &case.rules(policies));
            let truths =
                [Target::Detection, Target::Forecast].map(|target| labels(case, target, marks_onsets));
            rows.extend(measured.into_iter().enumerate().map(|(n, mut values)| {
                values.extend(&account);
                Row { case: place, values, truths: [truths[0][n], truths[1][n]] }
            }));
        }
        let scales = features.iter().map(|_| 1.0).chain(account_scales).collect();
        let columns = features.into_iter().map(Column::Feature);
        Self {
            columns: columns.chain(known.into_iter().cloned().map(Column::Account)).collect(),
            scales,
            priors: [rules.detection.clone(), rules.forecast.clone()],
            rows,
        }
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
