//! The stream worker over a stream in memory and the deterministic backend: what is acknowledged when, and what becomes of
//! everything else.

use std::sync::Arc;
use std::time::Duration;

use attune::app::customers::build_customers;
use attune::app::{build_analyzer, build_monitor};
use attune::model::ModelBundle;
use attune::pipeline::Models;
use attune::storage::Store;
use attune::stream::{Answer, Worker, WorkerSettings};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::fake_stream::{FakeStream, Said};
use crate::flaky_store::FlakyStore;
use crate::support::{config, steered};

struct Bench {
    stream: Arc<FakeStream>,
    store: Arc<FlakyStore>,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
}

impl Bench {
    /// A worker of two messages a batch.
    async fn start(stream: FakeStream, store: FlakyStore) -> Self {
        let config = config(&[("privacy.keep_text", "full")]);
        let bundle = ModelBundle::load_embedded().unwrap();
        let models = Models::new(Arc::new(build_analyzer(&config, &bundle, &steered()).unwrap()));
        let policies = build_monitor(&config).unwrap().policy_source();
        let (stream, store) = (Arc::new(stream), Arc::new(store));
        let customers =
            build_customers(&config, &models, policies, Arc::clone(&store) as Arc<dyn Store>).await.unwrap();
        let settings = WorkerSettings {
            subject_prefix: "attune".into(),
            durable: "w".into(),
            batch: 2,
            max_deliver: 3,
            ack_wait: Duration::from_secs(60),
        };
        let stop = CancellationToken::new();
        let worker = Worker::new(Arc::new(customers), Arc::clone(&stream) as _, settings, stop.clone());
        Self { stream, store, stop, running: tokio::spawn(worker.run()) }
    }

    /// Waits until every message is answered for good, and ends the worker.
    async fn end(self) -> (Arc<FakeStream>, Arc<FlakyStore>) {
        self.stream.settled().await;
        self.stop.cancel();
        self.running.await.unwrap();
        (self.stream, self.store)
    }
}

fn message(n: usize) -> Value {
    json!({"tenant": "acme", "customer": format!("c-{}", n % 3), "source": "desk", "id": format!("m-{n}"),
        "at": 1_767_323_045_000_i64 + n as i64, "text": format!("furious again {n}")})
}

fn stream(messages: &[Value]) -> FakeStream {
    FakeStream::new(messages.iter().map(|message| message.to_string().into_bytes()).collect())
}

async fn kept(store: &FlakyStore) -> usize {
    let mut kept = 0;
    for customer in ["c-0", "c-1", "c-2"] {
        let key = attune::storage::CustomerKey::new("acme", customer);
        kept += attune::storage::CustomerStore::timeline(store, &key, None, 100).await.unwrap().len();
    }
    kept
}

