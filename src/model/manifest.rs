//! `model.toml`: which heads a model has, what their labels, thresholds and calibration are, and what was measured on it.
//!
//! Heads are data: the service takes their names, labels and activations from here and has none of its own.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::architecture::{Architecture, Backend, Network};
use super::baseline::Baseline;
use super::columns::columns;
use crate::domain::{EvidenceMethod, Probability};
use crate::drift::Reference;

/// The manifest form this build reads.
const SCHEMA: u32 = 1;

/// A model's manifest, validated.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The model's id: lower-case letters, digits and dashes.
    pub id: String,
    /// Version of the weights; every answer carries it.
    pub version: String,
    /// One line for people.
    pub description: String,
    /// SPDX expression.
    pub license: String,
    /// BCP 47 tags of the languages it was trained for; empty means any.
    pub languages: Vec<String>,
    /// What runs the network.
    pub network: Network,
    /// The network's file: an ONNX graph, or weights.
    pub graph: FileEntry,
    /// The tokenizer file.
    pub tokenizer: FileEntry,
    /// Tokens that one window holds, markers included.
    pub maximum_tokens: usize,
    /// Tokens that neighbouring windows of a long text share.
    pub window_overlap: usize,
    /// Ids of the tokens that begin and end a window, and that fill a batch up.
    pub markers: Markers,
    /// How evidence is found: by the network's own terms, or by covering words.
    pub evidence: EvidenceMethod,
    /// Id of the token that stands in for covered words.
    pub occlusion_token: u32,
    /// The outputs, in the order in which they stand side by side in the label axis.
    pub heads: Vec<Head>,
    /// The network's column of each label of the label axis; `None` when they are in the same order.
    pub columns: Option<Vec<usize>>,
    /// Scores that were measured on the model as it is shipped.
    pub scores: BTreeMap<String, f64>,
    /// Histograms of its own texts, which drift is measured against.
    pub baseline: Option<Reference>,
}

/// A file of the model's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Name inside the directory, without any path.
    pub file: String,
    /// SHA-256 of its content, in lower-case hex.
    pub sha256: String,
}

/// Token ids with a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Markers {
    /// Begins a window.
    pub begin: u32,
    /// Ends a window.
    pub end: u32,
    /// Fills a batch up.
    pub pad: u32,
}

/// What a head speaks of, as far as an assessment has an own field for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeadKind {
    /// Negative, neutral, positive.
    Sentiment,
    /// GoEmotions labels.
    Emotion,
    /// Customer cues.
    Cue,
    /// Anything else.
    Other,
}

/// How logits become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// One label holds.
    Softmax,
    /// Any number of labels hold.
    Sigmoid,
}

/// When a text that pulls both ways is called mixed.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixedRule {
    /// Probability that a clause must reach to count as positive or negative, in [0, 1].
    pub clause_probability: f64,
    /// Share of the text's attention that the clauses of each side must hold, in [0, 0.5].
    pub minimum_share: f64,
    /// Probability of the whole text that is enough when both sides reach it, above 0 and at most 0.5; without it, only
    /// clauses are asked.
    #[serde(default)]
    pub text_probability: Option<f64>,
}

impl MixedRule {
    /// Whether P(negative) and P(positive) of the whole text alone make it mixed.
    pub fn holds_of_text(&self, negative: f64, positive: f64) -> bool {
        self.text_probability.is_some_and(|least| negative >= least && positive >= least)
    }
}

/// One output of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// Unique in the model.
    pub name: String,
    /// What it speaks of.
    pub kind: HeadKind,
    /// How its logits become probabilities.
    pub activation: Activation,
    /// Names of its labels, unique in the head.
    pub labels: Vec<String>,
    /// Probability from which each label is reported.
    pub thresholds: Vec<Probability>,
    /// Calibrated logit = scale · logit + shift, per label.
    pub scale: Vec<f64>,
    /// See `scale`.
    pub shift: Vec<f64>,
    /// For sentiment heads.
    pub mixed: Option<MixedRule>,
}

