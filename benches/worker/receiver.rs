//! A webhook receiver that sometimes fails: it refuses some events, and answers others too late, after it has taken them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use parking_lot::Mutex;

/// Of so many calls one is refused, and one is answered too late.
const REFUSED: u64 = 29;
const LATE: u64 = 211;

#[derive(Default)]
pub(crate) struct Taken {
    calls: u64,
    /// Customer and id of each event, in the order in which it came for the first time or again.
    pub(crate) events: Vec<(String, String)>,
}

pub(crate) type Receiver = Arc<Mutex<Taken>>;

/// Listens on a free port; where.
pub(crate) async fn start(late: Duration) -> (Receiver, String) {
    let receiver = Receiver::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let routes = Router::new().route("/hook", post(take)).with_state((Arc::clone(&receiver), late));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (receiver, url)
}

async fn take(State((receiver, late)): State<(Receiver, Duration)>, body: Bytes) -> StatusCode {
    let event: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let text = |field: &str| event[field].as_str().unwrap().to_owned();
    let call = {
        let mut taken = receiver.lock();
        taken.calls += 1;
        if taken.calls.is_multiple_of(REFUSED) {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        taken.events.push((text("subject"), text("id")));
        taken.calls
    };
    if call.is_multiple_of(LATE) {
        tokio::time::sleep(late).await;
    }
    StatusCode::NO_CONTENT
}
