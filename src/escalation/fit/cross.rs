//! Cross-validation by conversation: how strong a penalty to fit with, and what the fit says of turns it has not seen.
//!
//! The penalty is chosen by log-loss. It uses every row, and it asks for probabilities that can be believed, which is
//! what tiers are set in; the area under precision over recall jumps from one penalty to the next when a history has only
//! a dozen escalations.

use crate::error::Error;

use super::super::labels::Target;
use super::super::replay::Case;
use super::logistic::{Examples, Line};
use super::table::Table;
use crate::domain::ranking::average_precision;

/// Parts of a history, each predicted from the others.
const FOLDS: usize = 5;
/// Penalties that are tried, the strongest first; of equally good ones it wins.
const ALPHAS: [f64; 6] = [30.0, 10.0, 3.0, 1.0, 0.3, 0.1];
/// Probabilities are kept so far from 0 and 1 when their log-loss is taken.
const SURE: f64 = 1e-6;

/// What cross-validation found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Crossed {
    /// The chosen penalty.
    pub(super) alpha: f64,
    /// Mean over the labelled turns, each predicted from other conversations.
    pub(super) log_loss: f64,
    /// Of the same predictions.
    pub(super) average_precision: f64,
    /// Log-odds of every row, labelled or not.
    pub(super) log_odds: Vec<f64>,
}

/// Chooses the penalty. Errors: as [`Examples::fit`].
pub(super) fn cross_validate(table: &Table, cases: &[Case], target: Target) -> Result<Crossed, Error> {
    let folds = folds(cases);
    let mut best: Option<Crossed> = None;
    for alpha in ALPHAS {
        let mut log_odds = vec![0.0; table.rows.len()];
        for fold in 0..FOLDS {
            let line = fit(table, target, alpha, |case| folds[case] != fold)?;
            let unseen = table.rows.iter().zip(&mut log_odds).filter(|(row, _)| folds[row.case] == fold);
            unseen.for_each(|(row, log_odds)| *log_odds = line.log_odds(&row.values));
        }
        let crossed = Crossed::of(table, target, alpha, log_odds);
        if best.as_ref().is_none_or(|best| crossed.log_loss < best.log_loss) {
            best = Some(crossed);
        }
    }
    best.ok_or_else(|| Error::internal("no penalty was tried"))
}

/// Fits the conversations that `belongs` admits.
pub(super) fn fit(
    table: &Table,
    target: Target,
    alpha: f64,
    belongs: impl Fn(usize) -> bool,
) -> Result<Line, Error> {
    let rows = table.rows.iter().filter(|row| belongs(row.case));
    let labelled = rows.filter_map(|row| Some((row.values.as_slice(), row.truth(target)?)));
    let (rows, truths) = labelled.unzip();
    let (signs, prior, usable) = (table.signs(), table.prior(target), table.usable(target));
    Examples { rows, truths, signs: &signs, prior: &prior, usable: &usable }.fit(alpha)
}

impl Crossed {
    fn of(table: &Table, target: Target, alpha: f64, log_odds: Vec<f64>) -> Self {
        let labelled = table.rows.iter().zip(&log_odds);
        let labelled: Vec<(f64, bool)> =
            labelled.filter_map(|(row, log_odds)| Some((*log_odds, row.truth(target)?))).collect();
        let losses = labelled.iter().map(|(log_odds, truth)| {
            let p = 1.0 / (1.0 + if *truth { -log_odds } else { *log_odds }.exp());
            -p.max(SURE).ln()
        });
        let log_loss = losses.sum::<f64>() / labelled.len().max(1) as f64;
        Self { alpha, log_loss, average_precision: average_precision(&labelled), log_odds }
    }
}

/// The fold of each conversation. Escalated ones and others are dealt out separately, so that each fold has its share,
/// and in the order of a hash of their ids, so that the same history is always cut the same way.
fn folds(cases: &[Case]) -> Vec<usize> {
    let mut folds = vec![0; cases.len()];
    for escalated in [true, false] {
        let kind = cases.iter().enumerate().filter(|(_, case)| case.outcome.escalated == escalated);
        let mut places: Vec<(u64, usize)> = kind.map(|(place, case)| (hash(&case.id), place)).collect();
        places.sort_unstable();
        places.iter().enumerate().for_each(|(n, (_, place))| folds[*place] = n % FOLDS);
    }
    folds
}

/// FNV-1a with 64 bits: the same in every build, which the standard library's hasher does not promise.
fn hash(id: &str) -> u64 {
    id.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Channel, Outcome};

    fn case(id: usize, escalated: bool) -> Case {
        Case {
            id: format!("c-{id}"),
            channel: Channel::Chat,
            tenant: None,
            account: Default::default(),
            turns: Vec::new(),
            outcome: Outcome { escalated, ..Outcome::default() },
        }
    }

    #[test]
    fn each_fold_has_its_share_of_escalations_and_the_order_of_a_file_does_not_matter() {
        let mut cases: Vec<Case> = (0..50).map(|id| case(id, id % 5 == 0)).collect();
        let of = |cases: &[Case]| {
            let mut found: Vec<_> = cases.iter().map(|case| case.id.clone()).zip(folds(cases)).collect();
            found.sort();
            found
        };
        let before = of(&cases);
        for fold in 0..FOLDS {
            let members = cases.iter().zip(folds(&cases)).filter(|(_, f)| *f == fold);
            assert_eq!(members.filter(|(case, _)| case.outcome.escalated).count(), 2);
        }
        cases.reverse();
        assert_eq!(of(&cases), before);
    }

    #[test]
    fn the_hash_is_the_one_its_authors_print() {
        assert_eq!(
            (hash(""), hash("a"), hash("foobar")),
            (0xcbf29ce484222325, 0xaf63dc4c8601ec8c, 0x85944171f73967e8)
        );
    }
}
