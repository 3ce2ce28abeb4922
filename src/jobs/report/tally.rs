//! Everything that a report says, added up row by row in constant memory.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::coverage::Coverage;
use super::labels::{Cues, Emotions, Weight};
use super::phrases::Phrases;
use super::reading::{Comment, Rank, Top, micro};
use super::score::{Given, Scale, Scores};
use super::segments::Segments;
use super::series::Series;
use super::shown::{Shown, cell};
use super::split::Split;
use crate::domain::{Assessment, Evidence, SentimentLabel, Status};
use crate::jobs::{BadRow, Column, Layout, Row, ScoredRow};

/// Phrases that are kept per direction; far more than are shown, so that the shown ones are counted from the beginning.
const PHRASES: usize = 1000;

/// What a caller may choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// The column by whose values rows are compared.
    pub by: Option<usize>,
    /// Whether what identifies a person is taken out of everything that is kept.
    pub redact: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { by: None, redact: true }
    }
}

/// A text column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) column: usize,
    /// What was asked, or the column's name.
    pub(super) asked: String,
    pub(super) comments: Split,
}

/// Sums over the rows so far.
///
/// Everything in it is a whole number or a text, and every map is ordered: a tally that was written, read and gone on
/// with gives the same report as one that was not. What it keeps of comments is redacted when they are pushed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub(super) options: Options,
    /// Name of the column of segments.
    pub(super) by: Option<String>,
    id: Option<usize>,
    score: Option<usize>,
    time: Option<usize>,
    pub(super) coverage: Coverage,
    pub(super) questions: Vec<Question>,
    pub(super) all: Split,
    pub(super) scores: Option<Scores>,
    pub(super) emotions: Emotions,
    pub(super) cues: Cues,
    pub(super) towards_negative: Phrases,
    pub(super) towards_positive: Phrases,
    pub(super) series: Option<Series>,
    pub(super) segments: Option<Segments>,
    pub(super) first: Top,
    pub(super) conflicts: Top,
}

impl fmt::Debug for Tally {
    /// Says how many rows there are, and nothing of what they say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tally").field("rows", &self.coverage.rows).finish_non_exhaustive()
    }
}

/// A row's cells that its comments are shown with.
struct Context<'r> {
    row: &'r Row,
    band: Option<usize>,
    segment: String,
}

impl Tally {
    /// Without any row, for a table with these columns.
    pub fn new(options: Options, columns: &[Column], layout: &Layout) -> Self {
        let asked = |at: usize| {
            let column = columns.get(at);
            column.map_or_else(String::new, |c| c.question.clone().unwrap_or_else(|| c.name.clone()))
        };
        let question = |at: &usize| Question { column: *at, asked: asked(*at), comments: Split::default() };
        Self {
            by: options.by.map(|at| columns.get(at).map_or_else(String::new, |column| column.name.clone())),
            id: layout.id,
            score: layout.score.map(|(at, _)| at),
            time: layout.time,
            coverage: Coverage::default(),
            questions: layout.text.iter().map(question).collect(),
            all: Split::default(),
            scores: layout.score.map(|(_, kind)| Scores::new(Scale::of(kind))),
            emotions: Emotions::default(),
            cues: Cues::default(),
            towards_negative: Phrases::default(),
            towards_positive: Phrases::default(),
            series: layout.time.map(|_| Series::default()),
            segments: options.by.map(|_| Segments::default()),
            first: Top::default(),
            conflicts: Top::default(),
            options,
        }
    }

    /// Counts a row that could not be read.
    pub fn bad(&mut self, row: &BadRow) {
        self.coverage.bad(&row.reason);
    }

    /// Counts a row.
    pub fn push(&mut self, scored: &ScoredRow) {
        let row = &scored.row;
        let at = |column: Option<usize>| column.and_then(|at| row.cells.get(at)).map_or("", String::as_str);
        self.coverage.rows += 1;
        let given = self.scores.as_mut().map(|scores| scores.row(at(self.score)));
        let band = if let Some(Given::Band(band)) = given { Some(band) } else { None };
        let segment = cell(at(self.options.by), self.options.redact);
        let context = Context { row, band, segment };
        let mut split = Split::default();
        for text in &scored.texts {
            match &text.outcome {
                Err(reason) => self.coverage.failed(reason),
                Ok(assessment) => self.assessed(&context, text.column, assessment, &mut split),
            }
        }
        self.all.merge(&split);
        if let Some(series) = &mut self.series {
            series.row(at(self.time), &split);
        }
        if let Some(segments) = &mut self.segments {
            segments.row(&context.segment, &split, band);
        }
    }

