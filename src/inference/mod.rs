//! From text to per-token terms: tokenizer, windows, the backend that runs the network, and how windows combine.
//!
//! Everything here is synchronous. `ort` is named in `onnx` (`provider` has what it is told in plain values) and `interface`,
//! rust-bert and `tch` in `rust_bert`, `tokenizers` in `tokenizer`, `whatlang` in `language`, and
//! nowhere else. What the numbers mean (heads, thresholds, evidence) is the pipeline's business.

pub mod arranged;
pub mod backend;
pub mod document;
pub mod fake;
pub mod interface;
mod known_words;
pub mod language;
pub mod onnx;
pub mod provider;
pub mod runtime_library;
#[cfg(feature = "rust-bert")]
pub mod rust_bert;
pub mod tokenizer;
pub mod window;

pub use arranged::Arranged;
pub use backend::{Backend, BackendFactory, EncodedBatch, InferenceError, WindowOutput};
pub use document::{DocumentScores, PlainWindow};
pub use provider::Provider;
pub use tokenizer::{TextTokenizer, TokenizedText};
