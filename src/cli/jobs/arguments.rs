//! The flags of `attune jobs`.

use clap::{Args, Subcommand, ValueEnum};

use super::super::arguments::{InputOptions, OutputName};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum JobsCommand {
    /// Create a job, which the service runs when its turn comes
    Create(Box<CreateOptions>),
    /// Show a job
    Get(JobOptions),
    /// List the jobs, the latest first
    List(ListOptions),
    /// Show how far a job is until it ends; fails when the job does
    Watch(JobOptions),
    /// Take a job back
    Cancel(JobOptions),
}

/// Which service, and how its answers are shown.
#[derive(Debug, Args)]
pub(in crate::cli) struct ServerOptions {
    /// The running service
    #[arg(long, value_name = "URL")]
    pub(super) server: String,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = JobsFormat::Text)]
    pub(super) format: JobsFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum JobsFormat {
    /// For people
    Text,
    /// One JSON object per job and line
    Json,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct JobOptions {
    /// The job's id
    pub(super) id: String,
    #[command(flatten)]
    pub(super) server: ServerOptions,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ListOptions {
    /// Only jobs in this state
    #[arg(long, value_enum)]
    pub(super) state: Option<StateName>,
    /// Most jobs that are listed
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) most: usize,
    #[command(flatten)]
    pub(super) server: ServerOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum StateName {
    /// Waits for its turn
    Queued,
    /// Is run
    Running,
    /// Is done
    Succeeded,
    /// Has ended with an error
    Failed,
    /// Was taken back
    Cancelled,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CreateOptions {
    /// The export, where the service finds it: an absolute path, file:// or s3://BUCKET/KEY
    pub(super) input: String,
    /// Where the service puts the scored rows
    #[arg(long, short, value_name = "URI")]
    pub(super) output: String,
    /// Form of the output, instead of going by its extension
    #[arg(long, value_enum)]
    pub(super) to: Option<OutputName>,
    /// Where the service puts a report (HTML)
    #[arg(long, value_name = "URI")]
    pub(super) report: Option<String>,
    /// Compare the groups that this column makes, in the report
    #[arg(long, value_name = "COLUMN", requires = "report")]
    pub(super) by: Option<String>,
    /// Quote in the report as it was written, with e-mail addresses and numbers; names are never taken out
    #[arg(long, requires = "report")]
    pub(super) no_redact: bool,
    /// Form of the input, instead of recognising it: csv, tsv, jsonl, parquet, xlsx, lines
    #[arg(long, value_name = "FORMAT")]
    pub(super) from: Option<String>,
    #[command(flatten)]
    pub(super) read: InputOptions,
    /// Begin a CSV file with a byte order mark, so that Excel reads it as UTF-8
    #[arg(long)]
    pub(super) bom: bool,
    /// Leave cells as they are that a spreadsheet would take for formulas
    #[arg(long)]
    pub(super) no_escape_formulas: bool,
    /// Which of the service's models reads the texts, instead of its default: id@version, an id, or an alias
    #[arg(long, value_name = "MODEL")]
    pub(super) with_model: Option<String>,
    /// What to write as the time of scoring (RFC 3339), instead of the job's start
    #[arg(long, value_name = "TIME")]
    pub(super) scored_at: Option<String>,
    /// Find the job that the same command with the same key has created, instead of creating another
    #[arg(long, value_name = "KEY")]
    pub(super) idempotency_key: Option<String>,
    /// Watch the job until it ends
    #[arg(long)]
    pub(super) watch: bool,
    #[command(flatten)]
    pub(super) server: ServerOptions,
}
