//! Starts servers for tests and stops them again.

use std::net::SocketAddr;
use std::sync::OnceLock;

use attune::api::grpc::v1;
use attune::api::grpc::v1::analysis_service_client::AnalysisServiceClient;
use attune::api::grpc::v1::model_service_client::ModelServiceClient;
use attune::app::{Service, build_analyzer};
use attune::config::{Config, Sources};
use attune::error::Error;
use attune::inference::fake::FakeFactory;
use attune::model::ModelBundle;
use attune::pipeline::Models;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

/// A server that runs in the test's own process.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) served: JoinHandle<Result<(), Error>>,
}

/// The process's one metrics recorder.
pub(crate) fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| attune::telemetry::metrics::install().unwrap()).clone()
}

/// The default configuration on free ports, changed by `settings`.
pub(crate) fn config(settings: &[(&str, &str)]) -> Config {
    let mut flags: Vec<(String, String)> = [
        ("server.grpc_address", "127.0.0.1:0"),
        ("server.http_address", "127.0.0.1:0"),
        ("server.lame_duck_ms", "0"),
        ("batching.batch_tokens", "256"),
    ]
    .into_iter()
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .collect();
    flags.extend(settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    Config::load(&Sources { flags, ..Sources::default() }).unwrap()
}

/// A fake backend with the label axis of the embedded model.
pub(crate) fn factory() -> FakeFactory {
    let manifest = ModelBundle::load_embedded().unwrap().manifest;
    FakeFactory::new(manifest.label_count(), manifest.heads.len())
}

impl TestServer {
    /// Starts a server over `factory`.
    pub(crate) async fn start(settings: &[(&str, &str)], factory: FakeFactory) -> Self {
        let config = config(settings);
        let service = Service::bind(&config).await.unwrap();
        let (address, http) = (service.grpc.local_addr().unwrap(), service.http.local_addr().unwrap());
        let stop = CancellationToken::new();
        let load = {
            let config = config.clone();
            move || {
                let bundle = ModelBundle::load_embedded()?;
                Ok(Models::new(std::sync::Arc::new(build_analyzer(&config, &bundle, &factory)?)))
            }
        };
        let served = tokio::spawn(service.run(config, load, metrics(), stop.clone()));
        Self { address, http, stop, served }
    }

    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn analysis(&self) -> AnalysisServiceClient<Channel> {
        AnalysisServiceClient::new(self.channel().await)
            .max_decoding_message_size(256 << 20)
            .max_encoding_message_size(256 << 20)
    }

    pub(crate) async fn models(&self) -> ModelServiceClient<Channel> {
        ModelServiceClient::new(self.channel().await)
    }

    /// Stops the server and waits for its drain.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.served.await.unwrap().unwrap();
    }
}

/// A request with default options.
pub(crate) fn request(text: &str) -> v1::AnalyzeTextRequest {
    v1::AnalyzeTextRequest { text: text.into(), ..Default::default() }
}

/// An item of a batch.
pub(crate) fn item(id: &str, text: &str) -> v1::BatchItem {
    v1::BatchItem { id: id.into(), text: text.into(), language: String::new() }
}

/// The assessment of an item that must have been read.
pub(crate) fn assessment(result: &v1::ItemResult) -> &v1::Assessment {
    match &result.outcome {
        Some(v1::item_result::Outcome::Assessment(assessment)) => assessment,
        other => panic!("item {} has no assessment: {other:?}", result.index),
    }
}
