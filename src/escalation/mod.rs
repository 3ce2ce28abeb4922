//! Who needs a person now, who will, and why: risk over a conversation, and the alerts that come of it.
//!
//! Pure: no clock, no I/O, no text but for the words that a policy keeps quiet. A [`Tracker`] is told of one turn after
//! the other and answers with a [`Standing`]; a whole transcript and a live one go the same way, so that they end the
//! same. Reading order: [`signals`] (what one turn says), [`features`] (what the turns say together), [`risk`] (what
//! that weighs), [`alert`] (when somebody is told), [`trajectory`] (how the customer fared), [`tracker`].
//!
//! Detection (a supervisor must see this now) and forecast (it will come to that) are two risks with weights of their
//! own. Only customers' turns colour either; agents' turns say how long the customer waited, and nothing else.

pub mod alert;
pub mod backtest;
pub mod empathy;
pub mod features;
pub mod fit;
pub mod history;
pub mod judged;
pub mod labels;
pub mod policy;
mod policy_file;
pub mod replay;
pub mod risk;
#[cfg(test)]
pub(crate) mod samples_tests;
pub mod signals;
pub mod tracker;
pub mod trajectory;

pub use alert::{Alert, AlertEvent, Change, Tier};
pub use features::Feature;
pub use policy::{Policies, Rules};
pub use risk::{Reason, Risk};
pub use signals::TurnSignals;
pub use tracker::{Heard, Standing, Tracker};
