//! gRPC: `attune.v1`, health, reflection.

pub mod analysis;
mod calls;
pub mod client;
pub mod conversation;
mod convert;
mod convert_conversation;
mod convert_customers;
mod convert_drift;
mod convert_interactions;
mod convert_jobs;
mod convert_shadow;
mod customer_pages;
mod customer_streams;
pub mod customers;
mod deadline;
mod escalations;
pub mod jobs;
pub mod models;
mod monitoring;
mod paging;
pub mod server;
mod shedding;
pub mod status;

/// The generated messages, clients and servers of `proto/attune/v1`.
pub mod v1 {
    #![expect(missing_docs, reason = "generated; the documentation stands in the .proto files")]
    #![allow(
        clippy::allow_attributes_without_reason,
        clippy::large_enum_variant,
        reason = "generated code follows its own rules"
    )]
    tonic::include_proto!("attune.v1");

    /// The descriptor set, for reflection.
    pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/attune.v1.bin"));
}

/// A model that is not loaded yet, as `ModelService` would describe it.
pub fn describe(manifest: &crate::model::Manifest) -> v1::Model {
    convert::model(manifest, true)
}

/// The request that asks about a conversation.
pub fn request_of(conversation: &crate::domain::Conversation) -> v1::AnalyzeConversationRequest {
    convert_conversation::request(conversation)
}

/// The job that a request asks for.
pub fn job_spec(spec: &crate::jobs::service::Spec) -> v1::JobSpec {
    convert_jobs::request(spec)
}
