//! `attune worker`, joined: a stream, a store, a model, the sinks, and the probes of a service.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::customers::{self, Kept};
use super::models::{self, Reload};
use super::probes::Probes;
use super::{Surroundings, policies};
use crate::api::grpc::server;
use crate::api::http::Readiness;
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::pipeline::Models;
use crate::sinks::Secret;
use crate::stream::nats::{JetStream, Login, NatsSettings};
use crate::stream::{Transport, Worker, WorkerSettings};

/// So long a start waits for what is not there yet; after it, whoever supervises the worker hears of it.
const START: Duration = Duration::from_secs(60);
/// First and longest pause between two tries.
const PAUSE: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(4)];

/// A worker whose probes are bound; the port may have been 0.
pub struct WorkerService {
    /// Where HTTP listens.
    pub http: TcpListener,
    surroundings: Surroundings,
    reload: Option<Reload>,
}

impl WorkerService {
    /// Binds before the slow start of the model. Error: `Unavailable` for an address in use.
    pub async fn bind(config: &Config, surroundings: Surroundings) -> Result<Self, Error> {
        Ok(Self { http: server::bind(config.server.http_address).await?, surroundings, reload: None })
    }

    /// Has the models follow the configuration when that is read again; without it they don't.
    #[must_use]
    pub fn with_reload(self, reload: Reload) -> Self {
        Self { reload: Some(reload), ..self }
    }

    /// Works until `stop`: live at once, ready as long as everything that is needed is there, and drained at the end.
    pub async fn run(
        self,
        config: Config,
        load: impl FnOnce() -> Result<Models, Error> + Send + 'static,
        metrics: PrometheusHandle,
        stop: CancellationToken,
    ) -> Result<(), Error> {
        let probes = Probes::spawn(self.http, metrics);
        let given = (&self.surroundings, self.reload);
        let worked = work(&config, given, load, &probes.readiness, stop).await;
        probes.close().await;
        tracing::info!("stopped");
        worked
    }
}

async fn work(
    config: &Config,
    (surroundings, reload): (&Surroundings, Option<Reload>),
    load: impl FnOnce() -> Result<Models, Error> + Send + 'static,
    readiness: &Readiness,
    stop: CancellationToken,
) -> Result<(), Error> {
    let started = Instant::now();
    let stream = patiently(&stop, || connect(config)).await?;
    patiently(&stop, || stream.prepare()).await?;
    let store = patiently(&stop, || customers::require_store(config)).await?;
    let models = models::open(config, load).await?;
    let _reload = reload.map(|reload| reload.spawn(config, &models));
    let readers = (&models, policies::follow(config)?);
    let kept = Kept::open(config, surroundings, readers, store).await?;
    let settings = &config.worker;
    let settings = WorkerSettings {
        subject_prefix: settings.subject_prefix.clone(),
        durable: settings.durable.clone(),
        batch: settings.batch,
        max_deliver: settings.max_deliver,
        ack_wait: settings.ack_wait,
    };
    let worker = Worker::new(Arc::clone(&kept.customers), Arc::new(stream), settings, stop.clone());
    let ready = tokio::spawn(ready(readiness.clone(), worker.well(), stop.clone()));
    let start_ms = started.elapsed().as_millis() as u64;
    tracing::info!(
        stream = config.worker.stream,
        durable = config.worker.durable,
        inference.provider = config.inference.provider.name(),
        start_ms,
        "ready"
    );
    drain(worker.run(), stop, config.server.drain).await;
    kept.close().await;
    ready.abort();
    Ok(())
}

/// Runs to its end, which after `stop` may take so long; what is not answered by then comes again.
async fn drain(work: impl Future<Output = ()>, stop: CancellationToken, most: Duration) {
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(most).await;
    };
    tokio::select! {
        () = work => {}
        () = late => tracing::warn!("not everything was answered in time: it comes again"),
    }
}

/// Ready as long as the worker is well and is not asked to stop.
async fn ready(readiness: Readiness, mut well: watch::Receiver<bool>, stop: CancellationToken) {
    readiness.set(true);
    while let Some(Ok(())) = stop.run_until_cancelled(well.changed()).await {
        readiness.set(*well.borrow());
    }
    readiness.set(false);
}

/// Tries again what is not available, for a while. Errors: those of what is tried; `Cancelled` after `stop`.
async fn patiently<T, F, Fut>(stop: &CancellationToken, attempt: F) -> Result<T, Error>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<T, Error>>,
{
    let (started, mut pause) = (Instant::now(), PAUSE[0]);
    loop {
        match attempt().await {
            Err(error) if error.kind() == ErrorKind::Unavailable && started.elapsed() < START => {
                tracing::warn!(%error, causes = error.causes(), "tried again");
            }
            result => return result,
        }
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return Err(Error::new(ErrorKind::Cancelled, "stopped before it was ready"));
        }
        pause = (pause * 2).min(PAUSE[1]);
    }
}

async fn connect(config: &Config) -> Result<JetStream, Error> {
    let worker = &config.worker;
    let read = async |path: &std::path::PathBuf| Secret::File(path.clone()).read().await;
    let login = match (&worker.token_file, &worker.password_file) {
        (Some(token), _) => Login::Token(read(token).await?),
        (None, Some(password)) => Login::User(worker.user.clone(), read(password).await?),
        (None, None) => Login::Nobody,
    };
    let settings = NatsSettings {
        url: worker.nats.clone(),
        login,
        stream: worker.stream.clone(),
        subject_prefix: worker.subject_prefix.clone(),
        durable: worker.durable.clone(),
        batch: worker.batch,
        ack_wait: worker.ack_wait,
    };
    JetStream::connect(settings).await
}
