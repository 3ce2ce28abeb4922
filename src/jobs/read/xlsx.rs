//! A sheet of an Excel workbook, cell by cell. The texts that cells share are held in memory, hence the bounds; the sheet
//! itself is not.
//!
//! Numbers are written as short as they can be, dates as `2026-03-02 10:02:33`. Rows without any cell are no rows.

use std::fs::File;
use std::io::BufReader;

use calamine::{DataRef, ExcelDateTime, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};

use super::origin::Origin;
use super::rows::{Fault, Record, Records, Source};
use super::worker::{DAMAGED, Outlet, Unwanted, spawn};
use super::{ROW_BYTES, ReadOptions, SAMPLE_ROWS, XLSX_BYTES, zip_size};
use crate::error::Error;

/// Most titles above a header.
const TITLES: usize = 10;

type Book = Xlsx<BufReader<File>>;

/// Opens a workbook. Errors: `InvalidInput` for one that is too large, damaged, or has no such sheet.
pub(super) fn open(origin: Origin, options: &ReadOptions) -> Result<Source, Error> {
    let (name, wanted) = (origin.name.clone(), options.sheet.clone());
    let (file, copied) = origin.seekable(XLSX_BYTES)?;
    zip_size::check(&file).map_err(|problem| Error::invalid("file", format!("{name} {problem}")))?;
    let (rows, mut notes) = spawn(&name, move |out| read(file, wanted, out))?;
    let sheet = notes.pop().unwrap_or_default();
    if copied {
        notes.push("a workbook is read from its end, so it was copied to a temporary file".into());
    }
    let (records, titles) = headed(Box::new(rows));
    if titles > 0 {
        notes.push(format!("what stands above the header is not read: {titles} rows with a single cell"));
    }
    Ok(Source { form: format!("XLSX, sheet {sheet:?}"), records, named: false, notes })
}

/// The rows from the header on, which is made as wide as the widest row of a sample, and how many titles stood above it. A
/// title is a single cell over a table of three columns and more. Merged headers name one column of two, and a cell of a sheet
/// can't have slipped as those of text can; but a first row that names few of the columns is no header, and the rows below it
/// are told.
fn headed(mut records: Records) -> (Records, usize) {
    let (mut ahead, mut bytes) = (Vec::new(), 0);
    while ahead.len() < SAMPLE_ROWS
        && bytes < ROW_BYTES
        && let Some(item) = records.next()
    {
        bytes += item.as_ref().map_or(0, |row: &Record| row.cells.iter().map(String::len).sum());
        ahead.push(item);
    }
    let wide = ahead.iter().flatten().map(|row| row.cells.len()).max().unwrap_or_default();
    let names = |row: &Record| row.cells.iter().filter(|name| !name.trim().is_empty()).count();
    let is_title =
        |item: &&Result<Record, Fault>| item.as_ref().is_ok_and(|row| wide >= 3 && names(row) == 1);
    let titles = ahead.iter().take(TITLES).take_while(is_title).count();
    let mut ahead = ahead.split_off(titles);
    if let Some(Ok(header)) = ahead.first_mut()
        && names(header) * 2 > wide
    {
        header.cells.resize(wide, String::new());
    }
    (Box::new(ahead.into_iter().chain(records)), titles)
}

fn read(file: File, wanted: Option<String>, out: &Outlet) {
    let opened = Xlsx::new(BufReader::new(file)).map_err(|e| problem(&e)).and_then(|mut book: Book| {
        let (name, notes) = sheet(&mut book, wanted)?;
        Ok((book, name, notes))
    });
    match opened {
        Err(problem) => out.opened(Err(problem)),
        Ok((mut book, name, notes)) => {
            out.opened(Ok(notes));
            // Only an outlet that nobody reads ends it early.
            let _ = rows(&mut book, &name, out);
        }
    }
}

