//! An evaluation as one value: what `attune eval` prints, writes as JSON and draws.

use std::collections::BTreeMap;

use serde::Serialize;

use super::bootstrap::{self, SEED};
use super::left_out::Tally;
use super::metrics::{self, BINS, Bins, Tallies};
use super::scores::Scores;
use super::scoring::{MixedRows, Scored};
use super::{Task, render};
use crate::domain::ranking::ratio;
use crate::error::Error;
use crate::model::Manifest;

/// Form of the JSON.
const SCHEMA: u32 = 1;

/// Names of the headline metrics; not every task has all of them.
const METRICS: [&str; 12] = [
    "accuracy",
    "brier",
    "ece",
    "macro_f1",
    "macro_f1_swept",
    "macro_precision",
    "macro_recall",
    "micro_f1",
    "n",
    "pr_auc",
    "texts_per_second",
    "top_label_acceptable",
];

/// Whether a report may have a metric of this name, before anything is scored. Errors: `InvalidInput` with the names.
pub fn check_metric(name: &str) -> Result<(), Error> {
    if METRICS.contains(&name) || name.contains('.') { Ok(()) } else { Err(unknown_metric(name, &METRICS)) }
}

fn unknown_metric(name: &str, names: &[&str]) -> Error {
    let message = format!(
        "there is no {name}; there are {}, and LABEL.f1, LABEL.precision, LABEL.recall, LABEL.pr_auc, LABEL.ece, \
         LABEL.brier, LABEL.support",
        names.join(", ")
    );
    Error::invalid("metric", message)
}

/// What stands around an evaluation.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// What was measured.
    pub task: Task,
    /// The file with the texts, as the caller named it.
    pub data: String,
    /// Resamples of the bootstrap; 0 for no intervals.
    pub resamples: usize,
}

/// Everything that was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    schema: u32,
    model: String,
    version: String,
    task: &'static str,
    data: String,
    rows: RowCounts,
    /// Headline metrics by name, `n` and `texts_per_second` among them.
    metrics: BTreeMap<&'static str, f64>,
    /// 95 % intervals of those that have one.
    intervals: BTreeMap<&'static str, [f64; 2]>,
    resamples: usize,
    seed: u64,
    labels: Vec<LabelReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confusion: Option<Confusion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mixed: Option<MixedRows>,
    reliability: Reliability,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct RowCounts {
    pub(super) read: u64,
    pub(super) scored: u64,
    pub(super) left_out: Vec<Tally>,
    #[serde(skip)]
    pub(super) lines: Vec<String>,
}

/// One label or group.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LabelReport {
    pub(super) label: String,
    /// Rows in which it holds.
    pub(super) support: u64,
    /// Rows in which it is reported.
    pub(super) predicted: u64,
    pub(super) precision: f64,
    pub(super) recall: f64,
    pub(super) f1: f64,
    pub(super) pr_auc: Option<f64>,
    pub(super) ece: f64,
    pub(super) brier: f64,
    pub(super) threshold: Option<f64>,
    /// Optimistic: chosen on the rows that it is judged on.
    pub(super) swept: Option<Swept>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Swept {
    pub(super) threshold: f64,
    pub(super) f1: f64,
}

/// Rows by true (outer) and guessed (inner) class.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Confusion {
    pub(super) labels: Vec<String>,
    pub(super) counts: Vec<Vec<u64>>,
}

/// Probabilities against frequencies.
#[derive(Debug, Clone, Serialize)]
pub struct Reliability {
    /// Whose probabilities.
    pub of: &'static str,
    /// Bins that are not empty, from low to high.
    pub bins: Vec<ReliabilityBin>,
}

/// One bin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Predictions in it.
    pub count: f64,
    /// Their mean probability.
    pub probability: f64,
    /// Share of them that came true.
    pub frequency: f64,
}

