//! Where `attune score` and the readers of exports meet: until they do, plain CSV with a header.
//!
//! To be replaced by `jobs::read::open`. Columns are named by the caller; else the first of some usual names is the text.

use std::fs::File;
use std::io::Read;

use super::arguments::ScoreOptions;
use super::score::file;
use crate::error::{Error, ErrorKind};
use crate::jobs::{BadRow, Column, Layout, Row, ScoreKind, Table};

/// Names of columns with text, when none is given.
const USUAL: [&str; 4] = ["text", "comment", "answer", "feedback"];

/// Opens the export. Errors: a file that can't be read, a column that is not there.
pub(super) fn open_table(options: &ScoreOptions) -> Result<Table, Error> {
    let source: Box<dyn Read + Send> = match file(options) {
        Some(path) => Box::new(File::open(path).map_err(|e| {
            let kind = if e.kind() == std::io::ErrorKind::NotFound {
                ErrorKind::NotFound
            } else {
                ErrorKind::Unavailable
            };
            Error::new(kind, format!("{}: {e}", path.display()))
        })?),
        None => Box::new(std::io::stdin()),
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source);
    let header = reader.headers().map_err(|_| Error::invalid("input", "has no header in UTF-8"))?;
    let names: Vec<String> =
        header.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
    let layout = layout(options, &names)?;
    let columns = names.iter().map(|name| Column { name: name.clone(), question: None }).collect();
    let width = names.len();
    let mut number = 0;
    let rows = reader.into_byte_records().map(move |record| {
        number += 1;
        row(number, record, width)
    });
    Ok(Table { form: "CSV".into(), columns, layout, rows: Box::new(rows) })
}

fn layout(options: &ScoreOptions, names: &[String]) -> Result<Layout, Error> {
    let find = |flag: &str, name: &String| {
        let place = names.iter().position(|n| n == name);
        place.ok_or_else(|| Error::invalid(flag, format!("the input has no column {name:?}")))
    };
    let mut text: Vec<usize> =
        options.text_column.iter().map(|n| find("--text-column", n)).collect::<Result<_, _>>()?;
    if text.is_empty() && !options.no_detect {
        text = names.iter().position(|n| USUAL.contains(&n.to_lowercase().as_str())).into_iter().collect();
    }
    let id = options.id_column.as_ref().map(|n| find("--id-column", n)).transpose()?;
    let score = options.score_column.as_ref().map(|n| find("--score-column", n)).transpose()?;
    let notes = text.iter().map(|at| format!("text: {}", names[*at])).collect();
    let score = score.map(|at| (at, ScoreKind::Nps));
    Ok(Layout { source: "table".into(), text, id, score, notes, ..Layout::default() })
}

fn row(number: u64, record: Result<csv::ByteRecord, csv::Error>, width: usize) -> Result<Row, BadRow> {
    let bad = |place, reason: String| BadRow { number, place, reason };
    let record = record.map_err(|_| bad(number + 1, "can't be read".into()))?;
    let place = record.position().map_or(number + 1, csv::Position::line);
    if record.len() > width {
        return Err(bad(place, format!("has {} cells, not {width}", record.len())));
    }
    let cells = record.iter().map(|cell| String::from_utf8(cell.to_vec()));
    let mut cells: Vec<String> =
        cells.collect::<Result<_, _>>().map_err(|_| bad(place, "is not UTF-8".into()))?;
    cells.resize(width, String::new());
    Ok(Row { number, place, cells })
}
