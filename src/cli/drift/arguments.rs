//! The flags of `attune drift`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::super::arguments::FormatName;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DriftCommand {
    /// Show how far what a running service reads has drifted
    Show(ShowOptions),
    /// Count a baseline on a file of texts, for a model.toml or an overlay
    Baseline(BaselineOptions),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ShowOptions {
    /// The running service
    #[arg(long, value_name = "URL")]
    pub(super) server: String,
    /// One model alone: an alias, id@version or an id; else all that are loaded
    #[arg(long, value_name = "MODEL", default_value = "")]
    pub(super) id: String,
    /// One tenant alone; "" for texts without one
    #[arg(long, value_name = "TENANT")]
    pub(super) tenant: Option<String>,
    /// List every feature, and not only those that have drifted or are nearest to it
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BaselineOptions {
    /// File with the texts: .csv, .tsv, .jsonl, or .txt with a text per line
    #[arg(long, value_name = "FILE")]
    pub(super) data: PathBuf,
    /// Form of the file, instead of going by its extension
    #[arg(long, value_enum)]
    pub(super) input_format: Option<FormatName>,
    /// Column or field with the texts: its name, or a column's number from 1; else text, or 1 without a header
    #[arg(long, alias = "column", value_name = "COLUMN")]
    pub(super) text_column: Option<String>,
    /// The first row of a CSV or TSV file is a text, and columns have numbers
    #[arg(long)]
    pub(super) no_header: bool,
    /// A model.toml or an overlay whose table is replaced; else the table is printed
    #[arg(long, value_name = "FILE")]
    pub(super) into: Option<PathBuf>,
    /// Where the texts come from, for people; else the file's name
    #[arg(long, value_name = "TEXT")]
    pub(super) source: Option<String>,
}
