//! A customer over time: how they feel, across channels, where they stand with the company, and what has changed.
//!
//! Pure: no clock, no I/O, no text. A [`Profile`] is a function of a customer's [`Observation`]s and [`Account`] alone,
//! whatever the order in which they came; [`follow()`] compares it with what was last said ([`Memory`]) and answers with
//! the [`Signal`]s that a CRM is told of, one per change.
//!
//! To read from the bottom up: [`decay`] and [`channel`] (what an interaction counts), [`level`], [`consistency`],
//! [`voiced`], [`nps`] and [`recovery`] (what they say together), [`churn`] and [`stage`] (what follows), [`profile`]; then
//! [`rules`] (what is measured), [`hysteresis`] (when it is told), [`escalated`], and [`mod@follow`]. `docs/lifecycle.md` has
//! every formula with an example. Half-lives, weights and borders are choices with reasons, not measured facts.

pub mod account;
pub mod channel;
pub mod churn;
pub mod consistency;
pub mod decay;
pub mod escalated;
pub mod follow;
pub mod hysteresis;
pub mod level;
pub mod memory;
pub mod nps;
pub mod observation;
pub mod profile;
pub mod recovery;
pub mod rules;
pub mod signal;
pub mod stage;
pub mod timeline;
pub mod voiced;

pub use account::{Account, Stage};
pub use churn::Churn;
pub use follow::follow;
pub use memory::Memory;
pub use observation::Observation;
pub use profile::Profile;
pub use signal::{Reason, Signal, SignalKind};

#[cfg(test)]
mod samples_tests;
