//! The directory of the jobs: `state/ID.json` for each, replaced as a whole or not at all; `work/ID/` for what a job needs
//! until it ends; `lock`, so that two processes don't run the same jobs.
//!
//! A state file that can't be read is set aside with a warning: one damaged job must not keep the others from running.

use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::record::{Record, VERSION};
use crate::error::{Error, ErrorKind};
use crate::jobs::part;

/// Largest state file that is read: URIs, column names and notes are bounded far below.
const STATE_BYTES: u64 = 1 << 20;

/// The directory.
pub(super) struct Folder {
    root: PathBuf,
    lock: Mutex<Option<File>>,
}

impl Folder {
    /// Makes the directory where it is not there, and locks it. Errors: those of the file system, and `Unavailable` when
    /// another process has it.
    pub(super) fn open(root: &Path) -> Result<Self, Error> {
        for directory in ["state", "work"] {
            let path = root.join(directory);
            std::fs::create_dir_all(&path).map_err(|e| unusable(&path, &e))?;
        }
        let root = std::fs::canonicalize(root).map_err(|e| unusable(root, &e))?;
        let path = root.join("lock");
        let lock = part::open(&path)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root, lock: Mutex::new(Some(lock)) }),
            Err(TryLockError::WouldBlock) => {
                let problem =
                    "jobs.directory: another process runs the jobs of this directory; give each its own";
                Err(Error::new(ErrorKind::Unavailable, problem))
            }
            Err(TryLockError::Error(e)) => Err(unusable(&path, &e)),
        }
    }

    /// The directory, without links.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Lets another process have the directory.
    pub(super) fn release(&self) {
        *self.lock.lock() = None;
    }

    /// The jobs that earlier processes have left. What belongs to none of them goes away. Errors: those of the file system.
    pub(super) fn load(&self) -> Result<Vec<Record>, Error> {
        let mut records = Vec::new();
        for path in entries(&self.root.join("state"))? {
            match path.extension().and_then(|e| e.to_str()) {
                Some("json") => records.extend(read(&path)),
                // Left by a process that ended while it wrote.
                Some("new") => part::remove(&path)?,
                _ => {}
            }
        }
        for path in entries(&self.root.join("work"))? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !records.iter().any(|record| record.id == name && !record.state.is_final()) {
                clear(&path)?;
            }
        }
        Ok(records)
    }

    fn state(&self, id: &str) -> PathBuf {
        self.root.join("state").join(format!("{id}.json"))
    }

    /// Notes a job down; after a power cut the old or the new state is there. Errors: those of the disk.
    pub(super) fn save(&self, record: &Record) -> Result<(), Error> {
        let bytes = serde_json::to_vec(record).map_err(Error::internal)?;
        part::replace(&self.state(&record.id), &bytes)
    }

    /// Forgets a job.
    pub(super) fn remove(&self, id: &str) -> Result<(), Error> {
        part::remove(&self.state(id))
    }

    /// Where a job's own files lie.
    pub(super) fn work(&self, id: &str) -> PathBuf {
        self.root.join("work").join(id)
    }

    /// Makes a job's own directory. Errors: those of the disk.
    pub(super) fn make_work(&self, id: &str) -> Result<PathBuf, Error> {
        let path = self.work(id);
        std::fs::create_dir_all(&path).map_err(|e| part::failure(&path, &e))?;
        Ok(path)
    }

    /// Takes a job's own directory away.
    pub(super) fn clear_work(&self, id: &str) -> Result<(), Error> {
        clear(&self.work(id))
    }
}

/// A state file; one that is damaged is renamed, so that somebody can look at it.
fn read(path: &Path) -> Option<Record> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(STATE_BYTES).read_to_end(&mut bytes));
    let record: Option<Record> = read.ok().and_then(|_| serde_json::from_slice(&bytes).ok());
    let own = |record: &Record| {
        record.version == VERSION && path.file_stem().is_some_and(|stem| stem == record.id.as_str())
    };
    let record = record.filter(own);
    if record.is_none() {
        let aside = path.with_extension("damaged");
        let moved = std::fs::rename(path, &aside).is_ok();
        tracing::warn!(file = %path.display(), moved, "the state of a job can't be read; it is set aside");
    }
    record
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let list = || -> std::io::Result<Vec<PathBuf>> {
        std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect()
    };
    list().map_err(|e| unusable(directory, &e))
}

fn clear(path: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(part::failure(path, &e)),
        _ => Ok(()),
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Precondition, format!("jobs.directory: {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::board::{Board, Bounds, Wanted};
    use super::*;
    use std::time::Duration;

    fn record(id: &str) -> Record {
        let mut board = Board::new(Bounds { concurrent: 1, queued: 9, kept: 9, keep: Duration::MAX });
        let made = board.create(Wanted { id: id.into(), ..Wanted::default() }, 7).unwrap();
        (*made).clone()
    }

    #[test]
    fn jobs_are_read_back_and_damaged_ones_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::open(directory.path()).unwrap();
        folder.save(&record("a")).unwrap();
        let state = folder.root().join("state");
        std::fs::write(state.join("b.json"), "{\"id\":").unwrap();
        // A job in another's file, and one of a later version.
        std::fs::copy(state.join("a.json"), state.join("c.json")).unwrap();
        let later = Record { version: VERSION + 1, ..record("d") };
        folder.save(&later).unwrap();
        std::fs::write(state.join("e.json.new"), "half").unwrap();
        folder.make_work("a").unwrap();
        folder.make_work("gone").unwrap();
        assert_eq!(folder.load().unwrap(), [record("a")]);
        let mut names: Vec<_> = entries(&state).unwrap();
        names.sort();
        let names: Vec<_> = names.iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.json", "b.damaged", "c.damaged", "d.damaged"]);
        assert!(folder.work("a").exists() && !folder.work("gone").exists());
    }

    #[test]
    fn one_process_has_the_directory_until_it_lets_go() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::open(directory.path()).unwrap();
        let error = Folder::open(directory.path()).err().unwrap();
        assert!(
            error.kind() == ErrorKind::Unavailable && error.public().contains("jobs.directory"),
            "{error}"
        );
        folder.release();
        Folder::open(directory.path()).unwrap();
    }

    #[test]
    fn a_state_that_can_not_be_written_leaves_the_one_before() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::open(directory.path()).unwrap();
        folder.save(&record("a")).unwrap();
        // The name of the new file is taken by something that can't be written over.
        std::fs::create_dir(folder.root().join("state/a.json.new")).unwrap();
        assert!(folder.save(&Record { created_ms: 8, ..record("a") }).is_err());
        std::fs::remove_dir(folder.root().join("state/a.json.new")).unwrap();
        assert_eq!(folder.load().unwrap(), [record("a")]);
    }
}
