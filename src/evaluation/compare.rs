//! Two models on the same texts: which labels would come and go, and by how much probabilities move.

use serde::Serialize;

use super::dataset::Rows;
use super::left_out::{LeftOut, Tally};
use super::scoring::{Outcome, Read, of_head};
use crate::domain::{Assessment, SentimentLabel};
use crate::error::Error;
use crate::model::{HeadKind, Manifest};

/// Rows that are listed with the largest change.
const LISTED: usize = 20;
/// Form of the JSON.
const SCHEMA: u32 = 1;

/// One label of one text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Absent for a label that follows from a rule, such as mixed. Single precision: many of them are kept.
    pub probability: Option<f32>,
    /// Whether it is reported.
    pub predicted: bool,
}

/// What a model says of the rows of a file.
#[derive(Debug, Clone, Default)]
pub struct Readings {
    /// Names of the labels, each as `head.label`.
    labels: Vec<String>,
    /// Per row, from 1 on; `None` for one that was not read.
    rows: Vec<Option<Box<[Point]>>>,
    left_out: LeftOut,
}

impl Readings {
    /// For the labels of a model, without any row.
    pub fn new(manifest: &Manifest) -> Self {
        Self { labels: names(manifest), ..Self::default() }
    }

    /// Adds the next row.
    pub fn push(&mut self, read: &Read, manifest: &Manifest) {
        let points = match &read.outcome {
            Outcome::Read(assessment) => Some(points(assessment, manifest).into()),
            Outcome::Unread(reason, detail) => {
                self.left_out.note(*reason, read.number, detail);
                None
            }
        };
        self.rows.push(points);
    }
}

/// Every label of a model as `head.label`; sentiment has `mixed` beside its classes.
fn names(manifest: &Manifest) -> Vec<String> {
    let of = |head: &crate::model::Head| {
        let mixed = (head.kind == HeadKind::Sentiment).then_some("mixed");
        let labels = head.labels.iter().map(String::as_str).chain(mixed);
        labels.map(|label| format!("{}.{label}", head.name)).collect::<Vec<_>>()
    };
    manifest.heads.iter().flat_map(of).collect()
}

fn points(assessment: &Assessment, manifest: &Manifest) -> Vec<Point> {
    let point = |(p, predicted): (f64, bool)| Point { probability: Some(p as f32), predicted };
    let mut points = Vec::new();
    for head in &manifest.heads {
        let own = of_head(assessment, head).into_iter().map(point);
        if head.kind != HeadKind::Sentiment {
            points.extend(own);
            continue;
        }
        let mixed = assessment.sentiment.as_ref().is_some_and(|s| s.label == SentimentLabel::Mixed);
        // A mixed text has no other class, whatever is likeliest.
        points.extend(own.map(|point| Point { predicted: point.predicted && !mixed, ..point }));
        points.push(Point { probability: None, predicted: mixed });
    }
    points
}

/// A model and where it came from.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    /// Id.
    pub model: String,
    /// Version.
    pub version: String,
    /// Directory or overlay; empty for the embedded model as it is.
    pub origin: String,
}

/// What would change.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    schema: u32,
    before: Side,
    after: Side,
    /// Rows that both have read.
    rows: u64,
    /// Rows of which some label comes or goes.
    rows_changed: u64,
    /// Rows that were not read before, and those that are not after.
    left_out: [Vec<Tally>; 2],
    labels: Vec<LabelChange>,
    /// Labels that only one of the two has.
    only_before: Vec<String>,
    only_after: Vec<String>,
    largest: Vec<RowChange>,
}

/// One label.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LabelChange {
    /// As `head.label`.
    pub label: String,
    /// Rows in which it is reported before.
    pub before: u64,
    /// Rows in which it is reported after.
    pub after: u64,
    /// Rows in which it appears.
    pub appears: u64,
    /// Rows in which it disappears.
    pub disappears: u64,
    /// Mean absolute difference of its probabilities; absent for a label that has none.
    pub mean_difference: Option<f64>,
}

