//! What each turn should have told, row by row.

use super::super::replay::tests::{case, says};
use super::*;
use crate::domain::Outcome;

/// Labels as letters: + it holds, - it does not, . it says nothing. Customer turns have the places 0, 2, 4, …
fn letters(customer_turns: usize, outcome: Outcome, target: Target, onsets: bool) -> String {
    let case = case(0, 0, (0..customer_turns).map(|_| says(0.0, &[])).collect(), outcome);
    let letter = |label: Option<bool>| label.map_or('.', |holds| if holds { '+' } else { '-' });
    labels(&case, target, onsets).into_iter().map(letter).collect()
}

#[test]
fn turns_are_labelled_by_the_marked_turn_and_the_onset() {
    let escalated =
        |turn, forecastable_turn| Outcome { escalated: true, turn, forecastable_turn, recovered: None };
    for (outcome, onsets, detection, forecast) in [
        (Outcome::default(), true, "------", "------"),
        (escalated(Some(8), Some(4)), true, "--..+.", "--++.."),
        (escalated(Some(8), Some(8)), true, "----+.", "----.."),
        // Others of the history have an onset: here nothing could be foreseen.
        (escalated(Some(8), None), true, "----+.", "----.."),
        // Nobody marks onsets: the last three turns before are taken to show it.
        (escalated(Some(8), None), false, "-...+.", "-+++.."),
        (escalated(Some(4), None), false, "..+...", "++...."),
        (escalated(Some(0), None), false, "+.....", "......"),
        // Nobody knows where.
        (escalated(None, None), true, "......", "......"),
    ] {
        let found = [Target::Detection, Target::Forecast].map(|target| letters(6, outcome, target, onsets));
        assert_eq!(found, [detection, forecast], "{outcome:?}, {onsets}");
    }
}

#[test]
fn an_urgent_alert_is_in_time_from_the_onset_on_or_within_one_customer_turn() {
    for (onset, expected) in [(Some(4), vec![4, 6, 8, 10]), (None, vec![6, 8, 10]), (Some(6), vec![6, 8, 10])]
    {
        let outcome = Outcome { escalated: true, turn: Some(8), forecastable_turn: onset, recovered: None };
        let case = case(0, 0, (0..7).map(|_| says(0.0, &[])).collect(), outcome);
        let marked = Marked::of(&case, true).unwrap();
        let in_time: Vec<usize> = case.customer_turns().filter(|turn| marked.in_time(*turn)).collect();
        assert_eq!(in_time, expected);
    }
}

#[test]
fn a_history_marks_onsets_when_one_conversation_does() {
    let outcome =
        |onset| Outcome { escalated: true, turn: Some(2), forecastable_turn: onset, recovered: None };
    let cases =
        |onsets: [Option<usize>; 2]| onsets.map(|onset| case(0, 0, vec![says(0.0, &[]); 3], outcome(onset)));
    assert!(marks_onsets(&cases([None, Some(0)])));
    assert!(!marks_onsets(&cases([None, None])));
}
