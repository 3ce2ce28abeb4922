//! The webhook sink against a receiver on port 0: what it sends, what it makes of each answer, and where it won't go.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use attune::error::Error;
use attune::events;
use attune::sinks::target::Targets;
use attune::sinks::webhook::{Method, Webhook, WebhookSettings};
use attune::sinks::{DispatchSettings, Dispatcher, Failure, Secret, Sink, dispatch, mapping::Mapping};
use attune::storage::{DeadFilter, Delivery, Outbox, OutboxEvent, Outcome};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

type Request = (axum::http::Method, HeaderMap, Bytes);
type Answers = Arc<dyn Fn() -> Response + Send + Sync>;

/// A receiver that answers as it is told, and says what it was sent.
struct Receiver {
    address: std::net::SocketAddr,
    requests: mpsc::UnboundedReceiver<Request>,
}

impl Receiver {
    async fn start(answer: impl Fn() -> Response + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, requests) = mpsc::unbounded_channel();
        let router = Router::new().fallback(any(receive)).with_state((tell, Arc::new(answer) as Answers));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, requests }
    }

    fn settings(&self) -> WebhookSettings {
        WebhookSettings {
            url: format!("http://{}/hook/canary", self.address),
            method: Method::POST,
            targets: Targets::parse(true, &["127.0.0.0/8".into()]).unwrap(),
            secrets: vec![Secret::Value(OLD.into())],
            headers: Vec::new(),
            mapping: None,
            timeout: Duration::from_secs(5),
        }
    }

    async fn sink(&self) -> Webhook {
        Webhook::build(self.settings()).await.unwrap()
    }
}

async fn receive(
    State((tell, answer)): State<(mpsc::UnboundedSender<Request>, Answers)>,
    method: axum::http::Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let _ = tell.send((method, headers, body));
    answer()
}

fn ok() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

fn delivery() -> Delivery {
    let event = events::samples("churn_risk_raised").unwrap().remove(0);
    Delivery {
        sequence: 1,
        tenant: "acme".into(),
        customer: "c-1".into(),
        event: OutboxEvent {
            id: event.id,
            sink: "crm".into(),
            kind: event.kind.into(),
            at_ms: event.at_ms,
            body: event.body,
        },
        attempts: 0,
        error: None,
    }
}

fn verifies(secret: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    standardwebhooks::Webhook::new(secret).unwrap().verify(body, headers).is_ok()
}

#[tokio::test]
async fn the_event_arrives_byte_by_byte_with_a_signature_for_each_secret() {
    let mut receiver = Receiver::start(ok).await;
    let secrets = [OLD, NEW].map(|secret| Secret::Value(secret.into())).to_vec();
    let sink = Webhook::build(WebhookSettings { secrets, ..receiver.settings() }).await.unwrap();
    let sent = delivery();
    sink.send(&sent).await.unwrap();
    let (method, headers, body) = receiver.requests.recv().await.unwrap();
    assert_eq!((method, &body[..]), (axum::http::Method::POST, sent.event.body.as_bytes()));
    assert_eq!(headers["webhook-id"], sent.event.id.as_str());
    assert_eq!(headers[header::CONTENT_TYPE], "application/cloudevents+json; charset=utf-8");
    assert!(headers[header::USER_AGENT].to_str().unwrap().starts_with("attune/"));
    for secret in [OLD, NEW] {
        assert!(verifies(secret, &headers, &body), "{secret}");
    }
    let other = "whsec_////////////////////////////////////////";
    assert!(!verifies(other, &headers, &body));
    assert!(!verifies(OLD, &headers, &[&body[..], b" "].concat()));
}

#[tokio::test]
async fn a_mapping_makes_the_body_and_headers_are_sent_along() {
    let mut receiver = Receiver::start(ok).await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "Bearer one\n").unwrap();
    let settings = WebhookSettings {
        method: Method::PATCH,
        mapping: Some(Arc::new(Mapping::load("hubspot").unwrap())),
        headers: vec![("Authorization".into(), Secret::File(token.clone()))],
        ..receiver.settings()
    };
    let sink = Webhook::build(settings).await.unwrap();
    for bearer in ["Bearer one", "Bearer two"] {
        // Somebody renews the token while attune runs.
        std::fs::write(&token, bearer).unwrap();
        sink.send(&delivery()).await.unwrap();
        let (method, headers, body) = receiver.requests.recv().await.unwrap();
        assert_eq!((method.as_str(), &headers[header::AUTHORIZATION]), ("PATCH", &bearer.parse().unwrap()));
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        assert!(verifies(OLD, &headers, &body), "what is sent is what is signed");
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["inputs"][0]["properties"]["attune_signal"], "churn_risk_raised");
    }
}

