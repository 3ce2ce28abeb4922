//! x
#[derive(Debug, clap::Subcommand)]
pub(super) enum JobsCommand { List }
