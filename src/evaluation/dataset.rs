//! Reads files of texts, with or without labels, row by row: CSV, TSV, JSONL, and plain lines with a file of labels.
//!
//! A row that can't be read is handed on as one, with its number and the reason, and the rows after it are read. Rows
//! are counted from 1, without the header; blank lines of CSV and TSV files are no rows.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::lines::{Allowance, Bounded, Lines, ROW_BYTES, open};
use super::shown;
use crate::error::{Error, ErrorKind};

/// Name of the column with the texts when none is given.
const TEXT: &str = "text";

/// Form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputFormat {
    /// Separated by commas, with quotation marks where a cell needs them.
    Csv,
    /// Separated by tabs; quotation marks are characters like others.
    Tsv,
    /// One JSON object per line.
    Jsonl,
    /// One text per line.
    Lines,
}

/// Where a row's labels stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Labels {
    /// Nowhere: only the texts are read.
    Unread,
    /// In a column or field: the given one, or the first of some usual names.
    Column {
        /// Name or number from 1, as the caller gave it.
        given: Option<String>,
        /// Names to look for when none was given.
        usual: &'static [&'static str],
    },
    /// In a file of their own, line by line beside a file of plain lines.
    File(PathBuf),
}

/// What stands between several labels of one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Separator {
    /// A cell is one label.
    Never,
    /// `|` in CSV, `,` elsewhere; a JSON string is one label.
    Usual,
    /// This.
    Given(String),
}

/// A file of texts and how to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub data: PathBuf,
    /// Its form; `None` goes by the file's extension.
    pub format: Option<InputFormat>,
    /// Whether the first row of a CSV or TSV file names the columns.
    pub header: bool,
    /// Column or field with the texts: a name, or a number from 1.
    pub text_column: Option<String>,
    /// Where the labels stand.
    pub labels: Labels,
    /// What stands between them.
    pub separator: Separator,
}

/// One text with its labels as the file has them, trimmed.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// From 1, without the header.
    pub number: u64,
    /// What is read.
    pub text: String,
    /// Empty when the cell is.
    pub labels: Vec<String>,
}

/// A row that can't be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// From 1, without the header.
    pub number: u64,
    /// Without any text of the row.
    pub reason: String,
}

/// A row, or why it can't be read.
pub type Entry = Result<Row, Unreadable>;

/// The rows of a file; an error ends the reading.
pub type Rows = Box<dyn Iterator<Item = Result<Entry, Error>>>;

impl Source {
    /// Opens the file. Errors: `NotFound`, and `InvalidInput` for a column that is not there or options that don't fit.
    pub fn open(&self) -> Result<Rows, Error> {
        let format = self.format()?;
        match (&self.labels, format) {
            (Labels::File(_), InputFormat::Csv | InputFormat::Tsv | InputFormat::Jsonl) => Err(
                Error::invalid("labels", "a file of labels stands beside plain lines; --input-format lines"),
            ),
            (Labels::File(labels), InputFormat::Lines) => self.paired(labels),
            (Labels::Column { .. }, InputFormat::Lines) => {
                Err(Error::invalid("labels", "plain lines have no labels; name a file of them with --labels"))
            }
            (Labels::Unread, InputFormat::Lines) => Ok(Box::new(plain(Lines::open(&self.data)?))),
            (_, InputFormat::Jsonl) => self.objects(),
            (_, InputFormat::Csv) => self.table(b',', true, "|"),
            (_, InputFormat::Tsv) => self.table(b'\t', false, ","),
        }
    }

    fn format(&self) -> Result<InputFormat, Error> {
        let extension = self.data.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        match (self.format, extension.as_deref()) {
            (Some(format), _) => Ok(format),
            (None, Some("csv")) => Ok(InputFormat::Csv),
            (None, Some("tsv" | "tab")) => Ok(InputFormat::Tsv),
            (None, Some("jsonl" | "ndjson")) => Ok(InputFormat::Jsonl),
            (None, Some("txt")) => Ok(InputFormat::Lines),
            (None, _) => Err(Error::invalid(
                "data",
                format!(
                    "{}: the extension tells no format; name one with --input-format",
                    self.data.display()
                ),
            )),
        }
    }

    /// What stands between labels, where `usual` is the format's own.
    fn between(&self, usual: &str) -> Option<String> {
        match &self.separator {
            Separator::Never => None,
            Separator::Usual => Some(usual.to_owned()),
            Separator::Given(text) => Some(text.clone()),
        }
    }

