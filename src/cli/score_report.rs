//! Where `attune score` and the report meet.

use std::path::PathBuf;

use serde_json::Value;

use super::arguments::ScoreOptions;
use super::score::file;
use crate::error::Error;
use crate::jobs::part;
use crate::jobs::report::{Facts, Options, Tally, render};
use crate::jobs::{BadRow, Column, Finished, Observer, ScoredRow, Table, Unobserved};

/// What looks at the rows, and what becomes of it.
pub(super) enum Watching {
    /// Nobody asked for a report.
    Nobody(Unobserved),
    /// A report that grows.
    Report(Box<Growing>),
}

/// A report before its end.
pub(super) struct Growing {
    tally: Tally,
    notes: Vec<String>,
    path: PathBuf,
}

impl Watching {
    /// Errors: a column of segments that is not there.
    pub(super) fn begin(options: &ScoreOptions, table: &Table) -> Result<Self, Error> {
        let Some(path) = &options.report else { return Ok(Self::Nobody(Unobserved)) };
        let by = options.by.as_ref().map(|name| {
            let same = |other: &str| other.trim().eq_ignore_ascii_case(name.trim());
            let named = |column: &Column| same(&column.name) || column.question.as_deref().is_some_and(same);
            let numbered =
                name.trim().parse::<usize>().ok().filter(|n| (1..=table.columns.len()).contains(n));
            let place = table.columns.iter().position(named).or(numbered.map(|n| n - 1));
            place.ok_or_else(|| {
                let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
                Error::invalid(
                    "--by",
                    format!("the input has no column {name:?}; it has {}", names.join(", ")),
                )
            })
        });
        let wanted = Options { by: by.transpose()?, redact: !options.no_redact };
        let mut notes = vec![table.form.clone()];
        notes.extend(table.layout.notes.iter().cloned());
        let tally = Tally::new(wanted, &table.columns, &table.layout);
        Ok(Self::Report(Box::new(Growing { tally, notes, path: path.clone() })))
    }

    pub(super) fn observer(&mut self) -> &mut dyn Observer {
        match self {
            Self::Nobody(nobody) => nobody,
            Self::Report(growing) => &mut **growing,
        }
    }

    /// Writes the report, when the output has its name and the checkpoint is still there. Errors: those of the file.
    pub(super) fn finish(&self, options: &ScoreOptions, finished: &Finished) -> Result<(), Error> {
        let Self::Report(growing) = self else { return Ok(()) };
        let name = |path: &std::path::Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let source = file(options).and_then(name).unwrap_or_else(|| "standard input".into());
        let facts = Facts {
            title: format!("What customers say: {source}"),
            source,
            created: finished.began.clone(),
            rows: Some(finished.totals.read),
            notes: growing.notes.clone(),
            ..Facts::default()
        };
        part::replace(&growing.path, render(&growing.tally, &facts)?.as_bytes())
    }
}

impl Observer for Growing {
    fn wants_evidence(&self) -> bool {
        true
    }

    fn row(&mut self, row: &ScoredRow) {
        self.tally.push(row);
    }

    fn bad(&mut self, row: &BadRow) {
        self.tally.bad(row);
    }

    fn state(&self) -> Value {
        // Maps with text for keys: this can't fail, and a state that is null is refused when it is read.
        serde_json::to_value(&self.tally).unwrap_or_default()
    }

    fn restore(&mut self, state: Value) -> Result<(), Error> {
        self.tally = serde_json::from_value(state).map_err(|e| {
            Error::invalid("checkpoint", "holds no report; begin anew with --restart").with_source(e)
        })?;
        Ok(())
    }
}
