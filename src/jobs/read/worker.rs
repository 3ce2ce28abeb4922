//! A thread that reads what another crate parses: it goes on only as rows are asked for, and a crate that panics over a
//! damaged file ends the rows with an error.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::rows::{Fault, Record};
use crate::error::Error;

/// Rows that are read ahead.
const AHEAD: usize = 16;
/// What is said of a file at which a parser gave up.
pub(super) const DAMAGED: &str = "is damaged: what stands there can't be read";

type Item = Result<Record, Fault>;

/// What a thread says before its rows.
type Opened = Result<Vec<String>, String>;

/// Where a thread puts what it reads.
pub(super) struct Outlet {
    opened: SyncSender<Opened>,
    rows: SyncSender<Item>,
}

/// Nobody asks for more rows.
pub(super) struct Unwanted;

impl Outlet {
    /// Says how the file is read, or why it can't be.
    pub(super) fn opened(&self, notes: Opened) {
        let _ = self.opened.send(notes);
    }

    /// Hands on a row, once there is room.
    pub(super) fn put(&self, item: Item) -> Result<(), Unwanted> {
        self.rows.send(item).map_err(|_| Unwanted)
    }
}

/// The rows that a thread reads.
pub(super) struct Received {
    rows: Receiver<Item>,
    thread: Option<JoinHandle<()>>,
    place: u64,
}

/// Starts a thread; with its rows, what it says of the file. Errors: `InvalidInput` when the file can't be read.
pub(super) fn spawn(
    name: &str,
    read: impl FnOnce(&Outlet) + Send + 'static,
) -> Result<(Received, Vec<String>), Error> {
    let ((said, opened), (put, rows)) = (sync_channel(1), sync_channel(AHEAD));
    let outlet = Outlet { opened: said, rows: put };
    let thread = std::thread::Builder::new().name("reader".into()).spawn(move || read(&outlet));
    let thread = thread.map_err(Error::internal)?;
    let notes = opened.recv().unwrap_or_else(|_| Err(DAMAGED.into()));
    let notes = notes.map_err(|problem| Error::invalid("file", format!("{name} {problem}")))?;
    Ok((Received { rows, thread: Some(thread), place: 0 }, notes))
}

impl Iterator for Received {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        match (self.rows.recv(), &mut self.thread) {
            (Ok(item), _) => {
                self.place = item.as_ref().map_or_else(|fault| fault.place, |record| record.place);
                Some(item)
            }
            (Err(_), thread) => {
                let failed = thread.take().is_some_and(|thread| thread.join().is_err());
                failed.then(|| Err(Fault::end(self.place + 1, DAMAGED)))
            }
        }
    }
}
