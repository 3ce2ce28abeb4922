//! What is loaded and what stands for it: a plain value, of which a change makes another one.
//!
//! Invariants: no version is there twice, every alias points to a version that is there, and `default` is one of them. What
//! can't be so is refused, and the catalogue that was stays.

use std::collections::{BTreeMap, BTreeSet};

use super::name::{DEFAULT, ModelName, check_alias};
use crate::error::{Error, ErrorKind};

/// Most aliases: they are listed in every message that says what there is.
const ALIASES: usize = 64;

/// A model that is loaded.
#[derive(Debug, Clone)]
pub struct Entry<T> {
    /// Which one.
    pub name: ModelName,
    /// Where it was loaded from, below the root; `None` for the one that the process was started with.
    pub directory: Option<String>,
    /// The model itself.
    pub model: T,
}

/// What is loaded, in the order in which it was loaded, and the aliases.
#[derive(Debug, Clone)]
pub struct Catalogue<T> {
    entries: Vec<Entry<T>>,
    aliases: BTreeMap<String, ModelName>,
    default: T,
}

impl<T: Clone> Catalogue<T> {
    /// With one model, which is the default.
    pub fn new(name: ModelName, model: T) -> Self {
        let aliases = BTreeMap::from([(DEFAULT.to_owned(), name.clone())]);
        Self { entries: vec![Entry { name, directory: None, model: model.clone() }], aliases, default: model }
    }

    /// What answers when no model is named.
    pub fn default(&self) -> &T {
        &self.default
    }

    /// What is loaded, in its order.
    pub fn entries(&self) -> &[Entry<T>] {
        &self.entries
    }

    /// Every alias with what it points to.
    pub fn aliases(&self) -> &BTreeMap<String, ModelName> {
        &self.aliases
    }

    /// What `wanted` stands for: nothing for the default; an alias; a version spelt out; an id, which is the default when that
    /// is a version of it (so that one which is loaded to be tried out takes no call away), and else the version that was
    /// loaded last. Errors: `NotFound`, with all there is.
    pub fn resolve(&self, wanted: &str) -> Result<&Entry<T>, Error> {
        let alias = if wanted.is_empty() { DEFAULT } else { wanted };
        let by_alias = self.aliases.get(alias).and_then(|name| self.find(name));
        by_alias.or_else(|| self.spelt(wanted)).or_else(|| self.by_id(wanted)).ok_or_else(|| self.not_found())
    }

    /// The version that is spelt out. Errors: `NotFound`, with all there is.
    pub fn exact(&self, wanted: &str) -> Result<&Entry<T>, Error> {
        self.spelt(wanted).ok_or_else(|| self.not_found())
    }

    fn find(&self, name: &ModelName) -> Option<&Entry<T>> {
        self.entries.iter().find(|entry| entry.name == *name)
    }

    fn spelt(&self, wanted: &str) -> Option<&Entry<T>> {
        self.entries.iter().find(|entry| entry.name.is(wanted))
    }

    fn by_id(&self, id: &str) -> Option<&Entry<T>> {
        let default = self.aliases.get(DEFAULT).filter(|name| name.id == id).and_then(|name| self.find(name));
        default.or_else(|| self.entries.iter().rfind(|entry| entry.name.id == id))
    }

    fn not_found(&self) -> Error {
        let loaded: Vec<String> = self.entries.iter().map(|entry| entry.name.to_string()).collect();
        let aliases: Vec<String> =
            self.aliases.iter().map(|(alias, name)| format!("{alias} = {name}")).collect();
        let problem = format!(
            "no such model is loaded; loaded are {}; aliases are {}",
            loaded.join(", "),
            aliases.join(", ")
        );
        Error::new(ErrorKind::NotFound, problem)
    }

    /// Errors: `AlreadyExists` for what is there, `Precondition` when there may be no more.
    pub fn check_room(&self, name: &ModelName, most: usize) -> Result<(), Error> {
        if self.find(name).is_some() {
            let problem =
                format!("{name} is loaded already; give other weights or thresholds a version of their own");
            return Err(Error::new(ErrorKind::AlreadyExists, problem));
        }
        if self.entries.len() >= most {
            let problem =
                format!("{most} models are loaded, and no more may be (models.maximum); unload one first");
            return Err(Error::new(ErrorKind::Precondition, problem));
        }
        Ok(())
    }

