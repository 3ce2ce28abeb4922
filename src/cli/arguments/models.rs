//! The command line of `attune models`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::models::ModelsCommand;

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

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportOptions {
    /// The export: config.json, tokenizer.json, and model.onnx or model.safetensors
    #[arg(value_name = "DIR")]
    pub(in crate::cli) directory: PathBuf,
    /// Where the model directory goes, instead of a directory with the model's id
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Replace a model that is there
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Id of the model, instead of the name in config.json or of the directory
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) id: Option<String>,
    /// Version of the weights, instead of their checksum
    #[arg(long, value_name = "VERSION")]
    pub(in crate::cli) model_version: Option<String>,
    /// Which head a label belongs to (TOML, with the tables labels and heads)
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) mapping: Option<PathBuf>,
    /// Licence of the weights (SPDX)
    #[arg(long, value_name = "SPDX")]
    pub(in crate::cli) license: Option<String>,
    /// Languages it was trained for (BCP 47), such as en,de; without them any text is read
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    pub(in crate::cli) languages: Vec<String>,
    /// How logits become probabilities, instead of what problem_type in config.json says
    #[arg(long, value_enum)]
    pub(in crate::cli) activation: Option<ActivationName>,
    /// Tokens that a window holds, instead of what the export says, at most 512
    #[arg(long, value_name = "N")]
    pub(in crate::cli) maximum_tokens: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ActivationName {
    /// One label holds
    Softmax,
    /// Any number of labels hold
    Sigmoid,
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
