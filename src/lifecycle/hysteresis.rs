//! One state that comes and goes, told once per change.
//!
//! A value at `raise` or above begins a state, one below `clear` ends it, and in between nothing changes, as in a
//! thermostat (a Schmitt trigger). Beside the two borders there are three times, since a value that jumps right over the
//! band would flap all the same: after a raise the state holds for `hold_days`; after anything was told no state begins for
//! `cool_days`; and a state that nobody has confirmed for `lapse_days` is over without a word, so that what comes a year
//! later is news again.
//!
//! ```text
//! value
//!  raise ┄┄┄┄┄┄┄┄╭─╮┄┄┄┄┄┄╭╮┄┄┄┄┄┄┄┄┄┄┄┄┄┄
//!               ╱   ╲    ╱  ╲
//!              ╱     ╲__╱    ╲      ╭─╮         in the band: nothing changes
//!  clear ┄┄┄┄╱┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄╲┄┄┄╱┄┄┄╲┄┄┄
//!           ╱                  ╲_╱
//! state ─────────┏━━━━━━━━━━━━━━━━┓────────────
//!             raised            cleared
//! ```

use serde::{Deserialize, Serialize};

use super::decay::days;
use super::signal::SignalKind;

/// The borders of a state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Border {
    /// What begins the state.
    pub kind: SignalKind,
    /// What is told at its end; `None` when the end is not told.
    pub end: Option<SignalKind>,
    /// Value from which on the state begins.
    pub raise: f64,
    /// Value below which it ends.
    pub clear: f64,
    /// Days after a raise in which it does not end.
    pub hold_days: f64,
    /// Days after anything was told in which it does not begin.
    pub cool_days: f64,
    /// Days without a value at `clear` or above after which it is over.
    pub lapse_days: f64,
}

/// A state as it was left.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Track {
    /// Whether it holds.
    pub held: bool,
    /// As of when something was last told of it, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_ms: Option<i64>,
    /// As of when its value was last at `clear` or above while it held.
    pub confirmed_ms: i64,
    /// The interaction that the state is about, when it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The level before a fall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
}

/// What a value says of a state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured<'a> {
    /// The value, against the borders.
    pub value: f64,
    /// As of when, in milliseconds since 1970.
    pub at_ms: i64,
    /// The interaction that it is about, when it is about one; each is told at most once.
    pub subject: Option<&'a str>,
    /// Whether the CRM brought it about: its word ends a state at once.
    pub by_account: bool,
}

impl Border {
    /// Whether a state that was left like this is over by itself.
    pub fn lapsed(&self, track: &Track, at_ms: i64) -> bool {
        track.held && days(track.confirmed_ms, at_ms) > self.lapse_days
    }

    /// Moves a state on, and answers with what is to be told.
    pub fn step(&self, track: &mut Track, now: Measured) -> Option<SignalKind> {
        let another = now.subject.is_some() && now.subject != track.subject.as_deref();
        if another || self.lapsed(track, now.at_ms) {
            track.held = false;
        }
        if track.held { self.hold(track, now) } else { self.begin(track, now, another) }
    }

    fn begin(&self, track: &mut Track, now: Measured, another: bool) -> Option<SignalKind> {
        let cool = track.told_ms.is_none_or(|told_ms| days(told_ms, now.at_ms) >= self.cool_days);
        let told_before = now.subject.is_some() && !another;
        if now.value < self.raise || !cool || told_before {
            return None;
        }
        let subject = now.subject.map(str::to_owned);
        let (told_ms, confirmed_ms) = (Some(now.at_ms), now.at_ms);
        *track = Track { held: true, told_ms, confirmed_ms, subject, before: track.before };
        Some(self.kind)
    }

    fn hold(&self, track: &mut Track, now: Measured) -> Option<SignalKind> {
        if now.value >= self.clear {
            track.confirmed_ms = now.at_ms;
            return None;
        }
        let told = track.told_ms.unwrap_or(now.at_ms);
        if !now.by_account && days(told, now.at_ms) < self.hold_days {
            return None;
        }
        track.held = false;
        if self.end.is_some() {
            track.told_ms = Some(now.at_ms);
        }
        self.end
    }
}

#[cfg(test)]
#[path = "hysteresis_tests.rs"]
mod tests;
