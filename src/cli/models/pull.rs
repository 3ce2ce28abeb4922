//! `attune models pull`: a model out of a hub into a directory.

use std::path::{Path, PathBuf};

use super::super::arguments::PullOptions;
use super::super::paint::{BOLD, DIM, styled};
use super::super::{progress, until_stopped, write_out};
use crate::app::Environment;
use crate::error::{Error, ErrorKind};
use crate::hub::{self, Endpoint, Patience, PullSettings, Pulled, Reference, Token};

pub(super) fn run(options: &PullOptions, environment: &Environment) -> Result<(), Error> {
    let settings = settings(options, environment)?;
    let bar = progress::bytes();
    let fetched = until_stopped(0, async |stop| {
        let show = |at: hub::Progress<'_>| {
            bar.set_length(at.total);
            bar.set_position(at.done);
            bar.set_message(at.file.to_owned());
        };
        let pulled = tokio::select! {
            biased;
            () = stop.cancelled() => Err(stopped()),
            pulled = hub::pull(&settings, &show) => pulled,
        };
        bar.finish_and_clear();
        write_out(told(&settings.directory, &pulled?).as_bytes())
    });
    bar.finish_and_clear();
    fetched
}

fn settings(options: &PullOptions, environment: &Environment) -> Result<PullSettings, Error> {
    let reference = Reference::parse(&options.reference)?;
    let endpoint = environment.get(Endpoint::VARIABLE).filter(|text| !text.is_empty());
    Ok(PullSettings {
        endpoint: Endpoint::parse(endpoint.as_deref().unwrap_or(Endpoint::DEFAULT))?,
        token: Token::find(|name| environment.get(name))?,
        directory: options.output.clone().unwrap_or_else(|| PathBuf::from(reference.name())),
        reference,
        files: options.file.clone(),
        most_bytes: options.max_bytes,
        patience: Patience::default(),
    })
}

fn stopped() -> Error {
    Error::new(ErrorKind::Cancelled, "stopped; the same command goes on from here")
}

/// What has come, and what to do with it.
fn told(directory: &Path, pulled: &Pulled) -> String {
    let source = &pulled.source;
    let asked = format!("({}, commit {})", source.revision, source.commit);
    let mut out = format!("{} {}\n", styled(BOLD, &source.repository), styled(DIM, &asked));
    for file in &source.files {
        out += &format!(
            "  {:<26} {:>12} bytes  sha256 {}\n",
            file.name,
            file.bytes,
            file.sha256.get(..12).unwrap_or_default()
        );
    }
    let directory = directory.display();
    let was_there = if pulled.was_there { ": it was all there, and nothing was fetched" } else { "" };
    out += &format!("in {directory}{was_there}\n");
    out + &match pulled.is_attune_model() {
        true => format!("next: attune analyze --model {directory} \"Thank you, it works now!\"\n"),
        false => format!("next: attune models import {directory}\n"),
    }
}
