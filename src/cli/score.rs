//! `attune score`: a survey export in, the same rows with what they say out, and a report.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::arguments::{OutputName, ScoreOptions};
use super::progress::Progress;
use super::{executor, score_input};
use crate::app::{self, Surroundings};
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::jobs::plan::{self, Plan, ReportPlan};
use crate::jobs::{Company, Finished, Format, FormatName, Paths, Table, Watching};
use crate::runtime;

pub(super) fn run(options: &ScoreOptions, config: &Config, surroundings: &Surroundings) -> Result<(), Error> {
    let format = format(options)?;
    check_distinct(options)?;
    let started = plan::started(options.scored_at.as_deref())?;
    let plan = plan(options, format)?;
    let table = plan.open(&Arc::default())?;
    tell(&recognised(&table));
    let mut watching = Watching::begin(plan.report.as_ref(), &table)?;
    let job = plan.job(table, started, &app::jobs::rules(config))?;
    let mut progress = Progress::new(file(options));
    let finished = executor()?.block_on(async {
        let stop = CancellationToken::new();
        runtime::spawn_signal_listener(stop.clone())?;
        let models = app::build_models(config, surroundings)?;
        job.run(Company {
            analyzer: &models.default_model(),
            observer: watching.observer(),
            progress: &mut |totals, place| progress.show(totals, place),
            stop: &stop,
        })
        .await
    });
    progress.end();
    let finished = finished?;
    watching.finish(&finished)?;
    finished.clean()?;
    tell(&summary(&finished, options));
    Ok(())
}

fn plan(options: &ScoreOptions, format: Format) -> Result<Plan, Error> {
    let source = file(options).and_then(plan::file_name).unwrap_or_else(|| "standard input".into());
    let report = options.report.as_ref().map(|path| ReportPlan {
        path: path.clone(),
        by: options.by.clone(),
        redact: !options.no_redact,
        source,
    });
    Ok(Plan {
        input: file(options).map(Path::to_owned),
        output: options.output.clone(),
        format,
        read: score_input::read_options(options.from.as_deref(), &options.read)?,
        language: options.read.language.clone(),
        scored_at: options.scored_at.clone(),
        report,
        restart: options.restart,
    })
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
    let named = options.to.map(OutputName::format).or_else(|| FormatName::by_extension(&options.output));
    let name = named.ok_or_else(|| {
        let message = format!("{path}: the extension tells no form; name one with --to");
        Error::invalid("--output", message)
    })?;
    if options.bom && name != FormatName::Csv {
        return Err(Error::invalid("--bom", "only CSV has a byte order mark"));
    }
    Ok(name.format(options.bom, !options.no_escape_formulas))
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
pub(super) fn real(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok().or_else(|| {
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(std::fs::canonicalize(directory).ok()?.join(path.file_name()?))
    })
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
