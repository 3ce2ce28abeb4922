//! Which form a file has: by what it begins with, then by its name's ending, then by a look at its lines.

use super::encoding::Text;
use super::origin::Origin;
use super::{FileFormat, ReadOptions, dialect};
use crate::error::Error;

/// The form. Errors: `InvalidInput` for a form that is known and not read, with what to save it as.
pub(super) fn find(origin: &Origin, options: &ReadOptions) -> Result<FileFormat, Error> {
    if let Some(format) = options.format {
        return Ok(format);
    }
    match origin.head.as_slice() {
        [b'P', b'A', b'R', b'1', ..] => return Ok(FileFormat::Parquet),
        [b'P', b'K', 3, 4, ..] => return Ok(FileFormat::Xlsx),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            let problem = "is an old Excel file, or one with a password; save it as .xlsx without a password";
            return Err(refused(origin, problem));
        }
        _ => {}
    }
    let text = Text::find(origin, None)?.decoded(&origin.head, origin.is_whole());
    let begin = text.trim_start();
    if begin.is_empty() {
        return Err(refused(origin, "is empty"));
    }
    match origin.ending().as_deref() {
        Some("csv") => refuse_markup(origin, begin).map(|()| FileFormat::Csv),
        Some("tsv" | "tab") => Ok(FileFormat::Tsv),
        Some("jsonl" | "ndjson") => Ok(FileFormat::Jsonl),
        // Excel calls its tables with tabs so, too.
        Some("txt") if dialect::is_table(&text, b'\t') => Ok(FileFormat::Tsv),
        Some("txt" | "log" | "lines") => Ok(FileFormat::Lines),
        _ => by_look(origin, &text, begin),
    }
}

fn by_look(origin: &Origin, text: &str, begin: &str) -> Result<FileFormat, Error> {
    refuse_markup(origin, begin)?;
    match begin.bytes().next() {
        Some(b'{') => Ok(FileFormat::Jsonl),
        Some(b'[') => {
            Err(refused(origin, "is a JSON array; a JSON object per line is read: `jq -c '.[]'` makes one"))
        }
        _ if dialect::is_table(text, b'\t') => Ok(FileFormat::Tsv),
        _ if [b',', b';', b'|'].iter().any(|delimiter| dialect::is_table(text, *delimiter)) => {
            Ok(FileFormat::Csv)
        }
        _ => Ok(FileFormat::Lines),
    }
}

/// Some tools call a page `.xls` or `.csv`.
fn refuse_markup(origin: &Origin, begin: &str) -> Result<(), Error> {
    let begin: String = begin.chars().take(9).collect::<String>().to_ascii_lowercase();
    let markup = ["<html", "<!doctype", "<table", "<?xml"].iter().any(|start| begin.starts_with(start));
    if markup { Err(refused(origin, "is HTML or XML, not a table; save it as CSV or .xlsx")) } else { Ok(()) }
}

fn refused(origin: &Origin, problem: &str) -> Error {
    Error::invalid("file", format!("{} {problem}", origin.name))
}
