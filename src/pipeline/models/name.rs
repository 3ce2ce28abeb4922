//! How models are called: `id@version`, and the names that stand for one.

use std::fmt;

use crate::error::Error;
use crate::model::Manifest;

/// The alias that answers when no model is named.
pub const DEFAULT: &str = "default";
/// Longest alias, name of a directory, and version, in bytes.
const BYTES: usize = 64;

/// Which model, and which version of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelName {
    /// As the manifest has it.
    pub id: String,
    /// As the manifest has it.
    pub version: String,
}

impl ModelName {
    /// What a manifest calls its model.
    pub fn of(manifest: &Manifest) -> Self {
        Self { id: manifest.id.clone(), version: manifest.version.clone() }
    }

    /// Whether `wanted` is this name, spelt out.
    pub fn is(&self, wanted: &str) -> bool {
        wanted.split_once('@').is_some_and(|(id, version)| self.id == id && self.version == version)
    }

    /// Errors: `Precondition` for a version that can't be named in a request or a line of a log.
    pub(super) fn check(&self) -> Result<(), Error> {
        let plain = self.version.bytes().all(|byte| byte.is_ascii_graphic());
        if plain && (1..=BYTES).contains(&self.version.len()) && self.id.len() <= BYTES {
            return Ok(());
        }
        let problem = format!(
            "id and version need 1 to {BYTES} visible ASCII characters each to be served beside others"
        );
        Err(Error::new(crate::error::ErrorKind::Precondition, format!("model.toml: {problem}")))
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id, self.version)
    }
}

/// Errors: `InvalidInput` for what can't be an alias.
pub(super) fn check_alias(alias: &str) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=BYTES).contains(&alias.len()) && alias.bytes().all(plain) {
        return Ok(());
    }
    Err(Error::invalid("alias", format!("expected 1 to {BYTES} lower-case letters, digits and dashes")))
}

/// Errors: `InvalidInput` for what is not the plain name of a directory.
pub(super) fn check_directory(name: &str) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@+".contains(&byte);
    if (1..=BYTES).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('.') {
        return Ok(());
    }
    let problem = format!(
        "expected the plain name of a directory in models.directory: 1 to {BYTES} letters, digits and -_.@+, and no dot at \
         its beginning"
    );
    Err(Error::invalid("name", problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_named_without_a_way_out_of_its_root() {
        for name in ["support-v2", "a.b_c", "m@2", "x"] {
            check_directory(name).unwrap();
        }
        for name in ["", ".", "..", ".hidden", "a/b", "/etc", "a\\b", "a\0", "a b", "ä", &"x".repeat(65)] {
            assert!(check_directory(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_name_is_spelt_out_in_full_or_is_none() {
        let name = ModelName { id: "m".into(), version: "1@b".into() };
        assert!(name.is("m@1@b") && name.is(&name.to_string()));
        for other in ["m", "m@", "m@1", "n@1@b", ""] {
            assert!(!name.is(other), "{other}");
        }
        for version in ["", "a b", "1\n", &"9".repeat(65)] {
            assert!(ModelName { version: version.into(), ..name.clone() }.check().is_err(), "{version:?}");
        }
    }
}
