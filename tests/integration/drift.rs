//! Drift as callers see it: by tenant, over every way in, and in the metrics.

use attune::api::grpc::v1;
use attune::api::grpc::v1::model_service_client::ModelServiceClient;
use attune::app::build_analyzer;
use attune::batching::{Entrance, Lane};
use attune::drift::Tenant;
use attune::model::ModelBundle;
use attune::pipeline::Call;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::transport::Channel;
use tonic::{Code, Request};

use crate::model_root::Root;
use crate::support::{TestServer, config, customer, factory, item, request};

/// Texts of the baseline.
const ORDINARY: [&str; 8] = [
    "where is my parcel, it should have been here on monday",
    "thank you so much, the new router works",
    "i was charged twice for the same month and want it back",
    "how do i change the address of my order?",
    "the app closes as soon as i open it",
    "ok",
    "nobody has called me back and this is the third time i ask for it to be done",
    "please cancel my contract at the end of the month",
];
const GERMAN: &str = "Ich warte seit drei Wochen auf meine Lieferung und niemand antwortet mir.";
const SETTINGS: [(&str, &str); 1] = [("drift.window_texts", "200")];

async fn bundle() -> ModelBundle {
    let mut bundle = ModelBundle::load_embedded().unwrap();
    bundle.manifest.baseline = None;
    let analyzer = build_analyzer(&config(&[]), &bundle, &factory()).unwrap();
    let call = Call { lane: Lane::Bulk, entrance: Entrance::Wait, deadline: None, tenant: Tenant::NONE };
    let mut counted = analyzer.empty_reference();
    for text in ORDINARY {
        let seen = analyzer.observe(text, None, call).await.unwrap();
        (0..100).for_each(|_| counted.add(&seen));
    }
    bundle.manifest.baseline = Some(counted);
    bundle
}

async fn start(bundle: ModelBundle, settings: &[(&str, &str)]) -> TestServer {
    TestServer::start_bundle(config(settings), bundle, factory()).await
}

/// The models that an id stands for, each with the texts that were counted of it.
async fn watched(server: &TestServer, id: &str) -> Vec<(String, u32)> {
    let request = v1::GetDriftRequest { id: id.into(), tenant: None };
    let models = server.models().await.get_drift(request).await.unwrap().into_inner().models;
    let texts = |model: v1::ModelDrift| {
        assert_eq!(model.state(), v1::DriftState::Watched);
        let name = model.model.unwrap();
        let counted = model.scopes.iter().find(|scope| scope.kind() == v1::DriftScopeKind::All);
        (format!("{}@{}", name.id, name.version), counted.map_or(0, |scope| scope.texts))
    };
    models.into_iter().map(texts).collect()
}

fn owned((name, texts): (&str, u32)) -> (String, u32) {
    (name.to_owned(), texts)
}

async fn drift(server: &TestServer, tenant: Option<&str>) -> v1::ModelDrift {
    let request = v1::GetDriftRequest { id: "default".into(), tenant: tenant.map(str::to_owned) };
    let mut models = server.models().await.get_drift(request).await.unwrap().into_inner().models;
    assert_eq!(models.len(), 1);
    models.remove(0)
}

