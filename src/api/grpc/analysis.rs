//! `AnalysisService`: one text, a batch, a stream.

use std::sync::Arc;
use std::time::Instant;

use futures_util::stream::{self, BoxStream, StreamExt};
use tonic::{Code, Request, Response, Status, Streaming};
use tracing::Instrument;

use super::calls::{CallRecord, answered, deadline, ended, tenant};
use super::v1::analysis_service_server::AnalysisService;
use super::v1::item_result::Outcome;
use super::{convert, status, v1};
use crate::batching::{Entrance, Lane};
use crate::drift::Tenant;
use crate::error::Error;
use crate::pipeline::models::PerModel;
use crate::pipeline::{AnalysisOptions, Analyzer, Call, Models, ResolvedOptions};

/// Items of one batch or stream that are in flight at once: enough to fill batches, few enough that a slow reader holds
/// little memory.
const ITEMS_IN_FLIGHT: usize = 64;
/// Longest item id, in bytes.
const ID_BYTES: usize = 256;

/// Serves the pipeline.
#[derive(Clone)]
pub struct AnalysisApi {
    models: Models,
    batch_items: usize,
}

impl AnalysisApi {
    /// `batch_items` is the most that one batch may hold.
    pub fn new(models: Models, batch_items: usize) -> Self {
        Self { models, batch_items }
    }

    async fn analyze(
        &self,
        request: v1::AnalyzeTextRequest,
        tenant: Tenant,
        deadline: Option<Instant>,
    ) -> Result<v1::AnalyzeTextResponse, Error> {
        let analyzer = self.models.get(&request.model)?;
        let (options, lane) = convert::options(request.options, Lane::Interactive)?;
        let options = options.resolve(analyzer.manifest())?;
        let call = Call { lane, entrance: Entrance::Refuse, deadline, tenant };
        let language = convert::language(&request.language)?;
        let assessment = analyzer.analyze(&request.text, language, &options, call).await?;
        Ok(v1::AnalyzeTextResponse { assessment: Some(convert::assessment(assessment)) })
    }

    /// Reads the items of a batch, which are a tenant's; `deadline` is when the caller stops waiting.
    ///
    /// Errors: `InvalidInput` for too many items or wrong options; what is wrong with an item stays in its result.
    pub async fn batch(
        &self,
        request: v1::BatchAnalyzeTextRequest,
        tenant: Tenant,
        deadline: Option<Instant>,
    ) -> Result<v1::BatchAnalyzeTextResponse, Error> {
        if request.items.len() > self.batch_items {
            return Err(Error::invalid(
                "items",
                format!(
                    "has {} items, at most {} are taken; split them, or use StreamAnalyzeText",
                    request.items.len(),
                    self.batch_items
                ),
            ));
        }
        let analyzer = self.models.get(&request.model)?;
        let (options, lane) = convert::options(request.options, Lane::Bulk)?;
        let options = Arc::new(options.resolve(analyzer.manifest())?);
        let call = Call { lane, entrance: Entrance::Wait, deadline, tenant };
        let results = stream::iter(request.items.into_iter().enumerate())
            .map(|(index, item)| {
                item_result(Arc::clone(&analyzer), Arc::clone(&options), call, index as u64, item)
            })
            .buffered(ITEMS_IN_FLIGHT)
            .collect()
            .await;
        Ok(v1::BatchAnalyzeTextResponse { results })
    }
}

#[tonic::async_trait]
impl AnalysisService for AnalysisApi {
    async fn analyze_text(
        &self,
        request: Request<v1::AnalyzeTextRequest>,
    ) -> Result<Response<v1::AnalyzeTextResponse>, Status> {
        let (metadata, extensions, request) = request.into_parts();
        let span = tracing::debug_span!("rpc", rpc.method = "AnalyzeText", text_bytes = request.text.len());
        let deadline = deadline(&extensions);
        let work = async { self.analyze(request, tenant(&metadata)?, deadline).await };
        answered("AnalyzeText", deadline, work.instrument(span)).await
    }

