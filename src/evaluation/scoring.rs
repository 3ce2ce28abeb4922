//! Runs the model over the rows of a file: a bounded number at once, in the file's order.

use std::sync::Arc;
use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt};

use super::dataset::{Entry, Row, Rows, Source};
use super::left_out::{LeftOut, Reason};
use super::mapping::{Mapping, Truth, Unknown, Vocabulary};
use super::scores::{Columns, Scores};
use super::{Task, scores};
use crate::batching::{Entrance, Lane};
use crate::domain::{Assessment, LabelAssessment, SentimentLabel, Status};
use crate::drift::Tenant;
use crate::error::{Error, ErrorKind};
use crate::model::{Activation, Head, HeadKind};
use crate::pipeline::{AnalysisOptions, Analyzer, Call, ResolvedOptions};

/// Rows that are read at once: enough short texts to fill the batches of many workers.
pub(super) const IN_FLIGHT: usize = 128;
/// Most rows of a file. Their probabilities are kept until the end, 28 of them in 250 bytes a row.
pub const MOST_ROWS: u64 = 500_000;

/// How rows wait: as long as it takes.
pub(super) fn bulk() -> Call {
    Call { lane: Lane::Bulk, entrance: Entrance::Wait, deadline: None, tenant: Tenant::NONE }
}

/// A model that reads rows.
pub struct Scorer {
    analyzer: Arc<Analyzer>,
    options: ResolvedOptions,
    language: String,
}

/// What the model says of a row, or why it says nothing.
pub enum Outcome {
    /// It was read.
    Read(Box<Assessment>),
    /// It was not, for this reason; the detail holds no text.
    Unread(Reason, String),
}

/// A row after it went through the model.
pub struct Read {
    /// From 1, without the header.
    pub number: u64,
    /// The row's labels as the file has them.
    pub labels: Vec<String>,
    /// What came out.
    pub outcome: Outcome,
}

impl Scorer {
    /// For some heads, or for all when `heads` is empty. Texts are taken to be in `language` (BCP 47), so that none is
    /// set aside because its language was not recognised.
    pub fn try_new(analyzer: &Arc<Analyzer>, heads: &[String], language: &str) -> Result<Self, Error> {
        let options = AnalysisOptions {
            heads: heads.to_vec(),
            evidence: false,
            all_labels: true,
            ..AnalysisOptions::default()
        };
        let options = options.resolve(analyzer.manifest())?;
        Ok(Self { analyzer: Arc::clone(analyzer), options, language: language.to_owned() })
    }

    /// Reads all rows and hands them to `take` in their order.
    ///
    /// Errors: those of the file, those of the model that are not a row's own fault, and `InvalidInput` above
    /// `MOST_ROWS`.
    pub async fn read(&self, rows: Rows, mut take: impl FnMut(Read)) -> Result<(), Error> {
        let mut reads = futures_util::stream::iter(rows).map(|entry| self.row(entry)).buffered(IN_FLIGHT);
        while let Some(read) = reads.try_next().await? {
            if read.number > MOST_ROWS {
                let message = format!("has more than {MOST_ROWS} rows; take a sample of them");
                return Err(Error::invalid("data", message));
            }
            take(read);
        }
        Ok(())
    }

    async fn row(&self, entry: Result<Entry, Error>) -> Result<Read, Error> {
        let Row { number, text, labels } = match entry? {
            Ok(row) => row,
            Err(unreadable) => {
                let outcome = Outcome::Unread(Reason::Unreadable, unreadable.reason);
                return Ok(Read { number: unreadable.number, labels: Vec::new(), outcome });
            }
        };
        Ok(Read { number, labels, outcome: self.text(&text).await? })
    }

    async fn text(&self, text: &str) -> Result<Outcome, Error> {
        let unread = |reason, detail: &str| Ok(Outcome::Unread(reason, detail.to_owned()));
        match self.analyzer.analyze(text, Some(&self.language), &self.options, bulk()).await {
            Ok(assessment) => match assessment.status {
                Status::Ok => Ok(Outcome::Read(Box::new(assessment))),
                Status::Empty => unread(Reason::Empty, ""),
                Status::UnsupportedLanguage => unread(Reason::Language, &self.language),
            },
            Err(e) if e.kind() == ErrorKind::InvalidInput => unread(Reason::Refused, e.public()),
            Err(e) => Err(e),
        }
    }
}

/// How often the mixed rule and the rows' own labels meet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct MixedRows {
    /// Rows that are labelled mixed; they are not in the score.
    pub labelled: u64,
    /// Those of them that the model calls mixed.
    pub found: u64,
    /// Rows with another label that the model calls mixed; in the score they count by their likeliest class.
    pub called: u64,
}

/// A labelled file as the model scored it.
pub struct Scored {
    /// The rows that are in the score.
    pub scores: Scores,
    /// The rows that are not.
    pub left_out: LeftOut,
    /// For sentiment.
    pub mixed: MixedRows,
    /// From the first row's reading to the last one's scores.
    pub seconds: f64,
}

/// A labelled file and how its labels are meant.
#[derive(Debug, Clone)]
pub struct LabelledFile {
    /// What its labels speak of.
    pub task: Task,
    /// The file.
    pub source: Source,
    /// From its labels to the model's; `None` when they are the same.
    pub mapping: Option<Mapping>,
    /// BCP 47 tag of its texts.
    pub language: String,
}

