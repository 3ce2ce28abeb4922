//! `attune eval`: what the model is worth on labelled texts.

use super::arguments::EvalOptions;
use super::{executor, labelled, write_file, write_out};
use crate::app::{self, Surroundings};
use crate::config::Config;
use crate::error::Error;
use crate::evaluation::report::{Circumstances, Report, check_metric};
use crate::evaluation::{LabelledFile, diagram};

pub(super) fn run(options: &EvalOptions, config: &Config, surroundings: &Surroundings) -> Result<(), Error> {
    if let Some(metric) = &options.metric {
        check_metric(metric)?;
    }
    let file = labelled::labelled(&options.labelled)?;
    let report = executor()?.block_on(measure(&file, options.resamples as usize, config, surroundings))?;
    if let Some(path) = &options.json {
        write_file(path, &report.json()?)?;
    }
    if let Some(path) = &options.diagram {
        write_file(path, &diagram::reliability(&report)?)?;
    }
    match &options.metric {
        Some(name) => write_out(format!("{}\n", report.metric(name)?).as_bytes()),
        None => write_out(report.text().as_bytes()),
    }
}

async fn measure(
    file: &LabelledFile,
    resamples: usize,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<Report, Error> {
    let models = app::build_models(config, surroundings)?;
    let analyzer = models.default_model();
    let scored = file.score(&analyzer).await?;
    let data = file.source.data.display().to_string();
    Ok(Report::of(&scored, analyzer.manifest(), &Circumstances { task: file.task, data, resamples }))
}
