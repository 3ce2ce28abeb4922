//! Refusal before the request is read: while the queue is cut back, a call that would be refused anyway costs no
//! body, no decoding and no task.
//!
//! Only calls of one text or interaction are refused here: batches and streams wait for room instead. Which model a text is
//! for stands in its body, so that it is refused here only when no model has room.

use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, Ready, ready};
use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

use super::status;
use crate::pipeline::Models;
use crate::telemetry::metrics;

/// Where unary calls of one text arrive, and their names in metrics.
const PATHS: [(&str, &str); 2] = [
    ("/attune.v1.AnalysisService/AnalyzeText", "AnalyzeText"),
    ("/attune.v1.CustomerService/RecordInteraction", "RecordInteraction"),
];

/// Refuses what no model has room for.
#[derive(Clone)]
pub(super) struct SheddingLayer {
    pub(super) models: Models,
}

impl<S> Layer<S> for SheddingLayer {
    type Service = SheddingService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SheddingService { inner, models: self.models.clone() }
    }
}

/// See [`SheddingLayer`].
#[derive(Clone)]
pub(super) struct SheddingService<S> {
    inner: S,
    models: Models,
}

impl<S, B> Service<Request<B>> for SheddingService<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Either<Ready<Result<Self::Response, Self::Error>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let refusable = PATHS.into_iter().find(|(path, _)| request.uri().path() == *path);
        if let Some((_, method)) = refusable
            && let Err(error) = self.models.check_overload()
        {
            let refusal = status::status(&error);
            metrics::request(method, status::code_name(refusal.code()), Duration::ZERO);
            return Either::Left(ready(Ok(refusal.into_http())));
        }
        Either::Right(self.inner.call(request))
    }
}
