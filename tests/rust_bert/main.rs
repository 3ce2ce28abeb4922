//! The rust-bert backend: against the suite that every backend passes, against transformers on one tiny classifier per
//! architecture, and against ONNX Runtime on the embedded model's weights in float32.
//!
//! Needs a build with the feature `rust-bert` and the files of `make libtorch runtime fp32`, which `make test-rust-bert` makes.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may end")]

mod agreement;
mod classifiers;
#[path = "../conformance/mod.rs"]
mod conformance;
#[path = "../conformance/files.rs"]
mod files;
mod refusals;
mod service;
mod subjects;
