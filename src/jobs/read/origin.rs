//! Where the bytes come from: a file or a stream, with its head looked at and its compression taken off.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use super::HEAD_BYTES;
use crate::error::Error;

pub(super) type Bytes = Box<dyn Read + Send>;

/// Bytes, of which the first are known.
pub(super) struct Origin {
    /// What messages call it.
    pub(super) name: String,
    /// What was taken off.
    pub(super) compression: Option<&'static str>,
    /// The first [`HEAD_BYTES`]; fewer only where it ends.
    pub(super) head: Vec<u8>,
    rest: Bytes,
    /// Where it can be opened again.
    path: Option<PathBuf>,
    /// What was read of the file so far, in bytes.
    count: Arc<AtomicU64>,
}

impl Origin {
    /// Opens a file. Errors: `NotFound`, `Unavailable`, and `InvalidInput` for a directory or an empty file.
    pub(super) fn file(path: &Path) -> Result<Self, Error> {
        Self::counted(path, &Arc::default())
    }

    /// Opens a file whose bytes are counted as they are read, from 0 on. Errors as [`Self::file`].
    pub(super) fn counted(path: &Path, count: &Arc<AtomicU64>) -> Result<Self, Error> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|e| Error::unread(&name, &e))?;
        let kind = file.metadata().map_err(|e| Error::unread(&name, &e))?;
        if kind.is_dir() {
            return Err(Error::invalid("file", format!("{name} is a directory; name a file in it")));
        }
        // What stands behind a pipe's name is gone once it has been read.
        let path = kind.is_file().then(|| path.to_owned());
        count.store(0, Ordering::Relaxed);
        let bytes = Counted { inner: file, count: Arc::clone(count) };
        Self::new(name, Box::new(bytes), path, Arc::clone(count))
    }

    /// Takes a stream that can be read once. Errors as [`Self::file`].
    pub(super) fn stream(name: &str, bytes: Bytes) -> Result<Self, Error> {
        Self::new(name.to_owned(), bytes, None, Arc::default())
    }

    fn new(name: String, bytes: Bytes, path: Option<PathBuf>, count: Arc<AtomicU64>) -> Result<Self, Error> {
        let (head, rest) = peek(bytes).map_err(|e| Error::unread(&name, &e))?;
        let compression = match head.as_slice() {
            [0x1f, 0x8b, ..] => Some("gzip"),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
            _ => None,
        };
        let origin = Self { name, compression, head, rest, path, count };
        let origin = if compression.is_some() { origin.unpacked()? } else { origin };
        if origin.head.is_empty() {
            return Err(Error::invalid("file", format!("{} is empty", origin.name)));
        }
        Ok(origin)
    }

    fn unpacked(self) -> Result<Self, Error> {
        let (name, compression, path) = (self.name.clone(), self.compression, self.path.clone());
        let count = Arc::clone(&self.count);
        let damaged = |e: io::Error| {
            let problem = format!("{name} can't be unpacked as {}: {e}", compression.unwrap_or_default());
            Error::invalid("file", problem)
        };
        let packed = self.bytes();
        let bytes: Bytes = match compression {
            Some("gzip") => Box::new(MultiGzDecoder::new(packed)),
            _ => Box::new(zstd::Decoder::new(packed).map_err(damaged)?),
        };
        let (head, rest) = peek(bytes).map_err(damaged)?;
        Ok(Self { name, compression, head, rest, path, count })
    }

    /// Whether the head is all there is.
    pub(super) fn is_whole(&self) -> bool {
        self.head.len() < HEAD_BYTES
    }

    /// The name's ending in small letters, without that of a compression.
    pub(super) fn ending(&self) -> Option<String> {
        let name = self.name.to_ascii_lowercase();
        let name = [".gz", ".zst", ".zstd"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
        let (_, ending) = name.rsplit(['/', '\\']).next()?.rsplit_once('.')?;
        Some(ending.to_owned())
    }

    /// All of it, from the beginning.
    pub(super) fn bytes(self) -> Bytes {
        Box::new(Cursor::new(self.head).chain(self.rest))
    }

    /// What can be read several times. A stream is copied to a temporary file without a name; the second value says so.
    pub(super) fn again(self) -> Result<(Again, bool), Error> {
        match self.path.clone() {
            Some(path) => Ok((Again::Path(path, Arc::clone(&self.count)), false)),
            None => Ok((Again::Copy(self.copied(u64::MAX)?), true)),
        }
    }

    /// A file in which one can go to and fro, of at most `most` bytes. What is a stream or compressed is copied to a
    /// temporary file without a name; the second value says so.
    pub(super) fn seekable(self, most: u64) -> Result<(File, bool), Error> {
        match (&self.path, self.compression) {
            (Some(path), None) => {
                let file = File::open(path).map_err(|e| Error::unread(&self.name, &e))?;
                let length = file.metadata().map_err(|e| Error::unread(&self.name, &e))?.len();
                if length > most { Err(too_large(&self.name, most)) } else { Ok((file, false)) }
            }
            _ => Ok((self.copied(most)?, true)),
        }
    }

    fn copied(self, most: u64) -> Result<File, Error> {
        let name = self.name.clone();
        let mut copy = tempfile::tempfile().map_err(|e| Error::unread("a temporary file", &e))?;
        let copied = io::copy(&mut self.bytes().take(most.saturating_add(1)), &mut copy);
        if copied.map_err(|e| Error::unread(&name, &e))? > most {
            return Err(too_large(&name, most));
        }
        copy.rewind().map_err(|e| Error::unread("a temporary file", &e))?;
        Ok(copy)
    }
}

/// What can be read several times, one after the other.
pub(super) enum Again {
    Path(PathBuf, Arc<AtomicU64>),
    Copy(File),
}

impl Again {
    /// All of it, from the beginning. Errors as [`Origin::file`].
    pub(super) fn origin(&self, name: &str) -> Result<Origin, Error> {
        let fail = |e: io::Error| Error::unread(name, &e);
        match self {
            Self::Path(path, count) => Origin::counted(path, count),
            Self::Copy(file) => {
                let mut file = file.try_clone().map_err(fail)?;
                file.rewind().map_err(fail)?;
                Origin::stream(name, Box::new(file))
            }
        }
    }
}

/// The first [`HEAD_BYTES`], and what follows. An error behind some bytes is kept, so that they can be read.
pub(super) fn peek(mut bytes: Bytes) -> io::Result<(Vec<u8>, Bytes)> {
    let mut head = Vec::new();
    match (&mut bytes).take(HEAD_BYTES as u64).read_to_end(&mut head) {
        Err(e) if head.is_empty() => Err(e),
        Err(e) => Ok((head, Box::new(Failed(Some(e))))),
        Ok(_) => Ok((head, bytes)),
    }
}

struct Counted {
    inner: File,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn too_large(name: &str, most: u64) -> Error {
    let problem =
        format!("{name} is larger than {most} bytes; save the sheet as CSV, which has no such limit");
    Error::invalid("file", problem)
}
