//! A file of JSON lines: every event is one line, whole or not at all.
//!
//! One process writes it at a time; a lock says so. A file that would grow beyond its bound is put aside under a number
//! and a new one begun. A last line without an end was never said to be delivered, so it is cut off and comes again.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::{Failure, Sink};
use crate::error::{Error, ErrorKind};
use crate::storage::Delivery;

/// How far back the end of the last whole line is looked for: longer than any event is.
const TORN_BYTES: u64 = 16 << 20;

/// Settings of a file.
#[derive(Debug, Clone)]
pub struct FileSettings {
    /// The file; its folder must be there.
    pub path: PathBuf,
    /// Whether an event counts as delivered only when it is on the disk.
    pub sync: bool,
    /// A file that would grow beyond this is put aside.
    pub rotate_bytes: u64,
    /// How many files that were put aside are kept; 0 for all.
    pub keep_files: usize,
}

/// A sink that writes lines into a file.
#[derive(Debug)]
pub struct JsonLines {
    writer: Arc<Mutex<Writer>>,
}

#[derive(Debug)]
struct Writer {
    settings: FileSettings,
    file: File,
    bytes: u64,
    /// Held as long as the sink lives. A file of its own, since the other one is put aside.
    _lock: File,
}

impl JsonLines {
    /// Opens the file, or makes it, and cuts off a torn last line. Errors: `NotFound` without its folder, `Precondition` when
    /// another process writes it, `Unavailable` for what else the system says.
    pub fn open(settings: FileSettings) -> Result<Self, Error> {
        let lock = lock(&settings.path)?;
        let (file, bytes) = open(&settings.path).map_err(|e| Error::unread(settings.path.display(), &e))?;
        let writer = Writer { settings, file, bytes, _lock: lock };
        Ok(Self { writer: Arc::new(Mutex::new(writer)) })
    }
}

#[async_trait]
impl Sink for JsonLines {
    async fn send(&self, delivery: &Delivery) -> Result<(), Failure> {
        // In JSON a line end is white space, or it is escaped.
        let line = format!("{}\n", delivery.event.body.replace('\n', " "));
        let writer = Arc::clone(&self.writer);
        let written = tokio::task::spawn_blocking(move || writer.lock().append(line.as_bytes())).await;
        let written = written.map_err(|_| Failure::retry("the writer of the file panicked"))?;
        written.map_err(|e| Failure::retry(format!("the file could not be written: {}", e.kind())))
    }
}

impl Writer {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.bytes > 0 && self.bytes + line.len() as u64 > self.settings.rotate_bytes {
            self.rotate()?;
        }
        let written = self.file.write_all(line).and_then(|()| self.sync());
        match written {
            Ok(()) => self.bytes += line.len() as u64,
            // What stands there of the line is taken back, so that the next one begins a line.
            Err(_) => self.file.set_len(self.bytes)?,
        }
        written
    }

    fn sync(&self) -> io::Result<()> {
        if self.settings.sync { self.file.sync_data() } else { Ok(()) }
    }

    /// Puts the file aside under the next number and begins a new one.
    fn rotate(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        let path = &self.settings.path;
        let aside = numbered(path)?;
        let next = aside.last().map_or(1, |(number, _)| number + 1);
        std::fs::rename(path, with_number(path, next))?;
        (self.file, self.bytes) = open(path)?;
        if self.settings.keep_files > 0 {
            let surplus = (aside.len() + 1).saturating_sub(self.settings.keep_files);
            aside.iter().take(surplus).try_for_each(|(_, old)| std::fs::remove_file(old))?;
        }
        sync_folder(path)
    }
}

/// Opens the file at its end, after the last whole line.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    let whole = whole(&mut file, length)?;
    if whole < length {
        tracing::warn!(bytes = length - whole, "a file of events ended within a line; it is cut off");
        file.set_len(whole)?;
    }
    sync_folder(path)?;
    Ok((file, whole))
}

/// Where the last whole line ends.
fn whole(file: &mut File, length: u64) -> io::Result<u64> {
    let from = length.saturating_sub(TORN_BYTES);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(TORN_BYTES).read_to_end(&mut tail)?;
    match tail.iter().rposition(|byte| *byte == b'\n') {
        Some(at) => Ok(from + at as u64 + 1),
        None if from == 0 => Ok(0),
        None => Err(io::Error::new(io::ErrorKind::InvalidData, "holds no lines")),
    }
}

/// A new name of a file is on the disk when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn lock(path: &Path) -> Result<File, Error> {
    let beside = path.with_added_extension("lock");
    let fail = |e: io::Error| Error::unread(beside.display(), &e);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&beside).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let problem = format!("{}: another process writes it; give each its own file", path.display());
            Err(Error::new(ErrorKind::Precondition, problem))
        }
        Err(TryLockError::Error(error)) => Err(fail(error)),
    }
}

/// `events.jsonl` put aside under 7 is `events.jsonl.000007`.
fn with_number(path: &Path, number: u64) -> PathBuf {
    path.with_added_extension(format!("{number:06}"))
}

/// The files that were put aside, oldest first.
fn numbered(path: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder.unwrap_or(Path::new(".")))? {
        let other = entry?.path();
        let number = other.extension().and_then(|end| end.to_str()).and_then(|end| end.parse().ok());
        if let Some(number) = number.filter(|_| other.file_stem() == path.file_name()) {
            found.push((number, other));
        }
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
