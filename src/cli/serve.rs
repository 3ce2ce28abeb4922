//! `attune serve`: telemetry, bind, build, run, drain.

use tokio_util::sync::CancellationToken;

use crate::app::{self, Service, Surroundings};
use crate::config::Config;
use crate::error::Error;
use crate::runtime;
use crate::telemetry::metrics;

pub(super) fn run(config: Config, surroundings: Surroundings) -> Result<(), Error> {
    runtime::tls::install();
    let metrics = metrics::install().map_err(Error::internal)?;
    let executor = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("attune-io")
        .build()
        .map_err(Error::internal)?;
    let served = executor.block_on(async {
        let stop = CancellationToken::new();
        runtime::spawn_signal_listener(stop.clone())?;
        let service = Service::bind(&config)
            .await?
            .with_buckets(app::jobs::buckets(&config, &surroundings))
            .with_surroundings(surroundings.clone());
        let load = {
            let config = config.clone();
            move || app::build_models(&config, &surroundings)
        };
        service.run(config, load, metrics, stop).await
    });
    // Handlers of connections that outlived the drain must not hold the process.
    executor.shutdown_timeout(std::time::Duration::from_secs(1));
    served
}