impl LabelledFile {
    /// Scores every row, after a look at all labels.
    ///
    /// Errors: those of the file, labels that are not known, a model without a head for the task.
    pub async fn score(&self, analyzer: &Arc<Analyzer>) -> Result<Scored, Error> {
        let head = self.task.head(analyzer.manifest())?;
        let vocabulary = Vocabulary::try_new(self.mapping.as_ref(), self.task, head)?;
        check_labels(&self.source, &vocabulary)?;
        let scorer = Scorer::try_new(analyzer, std::slice::from_ref(&head.name), &self.language)?;
        let mut tally = Labelled::new(head, &vocabulary);
        let started = Instant::now();
        scorer.read(self.source.open()?, |read| tally.take(read)).await?;
        tally.finish(&self.source, started.elapsed().as_secs_f64())
    }
}

/// Looks at the labels before any text is scored: a wrong column is found in a second instead of an hour.
fn check_labels(source: &Source, vocabulary: &Vocabulary) -> Result<(), Error> {
    let mut unknown = Unknown::default();
    for entry in source.open()? {
        let Ok(row) = entry? else { continue };
        if let Err(label) = vocabulary.truth(&row.labels) {
            unknown.note(label, row.number);
        }
    }
    unknown.check(&source.data.display().to_string())
}

/// Puts assessments beside their rows' labels.
struct Labelled<'a> {
    head: &'a Head,
    vocabulary: &'a Vocabulary,
    scores: Scores,
    left_out: LeftOut,
    mixed: MixedRows,
}

impl<'a> Labelled<'a> {
    fn new(head: &'a Head, vocabulary: &'a Vocabulary) -> Self {
        let distribution = head.activation == Activation::Softmax;
        let thresholds = head.thresholds.iter().map(|threshold| threshold.get()).collect();
        let columns = Columns {
            labels: head.labels.clone(),
            thresholds: (!distribution).then_some(thresholds),
            exclusive: distribution,
            distribution,
        };
        let (left_out, mixed) = (LeftOut::default(), MixedRows::default());
        Self { head, vocabulary, scores: Scores::new(columns), left_out, mixed }
    }

    fn take(&mut self, read: Read) {
        let assessment = match read.outcome {
            Outcome::Read(assessment) => assessment,
            Outcome::Unread(reason, detail) => return self.left_out.note(reason, read.number, &detail),
        };
        let called_mixed =
            assessment.sentiment.as_ref().is_some_and(|sentiment| sentiment.label == SentimentLabel::Mixed);
        let mut leave_out = |reason, detail| self.left_out.note(reason, read.number, detail);
        match self.vocabulary.truth(&read.labels) {
            Ok(Truth::Labels(truths)) => {
                let (p, guesses): (Vec<f64>, Vec<bool>) = of_head(&assessment, self.head).into_iter().unzip();
                self.scores.push(&p, &guesses, &truths);
                self.mixed.called += u64::from(called_mixed);
            }
            Ok(Truth::Mixed) => {
                leave_out(Reason::Mixed, "");
                self.mixed.labelled += 1;
                self.mixed.found += u64::from(called_mixed);
            }
            Ok(Truth::LeftOut) => leave_out(Reason::Mapped, ""),
            Ok(Truth::Unlabelled) => leave_out(Reason::Unlabelled, ""),
            Ok(Truth::Several) => leave_out(Reason::Several, ""),
            // The file was changed since its labels were checked.
            Err(_) => leave_out(Reason::Unreadable, "its label is not known"),
        }
    }

    fn finish(self, source: &Source, seconds: f64) -> Result<Scored, Error> {
        if self.scores.is_empty() {
            let why = self.left_out.lines();
            let why = if why.is_empty() { "it has no rows".to_owned() } else { why.join("; ") };
            let message = format!("{}: no row can be scored; {why}", source.data.display());
            return Err(Error::invalid("data", message));
        }
        let Self { vocabulary, scores, left_out, mixed, .. } = self;
        Ok(Scored { scores: measured(scores, vocabulary), left_out, mixed, seconds })
    }
}

/// The labels or groups that are measured.
fn measured(scores: Scores, vocabulary: &Vocabulary) -> Scores {
    let scores = match vocabulary.groups.as_slice() {
        [] => scores.select(&vocabulary.measured),
        groups => scores.grouped(groups),
    };
    if vocabulary.exclusive { scores.likeliest_only() } else { scores }
}

/// Probability and report of each label of a head, in the head's order.
pub fn of_head(assessment: &Assessment, head: &Head) -> Vec<(f64, bool)> {
    let by_name = |labels: &[LabelAssessment]| {
        let find = |name: &String| labels.iter().find(|found| found.label == *name);
        let value =
            |name| find(name).map_or((0.0, false), |found| (found.probability.get(), found.predicted));
        head.labels.iter().map(value).collect()
    };
    match head.kind {
        HeadKind::Sentiment => {
            let p = assessment.sentiment.as_ref().map(|s| [s.negative, s.neutral, s.positive]);
            let p = p.map_or([0.0; 3], |p| p.map(|p| p.get()));
            let top = scores::likeliest(&p);
            p.into_iter().enumerate().map(|(place, p)| (p, Some(place) == top)).collect()
        }
        HeadKind::Emotion => by_name(&assessment.emotions),
        HeadKind::Cue => by_name(&assessment.cues),
        HeadKind::Other => {
            let found = assessment.other_heads.iter().find(|other| other.head == head.name);
            by_name(found.map_or(&[], |other| &other.labels))
        }
    }
}

#[cfg(test)]
#[path = "scoring_tests.rs"]
mod tests;
