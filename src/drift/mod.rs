//! Whether the texts, and what is read in them, still look as they did when the model was made.
//!
//! `layout` says which features there are and what their bins are, `observation` is what one text adds to them, `window` is
//! what the last texts added, `divergence` compares two histograms, `alarm` decides from which value on that is news, and
//! `watch` joins them for one stream of texts. docs/drift.md has the formulas. Pure: no clock, no I/O, no text; time is handed
//! in.

pub mod alarm;
pub mod divergence;
pub mod layout;
pub mod observation;
pub mod reference;
pub mod tenant;
pub mod watch;
pub mod window;

pub use alarm::Level;
pub use divergence::Divergence;
pub use layout::{Feature, HeadShape, Layout};
pub use observation::{Fate, HeadSaid, Language, Observation, Said};
pub use reference::{Reference, ReferenceError};
pub use tenant::{Tenant, TenantError};
pub use watch::{FeatureReport, Report, Shift, Watch};
pub use window::Span;

#[cfg(test)]
mod laws_tests;
