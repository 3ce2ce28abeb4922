//! `attune policy`: fit one, test one on the past, explain one, check one.

mod arguments;
mod backtest;
mod explain;
mod fit;
mod score;

use std::path::Path;

use super::paint::BOLD;
use super::paint::styled;
use super::write_out;
use crate::app::{self, Surroundings};
use crate::config::Config;
use crate::domain::Channel;
use crate::error::Error;
use crate::escalation::Policies;
use crate::escalation::policy::DEFAULT;
pub(super) use arguments::PolicyCommand;

pub(super) fn run(
    command: &PolicyCommand,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<(), Error> {
    // The company in a batch moves an int8 model's probabilities a little: alone, a policy can be fitted again.
    let mut config = config.clone();
    config.batching.batch_tokens = 1;
    match command {
        PolicyCommand::Fit(options) => fit::run(options, &config, surroundings),
        PolicyCommand::Backtest(options) => backtest::run(options, &config, surroundings),
        PolicyCommand::Explain(options) => explain::run(options, &config, surroundings),
        PolicyCommand::Check { file } => check(file),
    }
}

/// The text of a policy file, or of the embedded policy.
fn text(path: Option<&Path>) -> Result<String, Error> {
    let Some(path) = path else { return Ok(DEFAULT.to_owned()) };
    app::policies::read(path)
}

fn policies(path: Option<&Path>) -> Result<Policies, Error> {
    parse(path, &text(path)?)
}

/// What [`text`] has read of `path`. Errors name the file.
fn parse(path: Option<&Path>, text: &str) -> Result<Policies, Error> {
    path.map_or_else(|| Policies::parse(text), |path| app::policies::parse(path, text))
}

fn check(path: &Path) -> Result<(), Error> {
    let policies = policies(Some(path))?;
    let mut out = format!("{} is in order\n", styled(BOLD, policies.version()));
    let mut overridden: Vec<String> = policies.overridden().map(|(t, c)| whose(t, c)).collect();
    overridden.sort();
    if overridden.is_empty() {
        out += "it overrides nothing: every tenant and channel follows the base\n";
    }
    overridden.iter().for_each(|whose| out += &format!("rules of their own: {whose}\n"));
    write_out(out.as_bytes())
}

fn whose(tenant: Option<&str>, channel: Option<Channel>) -> String {
    let tenant = tenant.map(|tenant| format!("tenant {tenant}"));
    let channel = channel.map(|channel| format!("channel {}", channel.name()));
    [tenant, channel].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
