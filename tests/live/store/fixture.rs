//! Fresh stores, records, and a decision that is easy to foresee.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use attune::lifecycle::profile::Churn;
use attune::lifecycle::{Observation, Profile, Signal, SignalKind};
use attune::storage::postgres::PostgresStore;
use attune::storage::sqlite::SqliteStore;
use attune::storage::{
    AssessmentRecord, CustomerKey, CustomerState, Decide, Decision, KeptText, OutboxEvent, Record, Store,
};
use sqlx::{Connection, Executor};

pub(super) type AnyStore = Arc<dyn Store>;

pub(crate) struct SqliteFile {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) directory: tempfile::TempDir,
}

pub(crate) async fn sqlite() -> SqliteFile {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&directory.path().join("attune.db")).await.unwrap();
    store.migrate().await.unwrap();
    SqliteFile { store: Arc::new(store), directory }
}

/// A database of its own for one test.
pub(crate) struct Database {
    pub(crate) store: Arc<PostgresStore>,
    pub(crate) url: String,
    server: String,
    name: String,
}

impl Database {
    pub(crate) async fn drop(self) {
        drop(self.store);
        drop_database(&self.server, &self.name).await;
    }
}

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// Where PostgreSQL is; its user may make databases.
fn server() -> String {
    std::env::var("ATTUNE_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned())
}

/// Takes a database away that a test has made.
pub(crate) async fn drop_database(server: &str, name: &str) {
    let mut connection = sqlx::PgConnection::connect(server).await.unwrap();
    let statement = format!("DROP DATABASE {name} WITH (FORCE)");
    connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
}

/// An empty database without tables: its URL, the server's, and its name.
pub(crate) async fn bare_postgres() -> Option<(String, String, String)> {
    let server = server();
    let mut connection = match sqlx::PgConnection::connect(&server).await {
        Ok(connection) => connection,
        Err(error) => {
            eprintln!("PostgreSQL is not there, so this says nothing of it: {error}");
            return None;
        }
    };
    let name = format!("attune_test_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
    connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let (front, _) = server.rsplit_once('/').unwrap();
    Some((format!("{front}/{name}"), server, name))
}

pub(crate) async fn postgres() -> Option<Database> {
    let (url, server, name) = bare_postgres().await?;
    let store = Arc::new(PostgresStore::connect(&url, 8).await.unwrap());
    store.migrate().await.unwrap();
    Some(Database { store, url, server, name })
}

pub(super) fn key(customer: &str) -> CustomerKey {
    CustomerKey::new("acme", customer)
}

/// A message of `customer` at `at_ms`, with a score.
pub(super) fn message(customer: &str, external_id: &str, at_ms: i64, score: f64) -> Record {
    Record {
        key: key(customer),
        mark: format!("mark of {customer}"),
        id: format!("acme-desk-{external_id}"),
        source: "desk".into(),
        external_id: external_id.into(),
        kind: "message",
        received_ms: at_ms + 5,
        text: KeptText { text: Some(format!("text of {external_id}")), hash: Some("ab12".into()) },
        assessment: AssessmentRecord {
            model: "m@1".into(),
            policy: String::new(),
            status: "ok".into(),
            language: Some("en".into()),
            score: Some(score),
            label: Some("negative".into()),
            emotion: None,
            body: r#"{"coverage": 1.0}"#.into(),
            scored_ms: at_ms + 7,
        },
        observation: Observation {
            id: format!("acme-desk-{external_id}"),
            at_ms,
            channel: "chat".into(),
            score: Some(score),
            cues: vec![("urgency".into(), 0.7)],
            nps: None,
            csat: None,
            escalation: 0.0,
            recovered: false,
        },
        conversation: None,
    }
}

/// Each added message with a score below −0.5 is a signal, with an event to the sinks `a` and `b`. The risk of leaving is the
/// share of such messages, the level the mean.
pub(super) struct Simple;

impl Decide for Simple {
    fn decide(
        &self,
        _key: &CustomerKey,
        state: &CustomerState,
        added: &[&Record],
    ) -> Result<Decision, attune::error::Error> {
        let scores: Vec<f64> = state.observations.iter().filter_map(|o| o.score).collect();
        let bad = scores.iter().filter(|score| **score < -0.5).count() as f64;
        let count = scores.len().max(1) as f64;
        let (probability, reasons) = (bad / count, Vec::new());
        let profile = Profile {
            as_of_ms: state.observations.last().map_or(0, |o| o.at_ms),
            observations: state.observations.len() as u32,
            level: Some(scores.iter().sum::<f64>() / count),
            stage: state.account.stage,
            churn: Some(Churn { log_odds: 0.0, probability, base: 0.0, reasons }),
            ..Profile::default()
        };
        let told: Vec<&&Record> = added.iter().filter(|r| r.assessment.score < Some(-0.5)).collect();
        let signals = told.iter().map(|record| (format!("signal-{}", record.id), signal(record))).collect();
        let events = told.iter().flat_map(|record| ["a", "b"].map(|sink| event(record, sink))).collect();
        Ok(Decision { profile, memory: state.memory.clone(), signals, events })
    }
}

fn signal(record: &Record) -> Signal {
    Signal {
        kind: SignalKind::SentimentDrop,
        at_ms: record.observation.at_ms,
        ordinal: 1,
        value: -0.7,
        reasons: Vec::new(),
        cause: record.id.clone(),
    }
}

fn event(record: &Record, sink: &str) -> OutboxEvent {
    OutboxEvent {
        id: format!("signal-{}", record.id),
        sink: sink.into(),
        kind: "sentiment_drop".into(),
        at_ms: record.observation.at_ms,
        body: format!(r#"{{"subject": "{}"}}"#, record.key.customer),
    }
}

/// Keeps records one after the other.
pub(super) async fn keep(store: &AnyStore, records: &[Record]) {
    for record in records {
        store.record(std::slice::from_ref(record), &Simple).await.unwrap();
    }
}
