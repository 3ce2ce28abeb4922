//! The stream worker against a real NATS and a real PostgreSQL; without them the tests say so and pass.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{self, consumer, stream::Stream};
use attune::app::build_monitor;
use attune::app::customers::build_customers;
use attune::config::{Config, Sources};
use attune::pipeline::Models;
use attune::storage::postgres::PostgresStore;
use attune::storage::{CustomerKey, CustomerStore};
use attune::stream::nats::{JetStream, Login, NatsSettings};
use attune::stream::{Transport, Worker, WorkerSettings};
use futures_util::StreamExt;
use serde_json::{Value, json};
use sqlx::{Connection, Row};
use tokio_util::sync::CancellationToken;

use crate::reader::models;
use crate::store::fixture::{self, Database};

/// Longest wait for what has to come.
const SOON: Duration = Duration::from_secs(120);
/// NATS gives to somebody else what is not answered after so long.
const ACK_WAIT: Duration = Duration::from_secs(2);

/// Streams and a database of its own.
struct Own {
    prefix: String,
    context: jetstream::Context,
    database: Database,
    models: Models,
}

fn url() -> String {
    std::env::var("NATS_URL").unwrap_or_else(|_| "nats://127.0.0.1:4222".to_owned())
}

fn interaction(n: usize) -> Value {
    json!({"tenant": "acme", "customer": format!("c-{}", n % 4), "source": "desk", "id": format!("m-{n}"),
        "at": 1_767_323_045_000_i64 + n as i64 * 1000, "text": format!("It broke again, number {n}. I want to cancel.")})
}

impl Own {
    async fn make(test: &str) -> Option<Self> {
        attune::runtime::tls::install();
        let Ok(client) = async_nats::connect(url()).await else {
            eprintln!("{test}: no NATS at {}; start nats-server -js, or set NATS_URL", url());
            return None;
        };
        let database = fixture::postgres().await?;
        let prefix = format!("attune-test-{}", uuid::Uuid::new_v4().simple());
        let own = Self { prefix, context: jetstream::new(client), database, models: models() };
        own.transport().await.prepare().await.unwrap();
        Some(own)
    }

    async fn transport(&self) -> JetStream {
        connect(&self.prefix).await
    }

    async fn publish(&self, payload: impl Into<Vec<u8>>) {
        let subject = format!("{}.interactions.acme", self.prefix);
        self.context.publish(subject, payload.into().into()).await.unwrap().await.unwrap();
    }

    async fn work(&self, batch: usize) -> (CancellationToken, tokio::task::JoinHandle<()>) {
        let stop = CancellationToken::new();
        let worker = worker(&self.models, &self.database.url, &self.prefix, batch, stop.clone()).await;
        (stop, tokio::spawn(worker.run()))
    }

    async fn stream(&self, suffix: &str) -> Stream {
        self.context.get_stream(format!("{}{suffix}", self.prefix)).await.unwrap()
    }

    /// The first messages of a stream, as soon as there are so many.
    async fn first(&self, suffix: &str, many: usize) -> Vec<async_nats::jetstream::Message> {
        let config = consumer::pull::Config::default();
        let consumer = self.stream(suffix).await.create_consumer(config).await.unwrap();
        let messages = consumer.messages().await.unwrap().take(many);
        let all = messages.map(|message| message.unwrap()).collect();
        tokio::time::timeout(SOON, all).await.unwrap()
    }

    async fn waiting(&self) -> u64 {
        self.stream("").await.info().await.unwrap().state.messages
    }

