//! Records the rows of a CRM's or helpdesk's export as interactions of customers: the history that a store begins with.
//!
//! `mapping` says which columns are what and makes an interaction of a row; `run` reads, keeps and goes on where it was;
//! `mark` is how far it has come; `output` is one row per customer, to be loaded back. An interaction is known by its
//! source and id, so whatever is recorded twice is recorded once, and whoever is killed runs again. Blocks are cut by rows
//! alone and read as `Customers::read_block` reads them, so that the store comes to hold the same, bit for bit, however often
//! the run was interrupted.

mod mapping;
mod mark;
mod output;
mod run;

pub use mapping::{Choice, Mapping};
pub use run::{BATCH, Enrich, Enriched, Place, Totals};
