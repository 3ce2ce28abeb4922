//! The real model and the real binary: golden scores, the command line, a server process, broken models and libraries.
//!
//! Needs ONNX Runtime (`make runtime`), which `make test` fetches.

mod binary;
mod golden;
mod language;
mod server;