    /// External ids of all that is kept.
    async fn kept(&self) -> Vec<String> {
        let mut connection = sqlx::PgConnection::connect(&self.database.url).await.unwrap();
        let query = "SELECT external_id FROM interactions JOIN assessments ON interaction = id ORDER BY 1";
        let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn remove(self) {
        for suffix in ["", "_EVENTS", "_DEAD"] {
            self.context.delete_stream(format!("{}{suffix}", self.prefix)).await.unwrap();
        }
        self.database.drop().await;
    }
}

async fn connect(prefix: &str) -> JetStream {
    let (stream, subject_prefix, durable) = (prefix.to_owned(), prefix.to_owned(), "w".to_owned());
    let (url, login) = (url(), Login::Nobody);
    let settings =
        NatsSettings { url, login, stream, subject_prefix, durable, batch: 16, ack_wait: ACK_WAIT };
    JetStream::connect(settings).await.unwrap()
}

async fn worker(models: &Models, url: &str, prefix: &str, batch: usize, stop: CancellationToken) -> Worker {
    let config = Config::load(&Sources::default()).unwrap();
    let policies = build_monitor(&config).unwrap().policy_source();
    let store = PostgresStore::connect(url, 4).await.unwrap();
    let customers = build_customers(&config, models, policies, Arc::new(store)).await.unwrap();
    let transport = connect(prefix).await;
    transport.prepare().await.unwrap();
    let (subject_prefix, durable) = (prefix.to_owned(), "w".to_owned());
    let settings = WorkerSettings { subject_prefix, durable, batch, max_deliver: 3, ack_wait: ACK_WAIT };
    Worker::new(Arc::new(customers), Arc::new(transport), settings, stop)
}

fn header(message: &async_nats::jetstream::Message, name: &str) -> String {
    message.headers.as_ref().unwrap().get(name).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn interactions_are_kept_told_of_and_gone_from_the_queue_and_poison_is_a_dead_letter() {
    let Some(own) = Own::make("worker").await else { return };
    let mut survey = interaction(1);
    survey["kind"] = "survey".into();
    survey["nps"] = 2.into();
    let mut talk = interaction(2);
    let turns =
        json!([{"role": "agent", "text": "How can I help?"}, {"role": "customer", "text": "Nothing works."}]);
    (talk["text"], talk["turns"]) = (Value::Null, turns);
    for message in [&interaction(0), &survey, &talk, &interaction(0)] {
        own.publish(message.to_string()).await;
    }
    own.publish("no json, canary").await;
    let (stop, running) = own.work(16).await;
    let dead = own.first("_DEAD", 1).await;
    let told = own.first("_EVENTS", 3).await;
    stop.cancel();
    running.await.unwrap();
    assert_eq!(own.kept().await, ["m-0", "m-1", "m-2"]);
    assert_eq!(own.waiting().await, 0, "what is answered is gone");
    let subject = format!("{}.assessments.acme", own.prefix);
    assert!(told.iter().all(|event| event.subject.as_str() == subject));
    let event: Value = serde_json::from_slice(&told[0].payload).unwrap();
    assert_eq!(
        (event["id"].as_str().unwrap(), &event["data"]["source_id"]),
        (header(&told[0], "Nats-Msg-Id").as_str(), &json!("m-0"))
    );
    // The repetition was told of again, and the stream knew its id.
    assert_eq!(own.stream("_EVENTS").await.info().await.unwrap().state.messages, 3);
    assert_eq!(dead[0].subject.as_str(), format!("{}.dead._", own.prefix));
    assert_eq!(&dead[0].payload[..], b"no json, canary");
    assert_eq!(header(&dead[0], "Attune-Reason"), "payload: is no JSON, from line 1, column 2");
    let key = CustomerKey::new("acme", "c-0");
    assert!(own.database.store.customer(&key).await.unwrap().unwrap().profile.level.is_some());
    own.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_the_queue_and_keep_everything_once() {
    let Some(own) = Own::make("workers").await else { return };
    for n in 0..60 {
        own.publish(interaction(n).to_string()).await;
    }
    let workers = [own.work(4).await, own.work(4).await];
    own.first("_EVENTS", 60).await;
    for (stop, running) in workers {
        stop.cancel();
        running.await.unwrap();
    }
    assert_eq!((own.kept().await.len(), own.waiting().await), (60, 0));
    own.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_leaves_behind_that_is_gone_is_taken_up_and_kept_once() {
    let Some(own) = Own::make("gone").await else { return };
    for n in 0..60 {
        own.publish(interaction(n).to_string()).await;
    }
    // A runtime that ends takes everything in it with it, as a process does.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (models, prefix) = (own.models.clone(), own.prefix.clone());
    let url = own.database.url.clone();
    runtime.spawn(async move {
        let worker = worker(&models, &url, &prefix, 4, CancellationToken::new()).await;
        worker.run().await;
    });
    own.first("_EVENTS", 1).await;
    runtime.shutdown_background();
    let (stop, running) = own.work(4).await;
    own.first("_EVENTS", 60).await;
    stop.cancel();
    running.await.unwrap();
    assert_eq!((own.kept().await.len(), own.waiting().await), (60, 0));
    own.remove().await;
}
