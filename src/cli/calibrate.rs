//! `attune calibrate`: thresholds and calibration fitted to labelled texts, as an overlay.

use super::arguments::CalibrateOptions;
use super::{executor, labelled, write_out};
use crate::app::{self, Surroundings};
use crate::config::Config;
use crate::error::Error;
use crate::evaluation::calibration::Calibration;
use crate::evaluation::{LabelledFile, Mapping};

pub(super) fn run(
    options: &CalibrateOptions,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<(), Error> {
    let file = labelled::labelled(&options.labelled)?;
    if !file.mapping.as_ref().is_none_or(Mapping::measures_labels) {
        let message = "calibrate fits single labels: take [groups] and exclusive out of the mapping";
        return Err(Error::invalid("mapping", message));
    }
    let text = executor()?.block_on(fit(&file, options, config, surroundings))?;
    write_out(text.as_bytes())
}

/// Fits, writes the overlay, and says what it is worth.
async fn fit(
    file: &LabelledFile,
    options: &CalibrateOptions,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<String, Error> {
    let models = app::build_models(config, surroundings)?;
    let analyzer = models.default_model();
    let scored = file.score(&analyzer).await?;
    let calibration = Calibration::try_new(&scored.scores)?;
    let (manifest, path) = (analyzer.manifest(), options.output.display());
    let head = file.task.head(manifest)?;
    calibration.save(head, manifest, config.model.overlay.as_deref(), &options.output)?;
    let mut text = format!(
        "{} {} · {} · {} rows of {}\n",
        manifest.id,
        manifest.version,
        file.task.name(),
        scored.scores.len(),
        file.source.data.display()
    );
    for line in scored.left_out.lines() {
        text += &format!("not used: {line}\n");
    }
    text += &format!("\n{}\nwrote {path}; use it with --overlay {path}\n", calibration.text());
    Ok(text)
}
