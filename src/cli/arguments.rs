//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Reads what customers write: sentiment, emotions and cues, each with the words that caused it.
#[derive(Debug, Parser)]
#[command(name = "attune", version, about)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) settings: Settings,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Args)]
pub(super) struct Settings {
    /// Configuration file (TOML); `attune config` prints every setting
    #[arg(long, global = true, env = "ATTUNE_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Set one setting, such as batching.cache_mb=0; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Model directory, instead of the embedded model
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) model: Option<PathBuf>,
    /// Log filter in RUST_LOG syntax
    #[arg(long, global = true, value_name = "FILTER")]
    pub(super) log: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start the service
    Serve(ServeOptions),
    /// Score texts and print them with their evidence
    Analyze(AnalyzeOptions),
    /// List the models, their heads and labels
    Models(ModelsOptions),
    /// Print every setting with its default
    Config,
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(super) struct ServeOptions {
    /// Address for gRPC, such as 0.0.0.0:50051
    #[arg(long, value_name = "ADDRESS")]
    grpc: Option<String>,
    /// Address for metrics and probes
    #[arg(long, value_name = "ADDRESS")]
    http: Option<String>,
}

impl ServeOptions {
    pub(super) fn flags(&self) -> Vec<(String, String)> {
        [("server.grpc_address", &self.grpc), ("server.http_address", &self.http)]
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)))
            .collect()
    }
}

#[derive(Debug, Args)]
pub(super) struct AnalyzeOptions {
    /// The text; without it, each line of --file or of standard input is a text
    pub(super) text: Option<String>,
    /// Read texts from a file, one per line; - for standard input
    #[arg(long, short, value_name = "FILE", conflicts_with = "text")]
    pub(super) file: Option<PathBuf>,
    /// Treat the whole file or standard input as one text
    #[arg(long, conflicts_with = "text")]
    pub(super) whole: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// Ask a running server instead of scoring in this process
    #[arg(long, value_name = "URL")]
    pub(super) server: Option<String>,
    /// Assess each sentence too
    #[arg(long)]
    pub(super) sentences: bool,
    /// List labels below their threshold too
    #[arg(long)]
    pub(super) all: bool,
    /// Language of the texts (BCP 47), instead of identifying it
    #[arg(long, value_name = "TAG")]
    pub(super) language: Option<String>,
    /// Use this threshold for a label, such as anger=0.5; may be repeated
    #[arg(long, value_name = "LABEL=P")]
    pub(super) threshold: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Table,
    /// One JSON array
    Json,
    /// One JSON object per line
    Jsonl,
}

#[derive(Debug, Args)]
pub(super) struct ModelsOptions {
    /// Ask a running server
    #[arg(long, value_name = "URL")]
    pub(super) server: Option<String>,
    /// List every label with its threshold
    #[arg(long)]
    pub(super) labels: bool,
}
