//! Offline scoring: a survey export in, the same rows with what they say out, and a report.
//!
//! `read` opens whatever a survey tool has exported and says which columns are what; `run` scores row after row, with a
//! checkpoint that a killed run goes on from; `write` writes them; `report` adds up what an analyst wants to see. Memory
//! stays the same whatever the number of rows.

pub mod report;
pub mod table;

pub use table::{BadRow, Column, Layout, Row, ScoreKind, Scored, ScoredRow, Table};