    /// With one more. Errors: as [`Self::check_room`].
    pub fn with(&self, entry: Entry<T>, most: usize) -> Result<Self, Error> {
        self.check_room(&entry.name, most)?;
        let mut next = self.clone();
        next.entries.push(entry);
        Ok(next)
    }

    /// With one less, which comes back. Errors: `NotFound`; `Precondition` while an alias points to it.
    pub fn without(&self, wanted: &str) -> Result<(Self, ModelName), Error> {
        let name = self.exact(wanted)?.name.clone();
        if let Some((alias, _)) = self.aliases.iter().find(|(_, target)| **target == name) {
            let problem = format!("the alias {alias} points to {name}; let it point to another model first");
            return Err(Error::new(ErrorKind::Precondition, problem));
        }
        let mut next = self.clone();
        next.entries.retain(|entry| entry.name != name);
        Ok((next, name))
    }

    /// With an alias for `wanted`, or without it for an empty `wanted`; says what it pointed to.
    ///
    /// Errors: `InvalidInput` for what can't be an alias, and for taking the default away; `NotFound`; `Precondition` for
    /// too many.
    pub fn with_alias(&self, alias: &str, wanted: &str) -> Result<(Self, Option<ModelName>), Error> {
        check_alias(alias)?;
        let mut next = self.clone();
        if wanted.is_empty() {
            if alias == DEFAULT {
                return Err(Error::invalid(
                    "model",
                    "is empty, and the default has to be some model; name one",
                ));
            }
            let before = next.aliases.remove(alias);
            return before.map(|before| (next, Some(before))).ok_or_else(|| self.not_found());
        }
        let found = self.resolve(wanted)?;
        if alias == DEFAULT {
            next.default = found.model.clone();
        }
        let before = next.aliases.insert(alias.to_owned(), found.name.clone());
        if next.aliases.len() > ALIASES {
            let problem = format!("there are {ALIASES} aliases, and no more may be; take one away first");
            return Err(Error::new(ErrorKind::Precondition, problem));
        }
        Ok((next, before))
    }

    /// With exactly what a configuration names: `added`, of what is there the versions in `kept` and the one that the
    /// process was started with, and these aliases; a configuration without a default means the latter.
    ///
    /// Errors: `InvalidInput`, with the setting, for an alias of what is not there then, and for more than `most`.
    pub fn configured(
        &self,
        added: Vec<Entry<T>>,
        kept: &BTreeSet<ModelName>,
        aliases: &BTreeMap<String, String>,
        most: usize,
    ) -> Result<Self, Error> {
        let stays = |entry: &&Entry<T>| entry.directory.is_none() || kept.contains(&entry.name);
        let mut entries: Vec<Entry<T>> = self.entries.iter().filter(stays).cloned().collect();
        entries.extend(added);
        if entries.len() > most || aliases.len() > ALIASES {
            let problem = format!(
                "{} models with that of the start, and {} aliases; at most {most} (models.maximum) and {ALIASES} may be",
                entries.len(),
                aliases.len()
            );
            return Err(Error::invalid("models.load", problem));
        }
        let first = entries.iter().find(|entry| entry.directory.is_none()).or_else(|| entries.first());
        let first =
            first.ok_or_else(|| Error::invalid("models.load", "no model would be left; name one"))?.clone();
        // Aliases are resolved against models alone, so that their order does not matter.
        let mut next = Self { aliases: BTreeMap::new(), default: first.model, entries };
        let mut targets = BTreeMap::from([(DEFAULT.to_owned(), first.name)]);
        for (alias, wanted) in aliases {
            let field = || format!("models.aliases.{alias}");
            check_alias(alias).map_err(|e| Error::invalid(field(), e.public()))?;
            let found = next.spelt(wanted).or_else(|| next.by_id(wanted));
            let found = found.ok_or_else(|| Error::invalid(field(), next.not_found().public()))?;
            targets.insert(alias.clone(), found.name.clone());
        }
        next.aliases = targets;
        next.default = next.resolve(DEFAULT)?.model.clone();
        Ok(next)
    }
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
