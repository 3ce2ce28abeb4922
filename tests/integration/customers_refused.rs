//! What CustomerService refuses, and how it says so.

use std::time::Duration;

use attune::api::grpc::v1;
use attune::inference::fake::{FakeFactory, Gate};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use crate::customers::{Place, get, message, record, talk};
use crate::support::{TestServer, customer as says, steered, turn};

fn asked(one: v1::Interaction) -> v1::RecordInteractionRequest {
    v1::RecordInteractionRequest { interaction: Some(one) }
}

fn field(status: &tonic::Status) -> String {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    status.get_error_details().bad_request().unwrap().field_violations[0].field.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_interaction_names_the_field_at_fault() {
    let settings = [("limits.text_bytes", "1000"), ("limits.conversation_turns", "3")];
    let place = Place::file();
    let server = place.serve(&settings).await;
    let mut client = server.customers().await;
    let changed = |change: fn(&mut v1::Interaction)| {
        let mut one = message("ann", "1", 0, "hello there");
        change(&mut one);
        one
    };
    let nobody = turn(v1::ParticipantRole::Unspecified, "hi");
    for (one, at) in [
        (changed(|i| i.tenant = "t".repeat(257)), "interaction.tenant"),
        (changed(|i| i.customer.clear()), "interaction.customer"),
        (changed(|i| i.customer = "a\nb".into()), "interaction.customer"),
        (changed(|i| i.source.clear()), "interaction.source"),
        (changed(|i| i.external_id.clear()), "interaction.external_id"),
        (changed(|i| i.at_ms = -1), "interaction.at_ms"),
        (changed(|i| i.at_ms = i64::MAX), "interaction.at_ms"),
        (changed(|i| i.at_ms = 4_102_444_800_000), "interaction.at_ms"),
        (changed(|i| i.channel = 6), "interaction.channel"),
        (changed(|i| i.language = "no tag".into()), "interaction.language"),
        (changed(|i| i.content = None), "interaction.content"),
        (changed(|i| i.nps = Some(11)), "interaction.nps"),
        (changed(|i| i.nps = Some(300)), "interaction.nps"),
        (changed(|i| i.csat = Some(1.5)), "interaction.csat"),
        (changed(|i| i.csat = Some(f64::NAN)), "interaction.csat"),
        (message("ann", "1", 0, &"x".repeat(1001)), "interaction.message.text"),
        (talk("ann", "1", vec![]), "interaction.conversation.turns"),
        (talk("ann", "1", vec![says("hi"); 4]), "interaction.conversation.turns"),
        (talk("ann", "1", vec![says("hi"), nobody]), "interaction.conversation.turns[1].role"),
        (
            talk("ann", "1", vec![says("hi"), says(&"x".repeat(1001))]),
            "interaction.conversation.turns[1].text",
        ),
    ] {
        assert_eq!(field(&client.record_interaction(asked(one)).await.unwrap_err()), at);
    }
    let none = client.record_interaction(v1::RecordInteractionRequest::default()).await.unwrap_err();
    assert_eq!(field(&none), "interaction");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_questions_name_the_field_at_fault() {
    let place = Place::file();
    let server = place.serve(&[("limits.batch_items", "2")]).await;
    let mut client = server.customers().await;
    let list = |change: fn(&mut v1::ListCustomersRequest)| {
        let mut request = v1::ListCustomersRequest::default();
        change(&mut request);
        request
    };
    for (request, at) in [
        (list(|r| r.tenant = "\0".into()), "tenant"),
        (list(|r| r.signal = 14), "signal"),
        (list(|r| r.signal = -1), "signal"),
        (list(|r| r.stage = 8), "stage"),
        (list(|r| r.churn_at_least = Some(1.1)), "churn_at_least"),
        (list(|r| r.churn_at_least = Some(f64::NAN)), "churn_at_least"),
        (list(|r| r.level_at_most = Some(-2.0)), "level_at_most"),
        (list(|r| r.page_size = 1001), "page_size"),
        (list(|r| r.page_token = "x".into()), "page_token"),
        (list(|r| r.page_token = "7ff8000000000000.ann".into()), "page_token"),
    ] {
        assert_eq!(field(&client.list_customers(request).await.unwrap_err()), at);
    }
    let timeline = |page_size, page_token: &str, customer: &str| v1::GetTimelineRequest {
        customer: customer.into(),
        page_size,
        page_token: page_token.into(),
        ..Default::default()
    };
    for (request, at) in [
        (timeline(201, "", "ann"), "page_size"),
        (timeline(0, "x.int_1", "ann"), "page_token"),
        (timeline(0, "12", "ann"), "page_token"),
        (timeline(0, "", ""), "customer"),
    ] {
        assert_eq!(field(&client.get_timeline(request).await.unwrap_err()), at);
    }
    assert_eq!(field(&client.get_customer(v1::GetCustomerRequest::default()).await.unwrap_err()), "customer");
    for cursor in ["-1", "soon", "99999999999999999999", " 1"] {
        let request = v1::WatchSignalsRequest { cursor: cursor.into(), ..Default::default() };
        assert_eq!(field(&client.watch_signals(request).await.unwrap_err()), "cursor", "{cursor}");
    }
    let erase = |customer: &str, actor: &str| v1::EraseCustomerRequest {
        customer: customer.into(),
        actor: actor.into(),
        ..Default::default()
    };
    assert_eq!(field(&client.erase_customer(erase("ann", "")).await.unwrap_err()), "actor");
    assert_eq!(field(&client.erase_customer(erase("", "dpo")).await.unwrap_err()), "customer");
    let export = v1::ExportCustomerRequest::default();
    assert_eq!(field(&client.export_customer(export).await.unwrap_err()), "customer");
    let interactions = vec![message("ann", "1", 0, "hi"); 3];
    let batch = v1::BatchRecordInteractionsRequest { interactions };
    assert_eq!(field(&client.batch_record_interactions(batch).await.unwrap_err()), "interactions");
    let entry = |account: v1::CustomerAccount| v1::CustomerImport {
        customer: "ann".into(),
        account: Some(account),
        ..Default::default()
    };
    let none = v1::CustomerAccount::default();
    for (entries, at) in [
        (vec![entry(none.clone()); 1001], "customers"),
        (vec![v1::CustomerImport::default()], "customers[0].customer"),
        (
            vec![entry(none.clone()), entry(v1::CustomerAccount { tier: "\n".into(), ..none.clone() })],
            "customers[1].account.tier",
        ),
        (
            vec![entry(v1::CustomerAccount { renewal_ms: Some(-1), ..none.clone() })],
            "customers[0].account.renewal_ms",
        ),
        (
            vec![entry(v1::CustomerAccount { since_ms: Some(i64::MAX), ..none.clone() })],
            "customers[0].account.since_ms",
        ),
    ] {
        let request = v1::ImportCustomersRequest { customers: entries };
        assert_eq!(field(&client.import_customers(request).await.unwrap_err()), at);
    }
    server.stop().await;
}

async fn health(server: &TestServer) -> ServingStatus {
    let request = HealthCheckRequest { service: "attune.v1.CustomerService".into() };
    HealthClient::new(server.channel().await).check(request).await.unwrap().into_inner().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_store_every_call_says_what_to_set_and_health_says_not_serving() {
    let server = TestServer::start(&[], steered()).await;
    let mut client = server.customers().await;
    let said = |status: tonic::Status| {
        assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
        assert!(status.message().contains("storage.url"), "{}", status.message());
    };
    said(client.record_interaction(asked(message("ann", "1", 0, "hi"))).await.unwrap_err());
    said(client.batch_record_interactions(v1::BatchRecordInteractionsRequest::default()).await.unwrap_err());
    said(client.get_customer(v1::GetCustomerRequest::default()).await.unwrap_err());
    said(client.list_customers(v1::ListCustomersRequest::default()).await.unwrap_err());
    said(client.get_timeline(v1::GetTimelineRequest::default()).await.unwrap_err());
    said(client.watch_signals(v1::WatchSignalsRequest::default()).await.unwrap_err());
    said(client.import_customers(v1::ImportCustomersRequest::default()).await.unwrap_err());
    said(client.export_customer(v1::ExportCustomerRequest::default()).await.unwrap_err());
    said(client.erase_customer(v1::EraseCustomerRequest::default()).await.unwrap_err());
    assert_eq!(health(&server).await, ServingStatus::NotServing);
    server.stop().await;
    let place = Place::file();
    let server = place.serve(&[]).await;
    server.models().await.list_models(v1::ListModelsRequest {}).await.unwrap();
    assert_eq!(health(&server).await, ServingStatus::Serving);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interaction_is_refused_where_there_is_no_room_and_a_batch_waits() {
    let gate = Gate::closed();
    gate.open();
    let factory = FakeFactory { gate: Some(gate.clone()), ..steered() };
    let settings = [("batching.queue_tokens", "1024"), ("batching.cache_mb", "0")];
    let place = Place::file();
    let server = place.serve_with(&settings, factory).await;
    let mut client = server.customers().await;
    record(&mut client, message("ann", "first", 0, "hello")).await;
    gate.shut();
    let call = |n: usize| {
        let mut client = client.clone();
        let one = message("ann", &n.to_string(), 0, &format!("call number {n} of many"));
        tokio::spawn(async move { client.record_interaction(asked(one)).await })
    };
    let mut calls: Vec<_> = (0..400).map(call).collect();
    while !calls.iter().any(tokio::task::JoinHandle::is_finished) {
        tokio::task::yield_now().await;
    }
    let waiting = {
        let mut client = client.clone();
        let interactions = (0..20).map(|n| message("bob", &format!("b{n}"), 0, "hello again")).collect();
        let request = v1::BatchRecordInteractionsRequest { interactions };
        tokio::spawn(async move { client.batch_record_interactions(request).await })
    };
    gate.open();
    let mut refused = 0;
    for call in calls.drain(..) {
        if let Err(status) = call.await.unwrap() {
            assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
            assert!(status.get_error_details().retry_info().is_some());
            refused += 1;
        }
    }
    assert!(refused > 0);
    assert_eq!(waiting.await.unwrap().unwrap().into_inner().results.len(), 20);
    assert_eq!(get(&mut client, "bob").await.interaction_count, 20);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_holds_while_the_store_is_busy_and_the_call_can_be_repeated() {
    let place = Place::file();
    let server = place.serve(&[]).await;
    let mut client = server.customers().await;
    record(&mut client, message("ann", "0", 0, "hello")).await;
    let holder =
        sqlx::SqlitePool::connect(&format!("sqlite:{}", place.path("attune.db").display())).await.unwrap();
    let held = holder.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let mut call = tonic::Request::new(asked(message("ann", "1", 0, "leaving")));
    call.set_timeout(Duration::from_millis(300));
    let status = client.record_interaction(call).await.unwrap_err();
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status:?}");
    // Readers don't wait for who writes.
    assert_eq!(get(&mut client, "ann").await.interaction_count, 1);
    held.rollback().await.unwrap();
    assert!(!record(&mut client, message("ann", "1", 0, "leaving")).await.already_recorded);
    assert_eq!(get(&mut client, "ann").await.interaction_count, 2);
    server.stop().await;
}
