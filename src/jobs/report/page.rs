//! The page: what the template is filled with. What customers wrote is escaped by the template, in charts by plotters.

use askama::Template;

use super::comments::CommentView;
use super::drawing::{Drawing, Ink, WIDTH};
use super::tally::Tally;
use super::{comments, compared, honesty, labelled, overall};
use crate::error::Error;

/// What the caller knows beside the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Of the page.
    pub title: String,
    /// Name of what was read.
    pub source: String,
    /// Name and version of the model; empty takes those that the assessments name.
    pub model: String,
    /// When it was made, as it is to be shown; a run that is made again gives the same text for the same bytes.
    pub created: String,
    /// Rows of the source, where that is known; if fewer were read, the page says that it is not whole.
    pub rows: Option<u64>,
    /// How the source was read and which columns were taken for what.
    pub notes: Vec<String>,
}

/// A figure of the summary.
pub(super) struct Card {
    pub(super) name: &'static str,
    pub(super) figure: String,
    pub(super) more: String,
}

/// A cell of a table.
pub(super) struct Cell {
    pub(super) text: String,
    /// Words are set to the left, figures to the right.
    pub(super) words: bool,
    /// A spot of a chart's colour before it.
    pub(super) ink: Option<Ink>,
}

/// Words.
pub(super) fn words(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), words: true, ink: None }
}

/// Words with a chart's colour.
pub(super) fn keyed(ink: Ink, text: impl Into<String>) -> Cell {
    Cell { text: text.into(), words: true, ink: Some(ink) }
}

/// A figure.
pub(super) fn figure(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), words: false, ink: None }
}

/// Names of columns.
pub(super) fn heads<const N: usize>(names: [&'static str; N]) -> Vec<Cell> {
    names.into_iter().map(words).collect()
}

/// Rows above which a table scrolls in a box of its own.
const LONG: usize = 31;

/// A table; the first cell of each row names it.
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) head: Vec<Cell>,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Whether a column holds words; templates hand their counters on by reference.
    fn is_words(&self, column: &usize) -> bool {
        self.rows.first().and_then(|row| row.get(*column)).is_some_and(|cell| cell.words)
    }

    fn is_long(&self) -> bool {
        self.rows.len() > LONG
    }
}

/// A chart with the same values as a table beside it.
pub(super) struct Block {
    pub(super) drawing: Option<Drawing>,
    pub(super) table: Table,
}

/// A part of the page.
pub(super) struct Panel {
    /// For links.
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) lead: Vec<String>,
    /// What is listed below the lead.
    pub(super) notes: Vec<String>,
    pub(super) blocks: Vec<Block>,
}

impl Panel {
    /// Without a list.
    pub(super) fn new(
        id: &'static str,
        title: impl Into<String>,
        lead: Vec<String>,
        blocks: Vec<Block>,
    ) -> Self {
        Self { id, title: title.into(), lead, notes: Vec::new(), blocks }
    }
}

#[derive(Template)]
#[template(path = "report.html", config = "src/jobs/report/askama.toml")]
struct Page<'a> {
    facts: &'a Facts,
    model: String,
    css: &'static str,
    width: i32,
    partial: Option<String>,
    redacted: bool,
    cards: Vec<Card>,
    panels: Vec<Panel>,
    first: Vec<CommentView>,
    conflicts: Vec<CommentView>,
    conflicts_lead: Option<String>,
    honesty: Panel,
    missing_odds: Option<String>,
}

/// Makes the page. Errors: `Internal` when a chart can't be drawn.
pub fn render(tally: &Tally, facts: &Facts) -> Result<String, Error> {
    let panels = [
        overall::sentiment(tally)?,
        overall::score(tally)?,
        labelled::cues(tally)?,
        labelled::emotions(tally)?,
        labelled::drivers(tally)?,
        compared::time(tally)?,
        compared::segments(tally)?,
        compared::questions(tally)?,
    ];
    let names: Vec<String> = tally.coverage.models.ranked().into_iter().map(|(name, _)| name).collect();
    let page = Page {
        facts,
        model: if facts.model.is_empty() { names.join(", ") } else { facts.model.clone() },
        css: include_str!("report.css"),
        width: WIDTH,
        partial: honesty::partial(tally, facts),
        redacted: tally.options.redact,
        cards: overall::cards(tally),
        panels: panels.into_iter().flatten().collect(),
        first: tally.first.comments().map(|comment| comments::view(comment, tally)).collect(),
        conflicts: tally.conflicts.comments().map(|comment| comments::view(comment, tally)).collect(),
        conflicts_lead: comments::conflicts(tally),
        honesty: honesty::panel(tally, facts),
        missing_odds: labelled::missing(tally),
    };
    page.render().map_err(Error::internal)
}
