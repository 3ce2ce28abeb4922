//! attune reads what customers write and says how they feel, how sure it is, and which words made it think so.
//!
//! The modules, in reading order; `tests/tidy.rs` holds who may know whom:
//!
//! - [`error`]: the closed set of error kinds
//! - [`domain`]: pure values, what an assessment holds
//! - [`drift`]: whether texts still look as they did when the model was made
//! - [`model`]: a model's files and manifest
//! - [`hub`]: models of a hub, fetched
//! - [`inference`]: text to tokens to per-token terms
//! - [`batching`]: many callers, few well-filled batches
//! - [`pipeline`]: the use cases
//! - [`escalation`]: who needs a person now, and why
//! - [`lifecycle`]: a customer over time, and what has changed
//! - [`storage`]: what is kept, behind ports
//! - [`events`]: what other systems are told, as CloudEvents
//! - [`sinks`]: how it gets to them
//! - [`evaluation`]: a model measured on labelled texts, fitted to them, and compared
//! - [`transcript`]: other systems' exports turned into conversations
//! - [`privacy`]: what identifies a person, taken out of a text
//! - [`stream`]: interactions out of NATS JetStream
//! - [`jobs`]: offline scoring of survey exports
//! - [`api`]: gRPC and HTTP
//! - [`config`], [`telemetry`], [`runtime`]: settings, logs and metrics, shutdown
//! - [`app`]: the composition root
//! - [`cli`]: the commands

pub mod api;
pub mod app;
pub mod batching;
pub mod cli;
pub mod config;
pub mod domain;
pub mod drift;
pub mod error;
pub mod escalation;
pub mod evaluation;
pub mod events;
pub mod hub;
pub mod inference;
pub mod jobs;
pub mod lifecycle;
pub mod model;
pub mod pipeline;
pub mod privacy;
pub mod runtime;
pub mod sinks;
pub mod storage;
pub mod stream;
pub mod telemetry;
pub mod transcript;
