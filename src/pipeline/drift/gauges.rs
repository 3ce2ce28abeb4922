//! The gauges of a watched model: set while it is loaded, at 0 from then on, and only so many in a process's life.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use crate::telemetry::metrics;

/// Versions of models that get gauges. A series stays once it was made, and every load may bring another version; twice as
/// many as may ever be loaded at once.
const MODELS: usize = 128;

/// The versions that have got them. The recorder is the process's, and so is this.
static NAMED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// What was done to the gauges of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Untouched,
    Set,
    Ended,
}

/// The gauges of a model.
pub(super) struct Gauges {
    model: String,
    state: Mutex<State>,
}

impl Gauges {
    /// Of the model of this name; none is made before it is set.
    pub(super) fn new(model: String) -> Self {
        Self { model, state: Mutex::new(State::Untouched) }
    }

    /// Sets gauges, unless the model is gone or too many others have had some.
    pub(super) fn set(&self, set: impl FnOnce(&str)) {
        let mut state = self.state.lock();
        let may = match *state {
            State::Untouched => admit(&mut NAMED.lock(), &self.model),
            State::Set => true,
            State::Ended => false,
        };
        if may {
            *state = State::Set;
            set(&self.model);
        }
    }

    /// Sets them to 0, if there are any, and for good: the next of the same name may have begun.
    pub(super) fn end<'a>(&self, features: impl Iterator<Item = &'a str>, levels: [&'static str; 2]) {
        let mut state = self.state.lock();
        if std::mem::replace(&mut *state, State::Ended) == State::Set {
            metrics::drift_ended(&self.model, features, levels);
        }
    }
}

fn admit(named: &mut BTreeSet<String>, model: &str) -> bool {
    if !named.contains(model) && named.len() < MODELS {
        named.insert(model.to_owned());
    }
    named.contains(model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_gone_sets_no_gauge_again() {
        let gauges = Gauges::new("gone@1".into());
        let mut set = 0;
        gauges.set(|_| set += 1);
        gauges.end(std::iter::empty(), ["watch", "alarm"]);
        gauges.set(|_| set += 1);
        Gauges::new("gone@1".into()).set(|_| set += 1);
        assert_eq!(set, 2);
    }

    #[test]
    fn so_many_versions_have_gauges_and_no_more_whatever_is_loaded() {
        let mut named = BTreeSet::new();
        let all = || (0..1000).map(|version| format!("m@{version}"));
        for _ in 0..2 {
            assert_eq!(all().filter(|model| admit(&mut named, model)).count(), MODELS);
        }
        assert_eq!(named.len(), MODELS);
    }
}
