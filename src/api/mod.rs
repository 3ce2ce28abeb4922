//! The service's faces: gRPC for callers, HTTP for operators. Thin: convert in, call the pipeline, convert out.

pub mod grpc;
pub mod http;
