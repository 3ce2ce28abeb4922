//! How far a run has come, in a small file that is replaced as a whole.
//!
//! It only saves time: without it, or with one of another input, a run begins at the first row and records nothing twice.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::run::Totals;
use crate::error::Error;
use crate::jobs::checkpoint::Identity;
use crate::jobs::part;

/// The form of the file; another version is as good as none.
const VERSION: u32 = 1;
/// Largest file that is read; one has a few hundred bytes.
const BYTES: u64 = 1 << 20;

/// How far a run has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Mark {
    version: u32,
    /// What decides which interactions the rows become.
    pub(super) identity: Identity,
    /// Rows up to here.
    pub(super) totals: Totals,
    /// Length of the quarantine's part.
    pub(super) quarantine_bytes: u64,
    /// Id of the last interaction that was kept; a store that has lost it has lost others.
    pub(super) last: Option<String>,
}

impl Mark {
    /// At the first row.
    pub(super) fn new(identity: Identity) -> Self {
        Self { version: VERSION, identity, ..Self::default() }
    }

    /// The mark that was left for the same work, if there is one.
    pub(super) fn load(path: &Path, identity: &Identity) -> Option<Self> {
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(BYTES).read_to_end(&mut bytes).ok()?;
        let found: Self = serde_json::from_slice(&bytes).ok()?;
        (found.version == VERSION && found.identity == *identity).then_some(found)
    }

    /// After a power cut the old or the new one is there. Errors: those of the file.
    pub(super) fn save(&self, path: &Path) -> Result<(), Error> {
        part::replace(path, &serde_json::to_vec(self).map_err(Error::internal)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_for_its_own_work_and_a_damaged_one_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mark");
        let identity = |input: &str| Identity::from([("the input".to_owned(), input.to_owned())]);
        assert_eq!(Mark::load(&path, &identity("a")), None);
        let mut mark = Mark::new(identity("a"));
        (mark.totals.read, mark.last) = (7, Some("int_1".into()));
        mark.save(&path).unwrap();
        assert_eq!(Mark::load(&path, &identity("a")), Some(mark));
        assert_eq!(Mark::load(&path, &identity("b")), None);
        std::fs::write(&path, "{\"version\": 1").unwrap();
        assert_eq!(Mark::load(&path, &identity("a")), None);
    }
}
