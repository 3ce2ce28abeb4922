//! `attune models`: what is loaded, or would be, how a model is fetched or made, and what a running service is to load instead.

mod alias;
mod import;
mod load;
mod pull;
mod shadow;
mod shadow_report;
mod unload;

use std::fmt::Write;

use clap::{Args, Subcommand};

use super::arguments::{ImportOptions, ModelsOptions, PullOptions};
use super::paint::{BOLD, DIM, styled};
use super::{executor, write_out};
use crate::api::grpc::{client::Client, describe, v1};
use crate::app::{self, Surroundings};
use crate::config::Config;
use crate::error::Error;

#[derive(Debug, Subcommand)]
pub(super) enum ModelsCommand {
    /// Make a model directory out of a Hugging Face export of a sequence classifier
    Import(ImportOptions),
    /// Fetch a model from a hub into a directory
    Pull(PullOptions),
    #[command(flatten)]
    Served(ServedCommand),
}

/// What a running service is asked for.
#[derive(Debug, Subcommand)]
pub(super) enum ServedCommand {
    /// Have a service load the model in a sub-directory of its models.directory
    Load(load::LoadOptions),
    /// Have a service let go of a version
    Unload(unload::UnloadOptions),
    /// Let an alias, such as default, stand for another model from one call to the next
    Alias(alias::AliasOptions),
    /// Have a candidate read a share of the texts of a model, to see how it differs
    Shadow(shadow::ShadowOptions),
    /// Show how a candidate differs so far
    ShadowReport(shadow_report::ReportOptions),
}

/// Which service.
#[derive(Debug, Args)]
struct ServerOptions {
    /// The running service
    #[arg(long, value_name = "URL")]
    server: String,
}

impl ServerOptions {
    async fn connect(&self) -> Result<Client, Error> {
        Client::connect(&self.server).await
    }
}

pub(super) fn run(
    options: &ModelsOptions,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<(), Error> {
    match &options.command {
        None => list(options, config),
        Some(ModelsCommand::Import(command)) => import::run(command, config, surroundings),
        Some(ModelsCommand::Pull(command)) => pull::run(command, &surroundings.environment),
        Some(ModelsCommand::Served(command)) => write_out(executor()?.block_on(ask(command))?.as_bytes()),
    }
}

async fn ask(command: &ServedCommand) -> Result<String, Error> {
    match command {
        ServedCommand::Load(options) => load::run(options).await,
        ServedCommand::Unload(options) => unload::run(options).await,
        ServedCommand::Alias(options) => alias::run(options).await,
        ServedCommand::Shadow(options) => shadow::run(options).await,
        ServedCommand::ShadowReport(options) => shadow_report::run(options).await,
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
    let aliases = match &model.aliases[..] {
        [] if model.is_default => " (default)".to_owned(),
        [] => String::new(),
        aliases => format!(" ({})", aliases.join(", ")),
    };
    writeln!(out, "{} {}{}", styled(BOLD, &model.id), model.version, styled(DIM, &aliases))?;
    if !model.shadow.is_empty() {
        writeln!(out, "  shadowed by {}", model.shadow)?;
    }
    writeln!(out, "  {}", model.description)?;
    writeln!(
        out,
        "  languages {} · {} tokens a window · {} · sha256 {}",
        model.languages.join(", "),
        model.maximum_tokens,
        model.license,
        model.graph_sha256.get(..12).unwrap_or_default()
    )?;
    if model.evidence_method() == v1::EvidenceMethod::Occlusion {
        writeln!(out, "  evidence by occlusion: words are covered, and the text is read again")?;
    }
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
