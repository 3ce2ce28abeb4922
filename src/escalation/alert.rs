//! Alerts: `none → watch → elevated → urgent`, and `recovered`; one event per change, under a stable id.
//!
//! A tier is raised when its risk has reached `raise` for `raise_turns` customer turns, and held until the risk has been
//! below `clear` for `clear_turns`. In between nothing changes, so that a risk on the border does not flap. After an
//! alert has ended, watch and elevated rest for `cool_down_turns`; urgent never rests. A customer who has recovered ends
//! an alert, and has none but an urgent one while it lasts.

use super::policy::{Rules, Source, TierRule};
use super::risk::Risk;

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Tier {
    /// Nothing to do.
    #[default]
    None,
    /// Worth an eye.
    Watch,
    /// Somebody should step in before it comes to that.
    Elevated,
    /// A supervisor must see this now.
    Urgent,
}

impl Tier {
    /// The tiers that an alert can have, in the order of [`Rules::tiers`].
    pub const RAISED: [Self; 3] = [Self::Watch, Self::Elevated, Self::Urgent];

    /// The tier's name in exports.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Watch => "watch",
            Self::Elevated => "elevated",
            Self::Urgent => "urgent",
        }
    }
}

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// It is new.
    Raised,
    /// Its tier went up.
    Escalated,
    /// Its tier went down.
    Lowered,
    /// It ended: the risk has passed.
    Cleared,
    /// It ended: the customer has recovered.
    Recovered,
    /// Somebody has taken it.
    Acknowledged,
    /// Somebody has put it off.
    Snoozed,
    /// It ended with its conversation, which nobody follows any more.
    Closed,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 8] = [
        Self::Raised,
        Self::Escalated,
        Self::Lowered,
        Self::Cleared,
        Self::Recovered,
        Self::Acknowledged,
        Self::Snoozed,
        Self::Closed,
    ];

    /// The change's name in exports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Escalated => "escalated",
            Self::Lowered => "lowered",
            Self::Cleared => "cleared",
            Self::Recovered => "recovered",
            Self::Acknowledged => "acknowledged",
            Self::Snoozed => "snoozed",
            Self::Closed => "closed",
        }
    }
}

/// An alert that is open or has just ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Which alert of its conversation, from 1; with the conversation's id it is the alert's stable identity.
    pub ordinal: u32,
    /// Its tier now; the last one when it has ended.
    pub tier: Tier,
    /// Place of the turn that raised it.
    pub raised_at_turn: usize,
    /// The highest tier it has had.
    pub highest: Tier,
    /// Who has taken it.
    pub acknowledged_by: Option<String>,
    /// Until when it is put off, in milliseconds since 1970.
    pub snoozed_until_ms: Option<i64>,
}

/// One change of one alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertEvent {
    /// Number among the conversation's events, from 1, without gaps.
    pub sequence: u64,
    /// What happened.
    pub change: Change,
    /// Place of the turn after which it happened.
    pub turn: usize,
    /// The tier before.
    pub before: Tier,
    /// The alert after it.
    pub alert: Alert,
}

/// The state machine of one conversation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Alerts {
    open: Option<Alert>,
    count: u32,
    events: u64,
    /// Customer turns in a row with the risk at `raise` or above, per tier.
    above: [usize; 3],
    /// Customer turns in a row with the risk below `clear`, per tier.
    below: [usize; 3],
    resting: usize,
}

impl Alerts {
    /// The open alert.
    pub fn open(&self) -> Option<&Alert> {
        self.open.as_ref()
    }

    /// The tier now.
    pub fn tier(&self) -> Tier {
        self.open.as_ref().map_or(Tier::None, |alert| alert.tier)
    }

    /// Number of the last event; 0 before the first.
    pub fn last_event(&self) -> u64 {
        self.events
    }

