//! `attune models`: what is loaded, or would be; and the commands that make or fetch models.

mod pull;

use std::fmt::Write;

use super::arguments::{ModelsCommand, ModelsOptions};
use super::paint::{BOLD, DIM, styled};
use super::write_out;
use crate::api::grpc::{client::Client, describe, v1};
use crate::app::{self, Surroundings};
use crate::config::Config;
use crate::error::Error;

pub(super) fn run(
    options: &ModelsOptions,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<(), Error> {
    match &options.command {
        Some(ModelsCommand::Pull(options)) => pull::run(options, &surroundings.environment),
        None => list(options, config),
    }
}

fn list(options: &ModelsOptions, config: &Config) -> Result<(), Error> {
    let models = match &options.server {
        Some(url) => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::internal)?
            .block_on(async { Client::connect(url).await?.models().await })?,
        None => vec![describe(&app::load_bundle(config)?.manifest)],
    };
    let mut out = String::new();
    for model in &models {
        // Writing into a String can't fail.
        let _ = write_model(model, options.labels, &mut out);
    }
    write_out(out.as_bytes())
}

fn write_model(model: &v1::Model, with_labels: bool, out: &mut String) -> std::fmt::Result {
    let default = if model.is_default { " (default)" } else { "" };
    writeln!(out, "{} {}{}", styled(BOLD, &model.id), model.version, styled(DIM, default))?;
    writeln!(out, "  {}", model.description)?;
    writeln!(
        out,
        "  languages {} · {} tokens a window · {} · sha256 {}",
        model.languages.join(", "),
        model.maximum_tokens,
        model.license,
        model.graph_sha256.get(..12).unwrap_or_default()
    )?;
    for head in &model.heads {
        let activation = match head.activation() {
            v1::Activation::Softmax => "one of",
            v1::Activation::Sigmoid | v1::Activation::Unspecified => "any of",
        };
        writeln!(out, "  head {}: {activation} {} labels", styled(BOLD, &head.name), head.labels.len())?;
        if with_labels {
            for label in &head.labels {
                writeln!(out, "    {:<26} threshold {:.2}", label.name, label.threshold)?;
            }
        }
    }
    let mut scores: Vec<_> = model.scores.iter().collect();
    scores.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in scores {
        writeln!(out, "  {} {value:.3}", styled(DIM, &format!("{name:<44}")))?;
    }
    Ok(())
}
