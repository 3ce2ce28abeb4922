//! `attune serve`: telemetry, bind, build, run, drain.

use super::until_stopped;
use crate::app::{self, Service, Surroundings};
use crate::config::Config;
use crate::error::Error;
use crate::telemetry::metrics;

pub(super) fn run(config: Config, surroundings: Surroundings) -> Result<(), Error> {
    let metrics = metrics::install().map_err(Error::internal)?;
    metrics::provider(config.inference.provider.name());
    until_stopped(async |stop| {
        let service = Service::bind(&config)
            .await?
            .with_buckets(app::jobs::buckets(&config, &surroundings))
            .with_surroundings(surroundings.clone());
        let load = {
            let config = config.clone();
            move || app::build_models(&config, &surroundings)
        };
        service.run(config, load, metrics, stop).await
    })
}
