//! What one turn says, as far as escalation listens.
//!
//! A cue counts by its distance from its own threshold in log-odds, brought to [0, 1]: 0.5 at the threshold, 0 and 1 so far
//! below and above it. So a model of one's own, with other thresholds, needs no other policy. Its *strength* says whether
//! it is said, and is full at four log-odds; its *reach* also tells a hint from nothing and what is plain from what is
//! likely, over eight.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use crate::domain::{
    Assessment, Evidence, EvidenceSpan, LabelAssessment, Probability, Span, Status, probability,
};

use super::trajectory::Point;

/// The cues that features are made of, by the names a model gives them; one that a model lacks is never heard.
pub const CUES: [&str; 20] = [
    "supervisor_request",
    "formal_complaint",
    "legal_threat",
    "regulator_threat",
    "churn_intent",
    "payment_dispute",
    "public_exposure_threat",
    "repeat_contact",
    "unresolved_issue",
    "urgency",
    "safety_risk",
    "abusive_language",
    "vulnerability",
    "fraud_or_privacy",
    "purchase_interest",
    "onboarding_difficulty",
    "expansion_interest",
    "renewal_hesitation",
    "resolution_confirmed",
    "advocacy",
];

/// The head that a model may have for it.
const ESCALATION: &str = "escalation";
/// The label of a model's head `escalation`: somebody should step in at this turn.
pub const STEP_IN: &str = "step_in";

/// Log-odds on either side of the threshold within which a label's strength grows from 0 to 1.
const STRENGTH: f64 = 4.0;
/// The same for a cue's reach. Of 4 to 12, 8 and more gave the lowest log-loss in cross-validation of the default policy.
const REACH: f64 = 8.0;
/// Words of a turn that are remembered, to notice that somebody says the same again.
const WORDS: usize = 64;
/// Spans kept per cue.
const SPANS: usize = 2;
/// Letters from which on a word says what a text is about.
const CONTENT_WORD: usize = 4;

/// What words of a turn are behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// Negative sentiment.
    Negative,
    /// A cue, by its place in [`CUES`].
    Cue(usize),
    /// [`STEP_IN`].
    StepIn,
}

/// What one turn says. Probabilities and strengths lie in [0, 1].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TurnSignals {
    /// P(positive) − P(negative), in [−1, 1].
    pub score: f64,
    /// P(negative).
    pub negative: f64,
    /// P(positive).
    pub positive: f64,
    /// The strongest of anger and disgust, and half of annoyance.
    pub anger: f64,
    /// The strongest of annoyance, disapproval and disappointment.
    pub displeasure: f64,
    /// The strongest of fear, nervousness, sadness, grief and embarrassment.
    pub distress: f64,
    /// Strength of gratitude, relief or joy, against their thresholds, as of a cue.
    pub relief: f64,
    /// The stronger of caring and remorse: what an acknowledgement sounds like.
    pub acknowledgement: f64,
    /// Reach of each of [`CUES`].
    pub reach: [f64; CUES.len()],
    /// Reach of [`STEP_IN`]; 0 of a model without it.
    pub step_in: f64,
    /// The words behind what was heard.
    pub spans: Vec<(Behind, Span)>,
    /// Hashes of the words that say what it is about, ascending.
    pub words: Vec<u32>,
}

impl TurnSignals {
    /// Listens to an assessment of `text` that was made with all labels listed; `quiet` says whether a label is to be
    /// kept out because of its words. `None` when the text could not be read.
    pub fn of(
        text: &str,
        assessment: &Assessment,
        quiet: impl Fn(&str, &[EvidenceSpan]) -> bool,
    ) -> Option<Self> {
        let sentiment = assessment.sentiment.as_ref()?;
        if assessment.status != Status::Ok {
            return None;
        }
        let emotion = |names: &[&str]| {
            let found = assessment.emotions.iter().filter(|l| names.contains(&l.label.as_str()));
            found.map(|l| l.probability.get()).fold(0.0, f64::max)
        };
        let mut signals = Self {
            score: sentiment.score(),
            negative: sentiment.negative.get(),
            positive: sentiment.positive.get(),
            anger: emotion(&["anger", "disgust"]).max(0.5 * emotion(&["annoyance"])),
            displeasure: emotion(&["annoyance", "disapproval", "disappointment"]),
            distress: emotion(&["fear", "nervousness", "sadness", "grief", "embarrassment"]),
            relief: assessment
                .emotions
                .iter()
                .filter(|l| ["gratitude", "relief", "joy"].contains(&l.label.as_str()))
                .map(strength)
                .fold(0.0, f64::max),
            acknowledgement: emotion(&["caring", "remorse"]),
            words: content_words(text),
            ..Self::default()
        };
        let negative = sentiment.evidence.iter().filter(|e| e.class.name() == "negative");
        let spans = negative.flat_map(|e| strongest(&e.evidence));
        signals.spans.extend(spans.map(|s| (Behind::Negative, s.span)));
        let hear = |label: &LabelAssessment, behind: Behind, all: &mut Vec<(Behind, Span)>| {
            let spans: Vec<EvidenceSpan> = label.evidence.iter().flat_map(strongest).collect();
            if quiet(&label.label, &spans) {
                return 0.0;
            }
            all.extend(spans.into_iter().map(|s| (behind, s.span)));
            within(label, REACH)
        };
        for label in &assessment.cues {
            let Some(cue) = CUES.iter().position(|name| *name == label.label) else { continue };
            signals.reach[cue] = hear(label, Behind::Cue(cue), &mut signals.spans);
        }
        let mut escalation = assessment.other_heads.iter().filter(|head| head.head == ESCALATION);
        if let Some(label) = escalation.find_map(|head| head.labels.iter().find(|l| l.label == STEP_IN)) {
            signals.step_in = hear(label, Behind::StepIn, &mut signals.spans);
        }
        Some(signals)
    }

