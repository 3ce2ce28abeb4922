//! The command line.

mod models;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::drift::DriftCommand;
use super::jobs::JobsCommand;
use super::policy::PolicyCommand;
use super::store::{AuditCommand, CustomersCommand, EnrichOptions, MigrateOptions, OutboxCommand};
use super::worker::WorkerOptions;
use crate::jobs;

pub(super) use models::{ActivationName, ImportOptions, ModelsOptions, PullOptions};

/// Reads what customers write: sentiment, emotions and cues, each with the words that caused it.
#[derive(Debug, Parser)]
#[command(name = "attune", version, about)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) settings: Settings,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Clone, Args)]
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
    /// Thresholds and calibration from attune calibrate, in place of the model's own
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) overlay: Option<PathBuf>,
    /// Log filter in RUST_LOG syntax
    #[arg(long, global = true, value_name = "FILTER")]
    pub(super) log: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start the service
    Serve(ServeOptions),
    /// Record interactions out of NATS JetStream
    Worker(WorkerOptions),
    /// Score texts and print them with their evidence
    Analyze(AnalyzeOptions),
    /// Read transcripts: turn by turn, the trajectory, and whether a person must step in
    Conversation(ConversationOptions),
    /// Score a survey export: every row comes out again, with what its texts say beside it
    Score(ScoreOptions),
    /// Have a running service score files: create, get, list, watch and cancel its jobs
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Measure the model on a file of labelled texts
    Eval(EvalOptions),
    /// Fit thresholds and calibration to a file of labelled texts
    Calibrate(CalibrateOptions),
    /// Say what another model or overlay would change on a file of texts
    Diff(DiffOptions),
    /// Show how far texts have drifted from a model's baseline, and count a baseline
    #[command(subcommand)]
    Drift(DriftCommand),
    /// Fit, test, explain and check escalation policies
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Record the history that a CRM or helpdesk has exported, customer by customer
    Enrich(Box<EnrichOptions>),
    /// Show, export, erase and import customers
    #[command(subcommand)]
    Customers(CustomersCommand),
    /// Show and replay events that could not be delivered
    #[command(subcommand)]
    Outbox(OutboxCommand),
    /// Show and verify who did what with customers' data
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Make the tables of the store, or bring them up to this version
    Migrate(MigrateOptions),
    /// List the models, their heads and labels; pull or import one; load, swap and compare those of a running service
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