impl Report {
    /// Measures `scored`.
    pub fn of(scored: &Scored, manifest: &Manifest, circumstances: &Circumstances) -> Self {
        let (scores, left_out) = (&scored.scores, &scored.left_out);
        let tallies = Tallies::of_all(scores);
        let labels = labels(scores, &tallies);
        let texts = scores.len() as u64;
        let intervals = bootstrap::intervals(scores, circumstances.resamples);
        Self {
            schema: SCHEMA,
            model: manifest.id.clone(),
            version: manifest.version.clone(),
            task: circumstances.task.name(),
            data: circumstances.data.clone(),
            rows: RowCounts {
                read: texts + left_out.count(),
                scored: texts,
                left_out: left_out.tallies().cloned().collect(),
                lines: left_out.lines(),
            },
            metrics: headline(&tallies, &labels, scored),
            intervals: intervals.into_iter().map(|(name, i)| (name, [i.low, i.high])).collect(),
            resamples: circumstances.resamples,
            seed: SEED,
            confusion: scores.columns().exclusive.then(|| Confusion {
                labels: scores.columns().labels.clone(),
                counts: metrics::confusion(scores),
            }),
            mixed: (circumstances.task == Task::Sentiment).then_some(scored.mixed),
            reliability: Reliability {
                of: if scores.columns().distribution { "the likeliest class" } else { "all labels" },
                bins: bins(&tallies.reliability()),
            },
            labels,
        }
    }

    /// As JSON, with a line break at the end.
    pub fn json(&self) -> Result<String, Error> {
        let json = serde_json::to_string_pretty(self).map_err(Error::internal)?;
        Ok(json + "\n")
    }

    /// For people.
    pub fn text(&self) -> String {
        render::report(self)
    }

    /// One number: a headline metric, or `LABEL.METRIC` of a label. Errors: `InvalidInput` that lists the names.
    pub fn metric(&self, name: &str) -> Result<f64, Error> {
        let of_label = || {
            let (label, metric) = name.rsplit_once('.')?;
            self.labels.iter().find(|found| found.label == label)?.metric(metric)
        };
        self.metrics
            .get(name)
            .copied()
            .or_else(of_label)
            .ok_or_else(|| unknown_metric(name, &self.metrics.keys().copied().collect::<Vec<_>>()))
    }

    /// What a reliability diagram shows.
    pub fn reliability(&self) -> &Reliability {
        &self.reliability
    }

    /// What the diagram is called.
    pub fn title(&self) -> String {
        format!("{} {} · {}", self.model, self.version, self.task)
    }

    /// A headline metric, for the diagram's caption.
    pub fn ece(&self) -> f64 {
        self.metrics.get("ece").copied().unwrap_or_default()
    }

    pub(super) fn data(&self) -> &str {
        &self.data
    }

    pub(super) fn rows(&self) -> &RowCounts {
        &self.rows
    }

    pub(super) fn value(&self, name: &str) -> Option<(f64, Option<[f64; 2]>)> {
        Some((*self.metrics.get(name)?, self.intervals.get(name).copied()))
    }

    pub(super) fn labels(&self) -> &[LabelReport] {
        &self.labels
    }

    pub(super) fn confusion(&self) -> Option<&Confusion> {
        self.confusion.as_ref()
    }

    pub(super) fn mixed(&self) -> Option<MixedRows> {
        self.mixed
    }
}

impl LabelReport {
    fn metric(&self, name: &str) -> Option<f64> {
        match name {
            "f1" => Some(self.f1),
            "precision" => Some(self.precision),
            "recall" => Some(self.recall),
            "pr_auc" => self.pr_auc,
            "ece" => Some(self.ece),
            "brier" => Some(self.brier),
            "support" => Some(self.support as f64),
            _ => None,
        }
    }
}

fn headline(tallies: &Tallies, labels: &[LabelReport], scored: &Scored) -> BTreeMap<&'static str, f64> {
    let mean = |values: Vec<f64>| ratio(values.iter().sum(), values.len() as f64);
    let n = scored.scores.len() as f64;
    let mut headline: BTreeMap<&'static str, f64> = tallies.headline().into_iter().collect();
    headline.insert("n", n);
    headline.insert("pr_auc", mean(labels.iter().filter_map(|label| label.pr_auc).collect()));
    headline.insert("texts_per_second", ratio(n, scored.seconds));
    let seen = labels.iter().filter(|label| label.support > 0);
    let swept: Option<Vec<f64>> = seen.map(|label| Some(label.swept?.f1)).collect();
    if let Some(swept) = swept {
        headline.insert("macro_f1_swept", mean(swept));
    }
    headline
}

