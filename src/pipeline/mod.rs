//! The use cases: read a text. Turns tokens and per-token terms into assessments; knows neither transport nor storage.

pub mod analyzer;
mod beside;
pub mod block;
mod calibrated;
pub mod conversation;
pub mod customers;
pub mod drift;
mod evidence;
pub mod models;
pub mod monitor;
mod observed;
mod occlusion;
pub mod options;
mod prepared;
mod readout;
mod segment;
pub mod shadow;

pub use analyzer::{Analyzer, AnalyzerSettings, Call};
pub use block::BlockText;
pub use customers::{Customers, Interaction};
pub use drift::{DriftMonitor, DriftSettings};
pub use models::Models;
pub use monitor::Monitor;
pub use options::{AnalysisOptions, ResolvedOptions};