    /// After a customer's turn: what changed, if anything did. At most one event.
    pub fn evaluate(
        &mut self,
        turn: usize,
        detection: &Risk,
        forecast: &Risk,
        recovered: bool,
        rules: &Rules,
    ) -> Option<AlertEvent> {
        let was_resting = self.resting > 0;
        self.resting = self.resting.saturating_sub(1);
        let (detection, forecast) = (detection.probability().get(), forecast.probability().get());
        let risks = rules.tiers.map(|rule| match rule.source {
            Source::Detection => detection,
            Source::Forecast => forecast,
            Source::Either => detection.max(forecast),
        });
        for (n, rule) in rules.tiers.iter().enumerate() {
            self.above[n] = if risks[n] >= rule.raise { self.above[n].saturating_add(1) } else { 0 };
            self.below[n] = if risks[n] < rule.clear { self.below[n].saturating_add(1) } else { 0 };
        }
        let before = self.tier();
        // A recovery does not count in a turn that itself asks for a supervisor. In any other it also keeps the milder
        // tiers down: they and the recovery would take turns.
        if recovered && risks[2] < rules.tiers[2].raise {
            return (before > Tier::None).then(|| self.end(turn, before, Change::Recovered, rules));
        }
        match self.target(before, &rules.tiers, was_resting) {
            target if target > before => Some(self.raise(turn, before, target)),
            Tier::None if before > Tier::None => Some(self.end(turn, before, Change::Cleared, rules)),
            target if target < before => Some(self.lower(turn, before, target)),
            _ => None,
        }
    }

    /// The highest tier that is raised now or still held.
    fn target(&self, before: Tier, rules: &[TierRule; 3], resting: bool) -> Tier {
        let held = |n: usize, tier: Tier| {
            let raised = self.above[n] >= rules[n].raise_turns && !(resting && tier < Tier::Urgent);
            raised || (before >= tier && self.below[n] < rules[n].clear_turns)
        };
        let tiers = Tier::RAISED.into_iter().enumerate();
        tiers.filter(|(n, tier)| held(*n, *tier)).map(|(_, tier)| tier).max().unwrap_or_default()
    }

    fn raise(&mut self, turn: usize, before: Tier, target: Tier) -> AlertEvent {
        let change = if let Some(alert) = &mut self.open {
            // What was put off was a milder thing.
            alert.snoozed_until_ms = None;
            alert.tier = target;
            alert.highest = alert.highest.max(target);
            Change::Escalated
        } else {
            self.count = self.count.saturating_add(1);
            self.open = Some(Alert {
                ordinal: self.count,
                tier: target,
                raised_at_turn: turn,
                highest: target,
                acknowledged_by: None,
                snoozed_until_ms: None,
            });
            Change::Raised
        };
        self.event(turn, before, change)
    }

    fn lower(&mut self, turn: usize, before: Tier, target: Tier) -> AlertEvent {
        if let Some(alert) = &mut self.open {
            alert.tier = target;
        }
        self.event(turn, before, Change::Lowered)
    }

    fn end(&mut self, turn: usize, before: Tier, change: Change, rules: &Rules) -> AlertEvent {
        self.resting = rules.cool_down_turns;
        self.above = [0; 3];
        let event = self.event(turn, before, change);
        self.open = None;
        event
    }

    /// Somebody takes the alert, or puts it off until a time; `None` when there is no open alert of that number.
    pub fn note(&mut self, ordinal: u32, turn: usize, note: Note) -> Option<AlertEvent> {
        let alert = self.open.as_mut().filter(|alert| alert.ordinal == ordinal)?;
        let change = match note {
            Note::Acknowledge(by) => {
                alert.acknowledged_by = Some(by);
                Change::Acknowledged
            }
            Note::SnoozeUntil(until_ms) => {
                alert.snoozed_until_ms = Some(until_ms);
                Change::Snoozed
            }
        };
        let before = alert.tier;
        Some(self.event(turn, before, change))
    }

    /// The end of the conversation ends its alert; `None` when none is open.
    pub fn close(&mut self, turn: usize) -> Option<AlertEvent> {
        let before = self.open.as_ref()?.tier;
        let event = self.event(turn, before, Change::Closed);
        self.open = None;
        Some(event)
    }

    fn event(&mut self, turn: usize, before: Tier, change: Change) -> AlertEvent {
        self.events += 1;
        let alert = self.open.clone().unwrap_or(Alert {
            ordinal: self.count,
            tier: before,
            raised_at_turn: turn,
            highest: before,
            acknowledged_by: None,
            snoozed_until_ms: None,
        });
        AlertEvent { sequence: self.events, change, turn, before, alert }
    }
}

/// What a person says of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Taken, by whom.
    Acknowledge(String),
    /// Put off, until when, in milliseconds since 1970.
    SnoozeUntil(i64),
}

#[cfg(test)]
#[path = "alert_tests.rs"]
mod tests;
