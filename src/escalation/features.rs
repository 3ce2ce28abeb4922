//! What the turns of a conversation say together: named features, each with the turns and words behind it.
//!
//! Every feature lies in [0, 1]. A *risk* feature speaks for escalation and may only weigh 0 or more, a *protective* one
//! 0 or less, so that more of a risk never lowers the risk. Age counts in customer turns: with a half-life h, what was
//! said k customer turns ago counts 0.5^(k / h).

use crate::domain::Span;

use super::history::{History, Remembered};
use super::policy::Measures;
use super::signals::{Behind, CUES};

/// Spans kept behind a feature.
const SPANS: usize = 4;
/// Value from which on a turn is named as a reason.
const WORTH_NAMING: f64 = 0.25;
/// Reach from which on a cue is named: nearly at its threshold.
const NEARLY_SAID: f64 = 0.45;
/// Score below which a turn counts as negative.
const NEGATIVE_TURN: f64 = -0.3;
/// Turns in a row, or failures, that fill their feature.
const FULL_RUN: f64 = 4.0;
/// Likeness from which on somebody says the same again; below it, two turns are merely about the same thing.
const SAME_AGAIN: f64 = 0.4;

/// A feature of a conversation as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// A cue, by its place in [`CUES`]: its strongest mention, by age.
    Cue(usize),
    /// How negative the customer is, recent turns first.
    Negative,
    /// How angry, recent turns first.
    Anger,
    /// Annoyance, disapproval or disappointment in the latest turn.
    Displeasure,
    /// How distressed, recent turns first.
    Distress,
    /// How positive, recent turns first.
    Positive,
    /// Gratitude, relief or joy in the latest turn.
    Relief,
    /// How much more negative the last two turns are than those before.
    Worsening,
    /// Negative turns in a row, up to now.
    NegativeRun,
    /// Times that something has already failed.
    Failing,
    /// The customer says the same again.
    Repetition,
    /// The longest wait for an answer, against what the channel leads one to expect.
    Wait,
    /// Customer turns in a row without an answer.
    Unanswered,
    /// More customer turns than a matter should take.
    Length,
    /// Fraud or a leak, and what should stop it fails.
    FraudFailing,
    /// Somebody vulnerable, and the matter fails or hurts.
    VulnerableFailing,
    /// A deadline in the world, and the matter fails.
    UrgentFailing,
    /// Leaving, in anger or disappointment.
    LeavingNegative,
    /// A cue of escalation in the latest turn, whichever it is: the strongest of [`EXPLICIT`].
    ExplicitCue,
    /// What the model's escalation head hears in the latest turn.
    StepIn,
}

/// Whether a feature speaks for escalation or against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Weighs 0 or more.
    Risk,
    /// Weighs 0 or less.
    Protective,
}

/// A feature's value and what is behind it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// In [0, 1].
    pub value: f64,
    /// Places of the turns behind it, ascending.
    pub turns: Vec<usize>,
    /// The words behind it, each with its turn's place.
    pub spans: Vec<(usize, Span)>,
    /// The cue behind a feature that any of several may be behind, once it is nearly said.
    pub cue: Option<&'static str>,
}

const OTHERS: [(Feature, &str, &str); 19] = [
    (Feature::Negative, "tone.negative", "how negative the customer is"),
    (Feature::Anger, "tone.anger", "anger"),
    (Feature::Displeasure, "tone.displeasure", "annoyance, disapproval or disappointment in the latest turn"),
    (Feature::Distress, "tone.distress", "fear, grief or sadness"),
    (Feature::Positive, "tone.positive", "how positive the customer is"),
    (Feature::Relief, "tone.relief", "gratitude, relief or joy in the latest turn"),
    (Feature::Worsening, "trend.worsening", "the last turns are more negative than those before"),
    (Feature::NegativeRun, "run.negative", "negative turns in a row"),
    (Feature::Failing, "run.failing", "answers or fixes that have already failed"),
    (Feature::Repetition, "talk.repetition", "the customer says the same again"),
    (Feature::Length, "talk.length", "more turns than a matter should take"),
    (Feature::Wait, "wait.longest", "a long wait for an answer"),
    (Feature::Unanswered, "wait.unanswered", "turns without an answer"),
    (Feature::FraudFailing, "joint.fraud_failing", "fraud or a leak that goes on"),
    (Feature::VulnerableFailing, "joint.vulnerable_failing", "somebody vulnerable is let down"),
    (Feature::UrgentFailing, "joint.urgent_failing", "a deadline, and the matter fails"),
    (Feature::LeavingNegative, "joint.leaving_negative", "leaving in anger or disappointment"),
    (Feature::ExplicitCue, "joint.explicit_cue", "the strongest cue of escalation in the latest turn"),
    (Feature::StepIn, "turn.step_in", "the latest turn reads like one at which somebody steps in"),
];

