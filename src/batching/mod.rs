//! The dynamic batcher: windows of many callers in, well-filled batches to the workers, one answer to each caller.
//!
//! Decisions are pure and synchronous (`queue`, `admission`); `batcher` holds them behind one lock, and `worker` threads,
//! each of which owns a session, do the waiting. There is no wait window: the queue fills while workers are busy.
//! docs/adr/0002-late-bound-batches.md gives the reasons and the measurements.

pub mod admission;
pub mod batcher;
mod cache;
mod calibrate;
mod closed;
mod entries;
pub mod queue;
mod worker;

pub use admission::AdmissionSettings;
pub use batcher::{Batcher, BatcherSettings, Ending, Entrance, Request, WindowAnswer};
pub use queue::Lane;
