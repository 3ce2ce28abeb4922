//! `config.json`: what kind of network it is, what its labels are called, and how its logits become probabilities.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::ImportError;

const FILE: &str = "config.json";
/// Labels that a head may have: more than any classifier of texts has.
const LABELS: usize = 4096;
/// The labels of a network that names none: transformers leaves its default out of the file.
const DEFAULT_LABELS: usize = 2;

/// How a classifier was trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// One label holds.
    Single,
    /// Any number of labels hold.
    Multi,
    /// The file does not say.
    Unsaid,
}

/// What `config.json` says, as far as it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportConfig {
    /// Kind of network, such as `roberta`.
    pub model_type: String,
    /// The labels, by column; unique.
    pub labels: Vec<String>,
    /// How it was trained.
    pub problem: Problem,
    /// Positions that the network has.
    pub positions: Option<usize>,
    /// Tokens that the network knows.
    pub vocabulary: Option<usize>,
    /// Id of the token that fills a batch up.
    pub pad: Option<u32>,
    /// What the network was called where it came from.
    pub name: Option<String>,
}

#[derive(Deserialize)]
struct Raw {
    model_type: Option<String>,
    architectures: Option<Vec<String>>,
    id2label: Option<BTreeMap<String, Value>>,
    num_labels: Option<usize>,
    #[serde(rename = "_num_labels")]
    old_num_labels: Option<usize>,
    problem_type: Option<String>,
    // Networks without a limit say -1.
    max_position_embeddings: Option<i64>,
    vocab_size: Option<usize>,
    pad_token_id: Option<i64>,
    #[serde(rename = "_name_or_path")]
    name: Option<String>,
}

fn wrong(problem: impl Into<String>) -> ImportError {
    ImportError::wrong(FILE, problem)
}

impl ExportConfig {
    /// Reads the content of the file. Errors: [`ImportError::Wrong`].
    pub fn parse(text: &str) -> Result<Self, ImportError> {
        let raw: Raw = serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?;
        let classifies = |name: &String| name.ends_with("ForSequenceClassification");
        if let Some(architectures) = raw.architectures.as_deref().filter(|a| !a.is_empty())
            && !architectures.iter().any(classifies)
        {
            let found = architectures.join(", ");
            return Err(wrong(format!(
                "architectures is {found:?}, expected one …ForSequenceClassification"
            )));
        }
        let count = raw.num_labels.or(raw.old_num_labels).unwrap_or(DEFAULT_LABELS);
        let labels = match raw.id2label {
            Some(names) => labels(names)?,
            None if (1..=LABELS).contains(&count) => (0..count).map(|n| format!("LABEL_{n}")).collect(),
            None => return Err(wrong(format!("num_labels is {count}, expected 1 to {LABELS}"))),
        };
        Ok(Self {
            model_type: raw.model_type.ok_or_else(|| wrong("expected model_type, such as \"roberta\""))?,
            problem: problem(raw.problem_type.as_deref(), &labels)?,
            labels,
            positions: raw.max_position_embeddings.and_then(|n| usize::try_from(n).ok()),
            vocabulary: raw.vocab_size,
            pad: raw.pad_token_id.and_then(|n| u32::try_from(n).ok()),
            name: raw.name.filter(|name| !name.is_empty()),
        })
    }
}

/// The names of columns 0 to n − 1, each once.
fn labels(names: BTreeMap<String, Value>) -> Result<Vec<String>, ImportError> {
    let count = names.len();
    if !(1..=LABELS).contains(&count) {
        return Err(wrong(format!("id2label has {count} labels, expected 1 to {LABELS}")));
    }
    let mut labels: Vec<Option<String>> = vec![None; count];
    for (id, name) in names {
        let place = id.parse::<usize>().ok().filter(|at| labels.get(*at).is_some_and(Option::is_none));
        let place =
            place.ok_or_else(|| wrong(format!("id2label: {id:?} is no number from 0 to {}", count - 1)))?;
        labels[place] = Some(match name {
            Value::String(name) if !name.trim().is_empty() => name.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            other => return Err(wrong(format!("id2label: {id:?} is {other}, expected a name"))),
        });
    }
    let labels: Vec<String> = labels.into_iter().flatten().collect();
    let mut seen = std::collections::BTreeSet::new();
    match labels.iter().find(|label| !seen.insert(label.as_str())) {
        Some(twice) => Err(wrong(format!("id2label: two labels are called {twice:?}"))),
        None => Ok(labels),
    }
}

fn problem(name: Option<&str>, labels: &[String]) -> Result<Problem, ImportError> {
    match name {
        Some("single_label_classification") => Ok(Problem::Single),
        Some("multi_label_classification") => Ok(Problem::Multi),
        // One column without more said is how transformers stores a regression.
        None if labels.len() > 1 => Ok(Problem::Unsaid),
        None => Err(wrong("one label and no problem_type: it predicts a number, not labels")),
        Some(other) => Err(wrong(format!(
            "problem_type is {other:?}, expected \"single_label_classification\" or \"multi_label_classification\""
        ))),
    }
}
