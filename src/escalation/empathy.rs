//! Opportunities for empathy: customers in distress, and whether the next answer acknowledges it.
//!
//! An aggregate over a conversation. Which agent missed one is not said: a model that hears an apology in seven of eight
//! must not rate people.

use crate::domain::Role;

use super::signals::TurnSignals;

/// Distress or anger from which on a turn asks for acknowledgement.
const DISTRESS: f64 = 0.4;
/// Strength of a vulnerability that asks for it by itself.
const VULNERABLE: f64 = 0.5;
/// Caring or remorse that counts as an acknowledgement.
const ACKNOWLEDGED: f64 = 0.3;

/// How opportunities were met so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Empathy {
    /// Places of turns whose answer acknowledged them.
    pub met: Vec<usize>,
    /// Places of turns that were answered without it.
    pub missed: Vec<usize>,
    waiting: Option<usize>,
    answered: bool,
}

impl Empathy {
    /// Takes in the next turn; `signals` is `None` for one that could not be read.
    pub fn push(&mut self, turn: usize, role: Role, signals: Option<&TurnSignals>) {
        match (role, signals) {
            (Role::Customer, signals) => {
                self.settle();
                self.waiting = signals.filter(|s| asks(s)).map(|_| turn);
            }
            (Role::Agent | Role::Supervisor, Some(signals)) => {
                self.answered = true;
                if signals.acknowledgement >= ACKNOWLEDGED {
                    self.met.extend(self.waiting.take());
                }
            }
            // A program that says it is sorry is no empathy, and its silence is nobody's lack of it.
            (Role::Agent | Role::Supervisor, None) | (Role::Bot | Role::System, _) => {}
        }
    }

    /// Opportunities that have been answered; the last one, still open, is not among them.
    pub fn count(&self) -> usize {
        self.met.len() + self.missed.len()
    }

    fn settle(&mut self) {
        if self.answered {
            self.missed.extend(self.waiting.take());
        }
        self.answered = false;
    }

    /// The same at the end of a conversation, when no further answer will come.
    #[must_use]
    pub fn closed(mut self) -> Self {
        self.settle();
        self
    }
}

fn asks(signals: &TurnSignals) -> bool {
    signals.distress.max(signals.anger) >= DISTRESS || signals.cue("vulnerability") >= VULNERABLE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signals(distress: f64, acknowledgement: f64) -> TurnSignals {
        TurnSignals { distress, acknowledgement, ..TurnSignals::default() }
    }

    #[test]
    fn an_opportunity_is_met_by_any_answer_before_the_customer_speaks_again() {
        let mut empathy = Empathy::default();
        let sad = signals(0.8, 0.0);
        empathy.push(0, Role::Customer, Some(&sad));
        empathy.push(1, Role::Bot, Some(&signals(0.0, 0.9)));
        empathy.push(2, Role::Agent, Some(&signals(0.0, 0.1)));
        empathy.push(3, Role::Agent, Some(&signals(0.0, 0.9)));
        empathy.push(4, Role::Customer, Some(&sad));
        empathy.push(5, Role::Agent, Some(&signals(0.0, 0.0)));
        empathy.push(6, Role::Customer, Some(&signals(0.1, 0.0)));
        let empathy = empathy.closed();
        assert_eq!((empathy.met, empathy.missed), (vec![0], vec![4]));
    }

    #[test]
    fn a_turn_that_nobody_answered_is_no_agents_lack() {
        let mut empathy = Empathy::default();
        empathy.push(0, Role::Customer, Some(&signals(0.8, 0.0)));
        assert_eq!(empathy.closed().count(), 0);
    }
}
