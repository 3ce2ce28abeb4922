//! Opens an export of a survey tool and says which columns are what.
//!
//! `origin` takes off the compression, `format` finds the form, a file each reads it into records, `header` finds the
//! names among the first of them, `recognise` says what the columns hold, and `rows` counts. Rows are read as they are
//! asked for; what is held meanwhile is a row, a head of [`HEAD_BYTES`] and a sample of [`SAMPLE_ROWS`] rows. A row that
//! can't be read is handed on as one. The same bytes give the same rows every time. No message quotes a cell.

mod contents;
mod dialect;
mod encoding;
mod format;
mod header;
mod hints;
mod jsonl;
mod names;
mod origin;
mod overrule;
mod parquet;
mod recognise;
mod rows;
mod score;
mod split;
mod text;
mod unchanged;
mod worker;
mod xlsx;
mod zip_size;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde::{Deserialize, Serialize};

use super::{Column, Table};
use crate::error::Error;
use origin::Origin;
use rows::{Source, sampled};

pub(super) use names::normal;
pub use score::score;

/// Longest row, in bytes: some 180,000 words. A quotation mark that is left open ends here, too.
pub const ROW_BYTES: usize = 1 << 20;
/// What is looked at before a file is read, in bytes: enough for its encoding and what separates its cells.
pub const HEAD_BYTES: usize = 1 << 20;
/// Rows that are looked at to tell which columns are what.
pub const SAMPLE_ROWS: usize = 200;
/// Most columns, as in a sheet.
pub const COLUMNS: usize = 16_384;
/// Largest XLSX file, in bytes: its shared texts are held in memory.
pub const XLSX_BYTES: u64 = 256 << 20;

/// Where a table is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file, or a named pipe, which is read as standard input is.
    File(PathBuf),
    /// Standard input; what must be read twice, or from its end, is copied to a temporary file without a name.
    Stdin,
}

/// What a file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// Cells with commas, or whatever separates them, between them.
    Csv,
    /// Cells with tabs between them.
    Tsv,
    /// A JSON object per line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
    /// A sheet of an Excel workbook.
    Xlsx,
    /// A text per line.
    Lines,
}

impl FileFormat {
    /// Every format.
    pub const ALL: [Self; 6] = [Self::Csv, Self::Tsv, Self::Jsonl, Self::Parquet, Self::Xlsx, Self::Lines];

    /// The format's name in flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
            Self::Xlsx => "xlsx",
            Self::Lines => "lines",
        }
    }
}

/// How a table is read. Columns are given by name, by question, by ImportId, or by number from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// `None` goes by the content, then by the name's ending.
    pub format: Option<FileFormat>,
    /// The columns with free text, in place of those that are found.
    pub text_columns: Vec<String>,
    /// The column with the row's id, in place of the one that is found.
    pub id_column: Option<String>,
    /// The column with the respondent's score, in place of the one that is found.
    pub score_column: Option<String>,
    /// The column with the answers' language, in place of the one that is found.
    pub language_column: Option<String>,
    /// The column with the time of the answer, in place of the one that is found.
    pub time_column: Option<String>,
    /// Whether the tool and the columns are recognised; if not, the first row has the names, and only the columns that
    /// are given count.
    pub detect: bool,
    /// What separates the cells of a CSV file, an ASCII character; `None` finds it.
    pub delimiter: Option<char>,
    /// The encoding's label, such as `windows-1252`; `None` finds it.
    pub encoding: Option<String>,
    /// The sheet of a workbook; `None` takes the first that is visible and has a cell.
    pub sheet: Option<String>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            format: None,
            text_columns: Vec::new(),
            id_column: None,
            score_column: None,
            language_column: None,
            time_column: None,
            detect: true,
            delimiter: None,
            encoding: None,
            sheet: None,
        }
    }
}

/// Opens a table. A file with a header and nothing else is a table without rows.
///
/// Errors: `NotFound`; `Unavailable` when reading fails; `InvalidInput` for a file that is empty, of no known form, or
/// above a bound, for a column that is not there, and when no column holds free text.
pub fn open(input: &Input, options: &ReadOptions) -> Result<Table, Error> {
    match input {
        Input::File(path) => unchanged::watched(path, || table(Origin::file(path)?, options)),
        Input::Stdin => table(Origin::stream("standard input", Box::new(std::io::stdin()))?, options),
    }
}

/// Opens a file as [`open`] does. Its bytes, as they stand in it, are added to `count` as they are read; those of Parquet
/// and of workbooks, which are read here and there, are not. Errors as [`open`].
pub fn open_counted(path: &Path, options: &ReadOptions, count: &Arc<AtomicU64>) -> Result<Table, Error> {
    unchanged::watched(path, || table(Origin::counted(path, count)?, options))
}

/// Opens a table that comes from elsewhere; messages call it by `name`, whose ending counts as a file's does. Errors as
/// [`open`].
pub fn open_stream(
    name: &str,
    bytes: impl Read + Send + 'static,
    options: &ReadOptions,
) -> Result<Table, Error> {
    table(Origin::stream(name, Box::new(bytes))?, options)
}

fn table(origin: Origin, options: &ReadOptions) -> Result<Table, Error> {
    let name = origin.name.clone();
    let found = format::find(&origin, options)?;
    let source: Source = match found {
        FileFormat::Csv | FileFormat::Tsv => text::table(origin, found, options),
        FileFormat::Lines => text::lines(origin, options),
        FileFormat::Jsonl => jsonl::open(origin, options),
        FileFormat::Parquet => parquet::open(origin),
        FileFormat::Xlsx => xlsx::open(origin, options),
    }?;
    let (form, notes, named) = (source.form, source.notes, source.named);
    let (header, sample) =
        sampled(&name, source.records, |first| header::read(first, named, options.detect))?;
    let mut layout = recognise::layout(&name, &header, &sample.rows(), options)?;
    layout.notes.splice(0..0, notes);
    let columns =
        header.fields.into_iter().map(|field| Column { name: field.name, question: field.question });
    Ok(Table { form, columns: columns.collect(), layout, rows: Box::new(sample) })
}

#[cfg(test)]
#[path = "mod_tests.rs"]
mod tests;
