//! Cuts a table into blocks of rows whose new texts are read together.
//!
//! Where a block ends follows from the rows and from what was known before it, never from the moment: a run that goes
//! on from the end of a block makes the same blocks as one that was not interrupted.

use super::columns::language_tag;
use super::known::{Key, Known, Slot, key};
use super::table::{BadRow, Row};
use crate::error::{Error, ErrorKind};
use crate::pipeline::BlockText;

/// Bounds of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockSize {
    /// New texts: enough to fill batches of one length each.
    pub(super) texts: usize,
    /// Bytes of new texts: less than a second's work of two processors.
    pub(super) text_bytes: usize,
    /// Rows, where most texts are known.
    pub(super) rows: usize,
    /// Bytes of all cells, which are held in memory.
    pub(super) cell_bytes: usize,
}

/// A block ends with the row that reaches one of these.
pub(super) const SIZE: BlockSize =
    BlockSize { texts: 512, text_bytes: 64 << 10, rows: 8192, cell_bytes: 4 << 20 };

/// A row of a block.
pub(super) enum Entry {
    /// A row with a slot for each of its texts.
    Row(Row, Vec<Slot>),
    /// A row that could not be read.
    Bad(BadRow),
}

/// A text that nobody has read yet, and where its outcome goes.
pub(super) struct Fresh {
    pub(super) key: Key,
    pub(super) slot: Slot,
}

/// Rows in the order of the file.
#[derive(Default)]
pub(super) struct Block {
    pub(super) entries: Vec<Entry>,
    /// The new texts, in the order of their first row.
    pub(super) fresh: Vec<Fresh>,
    /// What they say; as many as `fresh`.
    pub(super) texts: Vec<BlockText>,
    /// Hash over all rows up to the end of this block.
    pub(super) digest: String,
    /// The last row's place in the file.
    pub(super) place: u64,
}

/// What the rows of a table are read with.
pub(super) struct Reading {
    /// Rows as they come out of the file.
    pub(super) rows: Box<dyn Iterator<Item = Result<Row, BadRow>> + Send>,
    /// Columns of texts.
    pub(super) text: Vec<usize>,
    /// Language of all texts, as a BCP 47 tag.
    pub(super) language: Option<String>,
    /// Else the column that says it.
    pub(super) language_column: Option<usize>,
}

/// Makes the blocks.
pub(super) struct Blocks {
    reading: Reading,
    known: Known,
    size: BlockSize,
    digest: blake3::Hash,
    /// Rows so far.
    number: u64,
}

impl Blocks {
    /// From the table's first row on.
    pub(super) fn new(reading: Reading, known: Known, size: BlockSize) -> Self {
        Self { reading, known, size, digest: blake3::hash(b""), number: 0 }
    }

    /// Passes over the rows that an earlier run has written. Errors: `Precondition` when they are not the same rows.
    pub(super) fn skip(&mut self, rows: u64, digest: &str) -> Result<(), Error> {
        for _ in 0..rows {
            let Some(row) = self.next_row()? else { break };
            self.hash(&row);
        }
        if rows > 0 && (self.number != rows || self.digest.to_hex().as_str() != digest) {
            let message = format!(
                "the first {rows} rows of the input are not those of the run that was interrupted; give it the same \
                 input, or begin again with --restart"
            );
            return Err(Error::new(ErrorKind::Precondition, message));
        }
        Ok(())
    }

    /// The next block; `None` at the end of the table. Errors: a defect of the reader.
    pub(super) fn next_block(&mut self) -> Result<Option<Block>, Error> {
        let mut block = Block::default();
        let (mut text_bytes, mut cell_bytes) = (0, 0);
        while block.fresh.len() < self.size.texts
            && text_bytes < self.size.text_bytes
            && block.entries.len() < self.size.rows
            && cell_bytes < self.size.cell_bytes
        {
            let Some(row) = self.next_row()? else { break };
            self.hash(&row);
            block.place = row.as_ref().map_or_else(|bad| bad.place, |row| row.place);
            match row {
                Ok(row) => {
                    cell_bytes +=
                        row.cells.iter().map(|cell| cell.len() + size_of::<String>()).sum::<usize>();
                    let before = block.texts.len();
                    let slots = self.slots(&row, &mut block);
                    text_bytes += block.texts[before..].iter().map(|t| t.text.len()).sum::<usize>();
                    block.entries.push(Entry::Row(row, slots));
                }
                Err(bad) => block.entries.push(Entry::Bad(bad)),
            }
        }
        block.digest = self.digest.to_hex().to_string();
        Ok((!block.entries.is_empty()).then_some(block))
    }

    /// Rows so far.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    fn next_row(&mut self) -> Result<Option<Result<Row, BadRow>>, Error> {
        let Some(row) = self.reading.rows.next() else { return Ok(None) };
        self.number += 1;
        let number = row.as_ref().map_or_else(|bad| bad.number, |row| row.number);
        if number != self.number {
            return Err(Error::internal(format!("row {number} was read where row {} belongs", self.number)));
        }
        match row {
            // What is missing can't be told from what was never there: better no output than half of one.
            Err(bad) if bad.ends => Err(Error::invalid(
                format!("input: row {}, place {}", bad.number, bad.place),
                format!(
                    "{}; what follows is missing. If the file is whole, run the same command again, and it goes on; if \
                     not, get the whole file and begin again with --restart",
                    bad.reason
                ),
            )),
            row => Ok(Some(row)),
        }
    }

    fn hash(&mut self, row: &Result<Row, BadRow>) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.digest.as_bytes());
        match row {
            Ok(row) => {
                for cell in &row.cells {
                    hasher.update(&(cell.len() as u64).to_le_bytes()).update(cell.as_bytes());
                }
            }
            Err(bad) => {
                hasher.update(b"bad").update(bad.reason.as_bytes());
            }
        }
        self.digest = hasher.finalize();
    }

    /// A slot for each text of a row; new texts go into the block.
    fn slots(&mut self, row: &Row, block: &mut Block) -> Vec<Slot> {
        let language = self.reading.language.clone().or_else(|| self.said(row));
        let slot = |column: &usize| {
            let text = row.cells.get(*column).map_or("", String::as_str);
            let key = key(text, language.as_deref());
            let (slot, new) = self.known.slot(key);
            if new {
                block.fresh.push(Fresh { key, slot: slot.clone() });
                block.texts.push(BlockText { text: text.to_owned(), language: language.clone() });
            }
            slot
        };
        self.reading.text.iter().map(slot).collect()
    }

    /// The language that the row itself names, if that is a tag.
    fn said(&self, row: &Row) -> Option<String> {
        language_tag(row.cells.get(self.reading.language_column?)?)
    }
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
