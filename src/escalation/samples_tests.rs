//! Signals and turns for tests: by name, and of all sorts for laws that hold for every one of them.

use proptest::prelude::*;

use super::features::Feature;
use super::history::History;
use super::policy::{Measures, Policies, Rules};
use super::signals::{Behind, CUES, TurnSignals};
use super::tracker::Heard;
use crate::domain::{Channel, Role, Span};

/// What a turn says, by the names of signals and cues; `words` is how many of the same words it has.
pub(crate) type Said<'a> = &'a [(&'a str, f64)];

/// The signals of those names.
pub(crate) fn said(turn: Said<'_>) -> TurnSignals {
    let mut signals = TurnSignals::default();
    for (name, value) in turn {
        match *name {
            "score" => signals.score = *value,
            "negative" => signals.negative = *value,
            "positive" => signals.positive = *value,
            "anger" => signals.anger = *value,
            "displeasure" => signals.displeasure = *value,
            "distress" => signals.distress = *value,
            "relief" => signals.relief = *value,
            "step_in" => signals.step_in = *value,
            "words" => signals.words = (0..*value as u32).collect(),
            cue => signals.reach[CUES.iter().position(|name| *name == cue).unwrap()] = *value,
        }
    }
    signals
}

/// A customer's turn that says so.
pub(crate) fn customer(turn: Said<'_>) -> Heard {
    Heard { role: Role::Customer, at_ms: None, signals: Some(said(turn)) }
}

/// An agent's turn.
pub(crate) fn agent() -> Heard {
    Heard { role: Role::Agent, at_ms: None, signals: Some(TurnSignals::default()) }
}

/// The rules that attune brings along.
pub(crate) fn rules() -> Rules {
    (*Policies::explicit().rules(None, Channel::Chat)).clone()
}

/// Often none at all or all of it.
fn share() -> impl Strategy<Value = f64> {
    (-0.5..=1.5f64).prop_map(|share| share.clamp(0.0, 1.0))
}

prop_compose! {
    fn span()(at in 0usize..40, length in 1usize..10) -> Span {
        Span { byte_start: at, byte_end: at + length, char_start: at, char_end: at + length }
    }
}

/// Whatever one turn can say. Boxed, for the trees of many turns don't fit on a stack.
pub(crate) fn signals() -> BoxedStrategy<TurnSignals> {
    let cue = (0..CUES.len()).prop_map(Behind::Cue);
    let behind = prop_oneof![Just(Behind::Negative), Just(Behind::StepIn), cue];
    let spans = prop::collection::vec((behind, span()), 0..5);
    let words = prop::collection::btree_set(0u32..12, 0..8);
    let shares = (prop::array::uniform7(share()), prop::array::uniform20(share()));
    let all = (-1.0..=1.0f64, shares, spans, words).prop_map(|(score, (shares, reach), spans, words)| {
        let [negative, positive, anger, distress, relief, acknowledgement, step_in] = shares;
        let words = words.into_iter().collect();
        TurnSignals {
            score,
            negative,
            positive,
            anger,
            displeasure: anger.max(distress),
            distress,
            relief,
            acknowledgement,
            reach,
            step_in,
            spans,
            words,
        }
    });
    all.boxed()
}

prop_compose! {
    /// Anybody's turn, at any time.
    pub(crate) fn heard()(
        role in prop::sample::select(Role::ALL.to_vec()),
        at_ms in prop::option::of(prop_oneof![any::<i64>(), 0i64..10_000_000]),
        signals in prop::option::weighted(0.9, signals()),
    ) -> Heard {
        Heard { role, at_ms, signals }
    }
}

prop_compose! {
    /// Measures within what a policy may say.
    pub(crate) fn measures()(
        half_life_turns in 0.1..=100.0f64,
        tone_half_life_turns in 0.1..=100.0f64,
        first_turn in 0.0..=1.0f64,
        usual_turns in 0.0..=1000.0f64,
        usual_wait_s in prop::array::uniform6(1.0..=1e8f64),
    ) -> Measures {
        Measures { half_life_turns, tone_half_life_turns, first_turn, usual_turns, usual_wait_s }
    }
}

prop_compose! {
    /// What was heard in a conversation, and the measures it was heard with.
    pub(crate) fn history()(
        measures in measures(),
        turns in prop::collection::vec(heard(), 0..60),
    ) -> (History, Measures) {
        let mut history = History::default();
        for (turn, heard) in turns.into_iter().enumerate() {
            match (heard.role, heard.signals) {
                (Role::Customer, Some(signals)) => {
                    history.customer(turn, heard.at_ms, signals, Channel::Chat, &measures);
                }
                (Role::Customer, None) => {}
                (role, _) => history.other(role, heard.at_ms),
            }
        }
        (history, measures)
    }
}

/// Any feature.
pub(crate) fn feature() -> impl Strategy<Value = Feature> {
    prop::sample::select(Feature::all().collect::<Vec<_>>())
}
