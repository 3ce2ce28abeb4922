//! Who looks on while rows are scored, and what it has seen so far.

use serde_json::Value;

use super::table::{BadRow, ScoredRow};
use crate::error::Error;

/// Sees every row once, in the file's order. What it has seen is kept in the checkpoint, so that a run that is resumed
/// does not show it a row again.
pub trait Observer: Send {
    /// Whether assessments are to carry evidence, which takes time and room.
    fn wants_evidence(&self) -> bool {
        false
    }
    /// A row that was written.
    fn row(&mut self, row: &ScoredRow);
    /// A row that could not be read.
    fn bad(&mut self, row: &BadRow);
    /// What it has seen so far, of bounded size.
    fn state(&self) -> Value;
    /// Goes on from what an earlier run has seen. Errors: a state that it can't read.
    fn restore(&mut self, state: Value) -> Result<(), Error>;
}

/// Nobody looks on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn row(&mut self, _: &ScoredRow) {}

    fn bad(&mut self, _: &BadRow) {}

    fn state(&self) -> Value {
        Value::Null
    }

    fn restore(&mut self, _: Value) -> Result<(), Error> {
        Ok(())
    }
}
