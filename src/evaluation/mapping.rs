//! From a file's labels to the model's: the mapping file, and what a row's labels mean.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::{Task, shown};
use crate::error::Error;
use crate::model::Head;

/// A sentiment label that is no class of the head.
const MIXED: &str = "mixed";

/// A mapping file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// A label of the file = the model's label, or several, or "" for none.
    #[serde(default)]
    labels: BTreeMap<String, OneOrMany>,
    /// A group = labels of the model; when there are groups, they are measured instead of labels.
    #[serde(default)]
    groups: BTreeMap<String, Vec<String>>,
    /// Whether exactly one label or group holds for a text, so that the likeliest one is the guess.
    #[serde(default)]
    exclusive: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn names(&self) -> Vec<&str> {
        match self {
            Self::One(name) => vec![name.as_str()],
            Self::Many(names) => names.iter().map(String::as_str).collect(),
        }
        .into_iter()
        .filter(|name| !name.is_empty())
        .collect()
    }
}

impl Mapping {
    /// Reads a mapping out of the TOML of the file called `origin`.
    pub fn parse(text: &str, origin: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|e| Error::invalid("mapping", format!("{origin}: {e}")))
    }

    /// Whether single labels are measured, each by its own threshold. Only then can they be calibrated.
    pub fn measures_labels(&self) -> bool {
        self.groups.is_empty() && !self.exclusive
    }
}

/// What one label of the file stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Meaning {
    /// Places among the head's labels; none for a label that is left out.
    labels: Vec<usize>,
    mixed: bool,
}

/// What a row's labels say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// Per label of the head, whether it holds.
    Labels(Vec<bool>),
    /// Sentiment both ways, which the three classes have no place for.
    Mixed,
    /// The mapping leaves all its labels out, or has no group for them where exactly one holds.
    LeftOut,
    /// It has no label, and the task needs one.
    Unlabelled,
    /// It has several labels, and the task takes one.
    Several,
}

/// A group of labels by their places in the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The group's name.
    pub name: String,
    /// Its labels' places.
    pub members: Vec<usize>,
}

/// The labels that a file may use, checked against a head.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    meanings: HashMap<String, Meaning>,
    count: usize,
    /// Places of the labels that the file can speak of, and that are measured.
    pub measured: Vec<usize>,
    /// The groups to measure instead; empty for none.
    pub groups: Vec<Group>,
    /// Whether the likeliest label or group is the guess.
    pub exclusive: bool,
}

impl Vocabulary {
    /// Checks a mapping against the head of `task`. Without one, files use the model's own labels.
    ///
    /// Errors: `InvalidInput` for a label that the model does not have, and for a mapping that leaves none to measure.
    pub fn try_new(mapping: Option<&Mapping>, task: Task, head: &Head) -> Result<Self, Error> {
        let default = Mapping::default();
        let mapping = mapping.unwrap_or(&default);
        let single = task == Task::Sentiment;
        let meanings = if mapping.labels.is_empty() {
            own_meanings(head, single)
        } else {
            mapping
                .labels
                .iter()
                .map(|(theirs, ours)| Ok((theirs.trim().to_owned(), meaning(theirs, ours, head, single)?)))
                .collect::<Result<_, Error>>()?
        };
        let named = |place: &usize| meanings.values().any(|meaning| meaning.labels.contains(place));
        let measured: Vec<usize> = (0..head.labels.len()).filter(named).collect();
        if measured.is_empty() {
            return Err(Error::invalid("mapping.labels", "names no label of the model: nothing is measured"));
        }
        Ok(Self {
            measured,
            meanings,
            count: head.labels.len(),
            groups: groups(&mapping.groups, head)?,
            exclusive: mapping.exclusive || single,
        })
    }

