//! What every call shares: its deadline, its count, and how it is answered.

use std::time::Instant;

use futures_util::stream::{self, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::{Code, Extensions, Response, Status};

use super::deadline::Deadline;
use super::status;
use crate::drift::Tenant;
use crate::error::{Error, ErrorKind};
use crate::telemetry::metrics;

/// The metadata that names a tenant.
const TENANT: &str = "attune-tenant";

/// Ends a stream after its first error, and at its deadline.
pub(super) fn ended<T: Send + 'static>(
    results: impl stream::Stream<Item = Result<T, Status>> + Send + 'static,
    deadline: Option<Instant>,
) -> impl stream::Stream<Item = Result<T, Status>> + Send {
    let late = async move {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    };
    let expired = stream::once(async move {
        // Only reached when the timer, not the sender, ended the stream.
        match deadline {
            Some(deadline) if Instant::now() >= deadline => {
                Some(Err(Status::deadline_exceeded("the deadline passed")))
            }
            _ => None,
        }
    })
    .filter_map(|end| async move { end });
    let mut failed = false;
    results.take_until(late).chain(expired).take_while(move |result| {
        let go_on = !failed;
        failed |= result.is_err();
        std::future::ready(go_on)
    })
}

/// What a stream that lives as long as its caller likes ends with when the service stops: UNAVAILABLE, behind what it still
/// has to say.
pub(super) fn stopping<T: Send + 'static>(
    stop: CancellationToken,
) -> impl stream::Stream<Item = Result<T, Status>> + Send + 'static {
    stream::once(async move {
        let error = Error::new(ErrorKind::Unavailable, "the service is stopping; go on at another instance");
        stop.is_cancelled().then(|| Err(status::status(&error)))
    })
    .filter_map(std::future::ready)
}

/// When the caller stops waiting.
pub(super) fn deadline(extensions: &Extensions) -> Option<Instant> {
    extensions.get::<Deadline>().map(|d| d.0)
}

/// Whose texts a call brings whose messages name no tenant: the metadata `attune-tenant`. Errors: `InvalidInput`.
pub(super) fn tenant(metadata: &MetadataMap) -> Result<Tenant, Error> {
    let Some(value) = metadata.get(TENANT) else { return Ok(Tenant::NONE) };
    let name = value.to_str().unwrap_or_default();
    Tenant::parse(name).map_err(|e| Error::invalid(TENANT, e.to_string()))
}

/// Answers and counts a unary call.
pub(super) async fn answered<T>(
    method: &'static str,
    deadline: Option<Instant>,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<Response<T>, Status> {
    let mut record = CallRecord::new(method, deadline);
    match work.await {
        Ok(answer) => {
            record.end_with(Code::Ok);
            Ok(Response::new(answer))
        }
        Err(error) => {
            record.end_with(status::code(error.kind()));
            Err(status::status(&error))
        }
    }
}

/// Counts a call when it ends, also when its client went away and the handler was dropped.
pub(super) struct CallRecord {
    method: &'static str,
    started: Instant,
    deadline: Option<Instant>,
    code: Code,
}

impl CallRecord {
    /// Until it is told otherwise, the call was dropped: by its client, or by its deadline.
    pub(super) fn new(method: &'static str, deadline: Option<Instant>) -> Self {
        Self { method, started: Instant::now(), deadline, code: status::code(ErrorKind::Cancelled) }
    }

    pub(super) fn end_with(&mut self, code: Code) {
        self.code = code;
    }
}

impl Drop for CallRecord {
    fn drop(&mut self) {
        let late = self.code == Code::Cancelled && self.deadline.is_some_and(|d| d <= Instant::now());
        let code = if late { Code::DeadlineExceeded } else { self.code };
        metrics::request(self.method, status::code_name(code), self.started.elapsed());
    }
}
