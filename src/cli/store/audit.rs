//! `attune audit`: who did what with customers' data, and whether the log still holds together.

use serde::Serialize;

use super::super::paint::{BOLD, DIM, styled, visible};
use super::arguments::{AuditCommand, AuditListOptions, AuditVerifyOptions, StoreFormat};
use super::{PAGE, executor, time, write_json, write_out};
use crate::app::customers::standing_store;
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::storage::audit::{Broken, Verified, Walk, walk};
use crate::storage::{AuditRow, Store};

pub(in crate::cli) fn run(command: &AuditCommand, config: &Config) -> Result<(), Error> {
    executor()?.block_on(async {
        let store = standing_store(config).await?;
        match command {
            AuditCommand::List(options) => list(&*store, options).await,
            AuditCommand::Verify(options) => verify(&*store, options).await,
        }
    })
}

#[derive(Serialize)]
struct Line<'a> {
    sequence: u64,
    at: String,
    actor: &'a str,
    action: &'a str,
    subject: &'a str,
    detail: serde_json::Value,
    previous: &'a str,
    hash: &'a str,
}

impl<'a> Line<'a> {
    fn of(row: &'a AuditRow) -> Self {
        let entry = &row.entry;
        Self {
            sequence: row.sequence,
            at: time(entry.at_ms),
            actor: &entry.actor,
            action: &entry.action,
            subject: &entry.subject,
            // Of a row that was changed, it may be anything.
            detail: serde_json::from_str(&entry.detail).unwrap_or_else(|_| entry.detail.clone().into()),
            previous: &row.previous,
            hash: &row.hash,
        }
    }

    fn text(&self) -> String {
        let (who, what) = (visible(self.actor), styled(BOLD, &visible(self.action)));
        let at = styled(DIM, &self.at);
        let detail = styled(DIM, &visible(&self.detail.to_string()));
        format!(
            "{:>8}  {at}  {what}  by {who}  {}\n          {detail}\n",
            self.sequence,
            visible(self.subject)
        )
    }
}

async fn list(store: &dyn Store, options: &AuditListOptions) -> Result<(), Error> {
    let (mut after, mut left) = (options.after, options.limit as usize);
    while left > 0 {
        let page = store.entries(after, left.min(PAGE)).await?;
        for row in &page {
            let line = Line::of(row);
            match options.form.format {
                StoreFormat::Json => write_json(&line)?,
                StoreFormat::Text => write_out(line.text().as_bytes())?,
            }
        }
        let Some(last) = page.last() else { return Ok(()) };
        (after, left) = (last.sequence, left - page.len());
    }
    Ok(())
}

#[derive(Serialize)]
struct Whole<'a> {
    rows: u64,
    first_hash: &'a str,
    last_hash: &'a str,
    expected_row: Option<u64>,
}

async fn verify(store: &dyn Store, options: &AuditVerifyOptions) -> Result<(), Error> {
    let expected = options.expect.as_deref().map(|hash| hash.trim().to_lowercase());
    match walk(store, expected.as_deref()).await? {
        Walk::Broken { sequence, after, why } => Err(broken(sequence, after, why)),
        Walk::Whole(seen) => {
            if expected.is_some() && seen.found.is_none() {
                return Err(missing(&seen));
            }
            told(&seen, options.form.format)
        }
    }
}

fn told(seen: &Verified, format: StoreFormat) -> Result<(), Error> {
    let Verified { rows, first, last, found } = seen;
    match format {
        StoreFormat::Json => {
            write_json(&Whole { rows: *rows, first_hash: first, last_hash: last, expected_row: *found })
        }
        StoreFormat::Text => {
            let since = found.map_or_else(String::new, |row| {
                format!("the expected hash is that of row {row}; {} rows have come since\n", rows - row)
            });
            write_out(
                format!("{rows} rows, the chain holds\nfirst {first}\nlast  {last}\n{since}").as_bytes(),
            )
        }
    }
}

fn broken(sequence: u64, after: u64, why: Broken) -> Error {
    let what = match why {
        Broken::Sequence => format!("it should have the number {}: a row was taken out or put in", after + 1),
        Broken::Previous => {
            "it is not bound to the hash of the row before: one of the two was changed".into()
        }
        Broken::Hash => "its content is not what its hash was made of: it was changed".into(),
    };
    let name = match why {
        Broken::Sequence => "sequence",
        Broken::Previous => "previous",
        Broken::Hash => "hash",
    };
    let message = format!("the audit log is broken at row {sequence}, check `{name}`: {what}");
    Error::new(ErrorKind::InvalidInput, message)
}

fn missing(seen: &Verified) -> Error {
    let message = format!(
        "the chain of {} rows holds, but no row has the expected hash: rows at its end were taken out, or all of it was \
         written anew",
        seen.rows
    );
    Error::new(ErrorKind::InvalidInput, message)
}
