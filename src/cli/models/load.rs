//! `attune models load`.

use clap::Args;

use super::ServerOptions;
use crate::error::Error;

#[derive(Debug, Args)]
pub(in crate::cli) struct LoadOptions {
    /// A sub-directory of the service's models.directory: its plain name
    name: String,
    #[command(flatten)]
    server: ServerOptions,
}

pub(super) async fn run(options: &LoadOptions) -> Result<String, Error> {
    let model = options.server.connect().await?.load_model(&options.name).await?;
    let (name, labels) =
        (format!("{}@{}", model.id, model.version), model.heads.iter().map(|h| h.labels.len()));
    Ok(format!(
        "{name} is loaded: {} heads, {} labels; `attune models alias default {name}` makes it the default\n",
        model.heads.len(),
        labels.sum::<usize>()
    ))
}
