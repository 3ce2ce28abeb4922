//! Fits a head's calibration and thresholds to labelled rows, and says what that is worth on rows it has not seen.

use std::path::Path;

use super::bootstrap::{Random, SEED};
use super::fit::{self, Line};
use super::metrics::{Bins, Counts, Tallies};
use super::scores::{Scores, likeliest};
use crate::error::Error;
use crate::model::{Head, Manifest, Overlay, OverlayEntry};

/// A label with fewer positives keeps what it has.
pub const LEAST_POSITIVES: usize = 5;
/// Parts that the rows are dealt into for cross-validation.
pub const FOLDS: usize = 5;
/// Fitted numbers are written with this many decimals' precision.
const DECIMALS: f64 = 1e6;

/// What was fitted for one label, on top of what the model has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Of the calibrated logit.
    pub line: Line,
    /// `None` in a distribution, where the likeliest class is reported.
    pub threshold: Option<f64>,
}

/// Fits every label with enough positives; `None` where a label keeps what it has. The classes of a distribution share
/// one temperature, and all or none of them are fitted.
pub fn fit(scores: &Scores) -> Vec<Option<Fit>> {
    fit_to(scores, &wanted(scores))
}

/// The labels that have enough positives to be fitted.
fn wanted(scores: &Scores) -> Vec<bool> {
    let columns = scores.columns();
    let width = columns.labels.len();
    let enough: Vec<bool> = (0..width).map(|label| scores.positives(label) >= LEAST_POSITIVES).collect();
    if !columns.exclusive {
        return enough;
    }
    // Some of a distribution's classes can't be fitted without the others, with which they share the temperature.
    vec![columns.distribution && !enough.contains(&false); width]
}

fn fit_to(scores: &Scores, wanted: &[bool]) -> Vec<Option<Fit>> {
    let width = wanted.len();
    if !scores.columns().distribution {
        return (0..width).map(|label| wanted[label].then(|| fit_label(&scores.column(label)))).collect();
    }
    if wanted.contains(&false) {
        return vec![None; width];
    }
    let rows: Vec<(Vec<f64>, usize)> = scores
        .rows()
        .filter_map(|row| {
            let logits = row.probabilities.iter().map(|p| fit::log_probability(*p)).collect();
            Some((logits, row.truths.iter().position(|truth| *truth)?))
        })
        .collect();
    let line = Line { scale: fit::temperature(&rows), shift: 0.0 };
    vec![Some(Fit { line, threshold: None }); width]
}

fn fit_label(column: &[(f64, bool)]) -> Fit {
    let logits: Vec<(f64, bool)> = column.iter().map(|(p, truth)| (fit::logit(*p), *truth)).collect();
    let line = fit::platt(&logits);
    let calibrated: Vec<(f64, bool)> =
        logits.iter().map(|(z, truth)| (fit::sigmoid(line.at(*z)), *truth)).collect();
    Fit { line, threshold: Some(fit::threshold(&calibrated)) }
}

/// A row's probabilities and guesses with the fits applied; guesses of labels without a fit stay.
fn applied(p: &[f64], guesses: &[bool], fits: &[Option<Fit>], distribution: bool) -> (Vec<f64>, Vec<bool>) {
    if distribution {
        let factor = fits.first().copied().flatten().map_or(1.0, |fit| fit.line.scale);
        let logits: Vec<f64> = p.iter().map(|p| fit::log_probability(*p)).collect();
        let p: Vec<f64> = fit::log_softmax(&logits, factor).into_iter().map(f64::exp).collect();
        let top = likeliest(&p);
        let guesses = (0..p.len()).map(|place| Some(place) == top).collect();
        return (p, guesses);
    }
    let labels = p.iter().zip(guesses).zip(fits);
    labels
        .map(|((p, guess), fit)| match fit {
            Some(fit) => {
                let p = fit::sigmoid(fit.line.at(fit::logit(*p)));
                (p, fit.threshold.map_or(*guess, |threshold| p >= threshold))
            }
            None => (*p, *guess),
        })
        .unzip()
}

/// The scores as they would be if each row were read by a fit to the rows of the other folds.
pub fn cross_validated(scores: &Scores) -> Scores {
    // What all rows are enough for is fitted in every fold: a label near the least number is judged by fits, too.
    let (folds, wanted) = (folds(scores.len()), wanted(scores));
    let fits: Vec<Vec<Option<Fit>>> = (0..FOLDS)
        .map(|held_out| {
            let mut seen = Scores::new(scores.columns().clone());
            for (row, fold) in scores.rows().zip(&folds) {
                if *fold != held_out {
                    seen.push(row.probabilities, row.guesses, row.truths);
                }
            }
            fit_to(&seen, &wanted)
        })
        .collect();
    let mut judged = Scores::new(scores.columns().clone());
    for (row, fold) in scores.rows().zip(&folds) {
        let distribution = scores.columns().distribution;
        let (p, guesses) = applied(row.probabilities, row.guesses, &fits[*fold], distribution);
        judged.push(&p, &guesses, row.truths);
    }
    judged
}

/// The fold of each row: as many rows in each, give or take one, in a random order that is always the same.
fn folds(count: usize) -> Vec<usize> {
    let mut folds: Vec<usize> = (0..count).map(|row| row % FOLDS).collect();
    Random::new(SEED).shuffle(&mut folds);
    folds
}