    async fn batch_analyze_text(
        &self,
        request: Request<v1::BatchAnalyzeTextRequest>,
    ) -> Result<Response<v1::BatchAnalyzeTextResponse>, Status> {
        let (metadata, extensions, request) = request.into_parts();
        let span = tracing::debug_span!("rpc", rpc.method = "BatchAnalyzeText", items = request.items.len());
        let deadline = deadline(&extensions);
        let work = async { self.batch(request, tenant(&metadata)?, deadline).await };
        answered("BatchAnalyzeText", deadline, work.instrument(span)).await
    }

    type StreamAnalyzeTextStream = BoxStream<'static, Result<v1::StreamAnalyzeTextResponse, Status>>;

    /// The response stream pulls the requests: while the reader's window is full nothing is polled, so nothing is read
    /// from the sender either, and at most `ITEMS_IN_FLIGHT` items are held.
    async fn stream_analyze_text(
        &self,
        request: Request<Streaming<v1::StreamAnalyzeTextRequest>>,
    ) -> Result<Response<Self::StreamAnalyzeTextStream>, Status> {
        let (metadata, extensions, inbound) = request.into_parts();
        let deadline = deadline(&extensions);
        let tenant = tenant(&metadata).map_err(|e| status::status(&e))?;
        let mut state = StreamState {
            models: self.models.clone(),
            model: String::new(),
            options: AnalysisOptions::default(),
            resolved: PerModel::default(),
            call: Call { lane: Lane::Bulk, entrance: Entrance::Wait, deadline, tenant },
            index: 0,
        };
        let mut record = CallRecord::new("StreamAnalyzeText", deadline);
        let results = inbound
            .map(move |message| {
                let next = message.and_then(|m| state.next(m).map_err(|e| status::status(&e)));
                async move {
                    match next {
                        Ok(work) => Ok(work.await),
                        Err(status) => Err(status),
                    }
                }
            })
            .buffered(ITEMS_IN_FLIGHT)
            .map(move |result| {
                // The record is written when the stream ends and this closure is dropped.
                record.end_with(result.as_ref().map_or_else(Status::code, |_| Code::Ok));
                result.map(|result| v1::StreamAnalyzeTextResponse { result: Some(result) })
            });
        Ok(Response::new(ended(results, deadline).boxed()))
    }
}

/// What holds for the next message. It keeps no model: each item asks for its own, so that a stream follows an alias, and an
/// idle one holds nothing in memory.
struct StreamState {
    models: Models,
    model: String,
    options: AnalysisOptions,
    resolved: PerModel<ResolvedOptions>,
    call: Call,
    index: u64,
}

impl StreamState {
    /// The work for the next message. An error in the options or the model ends the stream: what follows would be read the
    /// wrong way.
    fn next(
        &mut self,
        message: v1::StreamAnalyzeTextRequest,
    ) -> Result<impl Future<Output = v1::ItemResult> + Send + use<>, Error> {
        let index = self.index;
        self.index += 1;
        if message.options.is_some() {
            (self.options, self.call.lane) = convert::options(message.options, Lane::Bulk)?;
            self.resolved = PerModel::default();
        }
        if !message.model.is_empty() {
            self.model = message.model;
        }
        let analyzer = self.models.get(&self.model)?;
        let options = self.resolved.get(&analyzer, |analyzer| self.options.resolve(analyzer.manifest()))?;
        let item = message.item.ok_or_else(|| Error::invalid("item", format!("message {index} has none")))?;
        Ok(item_result(analyzer, options, self.call, index, item))
    }
}

/// Reads one item; what goes wrong stays its own.
async fn item_result(
    analyzer: Arc<Analyzer>,
    options: Arc<ResolvedOptions>,
    call: Call,
    index: u64,
    item: v1::BatchItem,
) -> v1::ItemResult {
    let (id, outcome) = if item.id.len() > ID_BYTES {
        let problem = format!("has {} bytes, at most {ID_BYTES} are taken", item.id.len());
        (String::new(), Err(Error::invalid("id", problem)))
    } else {
        let outcome = match convert::language(&item.language) {
            Ok(language) => analyzer.analyze(&item.text, language, &options, call).await,
            Err(error) => Err(error),
        };
        (item.id, outcome)
    };
    let outcome = match outcome {
        Ok(assessment) => Outcome::Assessment(convert::assessment(assessment)),
        Err(error) => Outcome::Error(status::item_error(&error)),
    };
    v1::ItemResult { id, index, outcome: Some(outcome) }
}