/// One row, by the label that moves most.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowChange {
    /// From 1, without the header.
    pub row: u64,
    /// As `head.label`.
    pub label: String,
    /// Probability before.
    pub before: f32,
    /// Probability after.
    pub after: f32,
    /// Labels that come, with a plus, or go, with a minus.
    pub flips: Vec<String>,
    /// The text, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Comparison {
    /// Compares what two models say of the same file.
    pub fn of((before, old): (Side, &Readings), (after, new): (Side, &Readings)) -> Self {
        let shared: Vec<(usize, usize)> = places(&old.labels, &new.labels);
        let mut comparison = Self {
            schema: SCHEMA,
            before,
            after,
            rows: 0,
            rows_changed: 0,
            left_out: [old, new].map(|side| side.left_out.tallies().cloned().collect()),
            labels: shared.iter().map(|(place, _)| LabelChange::of(&old.labels[*place])).collect(),
            only_before: missing(&old.labels, &new.labels),
            only_after: missing(&new.labels, &old.labels),
            largest: Vec::new(),
        };
        for ((a, b), number) in old.rows.iter().zip(&new.rows).zip(1..) {
            if let (Some(a), Some(b)) = (a, b) {
                let pairs: Vec<(Point, Point)> = shared.iter().map(|(x, y)| (a[*x], b[*y])).collect();
                comparison.add(number, &pairs);
            }
        }
        comparison.finish()
    }

    fn add(&mut self, row: u64, pairs: &[(Point, Point)]) {
        self.rows += 1;
        self.labels.iter_mut().zip(pairs).for_each(|(label, (old, new))| label.add(*old, *new));
        let flips: Vec<String> = self
            .labels
            .iter()
            .zip(pairs)
            .filter(|(_, (old, new))| old.predicted != new.predicted)
            .map(|(label, (_, new))| format!("{}{}", if new.predicted { '+' } else { '-' }, label.label))
            .collect();
        self.rows_changed += u64::from(!flips.is_empty());
        let moved = self.labels.iter().zip(pairs).filter_map(|(label, (old, new))| {
            let (before, after) = (old.probability?, new.probability?);
            Some((label.label.clone(), before, after))
        });
        let most = moved.max_by(|a, b| (a.1 - a.2).abs().total_cmp(&(b.1 - b.2).abs()));
        if let Some((label, before, after)) = most.filter(|(_, before, after)| before != after) {
            self.list(RowChange { row, label, before, after, flips, text: None });
        }
    }

    /// Keeps the rows with the largest changes, of equal ones the first.
    fn list(&mut self, change: RowChange) {
        let place = self.largest.partition_point(|known| known.size() >= change.size());
        if place < LISTED {
            self.largest.insert(place, change);
            self.largest.truncate(LISTED);
        }
    }

    fn finish(mut self) -> Self {
        for label in &mut self.labels {
            label.mean_difference = label.mean_difference.map(|sum| sum / self.rows.max(1) as f64);
        }
        self
    }

    /// Rows that both have read.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Puts the texts beside the rows with the largest changes.
    pub fn add_texts(&mut self, rows: Rows) -> Result<(), Error> {
        for entry in rows {
            let Ok(row) = entry? else { continue };
            if let Some(change) = self.largest.iter_mut().find(|change| change.row == row.number) {
                change.text = Some(row.text);
            }
        }
        Ok(())
    }

    /// As JSON, with a line break at the end.
    pub fn json(&self) -> Result<String, Error> {
        Ok(serde_json::to_string_pretty(self).map_err(Error::internal)? + "\n")
    }

    /// For people. `shown` makes a text fit for a terminal.
    pub fn text(&self, shown: impl Fn(&str) -> String) -> String {
        let mut lines = vec![
            format!("before: {}", side(&self.before)),
            format!("after:  {}", side(&self.after)),
            format!("{} rows read by both; labels come or go in {} of them", self.rows, self.rows_changed),
        ];
        for (title, tallies) in ["before", "after"].into_iter().zip(&self.left_out) {
            lines.extend(tallies.iter().map(|t| format!("not read {title}: {} ({})", t.reason, t.count)));
        }
        for (title, labels) in [("before", &self.only_before), ("after", &self.only_after)] {
            if !labels.is_empty() {
                lines.push(format!("only {title}: {}", labels.join(", ")));
            }
        }
        lines.push(format!(
            "\n{:<36}{:>8}{:>8}{:>9}{:>12}{:>14}",
            "label", "before", "after", "appears", "disappears", "mean change"
        ));
        let moving: Vec<&LabelChange> = self.labels.iter().filter(|label| label.moves()).collect();
        lines.extend(moving.iter().map(|label| label.line()));
        lines.push(format!(
            "labels that do not move: {} of {}",
            self.labels.len() - moving.len(),
            self.labels.len()
        ));
        if !self.largest.is_empty() {
            lines.push("\nthe rows that move most:".into());
        }
        for change in &self.largest {
            lines.push(change.line());
            lines.extend(change.text.iter().map(|text| format!("      {}", shown(text))));
        }
        lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

fn side(side: &Side) -> String {
    let origin = if side.origin.is_empty() { String::new() } else { format!(" ({})", side.origin) };
    format!("{} {}{origin}", side.model, side.version)
}

/// The labels that both have, by their places in each.
fn places(old: &[String], new: &[String]) -> Vec<(usize, usize)> {
    let place = |label: &String| new.iter().position(|other| other == label);
    old.iter().enumerate().filter_map(|(at, label)| Some((at, place(label)?))).collect()
}

fn missing(labels: &[String], others: &[String]) -> Vec<String> {
    labels.iter().filter(|label| !others.contains(label)).cloned().collect()
}

impl LabelChange {
    fn of(label: &str) -> Self {
        Self { label: label.to_owned(), ..Self::default() }
    }

    fn add(&mut self, old: Point, new: Point) {
        self.before += u64::from(old.predicted);
        self.after += u64::from(new.predicted);
        self.appears += u64::from(new.predicted && !old.predicted);
        self.disappears += u64::from(old.predicted && !new.predicted);
        if let (Some(old), Some(new)) = (old.probability, new.probability) {
            let sum = self.mean_difference.unwrap_or_default();
            self.mean_difference = Some(sum + f64::from((new - old).abs()));
        }
    }

    /// Whether a reader of the table would see any change.
    fn moves(&self) -> bool {
        self.appears + self.disappears > 0 || self.mean_difference.is_some_and(|mean| mean >= 5e-5)
    }

    fn line(&self) -> String {
        let moved = self.mean_difference.map_or_else(|| "–".to_owned(), |mean| format!("{mean:.4}"));
        format!(
            "{:<36}{:>8}{:>8}{:>9}{:>12}{:>14}",
            self.label, self.before, self.after, self.appears, self.disappears, moved
        )
    }
}

impl RowChange {
    fn size(&self) -> f32 {
        (self.after - self.before).abs()
    }

    fn line(&self) -> String {
        let flips = self.flips.join(" ");
        format!("  row {:<8}{:<32}{:.3} → {:.3}  {flips}", self.row, self.label, self.before, self.after)
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
