//! `attune worker`: telemetry, bind, work, drain.

use clap::Args;

use super::{Again, until_stopped};
use crate::app::worker::WorkerService;
use crate::app::{self, Surroundings};
use crate::config::Config;
use crate::error::Error;
use crate::telemetry::metrics;

#[derive(Debug, Args)]
pub(super) struct WorkerOptions {
    /// Where NATS is, such as nats://127.0.0.1:4222
    #[arg(long, value_name = "URL")]
    nats: Option<String>,
    /// Address for metrics and probes
    #[arg(long, value_name = "ADDRESS")]
    http: Option<String>,
}

impl WorkerOptions {
    pub(super) fn flags(&self) -> Vec<(String, String)> {
        [("worker.nats", &self.nats), ("server.http_address", &self.http)]
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)))
            .collect()
    }
}

pub(super) fn run(config: Config, surroundings: Surroundings, again: Again) -> Result<(), Error> {
    let metrics = metrics::install().map_err(Error::internal)?;
    metrics::provider(config.inference.provider.name());
    until_stopped(config.server.io_threads, async |stop| {
        let service =
            WorkerService::bind(&config, surroundings.clone()).await?.with_reload(again.on_hangup()?);
        let load = {
            let config = config.clone();
            move || app::build_served_models(&config, &surroundings)
        };
        service.run(config, load, metrics, stop).await
    })
}
