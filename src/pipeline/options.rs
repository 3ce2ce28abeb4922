//! What a caller wants to know, checked against what a model can tell.

use std::collections::BTreeMap;

use crate::domain::Probability;
use crate::error::Error;
use crate::model::Manifest;

/// Options as a caller gives them; labels and heads by name.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisOptions {
    /// Heads to return; empty means all.
    pub heads: Vec<String>,
    /// Whether predicted labels carry evidence.
    pub evidence: bool,
    /// Whether each sentence is assessed too.
    pub sentences: bool,
    /// Whether labels below their threshold are listed.
    pub all_labels: bool,
    /// Thresholds by label or `head.label`, instead of the model's own.
    pub thresholds: BTreeMap<String, f64>,
}

impl Default for AnalysisOptions {
    fn default() -> Self {
        Self {
            heads: Vec::new(),
            evidence: true,
            sentences: false,
            all_labels: false,
            thresholds: BTreeMap::new(),
        }
    }
}

/// Options that fit a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedOptions {
    /// Per head of the manifest, whether it is returned.
    pub(super) heads: Vec<bool>,
    pub(super) evidence: bool,
    pub(super) sentences: bool,
    pub(super) all_labels: bool,
    /// Per label of the whole label axis.
    pub(super) thresholds: Vec<Probability>,
}

impl AnalysisOptions {
    /// Checks names and ranges; errors name the field below `options`.
    pub fn resolve(&self, manifest: &Manifest) -> Result<ResolvedOptions, Error> {
        let names: Vec<&str> = manifest.heads.iter().map(|h| h.name.as_str()).collect();
        for (i, head) in self.heads.iter().enumerate() {
            if !names.contains(&head.as_str()) {
                return Err(Error::invalid(
                    format!("options.heads[{i}]"),
                    format!("the model has no such head; it has {}", names.join(", ")),
                ));
            }
        }
        let wanted = |name: &str| self.heads.is_empty() || self.heads.iter().any(|h| h == name);
        let mut thresholds: Vec<Probability> =
            manifest.heads.iter().flat_map(|h| h.thresholds.iter().copied()).collect();
        for (name, value) in &self.thresholds {
            let field = || format!("options.thresholds[{:?}]", clipped(name));
            let value = Probability::try_new(*value).map_err(|e| Error::invalid(field(), e.to_string()))?;
            let places = label_places(manifest, name);
            match places.as_slice() {
                [] => return Err(Error::invalid(field(), "the model has no such label")),
                [place] => thresholds[*place] = value,
                _ => {
                    return Err(Error::invalid(
                        field(),
                        "several heads have this label; name it as head.label",
                    ));
                }
            }
        }
        Ok(ResolvedOptions {
            heads: names.iter().map(|n| wanted(n)).collect(),
            evidence: self.evidence,
            sentences: self.sentences,
            all_labels: self.all_labels,
            thresholds,
        })
    }
}

/// A name that came from outside, short enough for a message.
fn clipped(name: &str) -> String {
    name.chars().take(64).collect()
}

fn label_places(manifest: &Manifest, name: &str) -> Vec<usize> {
    manifest
        .heads_with_ranges()
        .flat_map(|(head, range)| {
            head.labels.iter().zip(range).filter(move |(label, _)| {
                *label == name
                    || name
                        .strip_prefix(head.name.as_str())
                        .and_then(|rest| rest.strip_prefix('.'))
                        .is_some_and(|rest| rest == label.as_str())
            })
        })
        .map(|(_, place)| place)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::model::ModelBundle;

    fn resolve(change: impl FnOnce(&mut AnalysisOptions)) -> Result<ResolvedOptions, Error> {
        let mut options = AnalysisOptions::default();
        change(&mut options);
        options.resolve(&ModelBundle::load_embedded().unwrap().manifest)
    }

    #[test]
    fn thresholds_are_named_by_label_or_by_head_and_label() {
        for name in ["anger", "emotion.anger"] {
            let plain = resolve(|_| ()).unwrap();
            let changed = resolve(|o| {
                o.thresholds.insert(name.into(), 0.99);
            })
            .unwrap();
            let differing = plain.thresholds.iter().zip(&changed.thresholds).filter(|(a, b)| a != b).count();
            assert_eq!(differing, 1, "{name}");
        }
    }

    #[test]
    fn unknown_names_and_numbers_out_of_range_name_their_field() {
        type Change = fn(&mut AnalysisOptions);
        let cases: [(Change, &str, &str); 3] = [
            (|o| o.heads.push("mood".into()), "options.heads[0]", "it has sentiment, emotion"),
            (
                |o| {
                    o.thresholds.insert("furious".into(), 0.5);
                },
                "options.thresholds[\"furious\"]",
                "no such label",
            ),
            (
                |o| {
                    o.thresholds.insert("anger".into(), 1.5);
                },
                "options.thresholds[\"anger\"]",
                "between 0 and 1",
            ),
        ];
        for (change, field, message) in cases {
            let error = resolve(change).unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some(field)));
            assert!(error.public().contains(message), "{error}");
        }
    }
}
