//! Where `attune score` and the readers of exports meet.

use super::arguments::ScoreOptions;
use super::score::file;
use crate::error::Error;
use crate::jobs::Table;
use crate::jobs::read::{self, FileFormat, Input, ReadOptions};

/// Opens the export. Errors: a file that can't be read, a column that is not there; the field is the flag at fault.
pub(super) fn open_table(options: &ScoreOptions) -> Result<Table, Error> {
    let input = file(options).map_or(Input::Stdin, |path| Input::File(path.to_owned()));
    let format = options.from.as_deref().map(|name| {
        let found = FileFormat::ALL.into_iter().find(|format| format.name() == name);
        let names = FileFormat::ALL.map(FileFormat::name).join(", ");
        found.ok_or_else(|| Error::invalid("--format", format!("expected one of {names}")))
    });
    let read = ReadOptions {
        format: format.transpose()?,
        text_columns: options.text_column.clone(),
        id_column: options.id_column.clone(),
        score_column: options.score_column.clone(),
        language_column: options.language_column.clone(),
        time_column: options.time_column.clone(),
        detect: !options.no_detect,
        delimiter: options.delimiter,
        encoding: options.encoding.clone(),
        sheet: options.sheet.clone(),
    };
    read::open(&input, &read)
}