    fn paired(&self, labels: &Path) -> Result<Rows, Error> {
        let (mut texts, mut cells) = (plain(Lines::open(&self.data)?), Lines::open(labels)?);
        let (between, data, labels) = (self.between(","), self.data.clone(), labels.to_owned());
        let mut number = 0;
        Ok(Box::new(std::iter::from_fn(move || {
            number += 1;
            match (texts.next(), cells.next()) {
                (None, None) => None,
                (Some(Err(e)), _) | (_, Some(Err(e))) => Some(Err(e)),
                (Some(_), None) => Some(Err(too_short(&labels, &data, number))),
                (None, Some(_)) => Some(Err(too_short(&data, &labels, number))),
                (Some(Ok(entry)), Some(Ok(cell))) => {
                    Some(Ok(entry.and_then(|row| with_labels(row, cell, between.as_deref()))))
                }
            }
        })))
    }

    fn objects(&self) -> Result<Rows, Error> {
        let text = self.text_column.clone().unwrap_or_else(|| TEXT.into());
        let labels = match &self.labels {
            Labels::Column { given: Some(name), .. } => Some(vec![name.clone()]),
            Labels::Column { usual, .. } => Some(usual.iter().map(|name| (*name).to_owned()).collect()),
            Labels::Unread | Labels::File(_) => None,
        };
        // Several labels are an array, unless the caller says what stands between them in a string.
        let between = match &self.separator {
            Separator::Given(between) => Some(between.clone()),
            Separator::Never | Separator::Usual => None,
        };
        let lines = Lines::open(&self.data)?;
        Ok(Box::new(lines.zip(1..).map(move |(line, number)| {
            let line = line?.ok_or("not UTF-8".to_owned());
            let row = line.and_then(|line| object(&line, &text, labels.as_deref(), between.as_deref()));
            Ok(row
                .map(|(text, labels)| Row { number, text, labels })
                .map_err(|reason| Unreadable { number, reason }))
        })))
    }

    fn table(&self, delimiter: u8, quoting: bool, usual: &str) -> Result<Rows, Error> {
        let (file, allowance) = Bounded::new(open(&self.data)?);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .quoting(quoting)
            .has_headers(self.header)
            // A row with too few cells is one unreadable row, not the end of the file.
            .flexible(true)
            .from_reader(file);
        let header = if self.header {
            Some(reader.byte_headers().map_err(|e| self.broken(&e))?.clone())
        } else {
            None
        };
        let text = self.column("text-column", self.text_column.as_deref(), &[TEXT], 1, header.as_ref())?;
        let label = match &self.labels {
            Labels::Column { given, usual } => {
                Some(self.column("label-column", given.as_deref(), usual, 2, header.as_ref())?)
            }
            Labels::Unread | Labels::File(_) => None,
        };
        let place = Place { text, label, between: self.between(usual) };
        let (source, mut record, mut number) = (self.clone(), csv::ByteRecord::new(), 0);
        Ok(Box::new(std::iter::from_fn(move || match next_record(&mut reader, &mut record, &allowance) {
            Ok(false) => None,
            Ok(true) => {
                number += 1;
                Some(Ok(place.row(number, &record)))
            }
            Err(e) => Some(Err(source.broken(&e))),
        })))
    }

    fn broken(&self, error: &csv::Error) -> Error {
        Error::new(ErrorKind::Unavailable, format!("{}: {error}", self.data.display()))
    }

    /// Where a column stands: by its name in the header, else by its number.
    fn column(
        &self,
        flag: &str,
        given: Option<&str>,
        usual: &[&str],
        place: usize,
        header: Option<&csv::ByteRecord>,
    ) -> Result<usize, Error> {
        let named = |name: &str| header?.iter().position(|cell| cell.trim_ascii() == name.as_bytes());
        let by_name = match given {
            Some(given) => named(given),
            None => usual.iter().find_map(|name| named(name)),
        };
        if let (Some(at), Some(header)) = (by_name, header) {
            let name = header[at].trim_ascii();
            if header.iter().skip(at + 1).any(|cell| cell.trim_ascii() == name) {
                let (file, name) = (self.data.display(), String::from_utf8_lossy(name));
                let message = format!("{file}: the header has {name} twice; take the column by its number");
                return Err(Error::invalid(flag, message));
            }
        }
        let width = header.map_or(usize::MAX, csv::ByteRecord::len);
        let found = by_name.or_else(|| match given {
            Some(given) => given.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < width),
            None if header.is_some() => None,
            None => Some(place - 1),
        });
        found.ok_or_else(|| {
            let wanted = given.map_or_else(|| usual.join(" or "), str::to_owned);
            let there = match header {
                Some(header) => format!("the header has {}", columns(header)),
                None => "without a header, columns are numbers from 1".to_owned(),
            };
            let message = format!("{}: there is no column {wanted}; {there}", self.data.display());
            Error::invalid(flag, message)
        })
    }
}