#[tokio::test]
async fn every_answer_has_its_meaning_and_no_error_says_what_was_sent_or_where() {
    for (code, headers, meaning) in [
        (200, vec![], "delivered"),
        (204, vec![], "delivered"),
        (301, vec![("location", "/elsewhere")], "permanent"),
        (307, vec![("location", "/elsewhere")], "permanent"),
        (400, vec![], "permanent"),
        (401, vec![], "permanent"),
        (404, vec![], "permanent"),
        (408, vec![], "retry"),
        (410, vec![], "gone"),
        (425, vec![], "retry"),
        (429, vec![("retry-after", "7")], "retry after 7"),
        (500, vec![], "retry"),
        (503, vec![("retry-after", "999999")], "retry after 3600"),
    ] {
        let mut receiver = Receiver::start(move || {
            let mut answer = (StatusCode::from_u16(code).unwrap(), "canary").into_response();
            for (name, value) in &headers {
                answer.headers_mut().insert(*name, value.parse().unwrap());
            }
            answer
        })
        .await;
        let found = receiver.sink().await.send(&delivery()).await;
        let said = match &found {
            Ok(()) => "delivered".to_owned(),
            Err(Failure::Retry { after: Some(after), .. }) => format!("retry after {}", after.as_secs()),
            Err(Failure::Retry { .. }) => "retry".to_owned(),
            Err(Failure::Permanent { .. }) => "permanent".to_owned(),
            Err(Failure::Gone { .. }) => "gone".to_owned(),
        };
        assert_eq!(said, meaning, "{code}");
        assert!(!format!("{found:?}").contains("canary"), "{found:?}");
        receiver.requests.recv().await.unwrap();
        assert!(receiver.requests.try_recv().is_err(), "{code}: asked once, and no redirect is followed");
    }
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_in_time_is_asked_again_later() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_, requests) = mpsc::unbounded_channel();
    let receiver = Receiver { address, requests };
    // The connection stands in the listener's queue, and nobody takes it.
    let settings = WebhookSettings { timeout: Duration::from_millis(200), ..receiver.settings() };
    let failure = Webhook::build(settings).await.unwrap().send(&delivery()).await.unwrap_err();
    assert_eq!(failure, Failure::retry("127.0.0.1 did not answer within 200 ms"));
    drop(listener);
    let failure = receiver.sink().await.send(&delivery()).await.unwrap_err();
    assert!(failure.error().starts_with("no connection to 127.0.0.1: "), "{failure:?}");
    assert!(matches!(failure, Failure::Retry { .. }) && !failure.error().contains("canary"));
}

#[tokio::test]
async fn an_answer_without_an_end_is_neither_read_to_it_nor_waited_for() {
    type Piece = Result<Bytes, std::io::Error>;
    let huge: fn() -> Response = || {
        let pieces = futures_util::stream::repeat_with(|| Piece::Ok(Bytes::from(vec![0; 65_536])));
        axum::body::Body::from_stream(pieces).into_response()
    };
    let slow: fn() -> Response =
        || axum::body::Body::from_stream(futures_util::stream::pending::<Piece>()).into_response();
    for answer in [huge, slow] {
        let mut receiver = Receiver::start(answer).await;
        let sink = receiver.sink().await;
        for _ in 0..2 {
            tokio::time::timeout(Duration::from_secs(3), sink.send(&delivery())).await.unwrap().unwrap();
            receiver.requests.recv().await.unwrap();
        }
    }
}

/// Six events of two customers, in the order of the port.
#[derive(Default)]
struct Kept(Mutex<Vec<(Delivery, i64, bool)>>);

#[async_trait::async_trait]
impl Outbox for Kept {
    async fn claim(&self, _: &str, _: usize, now_ms: i64, _: i64) -> Result<Vec<Delivery>, Error> {
        let (mut taken, mut held) = (Vec::new(), HashSet::new());
        for (waiting, due_ms, _) in self.0.lock().unwrap().iter().filter(|(.., done)| !done) {
            if *due_ms <= now_ms && !held.contains(&waiting.customer) {
                taken.push(waiting.clone());
            } else {
                held.insert(waiting.customer.clone());
            }
        }
        Ok(taken)
    }

