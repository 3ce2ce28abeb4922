//! What a store asks inside its transaction: how the customer stands now, and what is to be told.

use crate::error::Error;
use crate::events::{ASSESSMENT, Event, Origin, Routes, assessment, signal, signal_id};
use crate::lifecycle::{Observation, Profile, follow};
use crate::storage::{CustomerKey, CustomerState, Decide, Decision, OutboxEvent, Record};

/// Decides by the rules of the lifecycle, and addresses what follows to the sinks that want it.
#[derive(Debug, Clone)]
pub struct Deciding {
    /// The configured `events.source`.
    pub source: String,
    /// `id@version` of the model that is named where no record says which one has read it.
    pub model: String,
    /// Who gets what.
    pub routes: Routes,
}

/// Decides upon what a CRM has said: as of now, since how near a renewal is counts from today and not from the last
/// interaction.
#[derive(Debug, Clone, Copy)]
pub struct Importing<'a> {
    /// By these rules.
    pub deciding: &'a Deciding,
    /// In milliseconds since 1970.
    pub now_ms: i64,
}

impl Decide for Importing<'_> {
    fn decide(&self, key: &CustomerKey, state: &CustomerState, added: &[&Record]) -> Result<Decision, Error> {
        let profile = Profile::of(&state.observations, &state.account);
        let now = profile.at(self.now_ms);
        // Kept is the profile as of the newest interaction, as everybody's, or a list would compare different days.
        Ok(Decision { profile, ..self.deciding.follow(key, state, now, added)? })
    }
}

impl Decide for Deciding {
    fn decide(&self, key: &CustomerKey, state: &CustomerState, added: &[&Record]) -> Result<Decision, Error> {
        let profile = Profile::of(&state.observations, &state.account);
        self.follow(key, state, profile, added)
    }
}

impl Deciding {
    /// Decides, and tells nobody.
    #[cfg(test)]
    pub(crate) fn untold() -> Self {
        Self { source: "attune".into(), model: "m@1".into(), routes: Routes::default() }
    }

    fn follow(
        &self,
        key: &CustomerKey,
        state: &CustomerState,
        profile: Profile,
        added: &[&Record],
    ) -> Result<Decision, Error> {
        let observations: Vec<Observation> = added.iter().map(|record| record.observation.clone()).collect();
        let (memory, told) = follow(&state.memory, &profile, &state.account, &observations);
        let policy = added.iter().map(|r| r.assessment.policy.as_str()).rfind(|policy| !policy.is_empty());
        // Each record says which model has read it: the default may be another one by now.
        let model = added.last().map_or(self.model.as_str(), |record| record.assessment.model.as_str());
        let origin = Origin { source: &self.source, model, policy: policy.unwrap_or_default() };
        let (mut signals, mut events) = (Vec::with_capacity(told.len()), self.assessments(added)?);
        for one in told {
            let mut sinks = self.routes.events_for(one.kind.name()).peekable();
            if sinks.peek().is_some() {
                events.extend(signal(origin, key, &profile, &one)?.to_sinks(sinks));
            }
            signals.push((signal_id(key, &one), one));
        }
        Ok(Decision { profile, memory, signals, events })
    }

    /// What was read in each, to the sinks that ask for it; before the signals that follow from it.
    fn assessments(&self, added: &[&Record]) -> Result<Vec<OutboxEvent>, Error> {
        let sinks: Vec<&str> = self.routes.events_for(ASSESSMENT).collect();
        if sinks.is_empty() {
            return Ok(Vec::new());
        }
        let event = |record: &&Record| assessment(&self.source, record);
        let told: Vec<Event> = added.iter().map(event).collect::<Result<_, Error>>()?;
        Ok(told.iter().flat_map(|event| event.to_sinks(sinks.iter().copied())).collect())
    }
}

#[cfg(test)]
#[path = "deciding_tests.rs"]
mod tests;
