//! Starts servers for tests and stops them again.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use attune::api::grpc::v1;
use attune::api::grpc::v1::analysis_service_client::AnalysisServiceClient;
use attune::api::grpc::v1::conversation_service_client::ConversationServiceClient;
use attune::api::grpc::v1::customer_service_client::CustomerServiceClient;
use attune::api::grpc::v1::job_service_client::JobServiceClient;
use attune::api::grpc::v1::model_service_client::ModelServiceClient;
use attune::app::models::{Backends, Reload, build_models_over};
use attune::app::{Service, build_analyzer};
use attune::config::{Config, Sources};
use attune::error::Error;
use attune::inference::TextTokenizer;
use attune::inference::fake::{FakeFactory, Steering};
use attune::jobs::service::{Buckets, NoBuckets};
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
    config_from(None, settings)
}

/// The same over a file's text.
pub(crate) fn config_from(file: Option<&str>, settings: &[(&str, &str)]) -> Config {
    let mut flags: Vec<(String, String)> = [
        ("server.grpc_address", "127.0.0.1:0"),
        ("server.http_address", "127.0.0.1:0"),
        ("server.lame_duck_ms", "0"),
        ("batching.batch_tokens", "256"),
        // Weights set by hand: the default's are fitted, and change with the next fit.
        ("conversations.policy", "examples/policies/explicit.toml"),
    ]
    .into_iter()
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .collect();
    flags.extend(settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    let file = file.map(|text| ("attune.toml".to_owned(), text.to_owned()));
    Config::load(&Sources { file, flags, ..Sources::default() }).unwrap()
}

/// A fake backend with the label axis of the embedded model.
pub(crate) fn factory() -> FakeFactory {
    let manifest = ModelBundle::load_embedded().unwrap().manifest;
    FakeFactory::new(manifest.label_count(), manifest.heads.len())
}

/// Words of conversations in tests: what each speaks for, and how strongly.
const WORDS: [(&str, &str, f32); 9] = [
    ("lawyer", "legal_threat", 16.0),
    ("furious", "negative", 8.0),
    ("furious", "anger", 16.0),
    ("again", "unresolved_issue", 16.0),
    ("wonderful", "positive", 8.0),
    ("wonderful", "gratitude", 16.0),
    ("solved", "resolution_confirmed", 16.0),
    ("sorry", "remorse", 16.0),
    ("leaving", "churn_intent", 16.0),
];

/// A fake backend on which `WORDS` speak for labels, and every other word for none.
pub(crate) fn steered() -> FakeFactory {
    let bundle = ModelBundle::load_embedded().unwrap();
    let tokenizer = TextTokenizer::parse(&bundle.tokenizer).unwrap();
    let label = |name: &str| {
        let place = |labels: &[String]| labels.iter().position(|label| label == name);
        let mut heads = bundle.manifest.heads_with_ranges();
        heads.find_map(|(head, range)| place(&head.labels).map(|at| range.start + at)).unwrap()
    };
    let steer = |(word, name, term): (&str, &str, f32)| {
        let ids = tokenizer.tokenize(word).unwrap().ids;
        assert_eq!(ids.len(), 1, "{word}");
        (ids[0], label(name), term)
    };
    let words = WORDS.into_iter().map(steer).collect();
    FakeFactory { steering: Some(Steering { floor: -8.0, words }), ..factory() }
}

impl TestServer {
    /// Starts a server over `factory`.
    pub(crate) async fn start(settings: &[(&str, &str)], factory: FakeFactory) -> Self {
        Self::start_with(settings, factory, None).await
    }

    /// Starts a server whose jobs have these buckets.
    pub(crate) async fn start_with(
        settings: &[(&str, &str)],
        factory: FakeFactory,
        buckets: Option<Arc<dyn Buckets>>,
    ) -> Self {
        Self::start_from(config(settings), factory, buckets).await
    }

    /// Starts a server with a configuration of its own.
    pub(crate) async fn start_from(
        config: Config,
        factory: FakeFactory,
        buckets: Option<Arc<dyn Buckets>>,
    ) -> Self {
        Self::start_over(config, Arc::new(move |_| Ok(Box::new(factory.clone()))), (buckets, None)).await
    }

    /// Starts a server with a model of its own, and no others.
    pub(crate) async fn start_bundle(config: Config, bundle: ModelBundle, factory: FakeFactory) -> Self {
        let load =
            move |config: Config| Ok(Models::new(Arc::new(build_analyzer(&config, &bundle, &factory)?)));
        Self::start_loading(config, load, (None, None)).await
    }

    /// Starts a server whose models have each their own backend, and whose configuration may be read again.
    pub(crate) async fn start_over(
        config: Config,
        backends: Arc<Backends>,
        beside: (Option<Arc<dyn Buckets>>, Option<Reload>),
    ) -> Self {
        Self::start_loading(config, move |config| build_models_over(&config, backends), beside).await
    }

    async fn start_loading(
        config: Config,
        load: impl FnOnce(Config) -> Result<Models, Error> + Send + 'static,
        (buckets, reload): (Option<Arc<dyn Buckets>>, Option<Reload>),
    ) -> Self {
        let buckets = buckets.unwrap_or_else(|| Arc::new(NoBuckets));
        let mut service = Service::bind(&config).await.unwrap().with_buckets(buckets);
        if let Some(reload) = reload {
            service = service.with_reload(reload);
        }
        let (address, http) = (service.grpc.local_addr().unwrap(), service.http.local_addr().unwrap());
        let stop = CancellationToken::new();
        let load = {
            let config = config.clone();
            move || load(config)
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

    pub(crate) async fn conversations(&self) -> ConversationServiceClient<Channel> {
        ConversationServiceClient::new(self.channel().await)
    }

    pub(crate) async fn models(&self) -> ModelServiceClient<Channel> {
        ModelServiceClient::new(self.channel().await)
    }

    pub(crate) async fn jobs(&self) -> JobServiceClient<Channel> {
        JobServiceClient::new(self.channel().await)
    }

    pub(crate) async fn customers(&self) -> CustomerServiceClient<Channel> {
        CustomerServiceClient::new(self.channel().await).max_decoding_message_size(64 << 20)
    }

    /// Stops the server and waits for its drain.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.served.await.unwrap().unwrap();
    }
}

/// A customer's turn.
pub(crate) fn customer(text: &str) -> v1::Turn {
    turn(v1::ParticipantRole::Customer, text)
}

/// Anybody's turn.
pub(crate) fn turn(role: v1::ParticipantRole, text: &str) -> v1::Turn {
    v1::Turn { role: role.into(), text: text.into(), ..Default::default() }
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
