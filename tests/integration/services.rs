//! Models, health, reflection, probes and metrics.

use attune::api::grpc::v1;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_stream::StreamExt;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::support::{TestServer, factory, request};

#[tokio::test(flavor = "multi_thread")]
async fn models_are_listed_with_their_heads_and_found_by_id() {
    let server = TestServer::start(&[], factory()).await;
    let mut client = server.models().await;
    let models = client.list_models(v1::ListModelsRequest {}).await.unwrap().into_inner().models;
    assert_eq!(models.len(), 1);
    let heads: Vec<(&str, usize)> =
        models[0].heads.iter().map(|h| (h.name.as_str(), h.labels.len())).collect();
    assert!(heads.starts_with(&[("sentiment", 3), ("emotion", 28)]), "{heads:?}");
    assert!(models[0].is_default && models[0].graph_sha256.len() == 64);
    for id in ["default", "attune-en-small"] {
        let found = client.get_model(v1::GetModelRequest { id: id.into() }).await.unwrap().into_inner();
        assert_eq!(found.model.as_ref(), Some(&models[0]));
    }
    let status = client.get_model(v1::GetModelRequest { id: "nope".into() }).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::NotFound);
    assert!(status.message().contains("attune-en-small"), "{}", status.message());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_lists_the_services_for_clients_that_have_no_stubs() {
    let server = TestServer::start(&[], factory()).await;
    let mut client = ServerReflectionClient::new(server.channel().await);
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = client.server_reflection_info(tokio_stream::once(list)).await.unwrap().into_inner();
    let answer = answers.next().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<&str> = list.service.iter().map(|s| s.name.as_str()).collect();
    for name in ["attune.v1.AnalysisService", "attune.v1.ModelService", "grpc.health.v1.Health"] {
        assert!(names.contains(&name), "{names:?}");
    }
    server.stop().await;
}

async fn get(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let call = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(call.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_and_metrics_tell_how_it_is_and_hold_no_customer_text() {
    const CANARY: &str = "zanzibarcanary";
    let server = TestServer::start(&[], factory()).await;
    let mut client = server.analysis().await;
    client.analyze_text(request(&format!("my {CANARY} parcel is late again"))).await.unwrap();
    let wrong = v1::AnalyzeTextRequest { language: format!("{CANARY} {CANARY}"), ..request(CANARY) };
    let status = client.analyze_text(wrong).await.unwrap_err();
    assert!(!format!("{status:?}").contains(CANARY));
    assert!(get(server.http, "/livez").await.starts_with("HTTP/1.1 200"));
    assert!(get(server.http, "/readyz").await.starts_with("HTTP/1.1 200"));
    let metrics = get(server.http, "/metrics").await;
    for name in [
        "attune_rpc_requests_total{method=\"AnalyzeText\",code=\"ok\"}",
        "attune_stage_duration_seconds_bucket{stage=\"queue\"",
        "attune_batch_tokens_total{kind=\"padding\"}",
        "attune_texts_total{status=\"ok\"}",
    ] {
        assert!(metrics.contains(name), "{name} is not in\n{metrics}");
    }
    assert!(!metrics.contains(CANARY));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_serves_each_service() {
    let server = TestServer::start(&[], factory()).await;
    let mut client = HealthClient::new(server.channel().await);
    for service in ["", "attune.v1.AnalysisService"] {
        let answer = client.check(HealthCheckRequest { service: service.into() }).await.unwrap();
        assert_eq!(
            answer.into_inner().status(),
            tonic_health::pb::health_check_response::ServingStatus::Serving
        );
    }
    server.stop().await;
}