/// The next record, with room for the one after it.
fn next_record(
    reader: &mut csv::Reader<Bounded>,
    record: &mut csv::ByteRecord,
    allowance: &Allowance,
) -> Result<bool, csv::Error> {
    let more = reader.read_byte_record(record)?;
    allowance.set(ROW_BYTES);
    Ok(more)
}

fn columns(header: &csv::ByteRecord) -> String {
    let names: Vec<String> =
        header.iter().take(12).map(|cell| shown(&String::from_utf8_lossy(cell))).collect();
    names.join(", ")
}

fn plain(lines: Lines) -> impl Iterator<Item = Result<Entry, Error>> {
    lines.zip(1..).map(|(line, number)| {
        Ok(line?.map_or_else(
            || Err(Unreadable { number, reason: "not UTF-8".into() }),
            |text| Ok(Row { number, text, labels: Vec::new() }),
        ))
    })
}

fn with_labels(row: Row, cell: Option<String>, between: Option<&str>) -> Entry {
    match cell {
        Some(cell) => Ok(Row { labels: split(&cell, between), ..row }),
        None => Err(Unreadable { number: row.number, reason: "its label is not UTF-8".into() }),
    }
}

fn too_short(short: &Path, long: &Path, number: u64) -> Error {
    let message = format!("{} ends before line {number} of {}", short.display(), long.display());
    Error::invalid("labels", message)
}

/// Where a table's row has its text and its labels.
struct Place {
    text: usize,
    label: Option<usize>,
    between: Option<String>,
}

impl Place {
    fn row(&self, number: u64, record: &csv::ByteRecord) -> Entry {
        let cell = |at: usize| {
            let bytes = record
                .get(at)
                .ok_or_else(|| format!("has {} cells; column {} is missing", record.len(), at + 1))?;
            std::str::from_utf8(bytes).map_err(|_| format!("column {} is not UTF-8", at + 1))
        };
        let labels = || match self.label {
            Some(at) => cell(at).map(|cell| split(cell, self.between.as_deref())),
            None => Ok(Vec::new()),
        };
        let row =
            cell(self.text).and_then(|text| Ok(Row { number, text: text.to_owned(), labels: labels()? }));
        row.map_err(|reason| Unreadable { number, reason })
    }
}

fn split(cell: &str, between: Option<&str>) -> Vec<String> {
    let parts = match between {
        Some(between) if !between.is_empty() => cell.split(between).collect(),
        _ => vec![cell],
    };
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Text and labels of a JSON object; the reason quotes nothing of it.
fn object(
    line: &str,
    text: &str,
    labels: Option<&[String]>,
    between: Option<&str>,
) -> Result<(String, Vec<String>), String> {
    let value: Value =
        serde_json::from_str(line).map_err(|e| format!("not JSON from column {} on", e.column()))?;
    let object = value.as_object().ok_or("not a JSON object")?;
    let found = object.get(text).ok_or_else(|| format!("has no field {text:?}"))?;
    let found = found.as_str().ok_or_else(|| format!("field {text:?} is no string"))?;
    let Some(names) = labels else { return Ok((found.to_owned(), Vec::new())) };
    let cell = names.iter().find_map(|name| object.get(name));
    let cell = cell.ok_or_else(|| format!("has no field {}", names.join(" or ")))?;
    let labels = match cell {
        Value::Array(cells) => cells.iter().map(one_label).collect::<Option<Vec<String>>>(),
        one => one_label(one).map(|label| split(&label, between)),
    };
    let labels = labels.ok_or("the label is neither a string nor a list of strings")?;
    Ok((found.to_owned(), labels.into_iter().filter(|label| !label.is_empty()).collect()))
}

fn one_label(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
#[path = "dataset_tests.rs"]
mod tests;