impl Feature {
    /// Every feature, cues first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..CUES.len()).map(Self::Cue).chain(OTHERS.iter().map(|(feature, ..)| *feature))
    }

    /// The name in policies and reasons, such as `cue.legal_threat`.
    pub fn name(self) -> String {
        match self {
            Self::Cue(cue) => format!("cue.{}", CUES[cue]),
            other => row(other).map_or_else(String::new, |(_, name, _)| (*name).to_owned()),
        }
    }

    /// What it is, for a reader.
    pub fn meaning(self) -> String {
        match self {
            Self::Cue(cue) => CUES[cue].replace('_', " "),
            other => row(other).map_or_else(String::new, |(.., meaning)| (*meaning).to_owned()),
        }
    }

    /// The feature of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::all().find(|feature| feature.name() == name)
    }

    /// Whether it may weigh for or against escalation.
    pub fn sign(self) -> Sign {
        match self {
            Self::Positive | Self::Relief => Sign::Protective,
            Self::Cue(cue) => match CUES[cue] {
                "resolution_confirmed" | "advocacy" | "purchase_interest" | "expansion_interest" => {
                    Sign::Protective
                }
                _ => Sign::Risk,
            },
            _ => Sign::Risk,
        }
    }

    /// Its value now.
    pub fn measure(self, history: &History, measures: &Measures) -> Measured {
        match self {
            Self::Cue(cue) => {
                aged(history, measures.half_life_turns, Behind::Cue(cue), |h| h.signals.reach[cue])
            }
            Self::Negative => tone(history, measures, |h| h.signals.negative),
            Self::Anger => tone(history, measures, |h| h.signals.anger),
            Self::Displeasure => first_turn(history, measures, latest(history, |h| h.signals.displeasure)),
            Self::Distress => tone(history, measures, |h| h.signals.distress),
            Self::Positive => tone(history, measures, |h| h.signals.positive),
            Self::Relief => latest(history, |h| h.signals.relief),
            Self::Worsening => worsening(history),
            Self::NegativeRun => negative_run(history),
            Self::Failing => failing(history),
            Self::Repetition => repetition(history, measures),
            Self::Wait => aged(history, measures.half_life_turns, Behind::Negative, |h| h.wait),
            Self::Unanswered => latest(history, |h| (f64::from(h.unanswered) / (FULL_RUN - 1.0)).min(1.0)),
            Self::Length => length(history, measures),
            Self::FraudFailing => joint(history, measures, "fraud_or_privacy"),
            Self::VulnerableFailing => vulnerable(history, measures),
            Self::UrgentFailing => joint(history, measures, "urgency"),
            Self::LeavingNegative => leaving(history, measures),
            Self::ExplicitCue => explicit(history),
            Self::StepIn => aged(history, 0.0, Behind::StepIn, |h| h.signals.step_in),
        }
    }
}

fn row(feature: Feature) -> Option<&'static (Feature, &'static str, &'static str)> {
    OTHERS.iter().find(|(f, ..)| *f == feature)
}

/// The largest value by age; the turns that are worth naming, and the words behind it. A label is named once it is nearly said.
fn aged(history: &History, half_life: f64, behind: Behind, of: impl Fn(&Remembered) -> f64) -> Measured {
    let mut found = Measured::default();
    for (age, heard) in history.newest_first() {
        let value = of(heard) * decay(age, half_life);
        found.value = found.value.max(value);
        if value >= WORTH_NAMING && (behind == Behind::Negative || of(heard) >= NEARLY_SAID) {
            found.name(heard, behind);
        }
    }
    found.ordered()
}

/// A mean in which recent turns weigh more. On the first turn it counts less: a problem that is told is no anger at us.
fn tone(history: &History, measures: &Measures, of: impl Fn(&Remembered) -> f64) -> Measured {
    let (mut sum, mut weights, mut found) = (0.0, 0.0, Measured::default());
    for (age, heard) in history.newest_first() {
        let weight = decay(age, measures.tone_half_life_turns);
        sum += weight * of(heard);
        weights += weight;
        if weight * of(heard) >= WORTH_NAMING {
            found.name(heard, Behind::Negative);
        }
    }
    found.value = if weights > 0.0 { (sum / weights).clamp(0.0, 1.0) } else { 0.0 };
    first_turn(history, measures, found.ordered())
}

fn first_turn(history: &History, measures: &Measures, mut found: Measured) -> Measured {
    if history.customer_turns() <= 1 {
        found.value *= measures.first_turn;
    }
    found
}

fn latest(history: &History, of: impl Fn(&Remembered) -> f64) -> Measured {
    aged(history, 0.0, Behind::Negative, of)
}

fn worsening(history: &History) -> Measured {
    let scores: Vec<f64> = history.newest_first().map(|(_, h)| h.signals.score).collect();
    if scores.len() < 2 {
        return Measured::default();
    }
    let recent = if scores.len() == 2 { 1 } else { 2 };
    let drop = mean(&scores[recent..]) - mean(&scores[..recent]);
    let mut found = Measured { value: (drop / 2.0).clamp(0.0, 1.0), ..Measured::default() };
    if drop > WORTH_NAMING {
        history.newest_first().take(recent).for_each(|(_, heard)| found.name(heard, Behind::Negative));
    }
    found.ordered()
}

