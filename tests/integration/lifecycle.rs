//! Start and end: a port in use, a broken model, a drain with work in progress, a peer that never speaks.

use attune::api::grpc::v1;
use attune::app::Service;
use attune::error::ErrorKind;
use attune::inference::fake::{FakeFactory, Gate};

use crate::support::{TestServer, config, factory, request};

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_said_in_plain_words() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = Service::bind(&config(&[("server.grpc_address", &address)])).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.public().contains(&address) && error.public().contains("another process"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_progress_is_answered_during_the_drain() {
    let gate = Gate::closed();
    gate.open();
    let server = TestServer::start(&[], FakeFactory { gate: Some(gate.clone()), ..factory() }).await;
    let mut client = server.analysis().await;
    client.analyze_text(request("warm up the connection")).await.unwrap();
    gate.shut();
    let call = tokio::spawn(async move { client.analyze_text(request("I was here before the end")).await });
    // The call is at the service once its text is counted; the stop comes after that.
    let mut probe = server.models().await;
    probe.list_models(v1::ListModelsRequest {}).await.unwrap();
    server.stop.cancel();
    gate.open();
    let answer = call.await.unwrap();
    assert!(answer.is_ok(), "{answer:?}");
    server.served.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_never_speaks_does_not_hold_the_shutdown() {
    let server = TestServer::start(&[("server.drain_ms", "200")], factory()).await;
    let mut client = server.analysis().await;
    client.analyze_text(request("hello")).await.unwrap();
    let silent = tokio::net::TcpStream::connect(server.address).await.unwrap();
    server.stop().await;
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_cannot_be_loaded_ends_the_start_with_the_reason() {
    let config = config(&[]);
    let service = Service::bind(&config).await.unwrap();
    let load = || {
        attune::model::ModelBundle::load_directory("/nonexistent".as_ref())
            .map_err(Into::into)
            .map(|_| unreachable!())
    };
    let stop = tokio_util::sync::CancellationToken::new();
    let error = service.run(config, load, crate::support::metrics(), stop).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.public().contains("/nonexistent/model.toml"), "{error}");
}
