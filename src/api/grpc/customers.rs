//! `CustomerService`: interactions in, customers and what has changed out.

use std::sync::Arc;
use std::time::Instant;

use futures_util::stream::{BoxStream, Stream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};
use tracing::Instrument;

use super::calls::{CallRecord, answered, deadline, ended, stopping};
use super::customer_streams::{self as streams, Watch};
use super::v1::customer_service_server::CustomerService;
use super::v1::interaction_result::Outcome;
use super::{convert_customers as convert, convert_interactions, customer_pages as pages, status, v1};
use crate::batching::{Entrance, Lane};
use crate::drift::Tenant;
use crate::error::Error;
use crate::pipeline::customers::{Read, bulk};
use crate::pipeline::monitor::now_ms;
use crate::pipeline::{Call, Customers};
use crate::storage::{Store, no_store};

/// Interactions that are read together and kept in one transaction: what is read and not yet kept stays small, and others
/// write in between.
const KEPT_TOGETHER: usize = 256;
/// Most customers of one import, which is one transaction.
const IMPORTED: usize = 1000;

/// Serves customers, or says that none are kept.
#[derive(Clone)]
pub struct CustomerApi {
    customers: Option<Arc<Customers>>,
    batch_items: usize,
    turns: usize,
    stop: CancellationToken,
}

impl CustomerApi {
    /// `None` where customers are not kept. `batch_items` is the most of one batch, `turns` the most of one conversation;
    /// `stop` ends watches.
    pub fn new(
        customers: Option<Arc<Customers>>,
        batch_items: usize,
        turns: usize,
        stop: CancellationToken,
    ) -> Self {
        Self { customers, batch_items, turns, stop }
    }

    fn customers(&self) -> Result<&Arc<Customers>, Error> {
        self.customers.as_ref().ok_or_else(no_store)
    }

    fn store(&self) -> Result<&dyn Store, Error> {
        Ok(self.customers()?.store().as_ref())
    }

    async fn record(
        &self,
        request: v1::RecordInteractionRequest,
        deadline: Option<Instant>,
    ) -> Result<v1::RecordInteractionResponse, Error> {
        let customers = self.customers()?;
        let interaction = request.interaction.ok_or_else(|| Error::invalid("interaction", "is missing"))?;
        let within = |error: Error| error.within("interaction");
        let interaction = convert::interaction(interaction, self.turns).map_err(within)?;
        // The interaction says whose it is.
        let tenant = Tenant::NONE;
        let call = Call { lane: Lane::Interactive, entrance: Entrance::Refuse, deadline, tenant };
        let read = customers.read_one(interaction, call, now_ms()).await.map_err(within)?;
        let records = [read.record];
        let mut kept = customers.keep(&records).await?.into_iter();
        let recorded = kept.next().ok_or_else(|| Error::internal("a record was not answered"))?;
        let recorded = convert_interactions::recorded(&records[0], recorded, read.assessment);
        Ok(v1::RecordInteractionResponse { recorded: Some(recorded) })
    }

    async fn batch(
        &self,
        request: v1::BatchRecordInteractionsRequest,
        deadline: Option<Instant>,
    ) -> Result<v1::BatchRecordInteractionsResponse, Error> {
        let customers = self.customers()?;
        let (count, most) = (request.interactions.len(), self.batch_items);
        if count > most {
            let problem = format!("has {count} interactions, at most {most} are taken; split them");
            return Err(Error::invalid("interactions", problem));
        }
        let mut results = Vec::with_capacity(count);
        let mut left = request.interactions.into_iter();
        while left.len() > 0 {
            let together: Vec<_> = left.by_ref().take(KEPT_TOGETHER).collect();
            let read = self.read(customers, together, Call { deadline, ..bulk() }).await;
            for outcome in keep(customers, read).await? {
                let index = u32::try_from(results.len()).unwrap_or(u32::MAX);
                results.push(v1::InteractionResult { index, outcome: Some(outcome) });
            }
        }
        Ok(v1::BatchRecordInteractionsResponse { results })
    }

