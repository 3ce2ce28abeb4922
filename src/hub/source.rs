//! `source.toml`: where a directory's files come from, beside them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// The file's name.
pub(super) const FILE: &str = "source.toml";
/// Largest one that is read: it has a few lines per file.
const BYTES: u64 = 1 << 20;
/// What people read first.
const HEAD: &str =
    "# Where these files come from. Written by `attune models pull`; nothing reads it but the next pull.\n\n";

/// Where the files of a directory come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Address of the hub.
    pub hub: String,
    /// `owner/name`.
    pub repository: String,
    /// The branch, tag or commit that was asked for.
    pub revision: String,
    /// The commit that it stood for.
    pub commit: String,
    /// When the files were fetched (RFC 3339).
    pub pulled_at: String,
    /// The files, by name.
    pub files: Vec<SourceFile>,
}

/// A file that was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Its name, below the directory.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Of its content, in lower-case hex.
    pub sha256: String,
}

impl Source {
    /// What a directory says of itself; `None` when it says nothing that can be read.
    pub fn read(directory: &Path) -> Option<Self> {
        let path = directory.join(FILE);
        let fits = std::fs::symlink_metadata(&path).is_ok_and(|m| m.is_file() && m.len() <= BYTES);
        let text = fits.then(|| std::fs::read_to_string(&path).ok())??;
        toml::from_str(&text).ok()
    }

    pub(super) fn write(&self, directory: &Path) -> Result<(), Error> {
        let text = toml::to_string(self).map_err(Error::internal)?;
        let path = directory.join(FILE);
        std::fs::write(&path, format!("{HEAD}{text}"))
            .map_err(|e| Error::new(ErrorKind::Unavailable, format!("can't write {}: {e}", path.display())))
    }

    /// Whether this is the same commit of the same model.
    pub(super) fn is_of(&self, hub: &str, repository: &str, commit: &str) -> bool {
        self.hub == hub && self.repository == repository && self.commit == commit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_anything_else_is_none() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Source::read(directory.path()), None);
        let source = Source {
            hub: "https://hub.test".into(),
            repository: "acme/mood".into(),
            revision: "main".into(),
            commit: "0".repeat(40),
            pulled_at: "2026-01-02T03:04:05Z".into(),
            files: vec![SourceFile { name: "a/b".into(), bytes: 3, sha256: "1".repeat(64) }],
        };
        source.write(directory.path()).unwrap();
        assert_eq!(Source::read(directory.path()), Some(source));
        std::fs::write(directory.path().join(FILE), "hub = 3").unwrap();
        assert_eq!(Source::read(directory.path()), None);
    }
}
