//! Offline scoring: a survey export in, the same rows with what they say out, and a report.
//!
//! `read` opens whatever a survey tool has exported and says which columns are what; `run` scores row after row, with a
//! checkpoint that a killed run goes on from; `write` writes them; `report` adds up what an analyst wants to see. `plan`
//! is what the command line and the service ask for alike; `service` keeps the jobs of a running service. `enrich` records
//! the rows of a CRM's export as interactions of customers, and `accounts` takes over what a CRM says of them. Memory stays
//! the same whatever the number of rows.

pub mod accounts;
mod blocks;
pub mod checkpoint;
pub mod columns;
pub mod enrich;
pub mod files;
mod known;
mod ledger;
pub mod observer;
pub mod part;
pub mod plan;
pub mod read;
mod record;
pub mod report;
pub mod run;
#[cfg(test)]
mod samples;
mod scorer;
pub mod service;
pub mod table;
pub mod times;
mod watching;
pub mod write;

pub use files::Paths;
pub use observer::{Observer, Unobserved};
pub use plan::Plan;
pub use run::{Company, Finished, Job};
pub use scorer::Progress;
pub use table::{BadRow, Column, Layout, Row, ScoreKind, Scored, ScoredRow, Table};
pub use watching::Watching;
pub use write::{Format, FormatName};
