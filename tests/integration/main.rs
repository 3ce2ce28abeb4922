//! A real server on port 0, with the deterministic backend: what callers see, whatever the model says.

#![expect(clippy::unwrap_used, reason = "a test may end")]

mod support;

mod analysis;
mod backend;
mod bounds;
#[path = "../conformance/mod.rs"]
mod conformance;
mod conversation;
mod customers;
mod customers_kept;
mod customers_refused;
mod drift;
mod escalations;
mod fake_stream;
mod flaky_store;
mod hub;
mod hub_server;
mod job_objects;
mod job_restarts;
mod jobs;
mod lifecycle;
mod model_changes;
mod model_root;
mod model_swaps;
mod monitor;
mod services;
mod webhook;
mod worker;