    fn assessed(&mut self, context: &Context<'_>, column: usize, assessment: &Assessment, split: &mut Split) {
        self.coverage.assessed(assessment);
        if assessment.status != Status::Ok {
            return;
        }
        let shown = Shown::new(context.row.cells.get(column).map_or("", String::as_str), self.options.redact);
        self.emotions.push(reported(&assessment.emotions).map(|label| label.label.as_str()));
        self.cues.push(reported(&assessment.cues).map(|label| label.label.as_str()));
        self.phrases(&shown, assessment);
        let conflict = self.sentiment(context, column, assessment, split);
        let make = |tally: &Self| tally.comment(context, column, assessment, &shown);
        let rank = Rank::to_read(assessment, context.row.number, column);
        let mut first = std::mem::take(&mut self.first);
        first.offer(rank, || make(self));
        self.first = first;
        if conflict {
            let rank = Rank::of_conflict(assessment, context.row.number, column);
            let mut conflicts = std::mem::take(&mut self.conflicts);
            conflicts.offer(rank, || make(self));
            self.conflicts = conflicts;
        }
    }

    /// Counts a comment's sentiment, and says whether it contradicts the row's score.
    fn sentiment(
        &mut self,
        context: &Context<'_>,
        column: usize,
        assessment: &Assessment,
        split: &mut Split,
    ) -> bool {
        let Some(sentiment) = &assessment.sentiment else { return false };
        split.push(sentiment);
        if let Some(question) = self.questions.iter_mut().find(|question| question.column == column) {
            question.comments.push(sentiment);
        }
        let scores = self.scores.as_mut().zip(context.band);
        scores.is_some_and(|(scores, band)| scores.comment(band, sentiment))
    }

    fn phrases(&mut self, shown: &Shown, assessment: &Assessment) {
        for class in assessment.sentiment.iter().flat_map(|sentiment| &sentiment.evidence) {
            match class.class {
                SentimentLabel::Negative => self.towards(shown, &class.evidence, -1.0),
                SentimentLabel::Positive => self.towards(shown, &class.evidence, 1.0),
                SentimentLabel::Neutral | SentimentLabel::Mixed => {}
            }
        }
        for cue in reported(&assessment.cues) {
            for span in
                cue.evidence.iter().flat_map(|evidence| &evidence.spans).filter(|s| s.contribution > 0.0)
            {
                if let Some(phrase) = shown.phrase(span) {
                    self.cues.said(&cue.label, &phrase, span.contribution);
                }
            }
        }
    }

    /// Words against a class speak for the other one: `sign` is what a contribution means for the score.
    fn towards(&mut self, shown: &Shown, evidence: &Evidence, sign: f64) {
        for span in &evidence.spans {
            let Some(phrase) = shown.phrase(span) else { continue };
            let signed = sign * span.contribution;
            let phrases = if signed < 0.0 { &mut self.towards_negative } else { &mut self.towards_positive };
            phrases.push(&phrase, signed, PHRASES);
        }
    }

    fn comment(
        &self,
        context: &Context<'_>,
        column: usize,
        assessment: &Assessment,
        shown: &Shown,
    ) -> Comment {
        let at = |column: Option<usize>| {
            column.and_then(|at| context.row.cells.get(at)).map_or("", String::as_str)
        };
        let sentiment = assessment.sentiment.as_ref();
        let mut cues: Vec<(String, u32)> =
            reported(&assessment.cues).map(|cue| (cue.label.clone(), micro(cue.probability.get()))).collect();
        cues.sort_by_key(|(cue, probability)| std::cmp::Reverse((Weight::of(cue), *probability)));
        let question = self.questions.iter().find(|question| question.column == column);
        Comment {
            row: context.row.number,
            place: context.row.place,
            id: cell(at(self.id), self.options.redact),
            question: question.map_or_else(String::new, |question| question.asked.clone()),
            score: cell(at(self.score), self.options.redact),
            segment: context.segment.clone(),
            sentiment: sentiment.map_or("", |s| s.label.name()).to_owned(),
            probabilities: sentiment.map_or([0; 2], |s| [micro(s.negative.get()), micro(s.positive.get())]),
            cues,
            marked: shown.marked(assessment),
        }
    }
}

fn reported(
    labels: &[crate::domain::LabelAssessment],
) -> impl Iterator<Item = &crate::domain::LabelAssessment> {
    labels.iter().filter(|label| label.predicted)
}
