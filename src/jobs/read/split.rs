//! Cuts bytes into records and cells, strictly: what a lenient reader would guess is refused, since a wrong guess moves
//! cells into other rows without a word.
//!
//! A quotation mark counts at the beginning of a cell; behind the closing one there may be blanks and then the end of
//! the cell. A row that breaks this loses its first line, and reading goes on with the next line, so that one mark that
//! is left open costs one row. Rows end with LF, CRLF or CR.

use std::io::{self, Read};

use super::ROW_BYTES;
use super::origin::Bytes;
use super::rows::Fault;

/// Bytes that are read at a time.
const CHUNK: usize = 64 << 10;

/// What stands between cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    /// `None`: a line is a cell.
    pub(super) delimiter: Option<u8>,
}

/// A record's cells, not yet decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cells {
    /// The line at which it begins, from 1.
    pub(super) line: u64,
    pub(super) cells: Vec<Vec<u8>>,
    /// Whether nothing at all stands there.
    pub(super) blank: bool,
}

/// The records of some bytes.
pub(super) struct Splitter {
    bytes: Bytes,
    dialect: Dialect,
    buffer: Vec<u8>,
    /// Where the next record begins in the buffer.
    start: usize,
    line: u64,
    /// All bytes are in the buffer.
    read: bool,
    /// An error that comes behind what is in the buffer.
    failure: Option<io::Error>,
}

enum State {
    Start,
    Plain,
    Quoted,
    /// Behind a mark that closes, or is the first of two.
    Mark,
    /// Behind blanks that follow a mark that closes.
    Closed,
}

/// Why a record can't be cut, and whether a quotation mark is to blame.
struct Broken(String, bool);

impl Splitter {
    pub(super) fn new(bytes: Bytes, dialect: Dialect) -> Self {
        Self { bytes, dialect, buffer: Vec::new(), start: 0, line: 1, read: false, failure: None }
    }

    /// The byte at a place of the buffer, which is filled as needed.
    fn byte(&mut self, at: usize) -> Option<u8> {
        while at >= self.buffer.len() && !self.read {
            self.fill();
        }
        self.buffer.get(at).copied()
    }

    fn fill(&mut self) {
        match (&mut self.bytes).take(CHUNK as u64).read_to_end(&mut self.buffer) {
            Ok(count) => self.read = count < CHUNK,
            Err(e) => (self.read, self.failure) = (true, Some(e)),
        }
    }

    /// Cuts a record; with its cells, where the next one begins.
    fn scan(&mut self) -> Result<(Vec<Vec<u8>>, usize), Broken> {
        let mut cut = Cut { delimiter: self.dialect.delimiter, cells: Vec::new(), cell: Vec::new() };
        let (mut state, mut at) = (State::Start, self.start);
        loop {
            let byte = self.byte(at);
            if at - self.start > ROW_BYTES {
                return Err(too_long(&state));
            }
            match cut.step(state, byte)? {
                Some(next) => state = next,
                None => return Ok((cut.ended(), self.behind(at))),
            }
            at += 1;
        }
    }

    /// Where the line goes on whose end begins at `at`.
    fn behind(&mut self, at: usize) -> usize {
        match (self.byte(at), self.byte(at + 1)) {
            (Some(b'\r'), Some(b'\n')) => at + 2,
            (Some(_), _) => at + 1,
            (None, _) => at,
        }
    }

    /// Goes behind the line at which the record begins, which need not fit into the buffer.
    fn pass_line(&mut self) {
        let mut at = self.start;
        while let Some(byte) = self.byte(at)
            && !matches!(byte, b'\r' | b'\n')
        {
            at += 1;
            if at - self.start > ROW_BYTES {
                self.start = at;
                self.discard();
                at = self.start;
            }
        }
        self.start = self.behind(at);
        self.line += 1;
        self.discard();
    }

    /// Gives up what has been taken, now and then.
    fn discard(&mut self) {
        if self.start >= CHUNK || self.start == self.buffer.len() {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
    }

    fn take(&mut self, cells: Vec<Vec<u8>>, end: usize) -> Cells {
        let line = self.line;
        let bytes = &self.buffer[self.start..end];
        let ends = bytes.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
        let pairs = bytes.windows(2).filter(|pair| *pair == b"\r\n").count();
        let blank = bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        self.line += (ends - pairs) as u64;
        self.start = end;
        self.discard();
        Cells { line, cells, blank }
    }
}

/// A record that is being cut.
struct Cut {
    delimiter: Option<u8>,
    cells: Vec<Vec<u8>>,
    cell: Vec<u8>,
}

impl Cut {
    /// What follows a byte, or the end of all; `None` when the record ends there.
    fn step(&mut self, state: State, byte: Option<u8>) -> Result<Option<State>, Broken> {
        Ok(Some(match (state, byte) {
            (State::Quoted, None) => {
                return Err(Broken("opens a quotation mark that is never closed".into(), true));
            }
            (State::Quoted, Some(b'"')) => State::Mark,
            (State::Quoted, Some(byte)) => self.push(byte, State::Quoted),
            (State::Mark, Some(b'"')) => self.push(b'"', State::Quoted),
            (_, None | Some(b'\r' | b'\n')) => return Ok(None),
            (_, Some(byte)) if Some(byte) == self.delimiter => {
                self.cells.push(std::mem::take(&mut self.cell));
                State::Start
            }
            (State::Mark | State::Closed, Some(b' ' | b'\t')) => State::Closed,
            (State::Mark | State::Closed, Some(_)) => {
                let number = self.cells.len() + 1;
                let problem = format!("has more behind the closing quotation mark of cell {number}");
                return Err(Broken(problem, true));
            }
            (State::Start, Some(b'"')) if self.delimiter.is_some() => State::Quoted,
            (State::Start | State::Plain, Some(byte)) => self.push(byte, State::Plain),
        }))
    }

    fn push(&mut self, byte: u8, state: State) -> State {
        self.cell.push(byte);
        state
    }

    fn ended(mut self) -> Vec<Vec<u8>> {
        self.cells.push(self.cell);
        self.cells
    }
}

fn too_long(state: &State) -> Broken {
    match state {
        State::Quoted | State::Mark => {
            Broken(format!("opens a quotation mark that is not closed within {ROW_BYTES} bytes"), true)
        }
        State::Start | State::Plain | State::Closed => {
            Broken(format!("has more than {ROW_BYTES} bytes"), false)
        }
    }
}

impl Iterator for Splitter {
    type Item = Result<Cells, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.byte(self.start);
        let scanned = if self.start < self.buffer.len() { Some(self.scan()) } else { None };
        let line = self.line;
        // A record that ends where reading failed is not whole.
        let cut = |end: usize| self.read && end >= self.buffer.len();
        let whole = scanned.as_ref().is_some_and(|found| match found {
            Ok((_, end)) => self.failure.is_none() || !cut(*end),
            Err(_) => self.failure.is_none(),
        });
        match (scanned, whole) {
            (Some(Ok((cells, end))), true) => Some(Ok(self.take(cells, end))),
            (Some(Err(Broken(reason, torn))), true) => {
                self.pass_line();
                Some(Err(Fault { place: line, reason, ends: false, torn }))
            }
            _ => {
                self.start = self.buffer.len();
                let reason = |e: io::Error| format!("can't be read, nor can anything after it: {e}");
                self.failure.take().map(|e| Err(Fault::end(line, reason(e))))
            }
        }
    }
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