/// What was fitted to a file's rows, and what it is worth.
pub struct Calibration {
    labels: Vec<String>,
    fits: Vec<Option<Fit>>,
    summary: Vec<String>,
}

impl Calibration {
    /// Fits to all rows, and judges the fit by cross-validation. Errors: `InvalidInput` when no label has enough
    /// positives.
    pub fn try_new(scores: &Scores) -> Result<Self, Error> {
        let fits = fit(scores);
        if fits.iter().all(Option::is_none) {
            let message = format!(
                "nothing can be fitted: a label needs {LEAST_POSITIVES} rows in which it holds, and sentiment as many \
                 of each of its three classes"
            );
            return Err(Error::invalid("data", message));
        }
        let summary = summary(scores, &cross_validated(scores), &fits);
        Ok(Self { labels: scores.columns().labels.clone(), fits, summary })
    }

    /// The worth of the fit, for people: before, and after on rows that the fit has not seen.
    pub fn text(&self) -> String {
        self.summary.iter().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// Puts the fits into `overlay` in absolute terms: what is in force for the head now, and the fit on top of it.
    pub fn extend(&self, overlay: &mut Overlay, head: &Head) {
        for (label, fit) in self.labels.iter().zip(&self.fits) {
            let place = head.labels.iter().position(|known| known == label);
            if let (Some(place), Some(fit)) = (place, fit) {
                overlay.set(&head.name, label, absolute(head, place, fit));
            }
        }
    }

    /// Writes an overlay to `path`: the one in force, if there is one, with the fits of this head in it.
    pub fn save(
        &self,
        head: &Head,
        manifest: &Manifest,
        present: Option<&Path>,
        path: &Path,
    ) -> Result<(), Error> {
        let mut overlay = match present {
            Some(present) => Overlay::load(present)?,
            None => Overlay::new(manifest),
        };
        self.extend(&mut overlay, head);
        overlay.save(path)
    }
}

fn absolute(head: &Head, place: usize, fit: &Fit) -> OverlayEntry {
    let rounded = |value: f64| (value * DECIMALS).round() / DECIMALS;
    let threshold = fit.threshold.unwrap_or_else(|| head.thresholds[place].get());
    OverlayEntry {
        threshold: Some(rounded(threshold)),
        // Rounding must not make a scale 0.
        scale: Some(rounded(fit.line.scale * head.scale[place]).max(1.0 / DECIMALS)),
        shift: Some(rounded(fit.line.at(head.shift[place]))),
    }
}

fn summary(before: &Scores, after: &Scores, fits: &[Option<Fit>]) -> Vec<String> {
    let [old, new] = [before, after].map(Tallies::of_all);
    let mut lines = vec![
        format!("{FOLDS}-fold cross-validation: each row is judged by a fit that has not seen it."),
        String::new(),
        format!("{:<22}{:>9}{:>9}", "", "before", "after"),
    ];
    for ((name, old), (_, new)) in old.headline().into_iter().zip(new.headline()) {
        lines.push(format!("{name:<22}{old:>9.4}{new:>9.4}"));
    }
    lines.extend([String::new(), verdict(&old, &new).to_owned(), String::new()]);
    lines.push(format!(
        "{:<26}{:>9}{:>11}{:>10}{:>11}{:>10}",
        "label", "positives", "F1 before", "F1 after", "ECE before", "ECE after"
    ));
    let labels = before.columns().labels.iter().enumerate();
    lines.extend(labels.map(|(label, name)| {
        let [old, new] = [&old, &new].map(|t| (t.counts[label], t.bins[label]));
        label_line(name, before.positives(label), fits[label].is_some(), old, new)
    }));
    lines
}

fn label_line(
    name: &str,
    positives: usize,
    fitted: bool,
    old: (Counts, Bins),
    new: (Counts, Bins),
) -> String {
    if !fitted {
        return format!(
            "{name:<26}{positives:>9}  keeps what it has: fewer than {LEAST_POSITIVES} positives"
        );
    }
    format!(
        "{name:<26}{positives:>9}{:>11.3}{:>10.3}{:>11.4}{:>10.4}",
        old.0.f1(),
        new.0.f1(),
        old.1.error(),
        new.1.error()
    )
}

/// What the two numbers that a fit is for say about it.
fn verdict(old: &Tallies, new: &Tallies) -> &'static str {
    let value = |tallies: &Tallies, wanted: &str| {
        tallies.headline().into_iter().find(|(name, _)| *name == wanted).map_or(0.0, |(_, value)| value)
    };
    let worse_f1 = value(new, "macro_f1") < value(old, "macro_f1");
    let worse_ece = value(new, "ece") > value(old, "ece");
    match (worse_f1, worse_ece) {
        (false, false) => "On rows it has not seen the fit is no worse in macro F1 and in ECE.",
        (true, true) => {
            "On rows it has not seen the fit is worse in macro F1 and in ECE: it needs more rows; do not use it."
        }
        (true, false) => {
            "On rows it has not seen the fit costs macro F1 and is no worse in ECE: weigh the two."
        }
        (false, true) => {
            "On rows it has not seen the fit costs ECE and is no worse in macro F1: weigh the two."
        }
    }
}

#[cfg(test)]
#[path = "calibration_tests.rs"]
mod tests;
