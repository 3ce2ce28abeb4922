//! Files that grow, and that are cut back to what a checkpoint says: the output while it is written, the quarantine, the
//! known texts.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};

/// Bytes that are written in one go.
const BUFFER_BYTES: usize = 256 * 1024;

/// Where bytes go in the end; tests bring disks that fill up.
pub trait Disk: Send {
    /// Writes all bytes at the end.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Returns when everything would survive a power cut.
    fn sync(&mut self) -> io::Result<()>;
}

impl Disk for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Makes a disk of an open file.
pub type DiskMaker = dyn Fn(File) -> Box<dyn Disk> + Send + Sync;

/// The file itself.
pub fn plain(file: File) -> Box<dyn Disk> {
    Box::new(file)
}

/// A file that grows.
pub(super) struct Part {
    path: PathBuf,
    disk: Box<dyn Disk>,
    buffer: Vec<u8>,
    /// Bytes that were handed to the disk.
    length: u64,
}

impl Part {
    /// Goes on after the first `length` bytes of an open file; what is behind them goes away. Errors: `Precondition` when
    /// the file is shorter.
    pub(super) fn resume(path: &Path, mut file: File, length: u64, disk: &DiskMaker) -> Result<Self, Error> {
        let fail = |e| failure(path, &e);
        if file.metadata().map_err(fail)?.len() < length {
            let message = "is shorter than its checkpoint says; begin again with --restart";
            return Err(Error::new(ErrorKind::Precondition, format!("{}: {message}", path.display())));
        }
        file.set_len(length).map_err(fail)?;
        file.seek(SeekFrom::End(0)).map_err(fail)?;
        Ok(Self { path: path.to_owned(), disk: disk(file), buffer: Vec::with_capacity(BUFFER_BYTES), length })
    }

    /// What will be written when it is enough.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Hands the buffer on when it is full.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        if self.buffer.len() < BUFFER_BYTES { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.disk.append(&self.buffer).map_err(|e| failure(&self.path, &e))?;
        self.length += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Writes everything so that it survives a power cut; returns the file's length.
    pub(super) fn sync(&mut self) -> Result<u64, Error> {
        self.flush()?;
        self.disk.sync().map_err(|e| failure(&self.path, &e))?;
        Ok(self.length)
    }
}

/// Opens a file to write, and makes it where it is not there; its content stays.
pub(super) fn open(path: &Path) -> Result<File, Error> {
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    options.map_err(|e| failure(path, &e))
}

/// Moves a file to its final name; the move survives a power cut.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::rename(from, to).map_err(|e| failure(to, &e))?;
    let folder = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| failure(folder, &e))
}

/// Removes a file if it is there.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failure(path, &e)),
        _ => Ok(()),
    }
}

/// Writes a file as a whole, or not at all. Errors: those of the file system.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    if let Err(error) = write() {
        let _ = remove(&new);
        return Err(failure(path, &error));
    }
    rename(&new, path)
}

/// What a failed write means and what to do.
pub(super) fn failure(path: &Path, error: &io::Error) -> Error {
    use io::ErrorKind as Io;
    let again = "run the same command again, and it goes on from its last checkpoint";
    let (kind, advice) = match error.kind() {
        Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => {
            (ErrorKind::Unavailable, format!("make room, then {again}"))
        }
        Io::PermissionDenied | Io::ReadOnlyFilesystem => {
            (ErrorKind::Forbidden, "name a place that can be written with -o".to_owned())
        }
        Io::NotFound | Io::NotADirectory => (ErrorKind::NotFound, "make its directory first".to_owned()),
        _ => (ErrorKind::Unavailable, format!("when that is mended, {again}")),
    };
    Error::new(kind, format!("can't write {}: {error}; {advice}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_cut_back_to_its_checkpoint_and_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.part");
        std::fs::write(&path, "kept, not kept").unwrap();
        let mut part = Part::resume(&path, open(&path).unwrap(), 6, &plain).unwrap();
        part.buffer().extend_from_slice(b"more");
        assert_eq!(part.sync().unwrap(), 10);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept, more");
        let short = Part::resume(&path, open(&path).unwrap(), 11, &plain).err().unwrap();
        assert_eq!(short.kind(), ErrorKind::Precondition);
        assert!(short.public().contains("--restart"), "{short}");
    }

    #[test]
    fn a_full_disk_a_read_only_one_and_a_missing_directory_say_what_to_do() {
        for (kind, expected, advice) in [
            (io::ErrorKind::StorageFull, ErrorKind::Unavailable, "make room"),
            (io::ErrorKind::ReadOnlyFilesystem, ErrorKind::Forbidden, "-o"),
            (io::ErrorKind::PermissionDenied, ErrorKind::Forbidden, "-o"),
            (io::ErrorKind::NotFound, ErrorKind::NotFound, "directory"),
            (io::ErrorKind::BrokenPipe, ErrorKind::Unavailable, "last checkpoint"),
        ] {
            let error = failure(Path::new("out.csv"), &kind.into());
            assert_eq!(error.kind(), expected);
            assert!(error.public().contains("out.csv") && error.public().contains(advice), "{error}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_full_device_is_full() {
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let path = PathBuf::from("/dev/full");
        let mut part = Part { path, disk: plain(file), buffer: vec![1; 10], length: 0 };
        assert!(part.sync().unwrap_err().public().contains("make room"));
    }
}