    /// The turn's point in a trajectory.
    pub fn point(&self, turn: usize) -> Point {
        let resolved = self.cue("resolution_confirmed");
        Point { turn, score: self.score, resolved, relief: self.relief }
    }

    /// Strength of a cue by its name; 0 for a name that is none.
    pub fn cue(&self, name: &str) -> f64 {
        let reach = CUES.iter().position(|cue| *cue == name).map_or(0.0, |at| self.reach[at]);
        (0.5 + (reach - 0.5) * REACH / STRENGTH).clamp(0.0, 1.0)
    }

    /// Share of the words that two turns have in common, in [0, 1]; turns of fewer than three words are never alike.
    pub fn likeness(&self, other: &Self) -> f64 {
        if self.words.len().min(other.words.len()) < 3 {
            return 0.0;
        }
        let common = self.words.iter().filter(|w| other.words.binary_search(w).is_ok()).count();
        common as f64 / (self.words.len() + other.words.len() - common) as f64
    }
}

/// Where a label's probability stands to its threshold, in [0, 1]: its strength.
pub fn strength(label: &LabelAssessment) -> f64 {
    within(label, STRENGTH)
}

/// From 0 at `spread` log-odds below the threshold to 1 at as many above.
fn within(label: &LabelAssessment, spread: f64) -> f64 {
    let logit = |p: Probability| probability::logit(p.get(), 1e-9);
    let margin = logit(label.probability) - logit(label.threshold);
    ((margin + spread) / (2.0 * spread)).clamp(0.0, 1.0)
}

/// The spans that speak most for a label.
fn strongest(evidence: &Evidence) -> Vec<EvidenceSpan> {
    let mut spans: Vec<_> = evidence.spans.iter().copied().filter(|s| s.contribution > 0.0).collect();
    spans.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
    spans.truncate(SPANS);
    spans
}

/// Hashes, so that nothing of the text is kept.
fn content_words(text: &str) -> Vec<u32> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|w| w.chars().count() >= CONTENT_WORD);
    let mut hashes: Vec<u32> = words
        .take(WORDS)
        .map(|word| {
            let mut hasher = DefaultHasher::new();
            word.to_lowercase().hash(&mut hasher);
            hasher.finish() as u32
        })
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Probability;

    fn label(p: f64, threshold: f64) -> LabelAssessment {
        LabelAssessment {
            label: "legal_threat".into(),
            probability: Probability::try_new(p).unwrap(),
            threshold: Probability::try_new(threshold).unwrap(),
            predicted: p >= threshold,
            evidence: None,
        }
    }

    #[test]
    fn strength_is_one_half_at_the_threshold_whatever_that_is() {
        for t in [0.05, 0.3, 0.5, 0.9] {
            assert!((strength(&label(t, t)) - 0.5).abs() < 1e-9, "{t}");
            assert_eq!(strength(&label(1.0, t)), 1.0);
            assert_eq!(strength(&label(0.0, t)), 0.0);
        }
    }

    #[test]
    fn a_cues_strength_follows_from_its_reach_which_goes_on_where_strength_is_full() {
        let legal = CUES.iter().position(|cue| *cue == "legal_threat").unwrap();
        let of = |p: f64| {
            let mut signals = TurnSignals::default();
            signals.reach[legal] = within(&label(p, 0.4), REACH);
            signals
        };
        for p in [0.0, 0.001, 0.1, 0.4, 0.7, 0.99, 1.0] {
            let strength = strength(&label(p, 0.4));
            assert!((of(p).cue("legal_threat") - strength).abs() < 1e-9, "{p}");
        }
        assert!(of(0.998).reach[legal] > of(0.985).reach[legal]);
        assert!(of(0.002).reach[legal] > of(0.0005).reach[legal]);
    }

    #[test]
    fn a_turn_is_like_another_that_says_the_same_in_other_words_around_it() {
        let of = |text: &str| TurnSignals { words: content_words(text), ..TurnSignals::default() };
        let first = of("My router drops the connection every evening");
        assert!(first.likeness(&of("As I said, my ROUTER drops the connection every evening!")) > 0.7);
        assert_eq!(first.likeness(&of("Where is my parcel from Tuesday?")), 0.0);
        assert_eq!(of("ok").likeness(&of("ok")), 0.0);
    }
}