    /// Reads what can be read; what is wrong with one stays its own.
    async fn read(
        &self,
        customers: &Customers,
        from: Vec<v1::Interaction>,
        call: Call,
    ) -> Vec<Result<Read, Error>> {
        let mut fit = Vec::with_capacity(from.len());
        let mut checked = Vec::with_capacity(from.len());
        for interaction in from {
            checked
                .push(convert::interaction(interaction, self.turns).map(|interaction| fit.push(interaction)));
        }
        let mut read = customers.read(fit, call, now_ms()).await.into_iter();
        let mut next =
            || read.next().unwrap_or_else(|| Err(Error::internal("an interaction was not answered")));
        checked.into_iter().map(|fits| fits.and_then(|()| next())).collect()
    }

    async fn import(
        &self,
        request: v1::ImportCustomersRequest,
    ) -> Result<v1::ImportCustomersResponse, Error> {
        let customers = self.customers()?;
        if request.customers.len() > IMPORTED {
            let problem =
                format!("has {}, at most {IMPORTED} are taken; split them", request.customers.len());
            return Err(Error::invalid("customers", problem));
        }
        let entries = request.customers.into_iter().enumerate();
        let entries = entries.map(|(place, entry)| {
            convert::import(entry).map_err(|e| e.within(&format!("customers[{place}]")))
        });
        let accounts: Vec<_> = entries.collect::<Result<_, _>>()?;
        customers.import(&accounts, now_ms()).await?;
        Ok(v1::ImportCustomersResponse { imported: u32::try_from(accounts.len()).unwrap_or(u32::MAX) })
    }

    async fn erase(&self, request: v1::EraseCustomerRequest) -> Result<v1::EraseCustomerResponse, Error> {
        let customers = Arc::clone(self.customers()?);
        let key = pages::key(request.tenant, request.customer)?;
        // Goes to its end, whether or not the caller waits for it: what is left in a log has to go too.
        let work = async move { customers.erase(&key, &request.actor, now_ms()).await };
        let (counts, receipt) = tokio::spawn(work).await.map_err(Error::internal)??;
        let rows = counts.into_iter().map(|(table, count)| v1::ErasedRows { table: table.into(), count });
        Ok(v1::EraseCustomerResponse {
            audit_sequence: receipt.sequence,
            audit_hash: receipt.hash,
            erased_ms: receipt.entry.at_ms,
            rows: rows.collect(),
        })
    }
}

/// Keeps what was read, all or none; answers in the order of the interactions.
async fn keep(customers: &Customers, read: Vec<Result<Read, Error>>) -> Result<Vec<Outcome>, Error> {
    let mut records = Vec::with_capacity(read.len());
    let mut assessments = Vec::with_capacity(read.len());
    for one in read {
        assessments.push(one.map(|read| {
            records.push(read.record);
            read.assessment
        }));
    }
    let recorded = if records.is_empty() { Vec::new() } else { customers.keep(&records).await? };
    let mut kept = records.iter().zip(recorded);
    let outcome = |assessment: Result<_, Error>| match assessment {
        Ok(assessment) => {
            let (record, recorded) =
                kept.next().ok_or_else(|| Error::internal("a record was not answered"))?;
            Ok(Outcome::Recorded(convert_interactions::recorded(record, recorded, assessment)))
        }
        Err(error) => Ok(Outcome::Error(status::item_error(&error))),
    };
    assessments.into_iter().map(outcome).collect()
}

/// Counts a stream when it ends, and ends it after its first error and at its deadline.
fn counted<T: Send + 'static>(
    method: &'static str,
    deadline: Option<Instant>,
    results: impl Stream<Item = Result<T, Status>> + Send + 'static,
) -> Response<BoxStream<'static, Result<T, Status>>> {
    let mut record = CallRecord::new(method, deadline);
    let results = results.map(move |result| {
        record.end_with(result.as_ref().map_or_else(Status::code, |_| Code::Ok));
        result
    });
    Response::new(ended(results, deadline).boxed())
}