    /// What a row's labels say. Errors: the first label that is not known.
    pub fn truth<'l>(&self, labels: &'l [String]) -> Result<Truth, &'l str> {
        if labels.is_empty() {
            // Without any cue is what most texts are; where exactly one label holds, none was given.
            if self.exclusive {
                return Ok(Truth::Unlabelled);
            }
            return Ok(Truth::Labels(vec![false; self.count]));
        }
        let meanings = labels
            .iter()
            .map(|label| self.meanings.get(label.as_str()).ok_or(label.as_str()))
            .collect::<Result<Vec<&Meaning>, _>>()?;
        let mut holds = vec![false; self.count];
        for place in meanings.iter().flat_map(|meaning| &meaning.labels) {
            holds[*place] = true;
        }
        let mixed = meanings.iter().any(|meaning| meaning.mixed);
        Ok(match (holds.contains(&true), mixed) {
            (false, true) => Truth::Mixed,
            (false, false) => Truth::LeftOut,
            (true, true) => Truth::Several,
            (true, false) if !self.exclusive => Truth::Labels(holds),
            (true, false) => match self.holding(&holds) {
                0 => Truth::LeftOut,
                1 => Truth::Labels(holds),
                _ => Truth::Several,
            },
        })
    }

    /// How many of the labels or groups that are measured hold.
    fn holding(&self, holds: &[bool]) -> usize {
        if self.groups.is_empty() {
            return holds.iter().filter(|holds| **holds).count();
        }
        self.groups.iter().filter(|group| group.members.iter().any(|member| holds[*member])).count()
    }
}

fn own_meanings(head: &Head, with_mixed: bool) -> HashMap<String, Meaning> {
    let own = head.labels.iter().enumerate();
    let own = own.map(|(place, name)| (name.clone(), Meaning { labels: vec![place], mixed: false }));
    let mixed = with_mixed.then(|| (MIXED.to_owned(), Meaning { labels: Vec::new(), mixed: true }));
    own.chain(mixed).collect()
}

fn meaning(theirs: &str, ours: &OneOrMany, head: &Head, single: bool) -> Result<Meaning, Error> {
    let mut meaning = Meaning::default();
    for name in ours.names() {
        if single && name == MIXED {
            meaning.mixed = true;
        } else {
            meaning.labels.push(place(head, name, || format!("mapping.labels.{theirs:?}"))?);
        }
    }
    if single && meaning.labels.len() + usize::from(meaning.mixed) > 1 {
        let field = format!("mapping.labels.{theirs:?}");
        return Err(Error::invalid(field, "sentiment takes one label; say \"mixed\" for both ways"));
    }
    Ok(meaning)
}

fn groups(groups: &BTreeMap<String, Vec<String>>, head: &Head) -> Result<Vec<Group>, Error> {
    groups
        .iter()
        .map(|(name, members)| {
            let field = || format!("mapping.groups.{name:?}");
            if members.is_empty() {
                return Err(Error::invalid(field(), "expected at least one label"));
            }
            let mut members =
                members.iter().map(|member| place(head, member, field)).collect::<Result<Vec<_>, _>>()?;
            // A label that is named twice counts once.
            members.sort_unstable();
            members.dedup();
            Ok(Group { name: name.clone(), members })
        })
        .collect()
}

fn place(head: &Head, name: &str, field: impl Fn() -> String) -> Result<usize, Error> {
    head.labels.iter().position(|label| label == name).ok_or_else(|| {
        let message =
            format!("the model's head {} has no label {name:?}; see attune models --labels", head.name);
        Error::invalid(field(), message)
    })
}

/// Labels that a file uses and nobody knows, with the rows in which they stand first.
#[derive(Debug, Default)]
pub struct Unknown {
    first: Vec<(String, u64)>,
    rows: u64,
}

/// Unknown labels that an error lists; more would hide the first.
const LISTED: usize = 8;

impl Unknown {
    /// Takes down a label that is not known.
    pub fn note(&mut self, label: &str, row: u64) {
        self.rows += 1;
        // A column of texts taken for labels must not fill the memory: beyond the listed ones nothing is kept.
        if self.first.len() < LISTED && self.first.iter().all(|(known, _)| known != label) {
            self.first.push((label.to_owned(), row));
        }
    }

    /// The error that lists them; fine when there are none.
    pub fn check(&self, file: &str) -> Result<(), Error> {
        if self.first.is_empty() {
            return Ok(());
        }
        let first: Vec<String> =
            self.first.iter().map(|(label, row)| format!("row {row}: {}", shown(label))).collect();
        let message = format!(
            "{file}: {} rows have labels that are neither the model's nor in the mapping; {}",
            self.rows,
            first.join(", ")
        );
        Err(Error::invalid("label-column", message))
    }
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
