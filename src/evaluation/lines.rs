//! Bounded reading: lines, and bytes of a row, so that a file of the wrong kind can't fill the memory.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use crate::error::{Error, ErrorKind};

/// Longest row, in bytes: as long as the longest text that the settings allow.
pub(super) const ROW_BYTES: usize = 64 << 20;
/// What some programs put in front of UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Opens a regular file; an error names it.
pub(super) fn open(path: &Path) -> Result<File, Error> {
    let fail = |e: io::Error| Error::unread(path.display(), &e);
    let file = File::open(path).map_err(fail)?;
    // Opening a directory works; reading it does not, with a message that names nothing.
    let metadata = file.metadata().map_err(fail)?;
    if !metadata.is_file() {
        // A pipe would be empty the second time.
        let other = "is no regular file, and it is read more than once";
        let problem = if metadata.is_dir() { "is a directory" } else { other };
        return Err(Error::new(ErrorKind::InvalidInput, format!("{}: {problem}", path.display())));
    }
    Ok(file)
}

/// The lines of a file without their ends; `None` for a line that is not UTF-8.
pub(super) struct Lines {
    source: BufReader<File>,
    name: String,
    number: u64,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self { source: BufReader::new(open(path)?), name: path.display().to_string(), number: 0 })
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        if (&mut self.source).take(ROW_BYTES as u64 + 1).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        if bytes.len() > ROW_BYTES {
            return Err(io::Error::other(format!("is longer than {ROW_BYTES} bytes")));
        }
        Ok(Some(bytes))
    }
}

impl Iterator for Lines {
    type Item = Result<Option<String>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.number += 1;
        match self.read() {
            Ok(bytes) => bytes.map(|bytes| Ok(decoded(bytes, self.number))),
            Err(e) => {
                let message = format!("{}, line {}: {e}", self.name, self.number);
                Some(Err(Error::new(ErrorKind::Unavailable, message)))
            }
        }
    }
}

fn decoded(bytes: Vec<u8>, number: u64) -> Option<String> {
    let mut text = String::from_utf8(bytes).ok()?;
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    if number == 1 && text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len());
    }
    Some(text)
}

/// Bytes of a row that may still be read; whoever has taken a row sets it back to `ROW_BYTES`.
pub(super) type Allowance = Rc<Cell<usize>>;

/// Fails when a row goes on for longer than a row can be.
pub(super) struct Bounded {
    inner: File,
    left: Allowance,
}

impl Bounded {
    pub(super) fn new(inner: File) -> (Self, Allowance) {
        let left = Rc::new(Cell::new(ROW_BYTES));
        (Self { inner, left: Rc::clone(&left) }, left)
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            return Err(io::Error::other("a row does not end; is a quotation mark left open?"));
        }
        let count = self.inner.read(buffer)?;
        self.left.set(self.left.get().saturating_sub(count));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_their_ends_and_the_mark_in_front_and_keep_their_place_when_they_are_not_utf8() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"\xef\xbb\xbfone\r\n\ncaf\xe9\nlast").unwrap();
        let lines: Vec<_> = Lines::open(file.path()).unwrap().map(Result::unwrap).collect();
        let expected = [Some("one"), Some(""), None, Some("last")];
        assert_eq!(lines.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_missing_file_and_a_directory_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let missing = Lines::open(&directory.path().join("none.txt")).err().unwrap();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        assert!(missing.public().contains("none.txt"), "{missing}");
        assert!(Lines::open(directory.path()).err().unwrap().public().contains("is a directory"));
    }
}
