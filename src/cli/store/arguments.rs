//! The flags of the commands that work on the store.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum StoreFormat {
    /// For people
    Text,
    /// JSON, one object per line
    Json,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct FormatOptions {
    /// Form of the output
    #[arg(long, value_enum, default_value_t = StoreFormat::Text)]
    pub(super) format: StoreFormat,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct MigrateOptions {
    /// Change nothing; say whether the tables are of this version
    #[arg(long)]
    pub(super) check: bool,
    #[command(flatten)]
    pub(super) form: FormatOptions,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum OutboxCommand {
    /// List events that were given up
    List(OutboxListOptions),
    /// Count what waits and what was given up, by sink
    Status(FormatOptions),
    /// Print an event that was given up as a whole; it names its customer
    Show(OutboxShowOptions),
    /// Give events that were given up another chance
    Replay(OutboxReplayOptions),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct OutboxListOptions {
    /// Only events to this sink
    #[arg(long, value_name = "NAME")]
    pub(super) sink: Option<String>,
    /// Only events after this place
    #[arg(long, value_name = "SEQUENCE", default_value_t = 0)]
    pub(super) after: u64,
    /// Most events that are listed
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) limit: u32,
    /// Show whom they tell of
    #[arg(long)]
    pub(super) show_customer: bool,
    #[command(flatten)]
    pub(super) form: FormatOptions,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct OutboxShowOptions {
    /// The event's place in the outbox
    pub(super) sequence: u64,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct OutboxReplayOptions {
    /// Events to this sink
    #[arg(long, value_name = "NAME")]
    pub(super) sink: Option<String>,
    /// The event in this place
    #[arg(long, value_name = "SEQUENCE")]
    pub(super) sequence: Option<u64>,
    /// Events to every sink
    #[arg(long, conflicts_with_all = ["sink", "sequence"])]
    pub(super) all: bool,
    /// Who asks for it, for the audit log
    #[arg(long, value_name = "NAME", default_value = "attune outbox replay")]
    pub(super) actor: String,
    #[command(flatten)]
    pub(super) form: FormatOptions,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuditCommand {
    /// List who did what with customers' data
    List(AuditListOptions),
    /// Walk along the whole chain of hashes
    Verify(AuditVerifyOptions),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AuditListOptions {
    /// Only entries after this row
    #[arg(long, value_name = "ROW", default_value_t = 0)]
    pub(super) after: u64,
    /// Most entries that are listed
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) limit: u32,
    #[command(flatten)]
    pub(super) form: FormatOptions,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AuditVerifyOptions {
    /// The last hash of an earlier time, kept elsewhere: the chain must still hold a row with it
    #[arg(long, value_name = "HASH")]
    pub(super) expect: Option<String>,
    #[command(flatten)]
    pub(super) form: FormatOptions,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CustomersCommand {
    /// Show how a customer stands now, and why
    Get(CustomerOptions),
    /// List customers, likeliest to leave first, each as of their newest interaction
    List(CustomersListOptions),
    /// List a customer's interactions, newest first
    Timeline(TimelineOptions),
    /// List the signals of a customer, or of all
    Signals(SignalsOptions),
    /// Write everything that is held of a customer to a file, for a request of access
    Export(ExportOptions),
    /// Take a customer out of the store, and print the receipt
    Erase(EraseOptions),
    /// Take over what a CRM says: stage, tier, renewal date, owner, since when
    Import(ImportOptions),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TenantOptions {
    /// The tenant, where there are several
    #[arg(long, value_name = "TENANT", default_value = "")]
    pub(super) tenant: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CustomerOptions {
    /// The customer's id in your systems
    pub(super) customer: String,
    #[command(flatten)]
    pub(super) tenant: TenantOptions,
    #[command(flatten)]
    pub(super) form: FormatOptions,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CustomersListOptions {
    /// For whom this signal holds, such as churn_risk_raised
    #[arg(long, value_name = "KIND")]
    pub(super) signal: Option<String>,
    /// In this stage, such as retention
    #[arg(long, value_name = "STAGE")]
    pub(super) stage: Option<String>,
    /// With a probability of leaving at least so high, 0 to 1
    #[arg(long, value_name = "P")]
    pub(super) churn_at_least: Option<f64>,
    /// With a sentiment level at most so high, -1 to 1
    #[arg(long, value_name = "LEVEL", allow_hyphen_values = true)]
    pub(super) level_at_most: Option<f64>,
    /// Most customers that are listed
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) limit: u32,
    #[command(flatten)]
    pub(super) tenant: TenantOptions,
    #[command(flatten)]
    pub(super) form: FormatOptions,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TimelineOptions {
    /// Most interactions that are listed
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) limit: u32,
    #[command(flatten)]
    pub(super) customer: CustomerOptions,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SignalsOptions {
    /// The customer's id in your systems; all customers without it
    pub(super) customer: Option<String>,
    /// Only signals after this place in the log
    #[arg(long, value_name = "SEQUENCE", default_value_t = 0)]
    pub(super) after: u64,
    /// Most signals that are listed
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) limit: u32,
    #[command(flatten)]
    pub(super) tenant: TenantOptions,
    #[command(flatten)]
    pub(super) form: FormatOptions,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportOptions {
    /// Where it is written (JSON lines), readable by you alone; a file that is there is not written over
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: PathBuf,
    /// Who asks for it, for the audit log
    #[arg(long, value_name = "NAME", default_value = "attune customers export")]
    pub(super) actor: String,
    #[command(flatten)]
    pub(super) customer: CustomerOptions,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct EraseOptions {
    /// Who asks for it, for the audit log
    #[arg(long, value_name = "NAME")]
    pub(super) actor: String,
    /// Rewrite the tables of PostgreSQL, which locks each meanwhile, so that their files hold nothing of what was deleted
    #[arg(long)]
    pub(super) rewrite: bool,
    #[command(flatten)]
    pub(super) customer: CustomerOptions,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportOptions {
    /// The file: .csv, .jsonl, .parquet or .xlsx, with the columns customer, stage, tier, renewal_date, owner, since
    pub(super) file: PathBuf,
    /// Column with the customer, instead of the usual names
    #[arg(long, value_name = "COLUMN")]
    pub(super) customer_column: Option<String>,
    #[command(flatten)]
    pub(super) tenant: TenantOptions,
    #[command(flatten)]
    pub(super) form: FormatOptions,
}
