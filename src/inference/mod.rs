//! From text to per-token terms: tokenizer, windows, the backend that runs the network, and how windows combine.
//!
//! Everything here is synchronous. `ort` is named in `onnx`, rust-bert and `tch` in `rust_bert`, `tokenizers` in `tokenizer`,
//! `whatlang` in `language`, and nowhere else. What the numbers mean (heads, thresholds, evidence) is the pipeline's business.

pub mod backend;
pub mod document;
pub mod fake;
pub mod language;
pub mod onnx;
pub mod runtime_library;
#[cfg(feature = "rust-bert")]
pub mod rust_bert;
pub mod tokenizer;
pub mod window;

pub use backend::{Backend, BackendFactory, EncodedBatch, InferenceError, WindowOutput};
pub use document::DocumentScores;
pub use tokenizer::{TextTokenizer, TokenizedText};
