//! A file that changes while it is read gives rows that belong to no one file: some as they were, some as they are, or none
//! where it was cut short, which looks like its end. So its length and its time are looked at again behind the last row.

use std::fs::{File, Metadata};
use std::path::Path;

use crate::error::Error;
use crate::jobs::{BadRow, Row, Table};

/// Opens a table over a file, and lets its rows end with an error if the file was written to meanwhile. Errors: those of
/// `open`.
pub(super) fn watched(path: &Path, open: impl FnOnce() -> Result<Table, Error>) -> Result<Table, Error> {
    // A pipe is read once, and opening it here would take from it.
    let file = path.is_file().then(|| File::open(path).ok()).flatten();
    let before = file.and_then(|file| Some((file.metadata().ok()?, file)));
    let table = open()?;
    Ok(match before {
        Some(before) => {
            Table { rows: Box::new(Watched { rows: table.rows, before, last: 0, over: false }), ..table }
        }
        None => table,
    })
}

struct Watched {
    rows: Box<dyn Iterator<Item = Result<Row, BadRow>> + Send>,
    before: (Metadata, File),
    /// Number of the last row.
    last: u64,
    over: bool,
}

impl Watched {
    /// The file stays the one that was opened, also when its name is given to another or taken away.
    fn is_changed(&self) -> bool {
        let (before, file) = &self.before;
        let same = |now: Metadata| now.len() == before.len() && now.modified().ok() == before.modified().ok();
        !file.metadata().is_ok_and(same)
    }
}

impl Iterator for Watched {
    type Item = Result<Row, BadRow>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        if let Some(row) = self.rows.next() {
            let (number, ends) =
                row.as_ref().map_or_else(|bad| (bad.number, bad.ends), |row| (row.number, false));
            (self.last, self.over) = (number, ends);
            return Some(row);
        }
        self.over = true;
        let reason = "stands behind the last one of a file that was written to while it was read".to_owned();
        let number = self.last + 1;
        self.is_changed().then_some(Err(BadRow { number, place: number, reason, ends: true }))
    }
}

#[cfg(test)]
#[path = "unchanged_tests.rs"]
mod tests;
