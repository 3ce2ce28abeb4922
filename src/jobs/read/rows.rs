//! From records to rows: as many cells as there are columns, numbered, and what does not fit refused.

use std::collections::VecDeque;

use super::header::Header;
use super::{COLUMNS, ROW_BYTES, SAMPLE_ROWS};
use crate::error::Error;
use crate::jobs::{BadRow, Row};

/// Bytes of cells that are looked at to tell which columns are what.
const SAMPLE_BYTES: usize = 1 << 20;
/// Rows that may be a header.
const HEADER_ROWS: usize = 3;

/// What a file has between two ends of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The line at which it begins, or the row of the sheet, from 1.
    pub(super) place: u64,
    pub(super) cells: Vec<String>,
    /// Whether nothing at all stands there, not even a separator.
    pub(super) blank: bool,
}

/// Why a record can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fault {
    pub(super) place: u64,
    /// Without any of its text.
    pub(super) reason: String,
    /// Nothing comes after it.
    pub(super) ends: bool,
    /// The next records may be pieces of it.
    pub(super) torn: bool,
}

impl Fault {
    /// The end of a file that should go on.
    pub(super) fn end(place: u64, reason: impl Into<String>) -> Self {
        Self { place, reason: reason.into(), ends: true, torn: false }
    }
}

pub(super) type Records = Box<dyn Iterator<Item = Result<Record, Fault>> + Send>;

/// A file that is open.
pub(super) struct Source {
    /// How it is read, for people.
    pub(super) form: String,
    /// The first record has the names.
    pub(super) records: Records,
    /// Whether the form itself names the columns, so that no more than one record is a header.
    pub(super) named: bool,
    /// What people should know.
    pub(super) notes: Vec<String>,
}

/// Reads the header and a sample.
///
/// Errors: `InvalidInput` when there is no header, or more than [`COLUMNS`] columns.
pub(super) fn sampled(
    name: &str,
    mut records: Records,
    header: impl FnOnce(&[&Record]) -> Header,
) -> Result<(Header, Rows), Error> {
    let mut ahead = ahead(&mut records);
    let first: Vec<&Record> = ahead.iter().map_while(|item| item.as_ref().ok()).collect();
    if first.is_empty() {
        return Err(Error::invalid("file", format!("{name} {}", headless(ahead.front()))));
    }
    let header = header(&first);
    let width = header.fields.len();
    if width > COLUMNS {
        let problem = format!("{name} has {width} columns; at most {COLUMNS} are read");
        return Err(Error::invalid("file", problem));
    }
    ahead.drain(..header.rows);
    let null = header.null;
    let mut rows =
        Rows { records, ahead: VecDeque::new(), width, number: 0, torn: false, ended: false, null };
    rows.fill(ahead);
    Ok((header, rows))
}

/// The first records, without blank lines above the header.
fn ahead(records: &mut Records) -> VecDeque<Result<Record, Fault>> {
    let mut ahead = VecDeque::new();
    while ahead.len() < HEADER_ROWS
        && let Some(item) = records.next()
    {
        // Below the header a blank line may be an empty answer.
        if !(ahead.is_empty() && item.as_ref().is_ok_and(|record| record.blank)) {
            ahead.push_back(item);
        }
    }
    ahead
}

/// Why there is no header.
fn headless(first: Option<&Result<Record, Fault>>) -> String {
    match first {
        Some(Err(fault)) if fault.place > 0 => format!("line {}, its header, {}", fault.place, fault.reason),
        Some(Err(fault)) => fault.reason.clone(),
        _ => "is empty".into(),
    }
}

/// The rows of a table, the sample first.
pub(super) struct Rows {
    records: Records,
    ahead: VecDeque<Result<Row, BadRow>>,
    width: usize,
    number: u64,
    /// Whether the record before may have been torn.
    torn: bool,
    ended: bool,
    /// Whether a cell `null` is an empty one.
    null: bool,
}

impl Rows {
    fn fill(&mut self, first: VecDeque<Result<Record, Fault>>) {
        let mut ahead: VecDeque<_> = first.into_iter().filter_map(|item| self.fit(item)).collect();
        let size = |row: &Result<Row, BadRow>| {
            row.as_ref().map_or(0, |row| row.cells.iter().map(String::len).sum::<usize>())
        };
        let mut bytes: usize = ahead.iter().map(size).sum();
        while ahead.len() < SAMPLE_ROWS
            && bytes < SAMPLE_BYTES
            && let Some(row) = self.read()
        {
            bytes += size(&row);
            ahead.push_back(row);
        }
        self.ahead = ahead;
    }

    /// The rows of the sample; only before the first one is taken.
    pub(super) fn rows(&self) -> Vec<&Row> {
        self.ahead.iter().filter_map(|row| row.as_ref().ok()).collect()
    }

    fn read(&mut self) -> Option<Result<Row, BadRow>> {
        while !self.ended {
            let item = self.records.next()?;
            if let Some(row) = self.fit(item) {
                return Some(row);
            }
        }
        None
    }

    /// `None` for a blank line of a table, which is no row.
    fn fit(&mut self, item: Result<Record, Fault>) -> Option<Result<Row, BadRow>> {
        if item.as_ref().is_ok_and(|record| record.blank && self.width > 1) {
            return None;
        }
        self.number += 1;
        let number = self.number;
        Some(match item {
            Ok(record) => {
                let place = record.place;
                let fault = |reason| BadRow { number, place, reason, ends: false };
                self.cells(record.cells).map(|cells| Row { number, place, cells }).map_err(fault)
            }
            Err(fault) => {
                (self.torn, self.ended) = (fault.torn, fault.ends);
                Err(BadRow { number, place: fault.place, reason: fault.reason, ends: fault.ends })
            }
        })
    }

    fn cells(&mut self, mut cells: Vec<String>) -> Result<Vec<String>, String> {
        let (found, width) = (cells.len(), self.width);
        if self.torn && found != width {
            let cells = cells_of(found);
            return Err(format!("follows a row with a broken quotation mark and has {cells}, not {width}"));
        }
        self.torn = false;
        if cells.iter().skip(width).any(|cell| !cell.trim().is_empty()) {
            let more = if width == 1 { "; a text with commas needs quotation marks around it" } else { "" };
            return Err(format!("has {} where the header has {width}{more}", cells_of(found)));
        }
        let bytes: usize = cells.iter().map(String::len).sum();
        if bytes > ROW_BYTES {
            return Err(format!("has more than {ROW_BYTES} bytes"));
        }
        cells.resize(width, String::new());
        cells.iter_mut().for_each(|cell| self.clean(cell));
        Ok(cells)
    }

    fn clean(&self, cell: &mut String) {
        if self.null && cell == "null" {
            cell.clear();
        }
        if cell.contains('\0') {
            *cell = cell.replace('\0', "\u{fffd}");
        }
    }
}

fn cells_of(count: usize) -> String {
    if count == 1 { "1 cell".into() } else { format!("{count} cells") }
}

impl Iterator for Rows {
    type Item = Result<Row, BadRow>;

    fn next(&mut self) -> Option<Self::Item> {
        self.ahead.pop_front().or_else(|| self.read())
    }
}
