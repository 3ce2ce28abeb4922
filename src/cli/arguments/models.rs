//! The flags of `attune models`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct ModelsOptions {
    #[command(subcommand)]
    pub(in crate::cli) command: Option<ModelsCommand>,
    /// Ask a running server
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) server: Option<String>,
    /// List every label with its threshold
    #[arg(long)]
    pub(in crate::cli) labels: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ModelsCommand {
    /// Fetch a model from a hub into a directory
    Pull(PullOptions),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PullOptions {
    /// The model: hf://owner/name, or hf://owner/name@revision for a branch, a tag or a commit
    #[arg(value_name = "MODEL")]
    pub(in crate::cli) reference: String,
    /// Where it goes; the model's name, in the working directory, unless this says otherwise
    #[arg(long, short, value_name = "DIR")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Fetch this file of the repository too; a network takes the place of the usual ones; may be repeated
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub(in crate::cli) file: Vec<String>,
    /// Most bytes of all files together
    #[arg(long, value_name = "BYTES", default_value_t = 2 << 30)]
    pub(in crate::cli) max_bytes: u64,
}
