//! The real model and the real binary: golden scores, the command line, a server process, broken models and libraries; and
//! the stores, PostgreSQL among them.
//!
//! Needs ONNX Runtime (`make runtime`), which `make test` fetches.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may end")]
#![expect(clippy::print_stderr, reason = "a test that needs what is not there says so")]

mod backend;
mod behaviour;
mod binary;
mod command;
#[path = "../conformance/mod.rs"]
mod conformance;
mod drift;
mod evaluate;
mod evidence;
#[path = "../conformance/files.rs"]
mod files;
mod golden;
#[path = "../integration/hub_server.rs"]
#[expect(
    dead_code,
    reason = "the hub that the integration tests break in every way; here it does as it should"
)]
mod hub_server;
mod import;
mod jobs;
mod language;
mod models;
mod nats;
mod objects;
mod policy;
mod provider;
mod pull;
mod reader;
mod score;
mod server;
mod shell;
mod store;
mod webhook;
mod worker;
