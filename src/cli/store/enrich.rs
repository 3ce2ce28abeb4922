//! `attune enrich`: the history that a CRM or a helpdesk already has.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::super::progress::Progress;
use super::super::score::real;
use super::super::score_input;
use super::arguments::StoreFormat;
use super::enrich_arguments::EnrichOptions;
use super::{executor, tell, write_json, write_out};
use crate::app::customers::{build_backfill, lasting_store};
use crate::app::{self, Surroundings};
use crate::config::Config;
use crate::error::Error;
use crate::jobs::enrich::{Choice, Enrich, Enriched, Mapping, Place};
use crate::jobs::read::{self, Input};
use crate::jobs::{Paths, Table, checkpoint};
use crate::pipeline::monitor::now_ms;
use crate::runtime;

pub(in crate::cli) fn run(
    options: &EnrichOptions,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<(), Error> {
    check_distinct(options)?;
    let (table, mapping) = open(options)?;
    let mut progress = Progress::new(input(options));
    let enriched = executor()?.block_on(async {
        let stop = CancellationToken::new();
        runtime::spawn_signal_listener(stop.clone())?;
        let store = lasting_store(config).await?;
        let models = app::build_models(config, surroundings)?;
        let customers = build_backfill(config, &models, store, options.deliver).await?;
        let enrich = Enrich {
            table,
            mapping,
            place: Place {
                input: input(options).map(Path::to_owned),
                output: options.output.clone(),
                overwrite: options.overwrite,
            },
            batch: options.batch,
            batch_tokens: config.batching.batch_tokens,
            tenant: options.tenant.tenant.clone(),
            now_ms: now_ms(),
        };
        let mut show = |totals: &crate::jobs::enrich::Totals, place| {
            progress.show(&checkpoint::Totals { read: totals.read, ..checkpoint::Totals::default() }, place);
        };
        enrich.run(&customers, &mut show, &stop).await
    });
    progress.end();
    told(&enriched?, options)
}

/// Opens the input and finds its columns, and says so.
fn open(options: &EnrichOptions) -> Result<(Table, Mapping), Error> {
    let from = input(options).map_or(Input::Stdin, |path| Input::File(path.to_owned()));
    let table =
        read::open(&from, &score_input::read_options(options.input_format.as_deref(), &options.read)?)?;
    let choice = Choice {
        customer: options.customer_column.clone(),
        texts_named: !options.read.text_column.is_empty(),
        channel_column: options.channel_column.clone(),
        channel: options.channel.clone(),
        source: options.source.clone(),
        tenant: options.tenant.tenant.clone(),
        language: options.read.language.clone(),
    };
    tell(&format!("{} ({})\n", table.layout.source, table.form));
    let mapping = Mapping::find(&table, &choice)?;
    for note in table.layout.notes.iter().chain(&mapping.notes(&table)) {
        tell(&format!("  {note}\n"));
    }
    Ok((table, mapping))
}

/// The input's path; `None` for standard input.
fn input(options: &EnrichOptions) -> Option<&Path> {
    Some(options.from.as_path()).filter(|path| path.as_os_str() != "-")
}

/// What is read is not written over.
fn check_distinct(options: &EnrichOptions) -> Result<(), Error> {
    let (Some(output), Some(input)) = (&options.output, input(options)) else { return Ok(()) };
    let own: Vec<PathBuf> = Paths::new(output).all().into_iter().filter_map(real).collect();
    if real(input).is_some_and(|input| own.contains(&input)) {
        return Err(Error::invalid("--output", "is the input, or would need its name; name another file"));
    }
    Ok(())
}

#[derive(Serialize)]
struct Line {
    read: u64,
    recorded: u64,
    known: u64,
    quarantined: u64,
    resumed_from: u64,
    signals: u64,
    customers: Option<u64>,
    quarantine: Option<PathBuf>,
}

fn told(done: &Enriched, options: &EnrichOptions) -> Result<(), Error> {
    let t = &done.totals;
    if options.form.format == StoreFormat::Json {
        return write_json(&Line {
            read: t.read,
            recorded: t.recorded,
            known: t.known,
            quarantined: t.quarantined,
            resumed_from: done.resumed_from,
            signals: t.signals,
            customers: done.customers,
            quarantine: done.quarantine.clone(),
        });
    }
    let (read, quarantined) = (t.read, t.quarantined);
    let mut lines = format!(
        "{read} rows read: {} recorded, {} known already, {quarantined} quarantined",
        t.recorded, t.known
    );
    if let Some(path) = &done.quarantine {
        lines += &format!(" ({} says why)", path.display());
    }
    lines += &format!("\n{} signals followed", t.signals);
    if let (Some(customers), Some(output)) = (done.customers, &options.output) {
        lines += &format!("\n{customers} customers in {}", output.display());
    }
    if done.resumed_from > 0 {
        lines += &format!("\nwent on after row {}", done.resumed_from);
    }
    let (rows, seconds) = (read - done.resumed_from, done.seconds.max(1e-9));
    lines += &format!("\n{rows} rows in {seconds:.1} s: {:.0} rows/s\n", rows as f64 / seconds);
    write_out(lines.as_bytes())
}