/// What is wrong with a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not TOML, or a key is missing, unknown, or of the wrong type.
    #[error("model.toml: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A value breaks a rule.
    #[error("model.toml: {key}: {problem}")]
    Invalid {
        /// Path of the key.
        key: String,
        /// What is wrong with it, and what was expected.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    schema: u32,
    id: String,
    version: String,
    #[serde(default)]
    description: String,
    license: String,
    languages: Vec<String>,
    #[serde(default)]
    backend: Backend,
    architecture: Option<Architecture>,
    graph: FileEntry,
    tokenizer: FileEntry,
    maximum_tokens: usize,
    window_overlap: usize,
    markers: Markers,
    #[serde(default)]
    evidence: RawEvidence,
    occlusion_token: Option<u32>,
    heads: Vec<RawHead>,
    #[serde(default)]
    scores: BTreeMap<String, f64>,
    baseline: Option<Baseline>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawEvidence {
    #[default]
    Contributions,
    Occlusion,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHead {
    name: String,
    kind: HeadKind,
    activation: Activation,
    labels: Vec<String>,
    thresholds: Vec<f64>,
    scale: Vec<f64>,
    shift: Vec<f64>,
    mixed: Option<MixedRule>,
    outputs: Option<Vec<usize>>,
}

pub(super) fn invalid(key: impl Into<String>, problem: impl Into<String>) -> ManifestError {
    ManifestError::Invalid { key: key.into(), problem: problem.into() }
}

impl Manifest {
    /// Reads and validates the text of a `model.toml`.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let mut raw: RawManifest = toml::from_str(text)?;
        if raw.schema != SCHEMA {
            return Err(invalid("schema", format!("this build reads form {SCHEMA}, not {}", raw.schema)));
        }
        let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if raw.id.is_empty() || !raw.id.chars().all(name) {
            return Err(invalid("id", "expected lower-case letters, digits and dashes"));
        }
        for (key, entry) in [("graph", &raw.graph), ("tokenizer", &raw.tokenizer)] {
            check_file(key, entry)?;
        }
        // Two markers and one token of text are the least that a window can hold.
        if raw.maximum_tokens < 3 {
            return Err(invalid("maximum_tokens", "expected at least 3"));
        }
        if raw.window_overlap * 2 > raw.maximum_tokens - 2 {
            return Err(invalid("window_overlap", "expected at most half of maximum_tokens - 2"));
        }
        if raw.heads.is_empty() {
            return Err(invalid("heads", "expected at least one"));
        }
        let outputs = raw.heads.iter_mut().map(|head| head.outputs.take()).collect();
        let (mut names, mut kinds) = (BTreeSet::new(), HashSet::new());
        let heads = raw
            .heads
            .into_iter()
            .enumerate()
            .map(|(i, head)| {
                if !names.insert(head.name.clone()) {
                    return Err(invalid(format!("heads[{i}].name"), "is used twice"));
                }
                if head.kind != HeadKind::Other && !kinds.insert(head.kind) {
                    return Err(invalid(
                        format!("heads[{i}].kind"),
                        "only heads of kind \"other\" may be several",
                    ));
                }
                head.validate(i)
            })
            .collect::<Result<Vec<Head>, _>>()?;
        let mut manifest = Self {
            id: raw.id,
            version: raw.version,
            description: raw.description,
            license: raw.license,
            languages: raw.languages,
            network: Network::of(raw.backend, raw.architecture)?,
            graph: raw.graph,
            tokenizer: raw.tokenizer,
            maximum_tokens: raw.maximum_tokens,
            window_overlap: raw.window_overlap,
            markers: raw.markers,
            evidence: match raw.evidence {
                RawEvidence::Contributions => EvidenceMethod::Contributions,
                RawEvidence::Occlusion => EvidenceMethod::Occlusion,
            },
            occlusion_token: raw.occlusion_token.unwrap_or(raw.markers.pad),
            columns: columns(outputs, &heads)?,
            heads,
            scores: raw.scores,
            baseline: None,
        };
        if let Some(baseline) = raw.baseline {
            let fits = baseline.check(manifest.drift_layout());
            manifest.baseline = Some(fits.map_err(|e| invalid("baseline", e.to_string()))?);
        }
        Ok(manifest)
    }

    /// Labels of all heads together: the length of the graph's label axis.
    pub fn label_count(&self) -> usize {
        self.heads.iter().map(|h| h.labels.len()).sum()
    }

    /// Whether the network says what each token adds to a logit.
    pub fn has_terms(&self) -> bool {
        self.evidence == EvidenceMethod::Contributions
    }

    /// Tokens of text that one window holds.
    pub fn window_tokens(&self) -> usize {
        self.maximum_tokens - 2
    }

    /// Each head with the range of the label axis that is its own.
    pub fn heads_with_ranges(&self) -> impl Iterator<Item = (&Head, std::ops::Range<usize>)> {
        let mut at = 0;
        self.heads.iter().map(move |head| {
            let range = at..at + head.labels.len();
            at = range.end;
            (head, range)
        })
    }
}

pub(super) fn check_file(key: &str, entry: &FileEntry) -> Result<(), ManifestError> {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if entry.sha256.len() != 64 || !entry.sha256.chars().all(hex) {
        return Err(invalid(format!("{key}.sha256"), "expected 64 lower-case hex digits"));
    }
    // The name is joined to a directory: a path would reach outside it.
    if entry.file.is_empty() || entry.file.contains(['/', '\\', '\0']) || entry.file.starts_with('.') {
        return Err(invalid(format!("{key}.file"), "expected a plain file name"));
    }
    Ok(())
}

impl RawHead {
    fn validate(self, i: usize) -> Result<Head, ManifestError> {
        let count = self.labels.len();
        let key = |field: &str| format!("heads[{i}].{field}");
        if count == 0 || self.labels.iter().collect::<BTreeSet<_>>().len() != count {
            return Err(invalid(key("labels"), "expected at least one name, each once"));
        }
        for (field, length) in
            [("thresholds", self.thresholds.len()), ("scale", self.scale.len()), ("shift", self.shift.len())]
        {
            if length != count {
                return Err(invalid(key(field), format!("has {length} entries for {count} labels")));
            }
        }
        if self.scale.iter().any(|s| !s.is_finite() || *s <= 0.0) || self.shift.iter().any(|s| !s.is_finite())
        {
            return Err(invalid(key("scale"), "expected finite numbers, and scales above 0"));
        }
        if self.kind == HeadKind::Sentiment
            && (self.activation != Activation::Softmax || self.labels != ["negative", "neutral", "positive"])
        {
            return Err(invalid(
                key("labels"),
                "a sentiment head is a softmax over negative, neutral, positive, in this order",
            ));
        }
        let sound = |rule: MixedRule| {
            (0.0..=1.0).contains(&rule.clause_probability)
                && (0.0..=0.5).contains(&rule.minimum_share)
                && rule.text_probability.is_none_or(|p| p > 0.0 && p <= 0.5)
        };
        if self.mixed.is_some_and(|rule| !sound(rule)) {
            return Err(invalid(
                key("mixed"),
                "clause_probability is in [0, 1], minimum_share in [0, 0.5], text_probability above 0 and at most 0.5",
            ));
        }
        let thresholds = self
            .thresholds
            .iter()
            .map(|t| Probability::try_new(*t).map_err(|e| invalid(key("thresholds"), e.to_string())))
            .collect::<Result<_, _>>()?;
        Ok(Head {
            name: self.name,
            kind: self.kind,
            activation: self.activation,
            labels: self.labels,
            thresholds,
            scale: self.scale,
            shift: self.shift,
            mixed: self.mixed,
        })
    }
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