#[tonic::async_trait]
impl CustomerService for CustomerApi {
    async fn record_interaction(
        &self,
        request: Request<v1::RecordInteractionRequest>,
    ) -> Result<Response<v1::RecordInteractionResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let span = tracing::debug_span!("rpc", rpc.method = "RecordInteraction");
        let deadline = deadline(&extensions);
        answered("RecordInteraction", deadline, self.record(request, deadline).instrument(span)).await
    }

    async fn batch_record_interactions(
        &self,
        request: Request<v1::BatchRecordInteractionsRequest>,
    ) -> Result<Response<v1::BatchRecordInteractionsResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let items = request.interactions.len();
        let span = tracing::debug_span!("rpc", rpc.method = "BatchRecordInteractions", items);
        let deadline = deadline(&extensions);
        answered("BatchRecordInteractions", deadline, self.batch(request, deadline).instrument(span)).await
    }

    async fn get_customer(
        &self,
        request: Request<v1::GetCustomerRequest>,
    ) -> Result<Response<v1::GetCustomerResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let work = async {
            let store = self.store()?;
            let key = pages::key(request.tenant, request.customer)?;
            let found = store.customer(&key).await?.ok_or_else(streams::not_held)?;
            Ok(v1::GetCustomerResponse { customer: Some(convert::customer(found, now_ms())) })
        };
        answered("GetCustomer", deadline(&extensions), work).await
    }

    async fn list_customers(
        &self,
        request: Request<v1::ListCustomersRequest>,
    ) -> Result<Response<v1::ListCustomersResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let work = async { pages::customers(self.store()?, request).await };
        answered("ListCustomers", deadline(&extensions), work).await
    }

    async fn get_timeline(
        &self,
        request: Request<v1::GetTimelineRequest>,
    ) -> Result<Response<v1::GetTimelineResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let work = async { pages::timeline(self.store()?, request).await };
        answered("GetTimeline", deadline(&extensions), work).await
    }

    type WatchSignalsStream = BoxStream<'static, Result<v1::WatchSignalsResponse, Status>>;

    /// The responses pull the pages: a reader that stops reading holds one page, and nobody else.
    async fn watch_signals(
        &self,
        request: Request<v1::WatchSignalsRequest>,
    ) -> Result<Response<Self::WatchSignalsStream>, Status> {
        let (_, extensions, request) = request.into_parts();
        let begun = async { Watch::begin(Arc::clone(self.customers()?), request).await };
        let responses = begun.await.map_err(|e| status::status(&e))?.responses();
        let responses = responses
            .map(|result| result.map_err(|e| status::status(&e)))
            .take_until(self.stop.clone().cancelled_owned())
            .chain(stopping(self.stop.clone()));
        Ok(counted("WatchSignals", deadline(&extensions), responses))
    }

    async fn import_customers(
        &self,
        request: Request<v1::ImportCustomersRequest>,
    ) -> Result<Response<v1::ImportCustomersResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        answered("ImportCustomers", deadline(&extensions), self.import(request)).await
    }

    type ExportCustomerStream = BoxStream<'static, Result<v1::ExportCustomerResponse, Status>>;

    async fn export_customer(
        &self,
        request: Request<v1::ExportCustomerRequest>,
    ) -> Result<Response<Self::ExportCustomerStream>, Status> {
        let (_, extensions, request) = request.into_parts();
        let begun = async {
            let customers = Arc::clone(self.customers()?);
            streams::export(customers, pages::key(request.tenant, request.customer)?).await
        };
        let parts = begun.await.map_err(|e| status::status(&e))?;
        let parts = parts.map(|result| result.map_err(|e| status::status(&e)));
        Ok(counted("ExportCustomer", deadline(&extensions), parts))
    }

    async fn erase_customer(
        &self,
        request: Request<v1::EraseCustomerRequest>,
    ) -> Result<Response<v1::EraseCustomerResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        answered("EraseCustomer", deadline(&extensions), self.erase(request)).await
    }
}
