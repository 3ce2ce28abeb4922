//! Deadlines: `grpc-timeout` becomes a point in time that the whole service sees, and passing it answers
//! DEADLINE_EXCEEDED.
//!
//! tonic's own timer wraps this layer and maps to CANCELLED; this one fires a moment earlier.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

/// How much earlier than the caller's clock the answer leaves.
const HEAD_START: Duration = Duration::from_millis(2);

/// When the caller of a request stops waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deadline(pub(super) Instant);

/// Adds the [`Deadline`] to each request's extensions and enforces it.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeadlineLayer {
    /// For requests that name none.
    pub(super) default: Duration,
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService { inner, default: self.default }
    }
}

/// See [`DeadlineLayer`].
#[derive(Debug, Clone)]
pub(super) struct DeadlineService<S> {
    inner: S,
    default: Duration,
}

impl<S, B> Service<Request<B>> for DeadlineService<S>
where
    S: Service<Request<B>, Response = Response<Body>> + Send,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let timeout = match timeout(request.headers()) {
            Ok(timeout) => timeout,
            Err(status) => return Box::pin(async move { Ok(status.into_http()) }),
        };
        // A stream may live for hours: only the caller's own timeout ends it.
        let limit = timeout.or_else(|| (!is_stream(&request)).then_some(self.default));
        let Some(limit) = limit else { return Box::pin(self.inner.call(request)) };
        let deadline = Instant::now() + limit.saturating_sub(HEAD_START);
        request.extensions_mut().insert(Deadline(deadline));
        let answer = self.inner.call(request);
        Box::pin(async move {
            match tokio::time::timeout_at(deadline.into(), answer).await {
                Ok(answer) => answer,
                Err(_) => Ok(Status::deadline_exceeded("the deadline passed").into_http()),
            }
        })
    }
}

fn is_stream<B>(request: &Request<B>) -> bool {
    // Reflection, health watches and our own streams; a unary call is answered in one go.
    let path = request.uri().path();
    ["/Stream", "/Monitor", "/Watch", "/Export", "ServerReflection"].iter().any(|name| path.contains(name))
}

/// The `grpc-timeout` header: at most eight digits and a unit.
fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.get("grpc-timeout") else { return Ok(None) };
    let wrong = || Status::invalid_argument("grpc-timeout: expected at most 8 digits and one of H M S m u n");
    let text = value.to_str().map_err(|_| wrong())?;
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let amount: u64 = digits.parse().map_err(|_| wrong())?;
    Ok(Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return Err(wrong()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_that_answer_in_one_go_get_a_deadline_of_their_own() {
        let files = [
            include_str!("../../../proto/attune/v1/analysis.proto"),
            include_str!("../../../proto/attune/v1/conversation.proto"),
            include_str!("../../../proto/attune/v1/customers.proto"),
            include_str!("../../../proto/attune/v1/jobs.proto"),
            include_str!("../../../proto/attune/v1/models.proto"),
        ];
        let rpcs: Vec<&str> = files
            .iter()
            .flat_map(|file| file.lines())
            .filter_map(|l| l.trim().strip_prefix("rpc "))
            .collect();
        assert!(rpcs.len() >= 26, "{rpcs:?}");
        for rpc in rpcs {
            let name = rpc.split('(').next().unwrap();
            let request = Request::builder().uri(format!("/attune.v1.AnyService/{name}")).body(()).unwrap();
            assert_eq!(is_stream(&request), rpc.contains("returns (stream "), "{name}");
        }
    }

    #[test]
    fn every_unit_of_the_header_is_read_and_nonsense_refused() {
        for (text, expected) in [
            ("2H", Some(Duration::from_secs(7200))),
            ("3M", Some(Duration::from_secs(180))),
            ("4S", Some(Duration::from_secs(4))),
            ("100m", Some(Duration::from_millis(100))),
            ("5u", Some(Duration::from_micros(5))),
            ("99999999n", Some(Duration::from_nanos(99_999_999))),
            ("", None),
            ("S", None),
            ("1", None),
            ("-1S", None),
            ("123456789S", None),
            ("1x", None),
        ] {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static("grpc-timeout"),
                http::HeaderValue::from_str(text).unwrap(),
            )]);
            assert_eq!(timeout(&headers).ok().flatten(), expected, "{text:?}");
        }
    }
}