fn negative_run(history: &History) -> Measured {
    let mut found = Measured::default();
    let run = history.newest_first().take_while(|(_, h)| h.signals.score < NEGATIVE_TURN);
    run.for_each(|(_, heard)| found.name(heard, Behind::Negative));
    found.value = (found.turns.len().saturating_sub(1) as f64 / (FULL_RUN - 1.0)).min(1.0);
    found.ordered()
}

fn failing(history: &History) -> Measured {
    let mut found = Measured::default();
    for (_, heard) in history.newest_first() {
        let (open, again) = (heard.signals.cue("unresolved_issue"), heard.signals.cue("repeat_contact"));
        let (failed, cue) = if again > open { (again, "repeat_contact") } else { (open, "unresolved_issue") };
        found.value += failed / FULL_RUN;
        if failed >= WORTH_NAMING {
            found.name(heard, place(cue).map_or(Behind::Negative, Behind::Cue));
        }
    }
    found.value = found.value.min(1.0);
    found.ordered()
}

fn repetition(history: &History, measures: &Measures) -> Measured {
    let again = |heard: &Remembered| ((heard.likeness - SAME_AGAIN) / (1.0 - SAME_AGAIN)).max(0.0);
    aged(history, measures.half_life_turns, Behind::Negative, again)
}

fn length(history: &History, measures: &Measures) -> Measured {
    let beyond = history.customer_turns() as f64 - measures.usual_turns;
    let value = if beyond > 0.0 { ((1.0 + beyond).log2() / FULL_RUN).min(1.0) } else { 0.0 };
    Measured { value, ..Measured::default() }
}

/// The weaker of a cue and of the matter's failing: both must be there.
fn joint(history: &History, measures: &Measures, cue: &str) -> Measured {
    let failing = ["unresolved_issue", "repeat_contact"].map(|cue| mention(history, measures, cue));
    weaker(mention(history, measures, cue), strongest(failing.into_iter()))
}

fn leaving(history: &History, measures: &Measures) -> Measured {
    weaker(mention(history, measures, "churn_intent"), latest(history, |h| h.signals.negative))
}

/// Somebody vulnerable is let down the more, the more often the matter fails.
fn vulnerable(history: &History, measures: &Measures) -> Measured {
    let (vulnerable, failing) = (mention(history, measures, "vulnerability"), failing(history));
    let value = vulnerable.value * failing.value;
    Measured { value, ..weaker(vulnerable, failing) }
}

/// The cues that each say by themselves that somebody should look. They share the weight of one feature: a team sees too few
/// of each to learn what it weighs.
pub const EXPLICIT: [&str; 9] = [
    "supervisor_request",
    "formal_complaint",
    "legal_threat",
    "regulator_threat",
    "churn_intent",
    "public_exposure_threat",
    "safety_risk",
    "abusive_language",
    "fraud_or_privacy",
];

fn explicit(history: &History) -> Measured {
    let measured = |cue: &'static str| {
        let at = place(cue)?;
        let found = aged(history, 0.0, Behind::Cue(at), |h| h.signals.reach[at]);
        Some(Measured { cue: (found.value >= NEARLY_SAID).then_some(cue), ..found })
    };
    strongest(EXPLICIT.into_iter().filter_map(measured))
}

/// A cue by its name, as its own feature measures it.
fn mention(history: &History, measures: &Measures, cue: &str) -> Measured {
    place(cue).map(|at| Feature::Cue(at).measure(history, measures)).unwrap_or_default()
}

/// The first of the largest.
fn strongest(all: impl Iterator<Item = Measured>) -> Measured {
    all.reduce(|a, b| if b.value > a.value { b } else { a }).unwrap_or_default()
}

fn weaker(a: Measured, b: Measured) -> Measured {
    let mut found = Measured { value: a.value.min(b.value), ..Measured::default() };
    if found.value > 0.0 {
        found.turns = [a.turns, b.turns].concat();
        found.spans = [a.spans, b.spans].concat();
    }
    found.ordered()
}

fn place(cue: &str) -> Option<usize> {
    CUES.iter().position(|name| *name == cue)
}

/// What an age in customer turns leaves; with a half-life of 0 only the latest turn counts.
fn decay(age: usize, half_life: f64) -> f64 {
    if age == 0 { 1.0 } else { 0.5f64.powf(age as f64 / half_life) }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

impl Measured {
    fn name(&mut self, heard: &Remembered, behind: Behind) {
        self.turns.push(heard.turn);
        let spans = heard.signals.spans.iter().filter(|(of, _)| *of == behind);
        self.spans.extend(spans.map(|(_, span)| (heard.turn, *span)));
    }

    fn ordered(mut self) -> Self {
        self.turns.sort_unstable();
        self.turns.dedup();
        // The newest words matter most.
        self.spans.sort_by_key(|(turn, span)| (std::cmp::Reverse(*turn), span.byte_start));
        self.spans.dedup();
        self.spans.truncate(SPANS);
        self.spans.sort_by_key(|(turn, span)| (*turn, span.byte_start));
        self
    }
}

#[cfg(test)]
#[path = "features_tests.rs"]
mod tests;
