//! `attune serve`: telemetry, bind, build, run, drain.

use super::{Again, until_stopped};
use crate::app::{self, Service, Surroundings};
use crate::config::Config;
use crate::error::Error;
use crate::telemetry::metrics;

pub(super) fn run(config: Config, surroundings: Surroundings, again: Again) -> Result<(), Error> {
    let metrics = metrics::install().map_err(Error::internal)?;
    metrics::provider(config.inference.provider.name());
    until_stopped(config.server.io_threads, async |stop| {
        let service = Service::bind(&config)
            .await?
            .with_buckets(app::jobs::buckets(&config, &surroundings))
            .with_surroundings(surroundings.clone())
            .with_reload(again.on_hangup()?);
        let load = {
            let config = config.clone();
            move || app::build_served_models(&config, &surroundings)
        };
        service.run(config, load, metrics, stop).await
    })
}