fn labels(scores: &Scores, tallies: &Tallies) -> Vec<LabelReport> {
    let columns = scores.columns();
    let of = |(place, label): (usize, &String)| {
        let (column, counts) = (scores.column(place), tallies.counts[place]);
        let (threshold, f1) = metrics::sweep(&column);
        LabelReport {
            label: label.clone(),
            support: counts.support() as u64,
            predicted: (counts.hits + counts.false_alarms) as u64,
            precision: counts.precision(),
            recall: counts.recall(),
            f1: counts.f1(),
            pr_auc: metrics::average_precision(&column),
            ece: tallies.bins[place].error(),
            brier: ratio(tallies.squares[place], tallies.weight),
            threshold: columns.thresholds.as_ref().map(|thresholds| thresholds[place]),
            swept: (!columns.exclusive).then_some(Swept { threshold, f1 }),
        }
    };
    columns.labels.iter().enumerate().map(of).collect()
}

fn bins(bins: &Bins) -> Vec<ReliabilityBin> {
    let width = 1.0 / BINS as f64;
    let place = |number: usize| number as f64 * width;
    let filled = bins.0.iter().enumerate().filter(|(_, bin)| bin.count > 0.0);
    filled
        .map(|(number, bin)| ReliabilityBin {
            from: place(number),
            to: place(number + 1),
            count: bin.count,
            probability: bin.probability / bin.count,
            frequency: bin.truth / bin.count,
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::left_out::{LeftOut, Reason};
    use super::super::scores::tests::{classes, multi_label};
    use super::*;
    use crate::model::ModelBundle;

    pub(crate) fn report(scores: Scores, task: Task) -> Report {
        let mut left_out = LeftOut::default();
        left_out.note(Reason::Empty, 7, "");
        let mixed = MixedRows { labelled: 4, found: 3, called: 2 };
        let scored = Scored { scores, left_out, mixed, seconds: 0.5 };
        let manifest = ModelBundle::load_embedded().unwrap().manifest;
        Report::of(&scored, &manifest, &Circumstances { task, data: "a.csv".into(), resamples: 20 })
    }

    #[test]
    fn the_json_holds_what_the_text_says_and_every_metric_can_be_asked_for_alone() {
        let report =
            report(multi_label(&[&[(0.9, true), (0.4, true)], &[(0.2, false), (0.1, false)]]), Task::Cues);
        let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!(json["rows"]["read"], 3);
        assert_eq!(json["rows"]["left_out"][0]["rows"][0], 7);
        assert_eq!(json["metrics"]["macro_f1"], 0.5);
        assert_eq!(json["metrics"]["macro_f1_swept"], 1.0);
        assert_eq!(json["metrics"]["texts_per_second"], 4.0);
        assert_eq!(json["labels"][1]["label"], "b");
        assert!(json["intervals"]["macro_f1"][0].as_f64().unwrap() <= 0.5);
        assert_eq!(report.metric("macro_f1").unwrap(), 0.5);
        assert_eq!(report.metric("a.f1").unwrap(), 1.0);
        let error = report.metric("accuracy").unwrap_err();
        assert!(error.public().contains("there is no accuracy; there are brier, ece"), "{error}");
        assert!(report.metrics.keys().all(|name| check_metric(name).is_ok()));
        assert!(check_metric("f1").is_err());
    }

    #[test]
    fn classes_have_a_confusion_matrix_and_no_swept_thresholds() {
        let report = report(classes(&[(&[0.7, 0.3], 0), (&[0.6, 0.4], 1)]), Task::Sentiment);
        let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!(json["confusion"]["counts"], serde_json::json!([[1, 0], [1, 0]]));
        assert_eq!(json["metrics"]["accuracy"], 0.5);
        assert_eq!(json["mixed"]["found"], 3);
        assert!(json["metrics"]["macro_f1_swept"].is_null());
    }
}
