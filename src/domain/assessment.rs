//! What attune says of one text.

use super::{Probability, Sentiment, Span};

/// Whether and how a text could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Read to its end and scored.
    Ok,
    /// Nothing to read.
    Empty,
    /// Written in a language that the model was not trained for; no scores.
    UnsupportedLanguage,
}

impl Status {
    /// The status's name in exports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Empty => "empty",
            Self::UnsupportedLanguage => "unsupported_language",
        }
    }
}

/// How the words behind a label are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EvidenceMethod {
    /// The network itself says what each token adds to a logit.
    Contributions,
    /// The text is read again with some of its words covered, and the logits are compared.
    Occlusion,
}

impl EvidenceMethod {
    /// The method's name in manifests and exports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contributions => "contributions",
            Self::Occlusion => "occlusion",
        }
    }
}

/// How the evidence of a text was found, and in how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceScope {
    /// How.
    pub method: EvidenceMethod,
    /// Windows in which words were looked for; what the other windows say is in the remainder.
    pub windows: usize,
}

/// The result for one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// Whether and how the text could be read.
    pub status: Status,
    /// BCP 47 tag of the language; `None` when the text says too little.
    pub language: Option<String>,
    /// Confidence of the identification, in [0, 1].
    pub language_confidence: f64,
    /// Share of the text's tokens that the model read, in [0, 1].
    pub coverage: f64,
    /// Tokens in the text, without the model's own markers.
    pub token_count: usize,
    /// Windows that the text was read in.
    pub window_count: usize,
    /// How evidence was found; `None` when it was not asked for, or the text was not read.
    pub evidence: Option<EvidenceScope>,
    /// Present when the model has a sentiment head and it was asked for.
    pub sentiment: Option<Sentiment>,
    /// Emotion labels, likeliest first.
    pub emotions: Vec<LabelAssessment>,
    /// Ekman groups with the probability that at least one of their labels holds.
    pub emotion_groups: Vec<(&'static str, Probability)>,
    /// Cues, likeliest first.
    pub cues: Vec<LabelAssessment>,
    /// Heads of other kinds.
    pub other_heads: Vec<HeadAssessment>,
    /// The same by sentence, when asked for.
    pub sentences: Vec<SentenceAssessment>,
    /// Id of the model that read the text.
    pub model_id: String,
    /// Version of that model.
    pub model_version: String,
}

/// One label of a head.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelAssessment {
    /// The label's name.
    pub label: String,
    /// Calibrated probability.
    pub probability: Probability,
    /// The threshold that was applied.
    pub threshold: Probability,
    /// Whether the label is reported.
    pub predicted: bool,
    /// The words that caused it, when it is predicted and evidence was asked for.
    pub evidence: Option<Evidence>,
}

/// A head of a kind that attune has no own field for.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadAssessment {
    /// The head's name.
    pub head: String,
    /// Its labels, likeliest first.
    pub labels: Vec<LabelAssessment>,
}

/// The result for one sentence, from the same pass.
#[derive(Debug, Clone, PartialEq)]
pub struct SentenceAssessment {
    /// Where it stands.
    pub span: Span,
    /// Sentiment, without evidence.
    pub sentiment: Option<Sentiment>,
    /// Emotion labels, likeliest first.
    pub emotions: Vec<LabelAssessment>,
    /// Cues, likeliest first.
    pub cues: Vec<LabelAssessment>,
    /// Heads of other kinds.
    pub other_heads: Vec<HeadAssessment>,
}

/// Why a label has its logit: `bias + Σ spans + remainder = logit`, in calibrated log-odds.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The calibrated logit.
    pub logit: f64,
    /// What the words are measured from: the log-odds of the label's threshold where the model says what each token adds, and
    /// else what the label starts from before any word.
    pub bias: f64,
    /// The spans that carry most, in the order of the text.
    pub spans: Vec<EvidenceSpan>,
    /// What all other words together contribute.
    pub remainder: f64,
}

/// A span and its signed share of the logit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvidenceSpan {
    /// Where the words stand.
    pub span: Span,
    /// The words in it that carry it: where they begin and end, in bytes of the text.
    pub core: (usize, usize),
    /// Positive speaks for the label, negative against it.
    pub contribution: f64,
}
