//! Logs and metrics. Customer text goes into neither.

pub mod logs;
pub mod metrics;
