//! What an analyst wants to see of a scored table: one HTML file that needs nothing from elsewhere.
//!
//! [`Tally`] adds up rows in constant memory and can be written to a checkpoint and read again; [`render`] makes the file
//! of it. Nothing here knows a clock or draws a random number: the same rows give the same bytes. What identifies a
//! person is taken out when a row is added, unless the caller wants otherwise. `docs/report.md` says what each panel
//! means and by which formulas.

mod charts;
mod comments;
mod compared;
mod counts;
mod coverage;
mod dates;
mod drawing;
mod figures;
mod format;
mod honesty;
mod labelled;
mod labels;
mod overall;
mod page;
mod phrases;
mod reading;
mod score;
mod segments;
mod series;
mod shown;
mod split;
mod tally;
mod timeline;

pub use page::{Facts, render};
pub use tally::{Options, Tally};

#[cfg(test)]
mod sample;
#[cfg(test)]
#[path = "mod_tests.rs"]
mod tests;
