//! Customers for the tests.

use proptest::prelude::*;

use super::account::Account;
use super::memory::Memory;
use super::observation::Observation;
use super::profile::Profile;
use super::signal::Signal;
use super::{follow, voiced};

/// Milliseconds of a day.
pub(crate) const DAY: i64 = 86_400_000;

/// An interaction on a day, in a channel, with a score.
pub(crate) fn on(day: f64, channel: &str, score: f64) -> Observation {
    Observation {
        id: format!("{channel}-{day}"),
        at_ms: (day * DAY as f64) as i64,
        channel: channel.to_owned(),
        score: Some(score),
        cues: Vec::new(),
        nps: None,
        csat: None,
        escalation: 0.0,
        recovered: false,
    }
}

impl Observation {
    pub(crate) fn cue(mut self, name: &str, strength: f64) -> Self {
        self.cues.push((name.to_owned(), strength));
        self
    }

    pub(crate) fn nps(self, nps: u8) -> Self {
        Self { nps: Some(nps), ..self }
    }

    pub(crate) fn escalated(self, escalation: f64) -> Self {
        Self { escalation, ..self }
    }

    pub(crate) fn better(self) -> Self {
        Self { recovered: true, ..self }
    }
}

/// A customer who is followed as interactions come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Followed {
    pub(crate) account: Account,
    pub(crate) all: Vec<Observation>,
    pub(crate) memory: Memory,
    pub(crate) told: Vec<Signal>,
}

impl Followed {
    pub(crate) fn profile(&self) -> Profile {
        Profile::of(&self.all, &self.account)
    }

    /// Adds interactions at once; what is told of them.
    pub(crate) fn add(&mut self, added: &[Observation]) -> Vec<Signal> {
        self.all.extend_from_slice(added);
        let (memory, signals) = follow(&self.memory, &self.profile(), &self.account, added);
        self.memory = memory;
        self.told.extend_from_slice(&signals);
        signals
    }

    /// Adds interactions one after the other; what was told, as `day kind`.
    pub(crate) fn live(&mut self, added: &[Observation]) -> Vec<String> {
        let each = added.iter().flat_map(|o| self.add(std::slice::from_ref(o))).collect::<Vec<_>>();
        each.iter().map(|s| format!("{} {}", s.at_ms / DAY, s.kind.name())).collect()
    }
}

fn cue() -> impl Strategy<Value = (String, f64)> {
    let names: Vec<String> =
        voiced::TOPICS.iter().filter_map(|t| t.code.strip_prefix("cue.")).map(str::to_owned).collect();
    let unknown = Just("urgency".to_owned());
    (prop_oneof![9 => prop::sample::select(names), 1 => unknown], 0.3..=1.0f64)
}

prop_compose! {
    /// Any interaction within two years; ids repeat now and then.
    pub(crate) fn observation()(
        id in 0u32..400,
        at_ms in prop_oneof![(0..730i64).prop_map(|day| day * DAY), 0..730 * DAY],
        channel in prop::sample::select(vec!["chat", "email", "phone", "social", "sms", "survey", "fax"]),
        score in prop::option::weighted(0.9, -1.0..=1.0f64),
        cues in prop::collection::vec(cue(), 0..3),
        nps in prop::option::weighted(0.2, 0u8..=11),
        csat in prop::option::weighted(0.2, 0.0..=1.0f64),
        escalation in prop::sample::select(vec![0.0, 0.0, 0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0]),
        recovered in prop::bool::weighted(0.2),
    ) -> Observation {
        let (id, channel) = (format!("i{id}"), channel.to_owned());
        Observation { id, at_ms, channel, score, cues, nps, csat, escalation, recovered }
    }
}

/// Interactions of one customer.
pub(crate) fn observations(most: usize) -> impl Strategy<Value = Vec<Observation>> {
    prop::collection::vec(observation(), 0..most)
}

prop_compose! {
    /// What a CRM may say.
    pub(crate) fn account()(
        renewal in prop::option::of(0..900i64),
        since in prop::option::of(0..730i64),
    ) -> Account {
        Account { renewal_ms: renewal.map(|d| d * DAY), since_ms: since.map(|d| d * DAY), ..Account::default() }
    }
}
