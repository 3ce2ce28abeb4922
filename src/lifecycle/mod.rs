//! A customer over time: how they feel, across channels, where they stand with the company, and what has changed.
//!
//! Pure: no clock, no I/O, no text. A [`Profile`] is a function of a customer's [`Observation`]s and [`Account`] alone,
//! whatever the order in which they came; [`follow`] compares it with what was last said ([`Memory`]) and answers with
//! the [`Signal`]s that a CRM is told of, one per change.

pub mod account;
pub mod observation;
pub mod profile;
pub mod signal;

pub use account::{Account, Stage};
pub use observation::Observation;
pub use profile::Profile;
pub use signal::{Memory, Reason, Signal, SignalKind};
