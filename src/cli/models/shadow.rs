//! `attune models shadow`.

use clap::Args;

use super::{ServerOptions, shadow_report};
use crate::error::Error;

#[derive(Debug, Args)]
pub(in crate::cli) struct ShadowOptions {
    /// The model that is to be compared: id@version, an id, or an alias
    #[arg(required_unless_present = "stop")]
    candidate: Option<String>,
    /// The model that answers
    #[arg(long, value_name = "MODEL", default_value = "default")]
    of: String,
    /// Share of its texts that the candidate reads, above 0 and at most 1
    #[arg(long, default_value_t = 0.1)]
    share: f64,
    /// End the shadow, and show its last report
    #[arg(long, conflicts_with_all = ["candidate", "share"])]
    stop: bool,
    #[command(flatten)]
    server: ServerOptions,
}

pub(super) async fn run(options: &ShadowOptions) -> Result<String, Error> {
    let client = options.server.connect().await?;
    let Some(candidate) = options.candidate.as_deref().filter(|_| !options.stop) else {
        return Ok(shadow_report::shown(&client.stop_shadow(&options.of).await?));
    };
    let answer = client.set_shadow(&options.of, candidate, options.share).await?;
    Ok(format!(
        "{} reads {:.0} % of the texts of {}; `attune models shadow-report` shows how it differs\n",
        answer.candidate,
        options.share * 100.0,
        answer.model
    ))
}