fn batch<'a>(tenant: &str, texts: impl IntoIterator<Item = &'a str>) -> Request<v1::BatchAnalyzeTextRequest> {
    let items = texts.into_iter().map(|text| item("", text)).collect();
    // What a caller asks for changes nothing of what is counted.
    let thresholds = [("anger".to_owned(), 0.0)].into();
    let options = Some(v1::AnalysisOptions { thresholds, ..Default::default() });
    let mut request = Request::new(v1::BatchAnalyzeTextRequest { items, options, ..Default::default() });
    request.metadata_mut().insert("attune-tenant", tenant.parse().unwrap());
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_turns_to_german_has_drifted_and_another_has_not() {
    let server = start(bundle().await, &SETTINGS).await;
    let mut client = server.analysis().await;
    client.batch_analyze_text(batch("calm", ORDINARY.into_iter().cycle().take(200))).await.unwrap();
    client.batch_analyze_text(batch("de", [GERMAN; 200])).await.unwrap();
    for tenant in ["calm", "de"] {
        let one = drift(&server, Some(tenant)).await;
        let [scope] = one.scopes.as_slice() else { panic!("{one:?}") };
        assert_eq!(
            (scope.kind(), scope.tenant.as_str(), scope.texts),
            (v1::DriftScopeKind::Tenant, tenant, 200)
        );
        let level = if tenant == "de" { v1::DriftLevel::Alarm } else { v1::DriftLevel::Ok };
        assert_eq!(scope.level(), level, "{scope:?}");
    }
    let all = drift(&server, None).await;
    assert_eq!((all.state(), all.baseline_texts, all.window_texts), (v1::DriftState::Watched, 800, 200));
    let kinds: Vec<_> = all.scopes.iter().map(v1::DriftScope::kind).collect();
    use v1::DriftScopeKind::{All, Tenant as Named};
    assert_eq!(kinds, [All, Named, Named]);
    let language = all.scopes[2].features.iter().find(|f| f.name == "language").unwrap();
    assert!(language.psi() > 1.0 && language.js_distance() > 0.5 && language.since_ms > 0, "{language:?}");
    let other = language.shifts.iter().find(|s| s.bin == "other").unwrap();
    assert_eq!((other.baseline, other.window), (0.0, 1.0));
    let metrics = metrics(&server).await;
    let model = "attune-en-small@";
    for name in ["attune_drift_psi", "attune_drift_js_distance", "attune_drift_alarm"] {
        let line = metrics.lines().find(|line| line.starts_with(name) && line.contains("\"language\""));
        assert!(line.is_some_and(|line| line.contains(model) && !line.ends_with(" 0")), "{name}: {line:?}");
    }
    assert!(metrics.contains("level=\"alarm\"} 1") && !metrics.contains("calm"), "{metrics}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_in_is_counted_once_per_text_for_its_tenant() {
    let server = start(bundle().await, &SETTINGS).await;
    let mut client = server.analysis().await;
    let mut one = Request::new(request(ORDINARY[0]));
    one.metadata_mut().insert("attune-tenant", "acme".parse().unwrap());
    client.analyze_text(one).await.unwrap();
    client.analyze_text(request("  ")).await.unwrap();
    let messages = ORDINARY
        .map(|text| v1::StreamAnalyzeTextRequest { item: Some(item("", text)), ..Default::default() });
    let mut stream = Request::new(tokio_stream::iter(messages));
    stream.metadata_mut().insert("attune-tenant", "acme".parse().unwrap());
    let mut answers = client.stream_analyze_text(stream).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}
    let talk = v1::AnalyzeConversationRequest {
        turns: vec![customer(ORDINARY[1]), customer(ORDINARY[2])],
        context: Some(v1::ConversationContext { tenant: "acme".into(), ..Default::default() }),
        // Options of the turns lead to a second readout, and not to a second count.
        options: Some(v1::AnalysisOptions { all_labels: true, ..Default::default() }),
        ..Default::default()
    };
    server.conversations().await.analyze_conversation(talk).await.unwrap();
    let texts = |drift: v1::ModelDrift| -> Vec<(String, u32)> {
        drift.scopes.into_iter().map(|scope| (scope.tenant, scope.texts)).collect()
    };
    let expected = [("", 12), ("", 1), ("acme", 11)].map(|(name, texts)| (name.to_owned(), texts));
    assert_eq!(texts(drift(&server, None).await), expected);
    assert_eq!(texts(drift(&server, Some("")).await), expected[1..2]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_loaded_version_is_watched_for_itself_and_one_that_is_unloaded_is_gone() {
    let manifest = ModelBundle::load_embedded().unwrap().manifest;
    let start = format!("{}@{}", manifest.id, manifest.version);
    let root = Root::with(&["live", "candidate"]);
    let server = root.serve_plainly(&[SETTINGS[0], ("models.load", "live,candidate")]).await;
    let mut models = server.models().await;
    let shadow = v1::SetShadowRequest {
        model: "support@live".into(),
        candidate: "support@candidate".into(),
        share: 1.0,
    };
    models.set_shadow(shadow).await.unwrap();
    let mut texts = batch("acme", ORDINARY.into_iter().cycle().take(40));
    texts.get_mut().model = "support@live".into();
    server.analysis().await.batch_analyze_text(texts).await.unwrap();
    let compared = async |models: &mut ModelServiceClient<Channel>| {
        let request = v1::GetShadowReportRequest { model: "support@live".into() };
        let report = models.get_shadow_report(request).await.unwrap().into_inner().report.unwrap();
        report.compared + report.failed + report.dropped
    };
    while compared(&mut models).await < 40 {}
    // What models read before they were asked anything counts as little as what a candidate reads.
    let all = [(start.as_str(), 0), ("support@live", 40), ("support@candidate", 0)];
    assert_eq!(watched(&server, "").await, all.map(owned));
    assert_eq!(
        watched(&server, "support@live").await,
        all[1..2].iter().copied().map(owned).collect::<Vec<_>>()
    );
    let gauge = "attune_drift_window_texts{model=\"support@live\"} ";
    assert!(metrics(&server).await.contains(&format!("{gauge}40\n")));
    models.unload_model(v1::UnloadModelRequest { model: "support@live".into() }).await.unwrap();
    assert_eq!(watched(&server, "").await, [(start.as_str(), 0), ("support@candidate", 0)].map(owned));
    assert!(metrics(&server).await.contains(&format!("{gauge}0\n")));
    let again = models.load_model(v1::LoadModelRequest { name: "live".into() }).await.unwrap();
    assert_eq!(again.into_inner().model.unwrap().version, "live");
    assert_eq!(watched(&server, "support@live").await, [("support@live", 0)].map(owned));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_watched_says_why() {
    let mut without = bundle().await;
    let with = without.clone();
    without.manifest.baseline = None;
    let cases = [(without, "true", v1::DriftState::NoBaseline), (with, "false", v1::DriftState::Off)];
    for (bundle, enabled, state) in cases {
        let server = start(bundle, &[("drift.enabled", enabled)]).await;
        server.analysis().await.analyze_text(request(ORDINARY[0])).await.unwrap();
        let drift = drift(&server, None).await;
        assert_eq!((drift.state(), drift.scopes.len()), (state, 0));
        assert!(!metrics(&server).await.contains("attune_drift_psi{"));
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_or_a_model_that_can_not_be_is_refused_with_its_field() {
    let server = start(bundle().await, &[]).await;
    let mut client = server.analysis().await;
    for name in ["a b", "a/b", &"x".repeat(65)] {
        let mut one = Request::new(request(ORDINARY[0]));
        one.metadata_mut().insert("attune-tenant", name.parse().unwrap());
        let status = client.analyze_text(one).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains("attune-tenant"), "{}", status.message());
    }
    let mut models = server.models().await;
    let request = |id: &str, tenant: &str| v1::GetDriftRequest { id: id.into(), tenant: Some(tenant.into()) };
    let status = models.get_drift(request("nope", "")).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let status = models.get_drift(request("", &"x".repeat(257))).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    server.stop().await;
}

async fn metrics(server: &TestServer) -> String {
    let mut stream = tokio::net::TcpStream::connect(server.http).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
