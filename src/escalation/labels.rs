//! From how a conversation ended to what its turns should have told: labels for fitting, and when an alert was in time.
//!
//! Of an escalated conversation a person marked the turn at which a team lead would want to be told, and often the turn
//! from which on it could be seen coming (the onset). A history that marks onsets says of the rest that nothing could
//! be foreseen; in one that never does, the last [`HORIZON`] customer turns before the marked one count as the onset.

use super::replay::Case;

/// Customer turns before the marked one in which a history without onsets is taken to show what comes.
pub const HORIZON: usize = 3;

/// One of the two risks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A supervisor must see this now.
    Detection,
    /// It will come to that.
    Forecast,
}

impl Target {
    /// The target's name in policies.
    pub fn name(self) -> &'static str {
        match self {
            Self::Detection => "detection",
            Self::Forecast => "forecast",
        }
    }
}

/// Whether a history marks from when on an escalation could be seen coming.
pub fn marks_onsets<'a>(cases: impl IntoIterator<Item = &'a Case>) -> bool {
    cases.into_iter().any(|case| case.outcome.forecastable_turn.is_some())
}

/// The marked turn of an escalated conversation, and the turns around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// Place of the turn at which a team lead would want to be told.
    pub turn: usize,
    /// Place from which on it could be seen coming; `None` when nothing could be foreseen.
    pub onset: Option<usize>,
    /// Place of the customer turn before, or the marked turn itself.
    before: usize,
    /// Place of the customer turn after, or the marked turn itself.
    after: usize,
}

impl Marked {
    /// `None` for a conversation that did not escalate, or of which nobody marked where.
    pub fn of(case: &Case, marks_onsets: bool) -> Option<Self> {
        let turn = case.outcome.turn.filter(|_| case.outcome.escalated)?;
        let earlier: Vec<usize> = case.customer_turns().take_while(|place| *place < turn).collect();
        let later = case.customer_turns().find(|place| *place > turn);
        let onset = match case.outcome.forecastable_turn {
            Some(onset) => Some(onset),
            None if marks_onsets => None,
            None => earlier.iter().rev().take(HORIZON).next_back().copied(),
        };
        Some(Self {
            turn,
            onset: onset.filter(|onset| *onset < turn),
            before: earlier.last().copied().unwrap_or(turn),
            after: later.unwrap_or(turn),
        })
    }

    /// Whether an urgent alert at that turn comes in time: within one customer turn of the marked one, or from the
    /// onset on.
    pub fn in_time(&self, turn: usize) -> bool {
        let earliest = self.onset.map_or(self.before, |onset| onset.min(self.before));
        (earliest..=self.after).contains(&turn)
    }
}

/// Whether each of [`Case::customer_turns`] should carry the risk; `None` for one that says nothing either way.
///
/// Detection holds at the marked turn and not before the onset. The turns between are left out, for a careful reader
/// may or may not call there. Forecast holds from the onset up to the marked turn, which no forecast can claim. After the
/// marked turn nothing counts: nobody marked whether the customer still says it. Nothing counts either in an escalated
/// conversation without a marked turn.
pub fn labels(case: &Case, target: Target, marks_onsets: bool) -> Vec<Option<bool>> {
    let marked = Marked::of(case, marks_onsets);
    let label = |turn: usize| match (&marked, target) {
        (None, _) => (!case.outcome.escalated).then_some(false),
        (Some(marked), _) if marked.onset.unwrap_or(marked.turn) > turn => Some(false),
        (Some(marked), _) if turn > marked.turn => None,
        (Some(marked), Target::Detection) => (turn == marked.turn).then_some(true),
        (Some(marked), Target::Forecast) => (turn < marked.turn).then_some(true),
    };
    case.customer_turns().map(label).collect()
}

#[cfg(test)]
#[path = "labels_tests.rs"]
mod tests;
