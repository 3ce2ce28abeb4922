//! The real model and the real binary: golden scores, the command line, a server process, broken models and libraries; and
//! the stores, PostgreSQL among them.
//!
//! Needs ONNX Runtime (`make runtime`), which `make test` fetches.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may end")]
#![expect(clippy::print_stderr, reason = "a test that needs what is not there says so")]

mod behaviour;
mod binary;
mod command;
mod drift;
mod evaluate;
mod evidence;
mod golden;
mod jobs;
mod language;
mod nats;
mod objects;
mod policy;
mod reader;
mod score;
mod server;
mod shell;
mod store;
mod webhook;
mod worker;
