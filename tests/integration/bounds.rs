//! Bad input, overload, deadlines and clients that go away.

use std::time::Duration;

use attune::api::grpc::v1;
use attune::inference::fake::{FakeFactory, Gate};
use tokio_stream::StreamExt;
use tonic::Code;
use tonic_types::StatusExt;

use crate::support::{TestServer, factory, item, request};

/// A factory whose runs stand still until the gate opens; warm-up passes first.
fn gated() -> (FakeFactory, Gate) {
    let gate = Gate::closed();
    gate.open();
    (FakeFactory { gate: Some(gate.clone()), ..factory() }, gate)
}

/// Waits until the server is ready.
async fn ready(server: &TestServer) {
    server.models().await.list_models(v1::ListModelsRequest {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_name_the_field_at_fault() {
    let server = TestServer::start(&[("limits.text_bytes", "1000")], factory()).await;
    let mut client = server.analysis().await;
    let options = |change: fn(&mut v1::AnalysisOptions)| {
        let mut options = v1::AnalysisOptions::default();
        change(&mut options);
        v1::AnalyzeTextRequest { options: Some(options), ..request("hello there") }
    };
    for (call, field) in [
        (request(&"x".repeat(1001)), "text"),
        (options(|o| o.lane = 77), "options.lane"),
        (options(|o| o.heads = vec!["mood".into()]), "options.heads[0]"),
        (options(|o| o.thresholds = [("joy".to_owned(), f64::NAN)].into()), "options.thresholds[\"joy\"]"),
        (v1::AnalyzeTextRequest { language: "english please".into(), ..request("hi") }, "language"),
    ] {
        let status = client.analyze_text(call).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        let details = status.get_error_details();
        let violations = &details.bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_above_the_limit_is_refused_with_the_limit_in_the_text() {
    let settings = [("limits.text_bytes", "50000"), ("limits.message_bytes", "60000")];
    let server = TestServer::start(&settings, factory()).await;
    let mut client = server.analysis().await;
    let status = client.analyze_text(request(&"x ".repeat(40_000))).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert!(status.message().contains("60000"), "{}", status.message());
    client.analyze_text(request("still there")).await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_answers_deadline_exceeded_and_the_server_goes_on() {
    let (factory, gate) = gated();
    let server = TestServer::start(&[], factory).await;
    ready(&server).await;
    gate.shut();
    let mut client = server.analysis().await;
    let mut call = tonic::Request::new(request("please hurry up with this"));
    call.set_timeout(Duration::from_millis(40));
    // The header alone: tonic's client would time out by itself with the same call.
    let status = client.analyze_text(call).await.unwrap_err();
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status:?}");
    gate.open();
    client.analyze_text(request("and now")).await.unwrap();
    server.stop().await;
}

type Answer = Result<tonic::Response<v1::AnalyzeTextResponse>, tonic::Status>;

/// A server whose workers stand still, and 400 calls of some seven tokens, which overflow its queue of 1024.
async fn flooded() -> (TestServer, Gate, Vec<tokio::task::JoinHandle<Answer>>) {
    let (factory, gate) = gated();
    let settings = [("batching.queue_tokens", "1024"), ("batching.cache_mb", "0")];
    let server = TestServer::start(&settings, factory).await;
    ready(&server).await;
    gate.shut();
    let calls = flood(&server).await;
    (server, gate, calls)
}

/// More calls than there is room for.
async fn flood(server: &TestServer) -> Vec<tokio::task::JoinHandle<Answer>> {
    let client = server.analysis().await;
    let call = |n| {
        let mut client = client.clone();
        tokio::spawn(async move { client.analyze_text(request(&format!("call number {n} of many"))).await })
    };
    (0..400).map(call).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_is_refused_with_a_retry_time_and_every_call_is_answered_once() {
    let (server, gate, calls) = flooded().await;
    // Refusals arrive while the workers stand still.
    while !calls.iter().any(tokio::task::JoinHandle::is_finished) {
        tokio::task::yield_now().await;
    }
    gate.open();
    let (mut answered, mut refused) = (0, 0);
    for call in calls {
        match call.await.unwrap() {
            Ok(_) => answered += 1,
            Err(status) => {
                assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
                let retry = status.get_error_details().retry_info().and_then(|r| r.retry_delay);
                assert!(retry.is_some_and(|d| d >= Duration::from_millis(100)));
                refused += 1;
            }
        }
    }
    assert!(answered > 0 && refused > 0, "{answered} answered, {refused} refused");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_queue_is_cut_back_a_call_is_refused_before_its_body_is_sent() {
    let (server, gate, mut calls) = flooded().await;
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let refused = loop {
        let call = http::Request::post("http://attune/attune.v1.AnalysisService/AnalyzeText")
            .header("content-type", "application/grpc")
            .body(())
            .unwrap();
        let mut sender = sender.clone().ready().await.unwrap();
        let (answer, _body_never_sent) = sender.send_request(call, false).unwrap();
        // Until the queue has overflowed, the service waits for the body.
        if let Ok(answer) = tokio::time::timeout(Duration::from_millis(50), answer).await {
            break answer.unwrap();
        }
        // On a machine that is busy, the second for which the queue stays cut back may have passed before we came.
        calls.extend(flood(&server).await);
    };
    assert_eq!(refused.headers()["grpc-status"], "8");
    assert!(refused.headers().contains_key("grpc-status-details-bin"), "{:?}", refused.headers());
    gate.open();
    for call in calls {
        if let Err(status) = call.await.unwrap() {
            assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
        }
    }
    drop(sender);
    connection.abort();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_disconnects_in_a_stream_leaves_nothing_behind() {
    let (factory, gate) = gated();
    let server = TestServer::start(&[("batching.cache_mb", "0")], factory.clone()).await;
    ready(&server).await;
    gate.shut();
    {
        let mut client = server.analysis().await;
        let messages = tokio_stream::iter((0..10_000).map(|n| v1::StreamAnalyzeTextRequest {
            item: Some(item("", &format!("message {n}"))),
            ..Default::default()
        }));
        let call = client.stream_analyze_text(messages);
        // The stream is open and the workers hold its first items; then the connection goes.
        let answers = call.await.unwrap().into_inner();
        drop(answers);
    }
    gate.open();
    let mut client = server.analysis().await;
    client.analyze_text(request("the next caller")).await.unwrap();
    // A few of the items may have been at the workers already; the thousands behind them never got there.
    assert!(factory.log.windows() < 1000, "{}", factory.log.windows());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stops_stops_its_sender() {
    let server = TestServer::start(&[("batching.cache_mb", "0")], factory()).await;
    let mut client = server.analysis().await;
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = sent.clone();
    let filler = "nobody reads this answer ".repeat(40);
    let messages = tokio_stream::iter(0..100_000).map(move |n| {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        v1::StreamAnalyzeTextRequest { item: Some(item("", &format!("{n} {filler}"))), ..Default::default() }
    });
    let mut answers = client.stream_analyze_text(messages).await.unwrap().into_inner();
    for _ in 0..10 {
        answers.next().await.unwrap().unwrap();
    }
    // Nothing is read any more: the count must come to rest far below what would be sent to a quick reader. Round trips
    // on another connection are the clock.
    let mut other = server.models().await;
    let (mut last, mut calm) = (0, 0);
    while calm < 300 {
        other.list_models(v1::ListModelsRequest {}).await.unwrap();
        let now = sent.load(std::sync::atomic::Ordering::Relaxed);
        calm = if now == last { calm + 1 } else { 0 };
        last = now;
    }
    assert!(last < 5_000, "{last} messages were taken from the sender");
    drop(answers);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_options_end_a_stream_with_the_field_at_fault() {
    let server = TestServer::start(&[], factory()).await;
    let mut client = server.analysis().await;
    let message = |n: usize, lane| v1::StreamAnalyzeTextRequest {
        item: Some(item(&n.to_string(), "hello there")),
        options: Some(v1::AnalysisOptions { lane, ..Default::default() }),
        ..Default::default()
    };
    let messages = tokio_stream::iter([message(0, 0), message(1, 9), message(2, 0)]);
    let answers = client.stream_analyze_text(messages).await.unwrap().into_inner();
    let answers: Vec<_> = answers.collect().await;
    assert_eq!(answers.len(), 2);
    let status = answers[1].as_ref().unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("options.lane"), "{}", status.message());
    server.stop().await;
}
