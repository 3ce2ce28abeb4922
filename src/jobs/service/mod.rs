//! The jobs of a running service: taken in, run a few at a time, kept over a restart, and told about.
//!
//! `spec` is what a caller asks for and `place` where it may lie; `board` decides (which job is next, which is refused,
//! which is forgotten) and knows no clock, no file and no task; `folder` keeps a small file per job; `desk` is the
//! board with its files and its listeners; `transfer` brings objects in and out; `pin` says which model reads; `work` runs one job with the runner of
//! `attune score`; `manager` joins them. Everything of a job but
//! its output lies in a directory of its own until it ends.

mod board;
mod buckets;
mod desk;
mod directories;
mod folder;
mod manager;
mod pin;
mod place;
mod publish;
mod record;
pub mod s3;
mod spec;
mod transfer;
mod worded;
mod work;

pub use board::Bounds;
pub use buckets::{Buckets, NoBuckets};
pub use manager::{Jobs, Settings};
pub use record::{Failure, Record, State};
pub use spec::{ReportSpec, Spec};
pub use transfer::Patience;
