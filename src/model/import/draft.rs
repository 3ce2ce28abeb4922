//! The manifest that follows from an export.

use serde::Serialize;

use super::config::Problem;
use super::export::{Export, Network};
use super::labels::{self, DraftHead};
use super::mapping::Mapping;
use super::{ImportError, window};
use crate::model::bundle::sha256;
use crate::model::manifest::{FileEntry, Markers};
use crate::model::{Activation, HeadKind, Manifest};

/// Tokens that neighbouring windows share, as the embedded model has it; never more than a quarter of a window.
const OVERLAP: usize = 64;
/// What stands for a licence that nobody has named.
const UNKNOWN_LICENSE: &str = "LicenseRef-unknown";
/// Hex digits of the checksum that make a version of the weights.
const VERSION_DIGITS: usize = 12;
const HEADER: &str = "# Written by attune models import; docs/models.md says what each key means.\n";

/// What the caller says instead of the export.
#[derive(Debug, Clone, Default)]
pub struct DraftOptions {
    /// Id of the model, instead of one that follows from its name.
    pub id: Option<String>,
    /// Version of the weights, instead of one that follows from their checksum.
    pub version: Option<String>,
    /// SPDX expression.
    pub license: Option<String>,
    /// BCP 47 tags; none for any language.
    pub languages: Vec<String>,
    /// How logits become probabilities, instead of what `problem_type` says.
    pub activation: Option<Activation>,
    /// Tokens of a window, instead of what the export says.
    pub maximum_tokens: Option<usize>,
    /// Which head a label belongs to.
    pub mapping: Mapping,
}

/// Tokens with a role, found in the tokenizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tokens {
    /// Around and behind a window.
    pub markers: Markers,
    /// Stands in for covered words.
    pub occlusion: u32,
}

/// Something that was found, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub what: String,
    /// What was found, and why.
    pub found: String,
}

/// A manifest that is to be.
#[derive(Debug)]
pub struct Draft {
    /// As this build reads it.
    pub manifest: Manifest,
    /// As a file.
    pub text: String,
    /// What was recognised.
    pub findings: Vec<Finding>,
}

impl Draft {
    /// Joins what the export, its tokenizer and the caller say. Errors: what can't be a manifest.
    pub fn new(export: &Export, tokens: Tokens, options: &DraftOptions) -> Result<Self, ImportError> {
        let (activation, why) = activation(export.config.problem, options.activation);
        let heads = labels::heads(&export.config.labels, activation, &options.mapping)?;
        let (maximum_tokens, why_tokens) =
            window::maximum_tokens(&export.config, &export.special, options.maximum_tokens)?;
        let mut findings = findings(export, &heads);
        findings.push(finding("activation", format!("{}: {why}", activation_name(activation))));
        findings.push(finding("window", format!("{maximum_tokens} tokens: {why_tokens}")));
        let file = File::new(export, tokens, options, (maximum_tokens, &heads[..]));
        let text = toml::to_string(&file).map_err(|e| ImportError::wrong("model.toml", e.to_string()))?;
        let manifest = Manifest::parse(&text)?;
        Ok(Self { manifest, text: format!("{HEADER}{text}"), findings })
    }
}

fn finding(what: impl Into<String>, found: impl Into<String>) -> Finding {
    Finding { what: what.into(), found: found.into() }
}

fn findings(export: &Export, heads: &[DraftHead]) -> Vec<Finding> {
    let (kind, file) = (&export.config.model_type, export.network.file());
    let mut findings =
        vec![finding("network", format!("{kind}, {file}, {} kB", export.weights.len() / 1000))];
    for head in heads {
        let kind = match head.kind {
            HeadKind::Sentiment => "sentiment",
            HeadKind::Emotion => "emotion",
            HeadKind::Cue => "cue",
            HeadKind::Other => "other",
        };
        let how = if head.activation == Activation::Softmax { "one" } else { "any" };
        let moved = if head.columns.is_sorted() { "" } else { ", in an order of their own" };
        let (count, why) = (head.labels.len(), head.why);
        let found = format!("of kind {kind}: {how} of {count} labels ({why}{moved})");
        findings.push(finding(format!("head {}", head.name), found));
    }
    findings
}

