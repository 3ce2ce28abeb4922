//! `attune models unload`.

use clap::Args;

use super::ServerOptions;
use crate::error::Error;

#[derive(Debug, Args)]
pub(in crate::cli) struct UnloadOptions {
    /// The version, as id@version
    #[arg(value_name = "MODEL")]
    version: String,
    #[command(flatten)]
    server: ServerOptions,
}

pub(super) async fn run(options: &UnloadOptions) -> Result<String, Error> {
    let left = options.server.connect().await?.unload_model(&options.version).await?;
    let left: Vec<String> = left.iter().map(|model| format!("{}@{}", model.id, model.version)).collect();
    Ok(format!("{} is unloaded; still loaded: {}\n", options.version, left.join(", ")))
}
