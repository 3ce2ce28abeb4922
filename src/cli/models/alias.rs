//! `attune models alias`.

use clap::Args;

use super::ServerOptions;
use crate::error::Error;

#[derive(Debug, Args)]
pub(in crate::cli) struct AliasOptions {
    /// The alias; `default` answers when no model is named
    alias: String,
    /// What it is to stand for: id@version, an id, or another alias
    #[arg(value_name = "MODEL", required_unless_present = "remove")]
    target: Option<String>,
    /// Take the alias away
    #[arg(long, conflicts_with = "target")]
    remove: bool,
    #[command(flatten)]
    server: ServerOptions,
}

pub(super) async fn run(options: &AliasOptions) -> Result<String, Error> {
    let model = options.target.as_deref().unwrap_or_default();
    let answer = options.server.connect().await?.set_alias(&options.alias, model).await?;
    let shown = |name: &str| if name.is_empty() { "nothing".to_owned() } else { name.to_owned() };
    Ok(format!("{}: {} → {}\n", options.alias, shown(&answer.previous), shown(&answer.current)))
}
