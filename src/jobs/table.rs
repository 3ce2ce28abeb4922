//! Rows as they are read, and as they are scored.

use crate::domain::Assessment;
use crate::error::Error;

/// A row of a table; every cell is text, as it stood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// From 1, data rows only.
    pub number: u64,
    /// The line of the file, or the row of the sheet, at which it begins, from 1.
    pub place: u64,
    /// As many as there are columns; short rows are filled up with empty cells.
    pub cells: Vec<String>,
}

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// From 1, counted with the rows that could be read.
    pub number: u64,
    /// The line of the file, or the row of the sheet, from 1.
    pub place: u64,
    /// What is wrong, without any of the row's text.
    pub reason: String,
    /// Whether reading ended here, so that the rows after it are missing: a file that is cut off or damaged.
    pub ends: bool,
}

impl BadRow {
    /// A row that can be read and not used.
    pub(super) fn refused(number: u64, place: u64, error: &Error) -> Self {
        Self { number, place, reason: error.told(), ends: false }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// Its name in the file; unique, for later columns of the same name get a number.
    pub name: String,
    /// The question that was asked, where the export says it and it is not the name.
    pub question: Option<String>,
}

/// What a number in a survey measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreKind {
    /// 0 to 10: would you recommend us?
    Nps,
    /// Satisfaction, 1 up to this number.
    Csat(u8),
}

/// Which columns are what, and how that was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// The tool that exported it, such as `Qualtrics`; `table` when none was recognised.
    pub source: String,
    /// Free text, in the order of the file.
    pub text: Vec<usize>,
    /// The row's own id.
    pub id: Option<usize>,
    /// A number that the respondent gave.
    pub score: Option<(usize, ScoreKind)>,
    /// The language of the answers.
    pub language: Option<usize>,
    /// When it was answered.
    pub time: Option<usize>,
    /// How each was found, a line each, for people.
    pub notes: Vec<String>,
}

/// A table that is being read.
pub struct Table {
    /// Encoding, delimiter, compression: how the file was read, for people.
    pub form: String,
    /// In the order of the file.
    pub columns: Vec<Column>,
    /// Which columns are what.
    pub layout: Layout,
    /// The rows, read as they are asked for.
    pub rows: Box<dyn Iterator<Item = Result<Row, BadRow>> + Send>,
}

/// What one text of a row says.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The text's column, by its place in the table.
    pub column: usize,
    /// `Err` says why there is no assessment, without any of the text.
    pub outcome: Result<Assessment, String>,
}

/// A row and what its texts say, in the order of [`Layout::text`].
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredRow {
    /// As it was read.
    pub row: Row,
    /// One per text column.
    pub texts: Vec<Scored>,
}
