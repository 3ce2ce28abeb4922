//! One conversation, turn by turn: what it has said so far, its risk, its alert. Bounded, and without text.

use std::sync::Arc;

use crate::domain::{Channel, Role};

use super::alert::{AlertEvent, Alerts, Note, Tier};
use super::empathy::Empathy;
use super::history::History;
use super::policy::Rules;
use super::risk::{Account, Risk};
use super::signals::TurnSignals;
use super::trajectory::{Recovery, Trajectory};

/// How a conversation stands after a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Place of the turn.
    pub turn: usize,
    /// That a supervisor must see it now.
    pub detection: Risk,
    /// That it will come to that.
    pub forecast: Risk,
    /// The tier of the open alert.
    pub tier: Tier,
    /// Whether the customer was clearly negative and is better now.
    pub recovery: Option<Recovery>,
    /// The customer's end-weighted level, in [−1, 1].
    pub level: Option<f64>,
    /// What changed with this turn.
    pub event: Option<AlertEvent>,
}

/// A turn as the tracker hears it.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// What its speaker is.
    pub role: Role,
    /// As in [`crate::domain::Turn`].
    pub at_ms: Option<i64>,
    /// `None` for a turn that could not be read.
    pub signals: Option<TurnSignals>,
}

/// The state of one conversation.
#[derive(Debug, Clone)]
pub struct Tracker {
    rules: Arc<Rules>,
    channel: Channel,
    account: Account,
    turns: usize,
    history: History,
    trajectory: Trajectory,
    empathy: Empathy,
    alerts: Alerts,
    standing: Option<Standing>,
}

impl Tracker {
    /// A conversation before its first turn.
    pub fn new(rules: Arc<Rules>, channel: Channel, account: Account) -> Self {
        Self {
            rules,
            channel,
            account,
            turns: 0,
            history: History::default(),
            trajectory: Trajectory::default(),
            empathy: Empathy::default(),
            alerts: Alerts::default(),
            standing: None,
        }
    }

    /// Takes in the next turn.
    pub fn push(&mut self, heard: Heard) -> Standing {
        let turn = self.turns;
        self.turns += 1;
        self.empathy.push(turn, heard.role, heard.signals.as_ref());
        let event = match (heard.role, heard.signals) {
            (Role::Customer, Some(signals)) => self.customer(turn, heard.at_ms, signals),
            // An unreadable turn of the customer says nothing, and is no answer either.
            (Role::Customer, None) => None,
            (role, _) => {
                self.history.other(role, heard.at_ms);
                None
            }
        };
        let standing = self.stand(turn, event);
        self.standing = Some(Standing { event: None, ..standing.clone() });
        standing
    }

    fn customer(&mut self, turn: usize, at_ms: Option<i64>, signals: TurnSignals) -> Option<AlertEvent> {
        self.trajectory.push(signals.point(turn));
        self.history.customer(turn, at_ms, signals, self.channel, &self.rules.measures);
        let (detection, forecast) = self.risks();
        let recovered = self.trajectory.recovery(&self.rules.recovery).is_some();
        let event = self.alerts.evaluate(turn, &detection, &forecast, recovered, &self.rules);
        self.standing = Some(self.standing_with(turn, detection, forecast, None));
        event
    }

    /// After a turn that is not the customer's, the risks are what they were.
    fn stand(&self, turn: usize, event: Option<AlertEvent>) -> Standing {
        match &self.standing {
            Some(before) => Standing { turn, event, tier: self.alerts.tier(), ..before.clone() },
            None => {
                let (detection, forecast) = self.risks();
                self.standing_with(turn, detection, forecast, event)
            }
        }
    }

    fn standing_with(
        &self,
        turn: usize,
        detection: Risk,
        forecast: Risk,
        event: Option<AlertEvent>,
    ) -> Standing {
        Standing {
            turn,
            detection,
            forecast,
            tier: self.alerts.tier(),
            recovery: self.trajectory.recovery(&self.rules.recovery),
            level: self.trajectory.level(),
            event,
        }
    }

    fn risks(&self) -> (Risk, Risk) {
        let weigh = |weights: &super::risk::Weights| {
            weights.evaluate(&self.history, &self.rules.measures, &self.account)
        };
        (weigh(&self.rules.detection), weigh(&self.rules.forecast))
    }

    /// Judges coming turns by other rules; what has been heard stays heard.
    pub fn follow(&mut self, rules: Arc<Rules>) {
        self.rules = rules;
    }

    /// The rules that it follows.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// A person's note on the open alert.
    pub fn note(&mut self, ordinal: u32, note: Note) -> Option<AlertEvent> {
        self.alerts.note(ordinal, self.turns.saturating_sub(1), note)
    }

    /// The conversation is over; ends an open alert.
    pub fn close(&mut self) -> Option<AlertEvent> {
        let event = self.alerts.close(self.turns.saturating_sub(1))?;
        if let Some(standing) = &mut self.standing {
            standing.tier = Tier::None;
        }
        Some(event)
    }

    /// The alerts.
    pub fn alerts(&self) -> &Alerts {
        &self.alerts
    }

    /// What has been heard.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// How the customer fared.
    pub fn trajectory(&self) -> &Trajectory {
        &self.trajectory
    }

    /// Opportunities for empathy.
    pub fn empathy(&self) -> &Empathy {
        &self.empathy
    }

    /// How it stands; `None` before the first turn.
    pub fn standing(&self) -> Option<&Standing> {
        self.standing.as_ref()
    }

    /// Turns in all.
    pub fn turns(&self) -> usize {
        self.turns
    }
}

#[cfg(test)]
#[path = "tracker_tests.rs"]
mod tests;
