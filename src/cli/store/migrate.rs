//! `attune migrate`: the tables of the store.

use serde::Serialize;

use super::arguments::{MigrateOptions, StoreFormat};
use super::{executor, write_json, write_out};
use crate::app::customers::{self, Tables};
use crate::config::Config;
use crate::error::Error;

#[derive(Serialize)]
struct Line<'a> {
    store: &'a str,
    version: i64,
    checked: bool,
}

pub(in crate::cli) fn run(options: &MigrateOptions, config: &Config) -> Result<(), Error> {
    let Tables { store, version } = executor()?.block_on(async {
        if options.check { customers::check_tables(config).await } else { customers::migrate(config).await }
    })?;
    match options.form.format {
        StoreFormat::Json => write_json(&Line { store: &store, version, checked: options.check }),
        StoreFormat::Text => write_out(format!("{store}: tables of version {version}\n").as_bytes()),
    }
}
