//! The customer's turns so far, as much of them as features need: bounded, and without text.

use std::collections::VecDeque;

use crate::domain::{Channel, Role};

use super::policy::Measures;
use super::signals::TurnSignals;

/// Customer turns that are remembered. With the usual half-lives the 48th last one counts nothing; its place is still
/// counted.
const REMEMBERED: usize = 48;

/// A customer's turn that was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Remembered {
    /// Its place among all turns, from 0.
    pub turn: usize,
    /// What it says.
    pub signals: TurnSignals,
    /// How long the customer had waited for an answer before, against what is usual, in [0, 1].
    pub wait: f64,
    /// Customer turns before this one that are not answered yet.
    pub unanswered: u32,
    /// Likeness to the remembered turn before it that is most alike, in [0, 1].
    pub likeness: f64,
}

/// What was heard so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    heard: VecDeque<Remembered>,
    customer_turns: usize,
    waiting: Waiting,
}

/// How long the customer waits for an answer.
#[derive(Debug, Clone, PartialEq, Default)]
struct Waiting {
    since_ms: Option<i64>,
    unanswered: u32,
    longest_ms: i64,
}

impl History {
    /// Takes in a customer's turn. `at_ms` as in [`crate::domain::Turn`].
    pub fn customer(
        &mut self,
        turn: usize,
        at_ms: Option<i64>,
        signals: TurnSignals,
        channel: Channel,
        measures: &Measures,
    ) {
        if let (Some(since), Some(now)) = (self.waiting.since_ms, at_ms) {
            self.waiting.longest_ms = self.waiting.longest_ms.max(now.saturating_sub(since));
        }
        let wait = wait(self.waiting.longest_ms, measures.usual_wait_ms(channel));
        let likeness = self.heard.iter().map(|before| before.signals.likeness(&signals)).fold(0.0, f64::max);
        self.heard.push_back(Remembered {
            turn,
            signals,
            wait,
            unanswered: self.waiting.unanswered,
            likeness,
        });
        if self.heard.len() > REMEMBERED {
            self.heard.pop_front();
        }
        self.customer_turns += 1;
        self.waiting.longest_ms = 0;
        self.waiting.unanswered = self.waiting.unanswered.saturating_add(1);
        self.waiting.since_ms = self.waiting.since_ms.or(at_ms);
    }

    /// Takes in somebody else's turn: it ends a wait, and says nothing of the customer.
    pub fn other(&mut self, role: Role, at_ms: Option<i64>) {
        // A system's line, such as "you are number 12 in the queue", is no answer.
        if !role.helps() {
            return;
        }
        if let (Some(since), Some(now)) = (self.waiting.since_ms.take(), at_ms) {
            self.waiting.longest_ms = self.waiting.longest_ms.max(now.saturating_sub(since));
        }
        self.waiting.unanswered = 0;
    }

    /// Remembered customer turns with their age, the latest first at age 0.
    pub fn newest_first(&self) -> impl Iterator<Item = (usize, &Remembered)> {
        self.heard.iter().rev().enumerate()
    }

    /// The latest customer turn.
    pub fn latest(&self) -> Option<&Remembered> {
        self.heard.back()
    }

    /// Customer turns in all.
    pub fn customer_turns(&self) -> usize {
        self.customer_turns
    }
}

/// 0 up to the usual wait, then a third for each doubling, up to 1.
fn wait(longest_ms: i64, usual_ms: f64) -> f64 {
    let times = longest_ms.max(0) as f64 / usual_ms;
    if times > 1.0 { (times.log2() / 3.0).min(1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_counts_from_the_first_unanswered_turn_until_the_answer() {
        let measures = Measures::default();
        let usual = measures.usual_wait_ms(Channel::Chat) as i64;
        let mut history = History::default();
        let say = |history: &mut History, turn, at| {
            history.customer(turn, Some(at), TurnSignals::default(), Channel::Chat, &measures);
        };
        say(&mut history, 0, 0);
        say(&mut history, 1, usual);
        history.other(Role::System, Some(2 * usual));
        history.other(Role::Agent, Some(8 * usual));
        say(&mut history, 4, 8 * usual + 1000);
        let waits: Vec<_> = history.newest_first().map(|(_, h)| (h.wait, h.unanswered)).collect();
        assert_eq!(waits, [(1.0, 0), (0.0, 1), (0.0, 0)]);
    }

    #[test]
    fn memory_stays_bounded_and_the_count_goes_on() {
        let mut history = History::default();
        for turn in 0..1000 {
            history.customer(turn, None, TurnSignals::default(), Channel::Chat, &Measures::default());
        }
        assert_eq!((history.newest_first().count(), history.customer_turns()), (REMEMBERED, 1000));
    }
}
