//! The flags of `attune enrich`.

use std::path::PathBuf;

use clap::Args;

use super::super::arguments::InputOptions;
use super::arguments::{FormatOptions, TenantOptions};

#[derive(Debug, Args)]
pub(in crate::cli) struct EnrichOptions {
    /// The export; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) from: PathBuf,
    /// Write one row per customer of the export (CSV), to be loaded back into the CRM
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Write over an output that is there
    #[arg(long, requires = "output")]
    pub(super) overwrite: bool,
    /// The system that the rows come from, such as zendesk; with the row's id it tells interactions apart
    #[arg(long, value_name = "NAME")]
    pub(super) source: String,
    /// Column with the customer, instead of the usual names
    #[arg(long, value_name = "COLUMN")]
    pub(super) customer_column: Option<String>,
    /// Column with the channel, instead of the usual names
    #[arg(long, value_name = "COLUMN")]
    pub(super) channel_column: Option<String>,
    /// Channel of all rows, or of those whose --channel-column is empty: chat, email, phone, social, sms, survey
    #[arg(long, value_name = "CHANNEL")]
    pub(super) channel: Option<String>,
    /// Rows that are read and kept together, up to 4096
    #[arg(long, value_name = "ROWS", default_value_t = crate::jobs::enrich::BATCH)]
    pub(super) batch: usize,
    /// Send the signals that follow to the sinks of the configuration, as if it all happened now
    #[arg(long)]
    pub(super) deliver: bool,
    /// Form of the input, instead of recognising it: csv, tsv, jsonl, parquet, xlsx
    #[arg(long, value_name = "FORMAT")]
    pub(super) input_format: Option<String>,
    #[command(flatten)]
    pub(super) read: InputOptions,
    #[command(flatten)]
    pub(super) tenant: TenantOptions,
    #[command(flatten)]
    pub(super) form: FormatOptions,
}
