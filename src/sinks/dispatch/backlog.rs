//! How much waits, and how much was given up, as gauges.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::storage::Outbox;
use crate::telemetry::metrics;

/// How often it is counted: the count reads an index of the outbox.
const EVERY: Duration = Duration::from_secs(15);

/// Tells the metrics of the backlog of these sinks until `stop`; sinks that are no longer configured are added up under
/// `other`, so that the number of series is that of the configuration.
pub async fn watch(outbox: Arc<dyn Outbox>, sinks: Vec<String>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        match outbox.backlog().await {
            Ok(backlog) => tell(&sinks, &backlog),
            Err(error) => tracing::warn!(error = %error, causes = error.causes(), "no backlog"),
        }
    }
}

fn tell(sinks: &[String], backlog: &[(String, u64, u64)]) {
    let mut other = (0, 0);
    for (sink, waiting, dead) in backlog {
        if !sinks.contains(sink) {
            other = (other.0 + waiting, other.1 + dead);
        }
    }
    for sink in sinks {
        let found = backlog.iter().find(|(name, ..)| name == sink);
        let (waiting, dead) = found.map_or((0, 0), |(_, waiting, dead)| (*waiting, *dead));
        metrics::backlog(sink, waiting, dead);
    }
    metrics::backlog("other", other.0, other.1);
}
