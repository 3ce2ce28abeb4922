//! `attune score`: a survey export in, the same rows with what they say out, and a report.

use std::io::Write;
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::arguments::{OutputName, ScoreOptions};
use super::progress::Progress;
use super::score_report::Watching;
use super::{executor, score_input};
use crate::app::{self, Surroundings};
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::jobs::checkpoint::{Identity, fingerprint};
use crate::jobs::{Company, Finished, Format, Job, Paths, Table, part};
use crate::runtime;

pub(super) fn run(options: &ScoreOptions, config: &Config, surroundings: &Surroundings) -> Result<(), Error> {
    let format = format(options)?;
    check_distinct(options)?;
    let started = started(options)?;
    let table = score_input::open_table(options)?;
    tell(&recognised(&table));
    let mut watching = Watching::begin(options, &table)?;
    let job = Job {
        table,
        paths: Paths::new(&options.output),
        format,
        language: options.language.clone(),
        started,
        batch_tokens: config.batching.batch_tokens,
        checkpoint_every: config.jobs.checkpoint_every,
        restart: options.restart,
        identity: identity(options, config)?,
        disk: Box::new(part::plain),
    };
    let mut progress = Progress::new(file(options));
    let finished = executor()?.block_on(async {
        let stop = CancellationToken::new();
        runtime::spawn_signal_listener(stop.clone())?;
        let models = app::build_models(config, surroundings)?;
        job.run(Company {
            analyzer: models.default_model(),
            observer: watching.observer(),
            progress: &mut |totals, place| progress.show(totals, place),
            stop: &stop,
        })
        .await
    });
    progress.end();
    let finished = finished?;
    watching.finish(options, &finished)?;
    finished.clean()?;
    tell(&summary(&finished, options));
    Ok(())
}

/// The input's path; `None` for standard input.
pub(super) fn file(options: &ScoreOptions) -> Option<&Path> {
    Some(options.input.as_path()).filter(|path| path.as_os_str() != "-")
}

fn format(options: &ScoreOptions) -> Result<Format, Error> {
    let path = options.output.display();
    if options.output.as_os_str() == "-" {
        return Err(Error::invalid("--output", "a job goes on after an interruption, which needs a file"));
    }
    let extension = options.output.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    let name = match (options.to, extension.as_deref()) {
        (Some(name), _) => name,
        (None, Some("csv")) => OutputName::Csv,
        (None, Some("jsonl" | "ndjson")) => OutputName::Jsonl,
        (None, Some("parquet")) => OutputName::Parquet,
        (None, _) => {
            let message = format!("{path}: the extension tells no form; name one with --to");
            return Err(Error::invalid("--output", message));
        }
    };
    if options.bom && name != OutputName::Csv {
        return Err(Error::invalid("--bom", "only CSV has a byte order mark"));
    }
    Ok(match name {
        OutputName::Csv => {
            Format::Csv { byte_order_mark: options.bom, escape_formulas: !options.no_escape_formulas }
        }
        OutputName::Jsonl => Format::Jsonl,
        OutputName::Parquet => Format::Parquet,
    })
}

/// Not even a restart may write over what is read, nor the report over what was written.
fn check_distinct(options: &ScoreOptions) -> Result<(), Error> {
    let paths = Paths::new(&options.output);
    let own: Vec<PathBuf> = paths.all().into_iter().filter_map(real).collect();
    let input = file(options).and_then(real);
    if input.as_ref().is_some_and(|input| own.contains(input)) {
        return Err(Error::invalid("--output", "is the input, or would need its name; name another file"));
    }
    let Some(report) = &options.report else { return Ok(()) };
    let report = real(report).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "--report: its directory is not there; make it first")
    })?;
    if input.as_ref() == Some(&report) || own.contains(&report) {
        return Err(Error::invalid("--report", "is the input, or a file of the job; name another one"));
    }
    Ok(())
}

/// A path without links. A file that is not there yet has none; its directory has.
fn real(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok().or_else(|| {
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(std::fs::canonicalize(directory).ok()?.join(path.file_name()?))
    })
}

/// The time of scoring, to the second.
fn started(options: &ScoreOptions) -> Result<String, Error> {
    let Some(given) = &options.scored_at else {
        let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second());
        return now.map(|now| now.to_string()).map_err(Error::internal);
    };
    let time: jiff::Timestamp = given.parse().map_err(|_| {
        Error::invalid("--scored-at", format!("expected a time such as 2026-01-31T12:00:00Z, not {given:?}"))
    })?;
    Ok(time.to_string())
}

/// What decides the output beside what the job knows itself.
fn identity(options: &ScoreOptions, config: &Config) -> Result<Identity, Error> {
    let input = match file(options) {
        // A pipe can be read but once; what was done of it is checked row by row.
        Some(path) if path.is_file() || !path.exists() => fingerprint(path)?,
        Some(_) | None => "a stream".into(),
    };
    let limits = &config.limits;
    let mut identity = Identity::from([
        ("the input".into(), input),
        ("limits of a text".into(), format!("{} bytes, {} tokens", limits.text_bytes, limits.text_tokens)),
    ]);
    let read = (&options.from, &options.encoding, options.delimiter, &options.sheet);
    identity.insert("how the input is read".into(), format!("{read:?}"));
    if let Some(time) = &options.scored_at {
        identity.insert("--scored-at".into(), time.clone());
    }
    if options.report.is_some() {
        let by = options.by.as_deref().unwrap_or("nothing");
        let redacted = if options.no_redact { "as they stand" } else { "redacted" };
        identity.insert("the report".into(), format!("by {by}, quotations {redacted}"));
    }
    Ok(identity)
}

fn recognised(table: &Table) -> String {
    let mut lines = format!("{} ({})\n", table.layout.source, table.form);
    for note in &table.layout.notes {
        lines += &format!("  {note}\n");
    }
    lines
}

fn summary(finished: &Finished, options: &ScoreOptions) -> String {
    let t = &finished.totals;
    let mut lines = format!("{} rows read: {} written, {} quarantined", t.read, t.written, t.quarantined);
    if t.quarantined > 0 {
        lines += &format!(" ({} says why)", Paths::new(&options.output).quarantine.display());
    }
    lines += &format!(
        "\ntexts: {} scored, {} empty, {} in other languages, {} refused",
        t.scored, t.empty, t.unsupported, t.refused
    );
    let (rows, seconds) = (t.read - finished.resumed_from, finished.seconds.max(1e-9));
    if finished.resumed_from > 0 {
        lines += &format!("\nwent on after row {}", finished.resumed_from);
    }
    lines += &format!(
        "\n{rows} rows with {} distinct texts in {seconds:.1} s: {:.0} rows/s, {:.0} distinct texts/s\n",
        finished.distinct,
        rows as f64 / seconds,
        finished.distinct as f64 / seconds
    );
    lines
}

/// Tells a person something; results stay out of the way, and a terminal that is gone is no error.
fn tell(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}
