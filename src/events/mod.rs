//! What attune tells other systems: signals of customers and assessments, as CloudEvents 1.0 in JSON.
//!
//! Pure. An event is made once, in the transaction that keeps what it tells, and sent as it is ever after: its id follows
//! from what it tells and from nothing else, so that whoever gets it twice can tell. Which sinks get it is decided at the
//! same moment ([`Routes`]). Delivering is the business of `sinks`. No customer text is in an event.

mod assessment;
mod envelope;
mod id;
mod routes;
mod sample;
mod signal;
mod subject;

pub use assessment::assessment;
pub use envelope::Event;
pub use id::{assessment_id, signal_id};
pub use routes::Routes;
pub use sample::samples;
pub use signal::{Origin, signal};
pub use subject::{subject, token};

use crate::lifecycle::SignalKind;

/// The kind of event that tells of an assessment; all other kinds are those of [`SignalKind`].
pub const ASSESSMENT: &str = "assessment";

/// Every kind of event, by name.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    SignalKind::ALL.into_iter().map(SignalKind::name).chain([ASSESSMENT])
}

#[cfg(test)]
#[path = "mod_tests.rs"]
mod tests;
