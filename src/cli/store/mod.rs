//! Commands that work on the configured store, whether the service runs or not: its tables, deliveries that were given up,
//! the audit log, customers, and the history that a CRM already has.

mod accounts;
mod arguments;
mod audit;
mod customers;
mod enrich;
mod enrich_arguments;
mod export;
mod json;
mod migrate;
mod outbox;
mod profile;
mod timeline;

use std::io::Write;

use serde::Serialize;

use super::{executor, write_out};
use crate::error::Error;
use crate::jobs::times;
pub(super) use arguments::{AuditCommand, CustomersCommand, MigrateOptions, OutboxCommand};
pub(super) use enrich_arguments::EnrichOptions;

pub(super) use audit::run as audit;
pub(super) use customers::run as customers;
pub(super) use enrich::run as enrich;
pub(super) use migrate::run as migrate;
pub(super) use outbox::run as outbox;

/// Rows that are asked for in one go.
const PAGE: usize = 500;

/// Writes a value as a line of JSON.
fn write_json(value: &impl Serialize) -> Result<(), Error> {
    write_out((serde_json::to_string(value).map_err(Error::internal)? + "\n").as_bytes())
}

/// Tells a person something beside the results; a terminal that is gone is no error.
fn tell(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// To the second, in RFC 3339.
fn time(at_ms: i64) -> String {
    times::written_out(at_ms)
}