fn problem(error: &XlsxError) -> String {
    match error {
        XlsxError::Password => "has a password; save it without".into(),
        _ => "is no sound XLSX file; open it in a spreadsheet program and save it again".into(),
    }
}

/// The sheet to read, and what people should know; the last note is the sheet's name.
fn sheet(book: &mut Book, wanted: Option<String>) -> Result<(String, Vec<String>), String> {
    let sheets = book.sheets_metadata().iter();
    let tables = sheets.filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let all: Vec<(String, bool)> =
        tables.map(|sheet| (sheet.name.clone(), sheet.visible == SheetVisible::Visible)).collect();
    if let Some(wanted) = wanted {
        let there = all.iter().any(|(name, _)| *name == wanted);
        let names =
            || all.iter().take(12).map(|(name, _)| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        return if there {
            Ok((wanted.clone(), vec![wanted]))
        } else {
            Err(format!("has no sheet {wanted:?}; it has {}", names()))
        };
    }
    let mut filled = all.into_iter().filter(|(name, visible)| {
        *visible
            && book
                .worksheet_cells_reader(name)
                .is_ok_and(|mut cells| matches!(cells.next_cell(), Ok(Some(_))))
    });
    let (name, _) = filled.next().ok_or("is empty: no visible sheet has a cell")?;
    let others: Vec<String> = filled.take(12).map(|(name, _)| format!("{name:?}")).collect();
    let mut notes = Vec::new();
    if !others.is_empty() {
        notes.push(format!("other sheets are not read: {}; --sheet names another", others.join(", ")));
    }
    notes.push(name.clone());
    Ok((name, notes))
}

fn rows(book: &mut Book, sheet: &str, out: &Outlet) -> Result<(), Unwanted> {
    let Ok(mut cells) = book.worksheet_cells_reader(sheet) else {
        return out.put(Err(Fault::end(1, DAMAGED)));
    };
    let mut row = Record { place: 1, cells: Vec::new(), blank: false };
    loop {
        match cells.next_cell() {
            Ok(Some(cell)) => {
                let (at, column) = (u64::from(cell.get_position().0) + 1, cell.get_position().1 as usize);
                let value = text(cell.get_value());
                if at < row.place {
                    return out.put(Err(Fault::end(row.place, "is damaged: its rows are out of order")));
                }
                if at > row.place {
                    put(&mut row, at, out)?;
                }
                // The reader does not bound a cell's letters, and this is where room is made for it.
                if column >= super::COLUMNS {
                    return out.put(Err(Fault::end(
                        at,
                        "is damaged: it has a cell beyond the last column of a sheet",
                    )));
                }
                if !value.is_empty() {
                    row.cells.resize(row.cells.len().max(column + 1), String::new());
                    row.cells[column] = value;
                }
            }
            Ok(None) => return put(&mut row, 0, out),
            Err(_) => {
                let place = row.place;
                put(&mut row, 0, out)?;
                return out.put(Err(Fault::end(place + 1, DAMAGED)));
            }
        }
    }
}

/// Hands on a row unless it is empty, and begins the one at `next`.
fn put(row: &mut Record, next: u64, out: &Outlet) -> Result<(), Unwanted> {
    let done = std::mem::replace(row, Record { place: next, cells: Vec::new(), blank: false });
    if done.cells.is_empty() { Ok(()) } else { out.put(Ok(done)) }
}

fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        // The largest number below which all whole ones are exact has 16 digits.
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(true) => "TRUE".into(),
        DataRef::Bool(false) => "FALSE".into(),
        DataRef::DateTime(time) => date(time),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

fn date(time: &ExcelDateTime) -> String {
    // A duration, or a time of day, has no date.
    if time.is_duration() || time.as_f64() < 1.0 {
        let seconds = (time.as_f64() * 86_400.0).round() as i64;
        return format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) {
        return date;
    }
    format!("{date} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
#[path = "xlsx_tests.rs"]
mod tests;
