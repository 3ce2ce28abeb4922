//! Deliveries in memory.

use async_trait::async_trait;

use super::{Letter, MemoryStore, State, Tables};
use crate::error::Error;
use crate::storage::outbox::{DeadFilter, Delivery, Outcome};
use crate::storage::port::Outbox;

#[async_trait]
impl Outbox for MemoryStore {
    async fn claim(
        &self,
        sink: &str,
        limit: usize,
        now_ms: i64,
        lease_until_ms: i64,
    ) -> Result<Vec<Delivery>, Error> {
        let mut tables = self.tables.lock();
        let mut blocked = std::collections::HashSet::new();
        let mut taken = Vec::new();
        for letter in tables.deliveries.values_mut().filter(|letter| letter.delivery.event.sink == sink) {
            let State::Due(at_ms) = letter.state else { continue };
            let customer = (letter.delivery.tenant.clone(), letter.delivery.customer.clone());
            if blocked.contains(&customer) {
                continue;
            }
            if at_ms > now_ms {
                blocked.insert(customer);
                continue;
            }
            if taken.len() == limit {
                break;
            }
            letter.state = State::Due(lease_until_ms);
            taken.push(letter.delivery.clone());
        }
        Ok(taken)
    }

    async fn settle(&self, outcomes: &[(u64, Outcome)], now_ms: i64) -> Result<(), Error> {
        let mut tables = self.tables.lock();
        for (sequence, outcome) in outcomes {
            if let Some(letter) = tables.deliveries.get_mut(sequence) {
                letter.settle(outcome, now_ms);
            }
        }
        Ok(())
    }

    async fn dead(&self, filter: &DeadFilter) -> Result<Vec<Delivery>, Error> {
        let mut tables = self.tables.lock();
        Ok(tables.dead(filter).take(filter.limit).map(|letter| letter.delivery.clone()).collect())
    }

    async fn replay(&self, filter: &DeadFilter, now_ms: i64) -> Result<u64, Error> {
        let mut tables = self.tables.lock();
        let mut count = 0;
        for letter in tables.dead(filter).take(filter.limit) {
            letter.state = State::Due(now_ms);
            letter.delivery.attempts = 0;
            count += 1;
        }
        Ok(count)
    }

    async fn backlog(&self) -> Result<Vec<(String, u64, u64)>, Error> {
        let tables = self.tables.lock();
        let mut sinks = std::collections::BTreeMap::<String, (u64, u64)>::new();
        for letter in tables.deliveries.values() {
            let counts = sinks.entry(letter.delivery.event.sink.clone()).or_default();
            match letter.state {
                State::Due(_) => counts.0 += 1,
                State::Dead(_) => counts.1 += 1,
                State::Done(_) => {}
            }
        }
        Ok(sinks.into_iter().map(|(sink, (waiting, dead))| (sink, waiting, dead)).collect())
    }
}

impl Letter {
    fn settle(&mut self, outcome: &Outcome, now_ms: i64) {
        // Whoever comes after the lease has ended, when another has settled it, changes nothing.
        if !matches!(self.state, State::Due(_)) {
            return;
        }
        match outcome {
            Outcome::Delivered => self.state = State::Done(now_ms),
            Outcome::Released => self.state = State::Due(now_ms),
            Outcome::Retry { at_ms, error } => self.fail(State::Due(*at_ms), error),
            Outcome::Dead { error } => self.fail(State::Dead(now_ms), error),
        }
    }

    fn fail(&mut self, state: State, error: &str) {
        self.state = state;
        self.delivery.attempts += 1;
        self.delivery.error = Some(error.to_owned());
    }
}

impl Tables {
    fn dead<'a>(&'a mut self, filter: &'a DeadFilter) -> impl Iterator<Item = &'a mut Letter> {
        self.deliveries.values_mut().filter(|letter| {
            let delivery = &letter.delivery;
            matches!(letter.state, State::Dead(_))
                && delivery.sequence > filter.after
                && filter.sequence.is_none_or(|sequence| sequence == delivery.sequence)
                && filter.sink.as_ref().is_none_or(|sink| *sink == delivery.event.sink)
        })
    }
}
