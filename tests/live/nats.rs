//! The NATS sink against a real server, at NATS_URL or on this host's usual port. Without one the tests say so and pass.

use std::time::Duration;

use async_nats::jetstream::{self, stream::Stream};
use attune::sinks::nats::{Login, Nats, NatsSettings};
use attune::sinks::{Failure, Sink};
use attune::storage::{Delivery, OutboxEvent};
use futures_util::StreamExt;

/// A stream of its own, in the memory of the server; a test that ends well removes it.
struct Own {
    url: String,
    prefix: String,
    context: jetstream::Context,
    stream: Stream,
}

fn url() -> String {
    std::env::var("NATS_URL").unwrap_or_else(|_| "nats://127.0.0.1:4222".to_owned())
}

fn absent() -> String {
    format!("no NATS at {}: start nats-server -js, or set NATS_URL", url())
}

impl Own {
    async fn make() -> Option<Self> {
        attune::runtime::tls::install();
        let Ok(client) = async_nats::connect(url()).await else {
            return None;
        };
        let context = jetstream::new(client);
        let prefix = format!("attune-test-{}", uuid::Uuid::new_v4().simple());
        let config = jetstream::stream::Config {
            name: prefix.clone(),
            subjects: vec![format!("{prefix}.>")],
            max_age: Duration::from_secs(600),
            storage: jetstream::stream::StorageType::Memory,
            ..Default::default()
        };
        let stream = context.create_stream(config).await.unwrap();
        Some(Self { url: url(), prefix, context, stream })
    }

    fn sink(&self, prefix: &str) -> Nats {
        Nats::build(NatsSettings {
            url: self.url.clone(),
            subject_prefix: prefix.to_owned(),
            login: Login::Nobody,
            timeout: Duration::from_secs(5),
        })
        .unwrap()
    }

    async fn messages(&mut self) -> u64 {
        self.stream.info().await.unwrap().state.messages
    }

    async fn remove(self) {
        self.context.delete_stream(&self.prefix).await.unwrap();
    }
}

fn delivery(id: &str, kind: &str, body: String) -> Delivery {
    let event = OutboxEvent { id: id.into(), sink: "bus".into(), kind: kind.into(), at_ms: 0, body };
    Delivery { sequence: 1, tenant: "a.b".into(), customer: "c-1".into(), event, attempts: 0, error: None }
}

#[tokio::test]
async fn an_event_is_in_the_stream_once_however_often_it_is_sent() {
    let Some(mut own) = Own::make().await else { return println!("{}", absent()) };
    let sink = own.sink(&own.prefix);
    for id in ["sig_1", "sig_2", "sig_1", "sig_1"] {
        sink.send(&delivery(id, "nps_conflict", format!("{{\"id\":\"{id}\"}}"))).await.unwrap();
    }
    sink.send(&delivery("asm_1", "assessment", "{}".into())).await.unwrap();
    assert_eq!(own.messages().await, 3);
    // Another process that sends the same is told the same.
    own.sink(&own.prefix).send(&delivery("sig_2", "nps_conflict", "{}".into())).await.unwrap();
    assert_eq!(own.messages().await, 3);
    let consumer = own.stream.create_consumer(jetstream::consumer::pull::Config::default()).await.unwrap();
    let messages = consumer.fetch().max_messages(3).messages().await.unwrap();
    let found: Vec<_> = messages.map(|message| message.unwrap()).collect().await;
    let subjects: Vec<String> = found.iter().map(|message| message.subject.to_string()).collect();
    let signal = format!("{}.signals.a%2Eb.nps_conflict", own.prefix);
    assert_eq!(subjects, [signal.clone(), signal, format!("{}.assessments.a%2Eb", own.prefix)]);
    let headers = found[0].headers.as_ref().unwrap();
    assert_eq!(headers.get("Nats-Msg-Id").unwrap().as_str(), "sig_1");
    assert_eq!(&found[0].payload[..], b"{\"id\":\"sig_1\"}");
    own.remove().await;
}

#[tokio::test]
async fn what_no_stream_listens_to_is_tried_again_and_what_is_too_large_is_not() {
    let Some(own) = Own::make().await else { return println!("{}", absent()) };
    let nowhere = own.sink(&format!("{}-nowhere", own.prefix));
    let failure = nowhere.send(&delivery("sig_1", "nps_conflict", "{}".into())).await.unwrap_err();
    assert_eq!(failure, Failure::retry("no stream of JetStream listens to the subject"));
    let huge = delivery("sig_1", "nps_conflict", "x".repeat(64 << 20));
    let failure = own.sink(&own.prefix).send(&huge).await.unwrap_err();
    assert_eq!(failure, Failure::permanent("larger than NATS takes (max_payload)"));
    own.remove().await;
}

#[tokio::test]
async fn without_a_server_an_event_is_tried_again() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let sink = Nats::build(NatsSettings {
        url: format!("nats://127.0.0.1:{port}"),
        subject_prefix: "attune".to_owned(),
        login: Login::Nobody,
        timeout: Duration::from_secs(2),
    });
    let failure = sink.unwrap().send(&delivery("sig_1", "nps_conflict", "{}".into())).await.unwrap_err();
    assert!(matches!(failure, Failure::Retry { .. }), "{failure:?}");
    assert!(failure.error().starts_with("no connection to NATS"), "{failure:?}");
}
