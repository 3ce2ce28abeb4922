//! `attune diff`: what another model, or an overlay, would change on a file of texts.

use std::path::Path;

use super::arguments::DiffOptions;
use super::paint::visible;
use super::{executor, labelled, write_file, write_out};
use crate::app::{self, Surroundings};
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::evaluation::compare::{Comparison, Readings, Side};
use crate::evaluation::{Scorer, Source};

/// Characters of a text that are shown.
const SHOWN: usize = 160;

pub(super) fn run(options: &DiffOptions, config: &Config, surroundings: &Surroundings) -> Result<(), Error> {
    let source = labelled::texts(&options.texts);
    let other = with(config, &options.with)?;
    let language = &options.texts.language;
    let mut comparison = executor()?.block_on(async {
        // One after the other: two models at once would need the memory and the processors of both.
        let (before, old) = read(&source, language, config, surroundings).await?;
        let (after, new) = read(&source, language, &other, surroundings).await?;
        Ok::<_, Error>(Comparison::of((before, &old), (after, &new)))
    })?;
    if options.show_text {
        comparison.add_texts(source.open()?)?;
    }
    if let Some(path) = &options.json {
        write_file(path, &comparison.json()?)?;
    }
    write_out(comparison.text(shown).as_bytes())
}

/// The configuration with the other model, or with the other overlay.
fn with(config: &Config, path: &Path) -> Result<Config, Error> {
    let mut other = config.clone();
    let metadata = std::fs::metadata(path)
        .map_err(|e| Error::new(ErrorKind::NotFound, format!("{}: {e}", path.display())))?;
    if metadata.is_dir() {
        other.model.directory = Some(path.to_owned());
        other.model.overlay = None;
    } else {
        other.model.overlay = Some(path.to_owned());
    }
    Ok(other)
}

async fn read(
    source: &Source,
    language: &str,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<(Side, Readings), Error> {
    let mut config = config.clone();
    // The company in a batch moves an int8 model's probabilities a little: alone, what differs is the models' doing.
    config.batching.batch_tokens = 1;
    let models = app::build_models(&config, surroundings)?;
    let analyzer = models.default_model();
    let manifest = analyzer.manifest();
    let mut readings = Readings::new(manifest);
    let scorer = Scorer::try_new(&analyzer, &[], language)?;
    scorer.read(source.open()?, |read| readings.push(&read, manifest)).await?;
    let origins = [&config.model.directory, &config.model.overlay].map(Option::as_ref);
    let origins = origins.into_iter().flatten().map(|path| path.display().to_string());
    let origin = origins.collect::<Vec<_>>().join(", ");
    Ok((Side { model: manifest.id.clone(), version: manifest.version.clone(), origin }, readings))
}

/// The beginning of a text, with nothing in it that steers the terminal.
fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    visible(&start) + more
}
