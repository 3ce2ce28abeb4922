//! What is wanted of a job, whoever asks: the command line or the service. Both make a [`Plan`], and what follows from it
//! is decided here: how the input is opened, when the job began, what its output depends on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::checkpoint::{Identity, fingerprint};
use super::read::{self, Input, ReadOptions};
use super::{Format, Job, Paths, Table, part};
use crate::error::Error;

/// A job that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The input's path; `None` for standard input.
    pub input: Option<PathBuf>,
    /// Where the rows go.
    pub output: PathBuf,
    /// In which form.
    pub format: Format,
    /// How the input is read.
    pub read: ReadOptions,
    /// Language of all texts (BCP 47), instead of what the rows say or what is identified.
    pub language: Option<String>,
    /// What is written as the time of scoring, as it was given; `None` for the job's start.
    pub scored_at: Option<String>,
    /// The report; `None` for none.
    pub report: Option<ReportPlan>,
    /// Whether what an earlier run has left is thrown away.
    pub restart: bool,
}

/// A report that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPlan {
    /// The page.
    pub path: PathBuf,
    /// The column whose groups are compared.
    pub by: Option<String>,
    /// Whether quotations lose what identifies a person.
    pub redact: bool,
    /// What the report calls its input.
    pub source: String,
}

/// Settings that jobs go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Longest text, in bytes.
    pub text_bytes: usize,
    /// Most tokens in a text.
    pub text_tokens: usize,
    /// Padded tokens of a batch; 0 for the usual number.
    pub batch_tokens: usize,
    /// Time between checkpoints.
    pub checkpoint_every: Duration,
}

/// When a job begins, to the second, in RFC 3339: `given`, or now. Errors: `InvalidInput` for what is no time.
pub fn started(given: Option<&str>) -> Result<String, Error> {
    let Some(given) = given else {
        let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second());
        return now.map(|now| now.to_string()).map_err(Error::internal);
    };
    let time: jiff::Timestamp = given.parse().map_err(|_| {
        Error::invalid("--scored-at", format!("expected a time such as 2026-01-31T12:00:00Z, not {given:?}"))
    })?;
    Ok(time.to_string())
}

impl Plan {
    /// Opens the input; bytes of a file that are read are added to `count`. Errors: as [`read::open`].
    pub fn open(&self, count: &Arc<AtomicU64>) -> Result<Table, Error> {
        match &self.input {
            Some(path) => read::open_counted(path, &self.read, count),
            None => read::open(&Input::Stdin, &self.read),
        }
    }

    /// The job over the table that was opened; `started` is in RFC 3339. Errors: those of the input.
    pub fn job(&self, table: Table, started: String, rules: &Rules) -> Result<Job, Error> {
        Ok(Job {
            table,
            paths: Paths::new(&self.output),
            format: self.format,
            language: self.language.clone(),
            started,
            batch_tokens: rules.batch_tokens,
            checkpoint_every: rules.checkpoint_every,
            restart: self.restart,
            identity: self.identity(rules)?,
            disk: Box::new(part::plain),
        })
    }

    /// What decides the output beside what the job knows itself.
    fn identity(&self, rules: &Rules) -> Result<Identity, Error> {
        let input = match self.input.as_deref() {
            // A pipe can be read but once; what was done of it is checked row by row.
            Some(path) if path.is_file() || !path.exists() => fingerprint(path)?,
            Some(_) | None => "a stream".into(),
        };
        let mut identity = Identity::from([
            ("the input".into(), input),
            ("limits of a text".into(), format!("{} bytes, {} tokens", rules.text_bytes, rules.text_tokens)),
        ]);
        let format = self.read.format.map(read::FileFormat::name);
        let read = (&format, &self.read.encoding, self.read.delimiter, &self.read.sheet);
        identity.insert("how the input is read".into(), format!("{read:?}"));
        if let Some(time) = &self.scored_at {
            identity.insert("--scored-at".into(), time.clone());
        }
        if let Some(report) = &self.report {
            let by = report.by.as_deref().unwrap_or("nothing");
            let redacted = if report.redact { "redacted" } else { "as they stand" };
            identity.insert("the report".into(), format!("by {by}, quotations {redacted}"));
        }
        Ok(identity)
    }
}

/// A file's name for people.
pub fn file_name(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}
