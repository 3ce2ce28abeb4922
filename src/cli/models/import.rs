//! `attune models import`: a Hugging Face export becomes a model directory.

use std::fmt::Write;
use std::path::Path;

use super::super::arguments::{ActivationName, ImportOptions};
use super::super::labelled::mapping_text;
use super::super::paint::{BOLD, DIM, styled};
use super::super::write_out;
use crate::app::Surroundings;
use crate::app::import::{self, Activation, DraftOptions, Import, Imported, Mapping};
use crate::config::Config;
use crate::error::Error;

pub(super) fn run(
    options: &ImportOptions,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<(), Error> {
    let import = Import {
        directory: options.directory.clone(),
        out: options.out.clone(),
        force: options.force,
        options: DraftOptions {
            id: options.id.clone(),
            version: options.model_version.clone(),
            license: options.license.clone(),
            languages: options.languages.clone(),
            activation: options.activation.map(|name| match name {
                ActivationName::Softmax => Activation::Softmax,
                ActivationName::Sigmoid => Activation::Sigmoid,
            }),
            maximum_tokens: options.maximum_tokens,
            mapping: options.mapping.as_deref().map(mapping).transpose()?.unwrap_or_default(),
        },
    };
    let imported = import::run(&import, config, surroundings)?;
    let mut out = String::new();
    // Writing into a String can't fail.
    let _ = write_imported(&imported, &mut out);
    write_out(out.as_bytes())
}

fn mapping(path: &Path) -> Result<Mapping, Error> {
    Ok(Mapping::parse(&mapping_text(path)?, &path.display().to_string())?)
}

fn write_imported(imported: &Imported, out: &mut String) -> std::fmt::Result {
    let directory = imported.directory.display();
    writeln!(out, "{}", styled(BOLD, &imported.name))?;
    let width = imported.findings.iter().map(|finding| finding.what.len()).max().unwrap_or_default();
    for finding in &imported.findings {
        writeln!(out, "  {}  {}", styled(DIM, &format!("{:<width$}", finding.what)), finding.found)?;
    }
    writeln!(out, "written to {directory}; try it: attune --model {directory} analyze \"a text\"")
}
