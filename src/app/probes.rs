//! The HTTP side of a process that works on and on: probes and metrics, from the start to the very end.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::api::http::{self, Readiness};
use crate::error::Error;

/// Histograms hand their samples over this often; without it they would grow for ever.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);
/// An idle probe connection must not hold the process for longer.
const LINGER: Duration = Duration::from_secs(1);

/// Probes that are served, and metrics that are kept in shape.
pub(super) struct Probes {
    /// What `/readyz` says.
    pub(super) readiness: Readiness,
    stop: CancellationToken,
    served: JoinHandle<Result<(), Error>>,
    upkeep: JoinHandle<()>,
}

impl Probes {
    /// Live at once, and not ready.
    pub(super) fn spawn(listener: TcpListener, metrics: PrometheusHandle) -> Self {
        let (readiness, stop) = (Readiness::default(), CancellationToken::new());
        let served = tokio::spawn(http::serve(listener, readiness.clone(), metrics.clone(), stop.clone()));
        let upkeep = tokio::spawn(async move {
            let mut tick = tokio::time::interval(METRICS_UPKEEP);
            loop {
                tick.tick().await;
                metrics.run_upkeep();
            }
        });
        Self { readiness, stop, served, upkeep }
    }

    /// The end.
    pub(super) async fn close(self) {
        self.stop.cancel();
        self.upkeep.abort();
        let _late = tokio::time::timeout(LINGER, self.served).await;
    }
}