    async fn settle(&self, outcomes: &[(u64, Outcome)], _: i64) -> Result<(), Error> {
        for (sequence, outcome) in outcomes {
            let row = &mut self.0.lock().unwrap()[*sequence as usize];
            match outcome {
                Outcome::Retry { at_ms, .. } => (row.0.attempts, row.1) = (row.0.attempts + 1, *at_ms),
                Outcome::Released => {}
                _ => row.2 = true,
            }
        }
        Ok(())
    }

    async fn dead(&self, _: &DeadFilter) -> Result<Vec<Delivery>, Error> {
        Ok(Vec::new())
    }

    async fn replay(&self, _: &DeadFilter, _: i64) -> Result<u64, Error> {
        Ok(0)
    }

    async fn backlog(&self) -> Result<Vec<(String, u64, u64)>, Error> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn what_a_receiver_refuses_for_now_comes_again_and_before_what_is_behind_it() {
    let asked = AtomicUsize::new(0);
    let answer = move || match asked.fetch_add(1, Ordering::Relaxed) {
        0 | 1 | 4 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        _ => ok(),
    };
    let mut receiver = Receiver::start(answer).await;
    let outbox = Arc::new(Kept::default());
    for n in 0..6u64 {
        let mut sent = Delivery { sequence: n, customer: format!("c{}", n % 2), ..delivery() };
        sent.event.id = format!("sig_{n}");
        outbox.0.lock().unwrap().push((sent, 0, false));
    }
    let settings = DispatchSettings {
        sink: "crm".into(),
        timeout: Duration::from_secs(10),
        max_attempts: 5,
        concurrency: 2,
        seed: 1,
    };
    // A clock that runs a hundred times as fast: five seconds until the next attempt are fifty milliseconds.
    let began = std::time::Instant::now();
    let clock: dispatch::Clock = Arc::new(move || began.elapsed().as_millis() as i64 * 100);
    let dispatcher = Dispatcher::new(settings, Arc::new(receiver.sink().await), outbox.clone(), clock);
    let stop = CancellationToken::new();
    let running = tokio::spawn(dispatcher.run(stop.clone()));
    let mut ids = Vec::new();
    while ids.len() < 9 {
        let (_, headers, _) = receiver.requests.recv().await.unwrap();
        ids.push(headers["webhook-id"].to_str().unwrap().to_owned());
    }
    stop.cancel();
    running.await.unwrap();
    assert!(outbox.0.lock().unwrap().iter().all(|(.., done)| *done));
    for mine in [["sig_0", "sig_2", "sig_4"], ["sig_1", "sig_3", "sig_5"]] {
        let mut sent: Vec<&str> = ids.iter().map(String::as_str).filter(|id| mine.contains(id)).collect();
        assert!(sent.is_sorted() && sent.len() > 3, "{ids:?}");
        sent.dedup();
        assert_eq!(sent, mine);
    }
}

#[tokio::test]
async fn an_address_that_is_not_allowed_is_not_connected_to_whatever_its_name() {
    let mut receiver = Receiver::start(ok).await;
    let port = receiver.address.port();
    let settings = receiver.settings();
    let built = |url: String, private: &[String]| {
        let targets = Targets::parse(true, private).unwrap();
        Webhook::build(WebhookSettings { url, targets, ..settings.clone() })
    };
    for host in ["127.0.0.1", "[::1]", "0x7f000001", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        let error = built(format!("http://{host}:{port}/"), &[]).await.unwrap_err();
        assert!(error.public().contains("is not an address of the public internet"), "{host}: {error}");
    }
    // A name is looked at when it is resolved.
    let sink = built(format!("http://localhost:{port}/"), &[]).await.unwrap();
    let failure = sink.send(&delivery()).await.unwrap_err();
    assert!(failure.error().contains("leads to no address of the public internet"), "{failure:?}");
    assert!(receiver.requests.try_recv().is_err());
    let sink = built(format!("http://localhost:{port}/"), &["127.0.0.0/8".into()]).await.unwrap();
    sink.send(&delivery()).await.unwrap();
    receiver.requests.recv().await.unwrap();
}
