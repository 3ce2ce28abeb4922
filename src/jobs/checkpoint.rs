//! How far a job has come: a small file beside its output that is replaced as a whole, or not at all.
//!
//! It says what was decided by whom (input, options, model), so that a run does not go on with another's work.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::part;
use crate::error::{Error, ErrorKind};

/// The form of the file; another version can't be read.
const VERSION: u32 = 2;
/// Largest checkpoint that is read; most of it is what the observer has seen.
const BYTES: u64 = 256 << 20;
/// Bytes at the head and at the tail of an input that tell it from others.
const SAMPLE_BYTES: u64 = 1 << 20;

/// What decides the output, by name: the input, the options, the model. No text of a customer.
pub type Identity = BTreeMap<String, String>;

/// What became of the rows and of their texts so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Rows of the input: `written + quarantined`.
    pub read: u64,
    /// Rows of the output.
    pub written: u64,
    /// Rows that could not be read.
    pub quarantined: u64,
    /// Texts with an assessment.
    pub scored: u64,
    /// Texts without a word.
    pub empty: u64,
    /// Texts in a language that the model does not read.
    pub unsupported: u64,
    /// Texts that were refused, or at which the model failed.
    pub refused: u64,
    /// Texts that went to the model; the others had been read before.
    pub distinct: u64,
}

/// How far a job has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    version: u32,
    /// What decides the output.
    pub(super) identity: Identity,
    /// When the job began, in RFC 3339.
    pub(super) started: String,
    /// Counts up to here.
    pub(super) totals: Totals,
    /// Hash over all rows up to here.
    pub(super) digest: String,
    /// Length of the output's part.
    pub(super) output_bytes: u64,
    /// Length of the quarantine's part.
    pub(super) quarantine_bytes: u64,
    /// Length of the file of known texts.
    pub(super) texts_bytes: u64,
    /// What the observer has seen.
    pub(super) observer: Value,
    /// Whether only names have to be changed.
    pub(super) complete: bool,
}

impl Checkpoint {
    /// Of a job that begins.
    pub(super) fn new(identity: Identity, started: String) -> Self {
        Self {
            version: VERSION,
            identity,
            started,
            totals: Totals::default(),
            digest: String::new(),
            output_bytes: 0,
            quarantine_bytes: 0,
            texts_bytes: 0,
            observer: Value::Null,
            complete: false,
        }
    }

    /// Reads a checkpoint if there is one. Errors: `Precondition` for one that this version has not written.
    pub(super) fn load(path: &Path) -> Result<Option<Self>, Error> {
        let bytes = match File::open(path) {
            Ok(file) => {
                let mut bytes = Vec::new();
                let read = file.take(BYTES).read_to_end(&mut bytes);
                read.map_err(|e| part::failure(path, &e))?;
                bytes
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(part::failure(path, &e)),
        };
        let found: Option<Self> = serde_json::from_slice(&bytes).ok();
        found.filter(|checkpoint| checkpoint.version == VERSION).map(Some).ok_or_else(|| {
            let message = "is no checkpoint of this version; begin again with --restart";
            Error::new(ErrorKind::Precondition, format!("{}: {message}", path.display()))
        })
    }

    /// Replaces the file as a whole; after a power cut the old or the new one is there.
    pub(super) fn save(&self, path: &Path) -> Result<(), Error> {
        part::replace(path, &serde_json::to_vec(self).map_err(Error::internal)?)
    }

    /// Errors: `Precondition`, with what differs, when the job that left this is another one.
    pub(super) fn check(&self, path: &Path, identity: &Identity) -> Result<(), Error> {
        let names: std::collections::BTreeSet<&String> =
            self.identity.keys().chain(identity.keys()).collect();
        let none = "nothing".to_owned();
        let differs = names.into_iter().filter_map(|name| {
            let (was, is) = (self.identity.get(name).unwrap_or(&none), identity.get(name).unwrap_or(&none));
            (was != is).then(|| format!("{name} was {was} and is {is}"))
        });
        let differs: Vec<String> = differs.collect();
        if differs.is_empty() {
            return Ok(());
        }
        let message = format!(
            "{}: a job was begun here and not finished, and it is another one: {}; give it what it had to go on, or \
             begin again with --restart",
            path.display(),
            differs.join("; ")
        );
        Err(Error::new(ErrorKind::Precondition, message))
    }
}

/// What tells an input from others, whatever its name and its time: its size, and a hash of its head and tail.
///
/// Errors: those of a file that can't be read.
pub fn fingerprint(path: &Path) -> Result<String, Error> {
    let read = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut hasher = blake3::Hasher::new();
        io::copy(&mut (&mut file).take(SAMPLE_BYTES), &mut hasher)?;
        file.seek(SeekFrom::Start(size.saturating_sub(SAMPLE_BYTES)))?;
        io::copy(&mut file.take(SAMPLE_BYTES), &mut hasher)?;
        Ok(format!("{size} bytes ({})", short(&hasher)))
    };
    read().map_err(|e| Error::unread(path.display(), &e))
}

/// A hash of anything, to name it in a job's identity.
pub fn named(bytes: &[u8]) -> String {
    short(blake3::Hasher::new().update(bytes))
}

fn short(hasher: &blake3::Hasher) -> String {
    hasher.finalize().to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(model: &str) -> Identity {
        [("the model", model), ("the format", "csv")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    }

    #[test]
    fn a_checkpoint_is_read_back_and_one_of_another_job_says_what_differs() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.csv.attune-checkpoint");
        assert_eq!(Checkpoint::load(&path).unwrap(), None);
        let mut saved = Checkpoint::new(identity("tiny@1"), "2026-01-01T00:00:00Z".into());
        saved.totals = Totals { read: 3, written: 2, quarantined: 1, ..Totals::default() };
        saved.observer = serde_json::json!({ "sum": 0.1 + 0.2 });
        saved.save(&path).unwrap();
        let found = Checkpoint::load(&path).unwrap().unwrap();
        assert_eq!(found, saved);
        found.check(&path, &identity("tiny@1")).unwrap();
        let error = found.check(&path, &identity("tiny@2")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Precondition);
        assert!(error.public().contains("the model was tiny@1 and is tiny@2; give"), "{error}");
        assert!(!error.public().contains("csv was"), "{error}");
        std::fs::write(&path, "{}").unwrap();
        assert!(Checkpoint::load(&path).unwrap_err().public().contains("--restart"));
    }

    #[test]
    fn a_fingerprint_knows_content_and_not_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("in.csv");
        std::fs::write(&path, "a,b\n").unwrap();
        let first = fingerprint(&path).unwrap();
        std::fs::write(&path, "a,b\n").unwrap();
        assert_eq!(fingerprint(&path).unwrap(), first);
        std::fs::write(&path, "a,c\n").unwrap();
        assert_ne!(fingerprint(&path).unwrap(), first);
        assert_eq!(fingerprint(&directory.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
