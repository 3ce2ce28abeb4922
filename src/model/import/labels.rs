//! From the columns of an export to heads: label sets that attune knows get their own kind, everything else stays as it is.

use super::ImportError;
use super::mapping::{Mapping, Place};
use crate::domain::emotion::EKMAN_GROUPS;
use crate::model::{Activation, HeadKind};

/// The head of labels that attune has no kind for.
const OWN: &str = "own";
/// Reported from a probability of one half: what an export was trained for, and nobody has measured yet.
const THRESHOLD: f64 = 0.5;
/// Classes of a sentiment head in the manifest's order, with the ways in which they are spelled.
const CLASSES: [&[&str]; 3] = [&["negative", "neg"], &["neutral", "neu"], &["positive", "pos"]];

/// A head that is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftHead {
    /// Its name.
    pub name: String,
    /// What it speaks of.
    pub kind: HeadKind,
    /// How its logits become probabilities.
    pub activation: Activation,
    /// Its labels.
    pub labels: Vec<String>,
    /// The network's column of each label.
    pub columns: Vec<usize>,
    /// Probability from which its labels are reported.
    pub threshold: f64,
    /// Why it is this head, for people.
    pub why: &'static str,
}

/// A label with the column it has in the network.
type Column = (usize, String);

/// The heads that the columns make. Errors: a mapping that names what is not there, or makes heads that can't be.
pub(super) fn heads(
    labels: &[String],
    activation: Activation,
    mapping: &Mapping,
) -> Result<Vec<DraftHead>, ImportError> {
    mapping.check(labels)?;
    let mut mapped: Vec<(String, Vec<Column>)> = Vec::new();
    let mut rest: Vec<Column> = Vec::new();
    for (column, label) in labels.iter().enumerate() {
        match mapping.place(label) {
            Place { head: None, label } => rest.push((column, label)),
            Place { head: Some(head), label } => match mapped.iter_mut().find(|(name, _)| *name == head) {
                Some((_, columns)) => columns.push((column, label)),
                None => mapped.push((head, vec![(column, label)])),
            },
        }
    }
    let mut heads = Vec::new();
    for (name, columns) in mapped {
        heads.push(named(name, columns, activation, mapping)?);
    }
    if !rest.is_empty() {
        heads.push(recognised(rest, activation, mapping));
    }
    match mapping.heads().find(|name| heads.iter().all(|head| head.name != *name)) {
        Some(unknown) => {
            Err(ImportError::wrong("mapping", format!("heads.{unknown}: no label is put into this head")))
        }
        None => Ok(heads),
    }
}

/// A head that the mapping names.
fn named(
    name: String,
    columns: Vec<Column>,
    activation: Activation,
    mapping: &Mapping,
) -> Result<DraftHead, ImportError> {
    const WHY: &str = "by the mapping";
    match name.as_str() {
        "sentiment" => match sentiment(&columns) {
            Some(columns) => Ok(head("sentiment", HeadKind::Sentiment, Activation::Softmax, columns, WHY)),
            None => Err(ImportError::wrong(
                "mapping",
                "the head sentiment has the labels negative, neutral and positive, each once",
            )),
        },
        "emotion" => Ok(filled(head("emotion", HeadKind::Emotion, activation, columns, WHY), mapping)),
        "cue" => Ok(filled(head("cue", HeadKind::Cue, activation, columns, WHY), mapping)),
        name => Ok(filled(head(name, HeadKind::Other, activation, columns, WHY), mapping)),
    }
}

/// The head of the labels that the mapping puts nowhere.
fn recognised(columns: Vec<Column>, activation: Activation, mapping: &Mapping) -> DraftHead {
    if activation == Activation::Softmax
        && let Some(columns) = sentiment(&columns)
    {
        return head("sentiment", HeadKind::Sentiment, activation, columns, "negative, neutral and positive");
    }
    if is_go_emotions(&columns) {
        let columns = columns.into_iter().map(|(at, label)| (at, label.to_lowercase())).collect();
        return filled(
            head("emotion", HeadKind::Emotion, activation, columns, "the 28 labels of GoEmotions"),
            mapping,
        );
    }
    filled(head(OWN, HeadKind::Other, activation, columns, "no label set that attune knows"), mapping)
}

fn head(
    name: &str,
    kind: HeadKind,
    activation: Activation,
    columns: Vec<Column>,
    why: &'static str,
) -> DraftHead {
    let (columns, labels) = columns.into_iter().unzip();
    DraftHead { name: name.to_owned(), kind, activation, labels, columns, threshold: THRESHOLD, why }
}

/// A head with what the mapping says of it.
fn filled(head: DraftHead, mapping: &Mapping) -> DraftHead {
    let said = mapping.head(&head.name);
    DraftHead {
        activation: said.activation.unwrap_or(head.activation),
        threshold: said.threshold.unwrap_or(head.threshold),
        ..head
    }
}

/// The three classes in the manifest's order and under its names; `None` for any other set of labels.
fn sentiment(columns: &[Column]) -> Option<Vec<Column>> {
    if columns.len() != CLASSES.len() {
        return None;
    }
    let class = |spellings: &&[&str]| {
        let (at, _) = columns.iter().find(|(_, label)| spellings.contains(&label.to_lowercase().as_str()))?;
        Some((*at, spellings[0].to_owned()))
    };
    CLASSES.iter().map(class).collect()
}

fn is_go_emotions(columns: &[Column]) -> bool {
    let mut all = EKMAN_GROUPS.iter().flat_map(|(_, labels)| labels.iter());
    let named = |emotion: &&str| columns.iter().any(|(_, label)| label.to_lowercase() == *emotion);
    let count = EKMAN_GROUPS.iter().map(|(_, labels)| labels.len()).sum::<usize>();
    columns.len() == count && all.all(named)
}
