//! The flags of `attune policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PolicyCommand {
    /// Fit a policy to conversations whose outcome is known
    Fit(FitOptions),
    /// Say what a policy would have done on conversations whose outcome is known
    Backtest(BacktestOptions),
    /// Say what a policy's features and tiers mean, or why a conversation stands where it does
    Explain(ExplainOptions),
    /// Check a policy file and say what it overrides
    Check {
        /// The policy (TOML)
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct FitOptions {
    /// Conversations with their outcome, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(super) data: PathBuf,
    /// The new policy's version, as it will stand in every answer
    #[arg(long, value_name = "NAME")]
    pub(super) name: String,
    /// Where to write the policy (TOML)
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: PathBuf,
    /// Policy to start from, instead of the embedded one
    #[arg(long, value_name = "FILE")]
    pub(super) policy: Option<PathBuf>,
    /// Share of the conversations that do not escalate which may have an elevated alert
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub(super) max_false_alarms: f64,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BacktestOptions {
    /// Conversations with their outcome, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(super) data: PathBuf,
    /// The policy, instead of the embedded one
    #[arg(long, value_name = "FILE")]
    pub(super) policy: Option<PathBuf>,
    /// Another policy to set beside it
    #[arg(long, value_name = "FILE")]
    pub(super) with: Option<PathBuf>,
    /// Write everything that was measured to a file
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Draw precision and recall by threshold (SVG)
    #[arg(long, value_name = "FILE")]
    pub(super) chart: Option<PathBuf>,
    /// Resamples of the bootstrap behind the 95 % intervals; 0 for none
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub(super) resamples: u32,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExplainOptions {
    /// The policy, instead of the embedded one
    #[arg(long, value_name = "FILE")]
    pub(super) policy: Option<PathBuf>,
    /// With this tenant's overrides
    #[arg(long, value_name = "TENANT", conflicts_with = "data")]
    pub(super) tenant: Option<String>,
    /// With this channel's overrides
    #[arg(long, value_name = "CHANNEL", conflicts_with = "data")]
    pub(super) channel: Option<String>,
    /// Conversations, one JSON object a line
    #[arg(long, value_name = "FILE", requires = "conversation")]
    pub(super) data: Option<PathBuf>,
    /// The conversation to explain turn by turn, by its id
    #[arg(long, value_name = "ID", requires = "data")]
    pub(super) conversation: Option<String>,
}