#[derive(Debug, Args)]
pub(super) struct ConversationOptions {
    /// The transcript file; - for standard input
    pub(super) file: PathBuf,
    /// Form of the file, instead of recognising it: text, webvtt, connect-lens, connect-chat, zendesk, intercom, jsonl
    #[arg(long, value_name = "FORMAT")]
    pub(super) from: Option<String>,
    /// What a speaker is, such as "Maria=agent"; may be repeated
    #[arg(long, value_name = "NAME=ROLE")]
    pub(super) role: Vec<String>,
    /// Keep quoted mails, signatures and ticket lines
    #[arg(long)]
    pub(super) keep_quoted: bool,
    /// Read only the conversation with this id
    #[arg(long, value_name = "ID")]
    pub(super) id: Option<String>,
    /// The way it is led: chat, email, phone, social, sms; instead of what the file says
    #[arg(long, value_name = "CHANNEL")]
    pub(super) channel: Option<String>,
    /// Whose policy applies, instead of what the file says
    #[arg(long, value_name = "TENANT")]
    pub(super) tenant: Option<String>,
    /// Language of the texts (BCP 47), instead of identifying it
    #[arg(long, value_name = "TAG")]
    pub(super) language: Option<String>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// Ask a running server instead of reading in this process
    #[arg(long, value_name = "URL")]
    pub(super) server: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ScoreOptions {
    /// The export; - for standard input
    pub(super) input: PathBuf,
    /// Where the scored rows go; what is needed to go on after an interruption stands beside it meanwhile
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: PathBuf,
    /// Form of the output, instead of going by its extension
    #[arg(long, value_enum)]
    pub(super) to: Option<OutputName>,
    /// Write a report (HTML)
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Compare the groups that this column makes, in the report
    #[arg(long, value_name = "COLUMN", requires = "report")]
    pub(super) by: Option<String>,
    /// Quote in the report as it was written, with e-mail addresses and numbers; names are never taken out
    #[arg(long, requires = "report")]
    pub(super) no_redact: bool,
    /// Form of the input, instead of recognising it: csv, tsv, jsonl, parquet, xlsx, lines
    #[arg(long = "format", value_name = "FORMAT")]
    pub(super) from: Option<String>,
    #[command(flatten)]
    pub(super) read: InputOptions,
    /// Begin a CSV file with a byte order mark, so that Excel reads it as UTF-8
    #[arg(long)]
    pub(super) bom: bool,
    /// Leave cells as they are that a spreadsheet would take for formulas
    #[arg(long)]
    pub(super) no_escape_formulas: bool,
    /// Throw away what an earlier run has left, and an output that is there
    #[arg(long)]
    pub(super) restart: bool,
    /// What to write as the time of scoring (RFC 3339), instead of the job's start: for files that are to be compared
    #[arg(long, value_name = "TIME")]
    pub(super) scored_at: Option<String>,
}

/// How an export is read, instead of what is recognised.
#[derive(Debug, Args)]
pub(super) struct InputOptions {
    /// Column with texts, instead of those that are recognised; may be repeated
    #[arg(long, value_name = "COLUMN")]
    pub(super) text_column: Vec<String>,
    /// Column with the row's id
    #[arg(long, value_name = "COLUMN")]
    pub(super) id_column: Option<String>,
    /// Column with a number that the respondent gave
    #[arg(long, value_name = "COLUMN")]
    pub(super) score_column: Option<String>,
    /// Column with the language of the answers
    #[arg(long, value_name = "COLUMN")]
    pub(super) language_column: Option<String>,
    /// Column with the time of the answer
    #[arg(long, value_name = "COLUMN")]
    pub(super) time_column: Option<String>,
    /// Encoding of the input, such as windows-1252, instead of recognising it
    #[arg(long, value_name = "LABEL")]
    pub(super) encoding: Option<String>,
    /// What separates the cells of a CSV input, instead of recognising it
    #[arg(long, value_name = "CHARACTER")]
    pub(super) delimiter: Option<char>,
    /// Sheet of a workbook, instead of the first with cells
    #[arg(long, value_name = "NAME")]
    pub(super) sheet: Option<String>,
    /// Recognise neither the survey tool nor columns
    #[arg(long)]
    pub(super) no_detect: bool,
    /// Language of the texts (BCP 47), instead of what the rows say or what is identified
    #[arg(long, value_name = "TAG")]
    pub(super) language: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputName {
    /// Separated by commas
    Csv,
    /// One JSON object per line
    Jsonl,
    /// Apache Parquet
    Parquet,
}

impl OutputName {
    pub(super) fn format(self) -> jobs::FormatName {
        match self {
            Self::Csv => jobs::FormatName::Csv,
            Self::Jsonl => jobs::FormatName::Jsonl,
            Self::Parquet => jobs::FormatName::Parquet,
        }
    }
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

/// A file of texts and how to read it.
#[derive(Debug, Args)]
pub(super) struct TextOptions {
    /// File with the texts: .csv, .tsv, .jsonl, or .txt with a text per line
    #[arg(long, value_name = "FILE")]
    pub(super) data: PathBuf,
    /// Form of the file, instead of going by its extension
    #[arg(long, value_enum)]
    pub(super) input_format: Option<FormatName>,
    /// Column or field with the texts: its name, or a column's number from 1; else text, or 1 without a header
    #[arg(long, value_name = "COLUMN")]
    pub(super) text_column: Option<String>,
    /// The first row of a CSV or TSV file is a text, and columns have numbers
    #[arg(long)]
    pub(super) no_header: bool,
    /// Language of the texts (BCP 47); it is not identified, so that no row drops out
    #[arg(long, value_name = "TAG", default_value = "en")]
    pub(super) language: String,
}

/// A file of labelled texts.
#[derive(Debug, Args)]
pub(super) struct LabelledOptions {
    #[command(flatten)]
    pub(super) texts: TextOptions,
    /// What the labels speak of
    #[arg(long, value_enum)]
    pub(super) task: TaskName,
    /// What the file's labels mean (TOML, with the tables labels and groups)
    #[arg(long, value_name = "FILE")]
    pub(super) mapping: Option<PathBuf>,
    /// Column or field with the labels; else the task's name, or label, or 2 without a header
    #[arg(long, value_name = "COLUMN", conflicts_with = "labels")]
    pub(super) label_column: Option<String>,
    /// File with the labels of each line of a --data file of plain lines
    #[arg(long, value_name = "FILE")]
    pub(super) labels: Option<PathBuf>,
    /// What stands between several labels of a cell; else | in CSV, a comma in TSV and in a file of labels
    #[arg(long, value_name = "TEXT")]
    pub(super) separator: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct EvalOptions {
    #[command(flatten)]
    pub(super) labelled: LabelledOptions,
    /// Print this number alone: macro_f1, accuracy, ece, …, or LABEL.f1
    #[arg(long, value_name = "NAME")]
    pub(super) metric: Option<String>,
    /// Write everything that was measured to a file
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Draw a reliability diagram (SVG)
    #[arg(long, value_name = "FILE")]
    pub(super) diagram: Option<PathBuf>,
    /// Resamples of the bootstrap behind the 95 % intervals; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub(super) resamples: u32,
}

#[derive(Debug, Args)]
pub(super) struct CalibrateOptions {
    #[command(flatten)]
    pub(super) labelled: LabelledOptions,
    /// Where to write the overlay (TOML)
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct DiffOptions {
    #[command(flatten)]
    pub(super) texts: TextOptions,
    /// Model directory or overlay to compare with
    #[arg(long, value_name = "DIR_OR_OVERLAY")]
    pub(super) with: PathBuf,
    /// Write everything that was found to a file
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Show the texts of the rows that move most, instead of their numbers alone
    #[arg(long)]
    pub(super) show_text: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatName {
    /// Separated by commas
    Csv,
    /// Separated by tabs, without quotation marks
    Tsv,
    /// One JSON object per line
    Jsonl,
    /// One text per line
    Lines,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TaskName {
    /// Negative, neutral, positive; mixed is left out
    Sentiment,
    /// Emotion labels, any number per text
    Emotion,
    /// Customer cues, any number per text
    Cues,
}
