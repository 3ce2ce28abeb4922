//! The files of a job: the output and what stands beside it while it is written.
//!
//! `OUT.part` is locked for as long as a run writes it; the system lets go of the lock when the run ends, however it
//! ends.

use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::checkpoint::{Checkpoint, Identity};
use super::known::Known;
use super::part::{self, DiskMaker, Part};
use crate::error::{Error, ErrorKind};

/// Where a job's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The output.
    pub output: PathBuf,
    /// The output while it is written.
    pub(super) part: PathBuf,
    /// A Parquet file while it is put together.
    pub(super) assembling: PathBuf,
    /// Rows that could not be read; there is none when all could be.
    pub quarantine: PathBuf,
    pub(super) quarantine_part: PathBuf,
    /// How far the job has come.
    pub checkpoint: PathBuf,
    /// The known texts.
    pub(super) texts: PathBuf,
}

impl Paths {
    /// All files stand beside the output.
    pub fn new(output: &Path) -> Self {
        let beside = |suffix: &str| {
            let mut name = output.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self {
            output: output.to_owned(),
            part: beside(".part"),
            assembling: beside(".assembling"),
            quarantine: beside(".quarantine.csv"),
            quarantine_part: beside(".quarantine.csv.part"),
            checkpoint: beside(".attune-checkpoint"),
            texts: beside(".attune-texts"),
        }
    }

    /// Every file that a job writes or takes away.
    pub fn all(&self) -> [&Path; 7] {
        [
            &self.output,
            &self.part,
            &self.assembling,
            &self.quarantine,
            &self.quarantine_part,
            &self.checkpoint,
            &self.texts,
        ]
    }

    /// Takes away what a finished job no longer needs. Errors: those of the file system.
    pub(super) fn clean(&self) -> Result<(), Error> {
        part::remove(&self.texts)?;
        part::remove(&self.assembling)?;
        part::remove(&self.part)?;
        part::remove(&self.quarantine_part)?;
        // Last: as long as it is there, the rest is still to be done.
        part::remove(&self.checkpoint)
    }
}

/// Where a job stands.
pub(super) enum Opened {
    /// Only names have to be changed.
    Complete(Checkpoint, File),
    /// Rows are still to be scored.
    Begun(Box<Files>),
}

/// The files of a job that may be written.
pub(super) struct Files {
    /// How far it has come.
    pub(super) checkpoint: Checkpoint,
    /// Whether an earlier run has begun it.
    pub(super) resumed: bool,
    pub(super) output: Part,
    pub(super) quarantine: Part,
    pub(super) texts: Part,
    pub(super) known: Known,
    /// Holds the lock.
    _lock: File,
}

impl Opened {
    /// Opens a job's files where its last checkpoint left them, or at their beginning.
    ///
    /// Errors: `InvalidInput` for an output that is no file, `AlreadyExists` for one that is finished, `Unavailable` while another run writes it, `Precondition`
    /// for what another job has left, and those of the file system.
    pub(super) fn open(
        paths: &Paths,
        identity: Identity,
        started: &str,
        restart: bool,
        disk: &DiskMaker,
    ) -> Result<Self, Error> {
        // The part takes the output's name: it would take that of a device, too.
        if std::fs::metadata(&paths.output).is_ok_and(|there| !there.is_file()) {
            let message = "is a directory, a pipe or a device; name a file";
            return Err(Error::invalid("output", format!("{}: {message}", paths.output.display())));
        }
        if !restart && !paths.checkpoint.exists() && paths.output.exists() {
            let message = "is already there; name another output, or write it anew with --restart";
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("{}: {message}", paths.output.display()),
            ));
        }
        let file = lock(&paths.part)?;
        if restart {
            part::remove(&paths.checkpoint)?;
        }
        let Some(checkpoint) = Checkpoint::load(&paths.checkpoint)? else {
            let checkpoint = Checkpoint::new(identity, started.to_owned());
            checkpoint.save(&paths.checkpoint)?;
            return Files::open(paths, checkpoint, false, file, disk);
        };
        checkpoint.check(&paths.output, &identity)?;
        if checkpoint.complete {
            return Ok(Self::Complete(checkpoint, file));
        }
        Files::open(paths, checkpoint, true, file, disk)
    }
}

impl Files {
    fn open(
        paths: &Paths,
        checkpoint: Checkpoint,
        resumed: bool,
        lock: File,
        disk: &DiskMaker,
    ) -> Result<Opened, Error> {
        let resume = |path: &Path, length| Part::resume(path, part::open(path)?, length, disk);
        let output = lock.try_clone().map_err(|e| part::failure(&paths.part, &e))?;
        let texts = resume(&paths.texts, checkpoint.texts_bytes)?;
        let known = File::open(&paths.texts).ok().and_then(Known::read).ok_or_else(|| {
            let message = "is damaged; begin again with --restart";
            Error::new(ErrorKind::Precondition, format!("{}: {message}", paths.texts.display()))
        })?;
        Ok(Opened::Begun(Box::new(Self {
            output: Part::resume(&paths.part, output, checkpoint.output_bytes, disk)?,
            quarantine: resume(&paths.quarantine_part, checkpoint.quarantine_bytes)?,
            texts,
            known,
            checkpoint,
            resumed,
            _lock: lock,
        })))
    }
}

/// Gives a complete job's files their final names, as far as they have not got them; can be done again.
///
/// Errors: those of the file system, and `Precondition` when the output is gone.
pub(super) fn publish(
    paths: &Paths,
    checkpoint: &Checkpoint,
    assemble: impl FnOnce(&Path, &Path) -> Result<bool, Error>,
) -> Result<(), Error> {
    let whole = std::fs::metadata(&paths.part).is_ok_and(|part| part.len() == checkpoint.output_bytes);
    let there = paths.output.exists();
    if whole && (checkpoint.output_bytes > 0 || !there) {
        let assembled = assemble(&paths.part, &paths.assembling)?;
        part::rename(if assembled { &paths.assembling } else { &paths.part }, &paths.output)?;
    } else if !there {
        let message = "is gone, and so is its part; begin again with --restart";
        return Err(Error::new(ErrorKind::Precondition, format!("{}: {message}", paths.output.display())));
    }
    if checkpoint.totals.quarantined == 0 {
        part::remove(&paths.quarantine)
    } else if paths.quarantine_part.exists() {
        part::rename(&paths.quarantine_part, &paths.quarantine)
    } else {
        Ok(())
    }
}

/// Opens and locks a file. A file that was moved away in this moment is not it.
pub(super) fn lock(path: &Path) -> Result<File, Error> {
    let busy = || {
        let message = "another run is writing it; wait for it, or name another output";
        Error::new(ErrorKind::Unavailable, format!("{}: {message}", path.display()))
    };
    let file = part::open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(busy()),
        Err(TryLockError::Error(e)) => return Err(part::failure(path, &e)),
    }
    let same = |a: &std::fs::Metadata, b: std::fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    let mine = file.metadata().map_err(|e| part::failure(path, &e))?;
    if std::fs::metadata(path).is_ok_and(|now| same(&mine, now)) { Ok(file) } else { Err(busy()) }
}