fn activation(problem: Problem, asked: Option<Activation>) -> (Activation, &'static str) {
    match (asked, problem) {
        (Some(asked), _) => (asked, "as --activation says"),
        (None, Problem::Single) => (Activation::Softmax, "problem_type is single_label_classification"),
        (None, Problem::Multi) => (Activation::Sigmoid, "problem_type is multi_label_classification"),
        (None, Problem::Unsaid) => (
            Activation::Softmax,
            "config.json has no problem_type, so one label holds; --activation sigmoid says that any may",
        ),
    }
}

fn activation_name(activation: Activation) -> &'static str {
    match activation {
        Activation::Softmax => "softmax",
        Activation::Sigmoid => "sigmoid",
    }
}

/// An id out of a name: its last part, in the characters that an id may have.
fn id_of(export: &Export) -> String {
    let directory = export.directory.canonicalize().unwrap_or_else(|_| export.directory.clone());
    let directory = directory.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = export.config.name.clone().or(directory).unwrap_or_default();
    let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_lowercase();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let id: String = last.chars().map(plain).collect();
    let id = id.trim_matches('-');
    if id.is_empty() { "imported".to_owned() } else { id.to_owned() }
}

/// `model.toml`, value by value.
#[derive(Serialize)]
struct File<'a> {
    schema: u32,
    id: String,
    version: String,
    description: String,
    license: &'a str,
    languages: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<&'static str>,
    maximum_tokens: usize,
    window_overlap: usize,
    evidence: &'static str,
    occlusion_token: u32,
    graph: FileEntry,
    tokenizer: FileEntry,
    markers: Markers,
    #[serde(skip_serializing_if = "Option::is_none")]
    architecture: Option<Architecture>,
    heads: Vec<FileHead<'a>>,
}

/// What a network is whose weights alone are there.
#[derive(Serialize)]
struct Architecture {
    kind: &'static str,
    config: FileEntry,
}

#[derive(Serialize)]
struct FileHead<'a> {
    name: &'a str,
    kind: HeadKind,
    activation: Activation,
    labels: &'a [String],
    thresholds: Vec<f64>,
    scale: Vec<f64>,
    shift: Vec<f64>,
    outputs: &'a [usize],
}

impl<'a> File<'a> {
    fn new(
        export: &Export,
        tokens: Tokens,
        options: &'a DraftOptions,
        (maximum_tokens, heads): (usize, &'a [DraftHead]),
    ) -> Self {
        let entry = |file: &str, content: &[u8]| FileEntry { file: file.into(), sha256: sha256(content) };
        let graph = entry(export.network.file(), &export.weights);
        let (backend, architecture) = match export.network {
            Network::Onnx => (None, None),
            Network::Weights(kind) => {
                let config = entry("config.json", &export.config_file);
                (Some("rust-bert"), Some(Architecture { kind, config }))
            }
        };
        let (kind, count) = (&export.config.model_type, export.config.labels.len());
        Self {
            schema: 1,
            id: options.id.clone().unwrap_or_else(|| id_of(export)),
            version: options.version.clone().unwrap_or_else(|| graph.sha256[..VERSION_DIGITS].to_owned()),
            description: format!("A {kind} of {count} labels, imported; its thresholds are not fitted"),
            license: options.license.as_deref().unwrap_or(UNKNOWN_LICENSE),
            languages: &options.languages,
            backend,
            maximum_tokens,
            window_overlap: OVERLAP.min(maximum_tokens / 4),
            evidence: "occlusion",
            occlusion_token: tokens.occlusion,
            graph,
            tokenizer: entry("tokenizer.json", &export.tokenizer),
            markers: tokens.markers,
            architecture,
            heads: heads.iter().map(FileHead::new).collect(),
        }
    }
}

impl<'a> FileHead<'a> {
    fn new(head: &'a DraftHead) -> Self {
        let count = head.labels.len();
        Self {
            name: &head.name,
            kind: head.kind,
            activation: head.activation,
            labels: &head.labels,
            thresholds: vec![head.threshold; count],
            scale: vec![1.0; count],
            shift: vec![0.0; count],
            outputs: &head.columns,
        }
    }
}
