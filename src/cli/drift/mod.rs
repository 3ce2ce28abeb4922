//! `attune drift`: how far what a service reads has drifted, and the baseline that says from what.

mod arguments;
mod shown;

use std::io::Write;
use std::path::Path;

pub(super) use arguments::DriftCommand;
use arguments::{BaselineOptions, ShowOptions};

use super::arguments::TextOptions;
use super::{executor, labelled, write_file, write_out};
use crate::api::grpc::client::Client;
use crate::api::grpc::v1;
use crate::app::{self, Surroundings};
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::evaluation::baseline;
use crate::pipeline::drift::baseline_toml;

/// Largest file that a table is put into: real ones have a few kilobytes.
const INTO_BYTES: u64 = 1 << 20;

pub(super) fn run(command: &DriftCommand, config: &Config, surroundings: &Surroundings) -> Result<(), Error> {
    match command {
        DriftCommand::Show(options) => show(options),
        DriftCommand::Baseline(options) => count(options, config, surroundings),
    }
}

fn show(options: &ShowOptions) -> Result<(), Error> {
    let request = v1::GetDriftRequest { id: options.id.clone(), tenant: options.tenant.clone() };
    let answer =
        executor()?.block_on(async { Client::connect(&options.server).await?.drift(request).await })?;
    write_out(shown::table(&answer, options.all).as_bytes())
}

fn count(options: &BaselineOptions, config: &Config, surroundings: &Surroundings) -> Result<(), Error> {
    // Read first: a slip in the name is found before the work.
    let into = options.into.as_deref().map(read).transpose()?;
    let rows = labelled::texts(&texts(options)).open()?;
    let mut config = config.clone();
    // Alone, so that the same file gives the same table; and what is counted here is no service's.
    config.batching.batch_tokens = 1;
    config.drift.enabled = false;
    let counted = executor()?.block_on(async {
        let models = app::build_models(&config, surroundings)?;
        baseline::count(&models.default_model(), rows).await
    })?;
    if counted.left_out > 0 {
        // Nobody to tell is no error.
        let _ =
            writeln!(anstream::stderr(), "attune: {} rows can't be read, and are left out", counted.left_out);
    }
    let name = options.data.file_name().map(|name| name.to_string_lossy().into_owned());
    let source = options.source.clone().or(name).unwrap_or_default();
    let toml = baseline_toml(&counted.reference, &source, into.as_deref());
    match &options.into {
        Some(path) => write_file(path, &toml),
        None => write_out(toml.as_bytes()),
    }
}

fn texts(options: &BaselineOptions) -> TextOptions {
    TextOptions {
        data: options.data.clone(),
        input_format: options.input_format,
        text_column: options.text_column.clone(),
        no_header: options.no_header,
        language: String::new(),
    }
}

fn read(path: &Path) -> Result<String, Error> {
    let fail = |e: std::io::Error| Error::new(ErrorKind::NotFound, format!("{}: {e}", path.display()));
    let bytes = std::fs::metadata(path).map_err(fail)?.len();
    if bytes > INTO_BYTES {
        let problem = format!("{} has {bytes} bytes, at most {INTO_BYTES} are taken", path.display());
        return Err(Error::invalid("into", problem));
    }
    std::fs::read_to_string(path).map_err(fail)
}
