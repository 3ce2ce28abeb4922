//! The gRPC listener: services, bounds, health, reflection and the drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;

use super::analysis::AnalysisApi;
use super::conversation::ConversationApi;
use super::customers::CustomerApi;
use super::deadline::DeadlineLayer;
use super::jobs::JobApi;
use super::models::ModelApi;
use super::shedding::SheddingLayer;
use super::v1;
use crate::error::{Error, ErrorKind};
use crate::jobs::service::Jobs;
use crate::pipeline::{Customers, Models, Monitor};

/// Streams of one connection that may be open at once; more wait at the client.
const STREAMS_PER_CONNECTION: u32 = 4096;
/// A dead peer is noticed within these two together.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// Bounds of the gRPC service.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Most items in one batch.
    pub batch_items: usize,
    /// Most turns of one conversation.
    pub conversation_turns: usize,
    /// Largest message, in bytes.
    pub message_bytes: usize,
    /// For unary calls that name no deadline.
    pub default_deadline: Duration,
    /// How long work that has begun may go on after the stop.
    pub drain: Duration,
    /// How long new work is still taken after readiness is off, so that balancers see it first.
    pub lame_duck: Duration,
    /// Whether callers may load, unload and swap models.
    pub model_changes: bool,
}

/// What is served.
pub struct Served {
    /// The models.
    pub models: Models,
    /// The conversations that are followed.
    pub monitor: Arc<Monitor>,
    /// The jobs; `None` where they are not set up.
    pub jobs: Option<Jobs>,
    /// Customers; `None` where they are not kept.
    pub customers: Option<Arc<Customers>>,
}

/// Binds the listener; a port in use is said in plain words.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|e| {
        let hint = match e.kind() {
            std::io::ErrorKind::AddrInUse => "another process listens there; stop it or choose another port",
            std::io::ErrorKind::PermissionDenied => "the system does not allow it; choose a port above 1023",
            std::io::ErrorKind::AddrNotAvailable => "this machine has no such address",
            _ => "check the address",
        };
        Error::new(ErrorKind::Unavailable, format!("can't listen on {address}: {e}; {hint}"))
    })
}

/// Serves until `stop`, then flips health, goes on for the lame-duck time, and drains.
pub async fn serve(
    listener: TcpListener,
    served: Served,
    settings: ServerSettings,
    stop: CancellationToken,
) -> Result<(), Error> {
    let Served { models, monitor, jobs, customers } = served;
    let (health, health_service) = tonic_health::server::health_reporter();
    // What is not set up is answered, but not served.
    let services = [
        ("", true),
        ("attune.v1.AnalysisService", true),
        ("attune.v1.ConversationService", true),
        ("attune.v1.ModelService", true),
        ("attune.v1.JobService", jobs.is_some()),
        ("attune.v1.CustomerService", customers.is_some()),
    ];
    for (name, set_up) in services {
        let status = if set_up { ServingStatus::Serving } else { ServingStatus::NotServing };
        health.set_service_status(name, status).await;
    }
    let closing = CancellationToken::new();
    let analysis = v1::analysis_service_server::AnalysisServiceServer::new(AnalysisApi::new(
        models.clone(),
        settings.batch_items,
    ))
    .max_decoding_message_size(settings.message_bytes)
    .max_encoding_message_size(usize::MAX);
    let conversations = v1::conversation_service_server::ConversationServiceServer::new(
        ConversationApi::new(models.clone(), monitor, settings.conversation_turns, closing.clone()),
    )
    .max_decoding_message_size(settings.message_bytes)
    .max_encoding_message_size(usize::MAX);
    let job_service =
        v1::job_service_server::JobServiceServer::new(JobApi::new(jobs, models.clone(), closing.clone()))
            .max_decoding_message_size(settings.message_bytes)
            .max_encoding_message_size(usize::MAX);
    let customer_service = v1::customer_service_server::CustomerServiceServer::new(CustomerApi::new(
        customers,
        settings.batch_items,
        settings.conversation_turns,
        closing.clone(),
    ))
    .max_decoding_message_size(settings.message_bytes)
    .max_encoding_message_size(usize::MAX);
    let shedding = SheddingLayer { models: models.clone() };
    let model_api = ModelApi::new(models, settings.model_changes);
    let model_service = v1::model_service_server::ModelServiceServer::new(model_api);
    let closed = closing.clone().cancelled_owned();
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = Server::builder()
        .layer(shedding)
        .layer(DeadlineLayer { default: settings.default_deadline })
        .http2_keepalive_interval(Some(KEEPALIVE.0))
        .http2_keepalive_timeout(Some(KEEPALIVE.1))
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .add_service(health_service)
        .add_service(reflection_v1()?)
        .add_service(reflection_v1alpha()?)
        .add_service(analysis)
        .add_service(conversations)
        .add_service(model_service)
        .add_service(job_service)
        .add_service(customer_service)
        .serve_with_incoming_shutdown(incoming, closed);
    let mut server = std::pin::pin!(server);
    tokio::select! {
        ended = &mut server => return ended.map_err(Error::internal),
        () = stop.cancelled() => {}
    }
    for (name, _) in services {
        health.set_service_status(name, ServingStatus::NotServing).await;
    }
    tracing::info!("stopping: readiness is off, calls in progress go on");
    let closing_later = async {
        tokio::time::sleep(settings.lame_duck).await;
        closing.cancel();
        // An idle connection that never spoke would hold the listener for ever: the drain has an end of its own.
        tokio::time::sleep(settings.drain).await;
    };
    tokio::select! {
        ended = &mut server => ended.map_err(Error::internal),
        () = closing_later => {
            tracing::warn!("the drain time is over; connections that are left are closed");
            Ok(())
        }
    }
}

fn reflection_v1() -> Result<
    tonic_reflection::server::v1::ServerReflectionServer<impl tonic_reflection::server::v1::ServerReflection>,
    Error,
> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(v1::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(Error::internal)
}

fn reflection_v1alpha() -> Result<
    tonic_reflection::server::v1alpha::ServerReflectionServer<
        impl tonic_reflection::server::v1alpha::ServerReflection,
    >,
    Error,
> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(v1::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1alpha()
        .map_err(Error::internal)
}