/// Places of what was published in the assessments' subject, and of what was answered.
fn order(stream: &FakeStream) -> Vec<String> {
    let show = |said: &Said| match said {
        Said::Published(message) => format!("publish {}", message.subject),
        Said::Answered(sequence, answer) => format!("{answer:?} {sequence}"),
    };
    stream.said().iter().map(show).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_acknowledged_after_it_is_kept_and_told_of() {
    let bench = Bench::start(stream(&[message(0), message(1), message(2)]), FlakyStore::default()).await;
    let (stream, store) = bench.end().await;
    assert_eq!(kept(&store).await, 3);
    let said = order(&stream);
    for sequence in 1..=3 {
        let ack = said.iter().position(|s| *s == format!("Ack {sequence}")).unwrap();
        let told = said[..ack].iter().filter(|s| *s == "publish attune.assessments.acme").count();
        assert!(told >= sequence, "{said:?}");
    }
    assert_eq!(said.len(), 6, "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_goes_as_it_came_to_the_dead_letters_and_not_its_neighbours() {
    let mut huge = message(3);
    huge["text"] = "x".repeat(2 << 20).into();
    let poison =
        [b"no json, canary".to_vec(), json!({"tenant": "acme", "customer": 4}).to_string().into_bytes()];
    let mut payloads = vec![message(0).to_string().into_bytes()];
    payloads.extend(poison.clone());
    payloads.extend([huge, message(1)].map(|message| message.to_string().into_bytes()));
    let (stream, store) = Bench::start(FakeStream::new(payloads), FlakyStore::default()).await.end().await;
    assert_eq!(kept(&store).await, 2);
    let dead = stream.published(".dead.");
    let subjects: Vec<&str> = dead.iter().map(|letter| letter.subject.as_str()).collect();
    assert_eq!(subjects, ["attune.dead._", "attune.dead.acme", "attune.dead.acme"]);
    assert_eq!(dead[0].payload, poison[0]);
    let header = |n: usize, name: &str| {
        dead[n].headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.clone()).unwrap()
    };
    assert_eq!(header(0, "Attune-Reason"), "payload: is no JSON, from line 1, column 2");
    assert_eq!(header(1, "Attune-Reason"), "customer: expected a string");
    assert_eq!(
        (header(1, "Attune-Deliveries"), header(1, "Attune-Kind")),
        ("1".into(), "InvalidInput".into())
    );
    assert_eq!(header(0, "Attune-Subject"), "attune.interactions.acme");
    for (sequence, answer) in
        [(1, Answer::Ack), (2, Answer::Term), (3, Answer::Term), (4, Answer::Term), (5, Answer::Ack)]
    {
        assert_eq!(stream.answers(sequence), [answer], "{sequence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_for_a_moment_is_waited_for_and_nothing_is_lost() {
    let messages: Vec<Value> = (0..7).map(message).collect();
    let (stream, store) = Bench::start(stream(&messages), FlakyStore::away(3)).await.end().await;
    assert_eq!(kept(&store).await, 7);
    assert_eq!(stream.published(".assessments.").len(), 7);
    for sequence in 1..=7 {
        assert_eq!(stream.answers(sequence), [Answer::Ack]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_a_store_can_not_take_does_not_keep_the_others_out_and_is_given_up_after_its_tries() {
    let mut bad = message(1);
    bad["id"] = "poison".into();
    let (stream, store) =
        Bench::start(stream(&[message(0), bad, message(2)]), FlakyStore::refusing("poison"))
            .await
            .end()
            .await;
    assert_eq!(kept(&store).await, 2);
    assert_eq!(stream.published(".dead.").len(), 1);
    let second = Duration::from_secs(1);
    assert_eq!(stream.answers(2), [Answer::Nak(second), Answer::Nak(2 * second), Answer::Term]);
    assert_eq!((stream.answers(1), stream.answers(3)), (vec![Answer::Ack], vec![Answer::Ack]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_already_is_told_of_again_as_it_is_stored() {
    let (first, store) = Bench::start(stream(&[message(0)]), FlakyStore::default()).await.end().await;
    let again = FlakyStore::over(&store);
    // The same interaction by another text: what is stored counts.
    let mut changed = message(0);
    changed["text"] = "wonderful".into();
    let (second, store) = Bench::start(stream(&[changed]), again).await.end().await;
    assert_eq!(kept(&store).await, 1);
    assert_eq!(first.published(".assessments."), second.published(".assessments."));
    assert_eq!(second.answers(1), [Answer::Ack]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_never_answered_for_good_is_given_up_without_being_read() {
    let stream = stream(&[message(0), message(1)]);
    stream.delivered(1, 31);
    let (stream, store) = Bench::start(stream, FlakyStore::default()).await.end().await;
    assert_eq!((stream.answers(1), kept(&store).await), (vec![Answer::Term], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_does_not_take_what_is_told_is_asked_again_before_anything_is_acknowledged() {
    let stream = stream(&[message(0), message(1)]);
    stream.refuse_to_publish(2);
    let (stream, _) = Bench::start(stream, FlakyStore::default()).await.end().await;
    assert_eq!(stream.published(".assessments.").len(), 2);
    assert_eq!((stream.answers(1), stream.answers(2)), (vec![Answer::Ack], vec![Answer::Ack]));
}
