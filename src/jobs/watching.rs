//! Where a job and its report meet: who looks at the rows, and what becomes of it.

use std::path::PathBuf;

use serde_json::Value;

use super::plan::ReportPlan;
use super::report::{Facts, Options, Tally, render};
use super::{BadRow, Column, Finished, Observer, ScoredRow, Table, Unobserved, part};
use crate::error::Error;

/// What looks at the rows.
pub enum Watching {
    /// Nobody asked for a report.
    Nobody(Unobserved),
    /// A report that grows.
    Report(Box<Growing>),
}

/// A report before its end.
pub struct Growing {
    tally: Tally,
    notes: Vec<String>,
    path: PathBuf,
    source: String,
}

impl Watching {
    /// For the report that is wanted, if one is. Errors: `InvalidInput` for a column of segments that is not there.
    pub fn begin(report: Option<&ReportPlan>, table: &Table) -> Result<Self, Error> {
        let Some(report) = report else { return Ok(Self::Nobody(Unobserved)) };
        let by = report.by.as_deref().map(|name| segment(name, table)).transpose()?;
        let mut notes = vec![table.form.clone()];
        notes.extend(table.layout.notes.iter().cloned());
        let tally = Tally::new(Options { by, redact: report.redact }, &table.columns, &table.layout);
        let (path, source) = (report.path.clone(), report.source.clone());
        Ok(Self::Report(Box::new(Growing { tally, notes, path, source })))
    }

    /// Who sees the rows.
    pub fn observer(&mut self) -> &mut dyn Observer {
        match self {
            Self::Nobody(nobody) => nobody,
            Self::Report(growing) => &mut **growing,
        }
    }

    /// Writes the report, when the output has its name and the checkpoint is still there. Errors: those of the file.
    pub fn finish(&self, finished: &Finished) -> Result<(), Error> {
        let Self::Report(growing) = self else { return Ok(()) };
        let facts = Facts {
            title: format!("What customers say: {}", growing.source),
            source: growing.source.clone(),
            created: readable(&finished.began),
            rows: Some(finished.totals.read),
            notes: growing.notes.clone(),
            ..Facts::default()
        };
        part::replace(&growing.path, render(&growing.tally, &facts)?.as_bytes())
    }
}

/// `2026-03-31T10:02:33Z` as people write it, to the minute; anything else stays as it is.
fn readable(time: &str) -> String {
    match time.strip_suffix('Z').and_then(|time| time.split_once('T')) {
        Some((day, clock)) => format!("{day} {} UTC", clock.get(..5).unwrap_or(clock)),
        None => time.to_owned(),
    }
}

/// The column of segments, by name, by question, or by number from 1.
fn segment(name: &str, table: &Table) -> Result<usize, Error> {
    let same = |other: &str| other.trim().eq_ignore_ascii_case(name.trim());
    let named = |column: &Column| same(&column.name) || column.question.as_deref().is_some_and(same);
    let numbered = name.trim().parse::<usize>().ok().filter(|n| (1..=table.columns.len()).contains(n));
    let place = table.columns.iter().position(named).or(numbered.map(|n| n - 1));
    place.ok_or_else(|| {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        Error::invalid("--by", format!("the input has no column {name:?}; it has {}", names.join(", ")))
    })
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

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn a_report_says_to_the_minute_when_its_run_began() {
        assert_eq!(readable("2026-03-31T10:02:33Z"), "2026-03-31 10:02 UTC");
        assert_eq!(readable("just now"), "just now");
    }
}
