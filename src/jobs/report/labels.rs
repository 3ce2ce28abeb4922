//! How many comments carry each emotion, each Ekman group and each cue, and the words that say a cue.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::phrases::Phrases;
use crate::domain::emotion::ekman_group;

/// Labels of one head that are kept apart; the largest public taxonomy has 28.
const LABELS: usize = 128;
/// Phrases per cue; only the first few are shown.
const PHRASES: usize = 100;

/// Cues that call for a person now, whatever else is said.
const ACUTE: [&str; 5] =
    ["fraud_or_privacy", "legal_threat", "regulator_threat", "safety_risk", "vulnerability"];
/// The other cues of escalation.
const ESCALATION: [&str; 9] = [
    "abusive_language",
    "churn_intent",
    "formal_complaint",
    "payment_dispute",
    "public_exposure_threat",
    "repeat_contact",
    "supervisor_request",
    "unresolved_issue",
    "urgency",
];

/// How pressing a cue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Weight {
    /// Not a cue of escalation.
    Other,
    /// A cue of escalation.
    Escalation,
    /// A cue that calls for a person now.
    Acute,
}

impl Weight {
    /// By the cue's name; a cue of a model of one's own weighs nothing.
    pub(super) fn of(cue: &str) -> Self {
        if ACUTE.contains(&cue) {
            Self::Acute
        } else if ESCALATION.contains(&cue) {
            Self::Escalation
        } else {
            Self::Other
        }
    }
}

/// Comments by emotion.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Emotions {
    /// Comments per label.
    pub(super) labels: Counts,
    /// Comments per group, counted once however many of its labels they carry.
    pub(super) groups: Counts,
}

impl Emotions {
    /// Counts a comment by the labels that are reported for it.
    pub(super) fn push<'a>(&mut self, labels: impl Iterator<Item = &'a str>) {
        let mut groups = BTreeSet::new();
        for label in labels {
            self.labels.push(label, LABELS);
            groups.insert(ekman_group(label).unwrap_or("other"));
        }
        groups.into_iter().for_each(|group| self.groups.push(group, LABELS));
    }
}

/// Comments by cue, with the words that say it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Cues {
    /// Comments per cue.
    pub(super) counts: Counts,
    /// Comments with at least one cue of escalation.
    pub(super) escalating: u64,
    phrases: BTreeMap<String, Phrases>,
}

impl Cues {
    /// Counts a comment by the cues that are reported for it.
    pub(super) fn push<'a>(&mut self, cues: impl Iterator<Item = &'a str>) {
        let mut heaviest = Weight::Other;
        for cue in cues {
            self.counts.push(cue, LABELS);
            heaviest = heaviest.max(Weight::of(cue));
        }
        self.escalating += u64::from(heaviest > Weight::Other);
    }

    /// Counts words that speak for a cue.
    pub(super) fn said(&mut self, cue: &str, phrase: &str, contribution: f64) {
        if let Some(phrases) = self.phrases.get_mut(cue) {
            phrases.push(phrase, contribution, PHRASES);
        } else if self.phrases.len() < LABELS {
            let mut phrases = Phrases::default();
            phrases.push(phrase, contribution, PHRASES);
            self.phrases.insert(cue.to_owned(), phrases);
        }
    }

    /// The words that speak most for a cue.
    pub(super) fn words(&self, cue: &str, count: usize) -> Vec<&str> {
        let phrases = self.phrases.get(cue).map(|phrases| phrases.heaviest(count));
        phrases.into_iter().flatten().map(|(phrase, _)| phrase).collect()
    }
}

/// A label for people: `legal_threat` is "legal threat".
pub(super) fn spoken(label: &str) -> String {
    label.replace('_', " ")
}
