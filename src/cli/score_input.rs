//! Where the flags that say how an export is read and its readers meet.

use super::arguments::InputOptions;
use crate::error::Error;
use crate::jobs::read::{FileFormat, ReadOptions};

/// How the input is read. Errors: a form that is not known; the field is the flag at fault.
pub(super) fn read_options(from: Option<&str>, options: &InputOptions) -> Result<ReadOptions, Error> {
    Ok(ReadOptions {
        format: form("--format", from)?,
        text_columns: options.text_column.clone(),
        id_column: options.id_column.clone(),
        score_column: options.score_column.clone(),
        language_column: options.language_column.clone(),
        time_column: options.time_column.clone(),
        detect: !options.no_detect,
        delimiter: options.delimiter,
        encoding: options.encoding.clone(),
        sheet: options.sheet.clone(),
    })
}

/// The form of that name; `flag` is what messages call it.
pub(super) fn form(flag: &str, from: Option<&str>) -> Result<Option<FileFormat>, Error> {
    let find = |name: &str| {
        let found = FileFormat::ALL.into_iter().find(|format| format.name() == name);
        let names = FileFormat::ALL.map(FileFormat::name).join(", ");
        found.ok_or_else(|| Error::invalid(flag, format!("expected one of {names}")))
    };
    from.map(find).transpose()
}
