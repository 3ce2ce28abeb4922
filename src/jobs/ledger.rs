//! Writes what is scored, counts it, and notes in the checkpoint how far it is.

use std::time::{Duration, Instant};

use super::blocks::{Block, Entry};
use super::checkpoint::Totals;
use super::files::{Files, Paths};
use super::known::{Slot, write_record};
use super::observer::Observer;
use super::record;
use super::table::{Row, Scored, ScoredRow};
use super::write::{Encoder, quarantine};
use crate::domain::Status;
use crate::error::Error;

/// The files of a run and what they hold.
pub(super) struct Ledger<'a> {
    pub(super) paths: &'a Paths,
    pub(super) files: Files,
    pub(super) encoder: Box<dyn Encoder>,
    pub(super) observer: &'a mut dyn Observer,
    /// Columns of texts.
    pub(super) text: Vec<usize>,
    /// Id and version.
    pub(super) model: (String, String),
    /// Longest time between two checkpoints.
    pub(super) every: Duration,
    pub(super) saved: Instant,
}

impl Ledger<'_> {
    /// The totals so far.
    pub(super) fn totals(&self) -> &Totals {
        &self.files.checkpoint.totals
    }

    /// Writes the heads of files that are new.
    pub(super) fn begin(&mut self) {
        if self.files.checkpoint.output_bytes == 0 {
            self.encoder.head(self.files.output.buffer());
        }
        if self.files.checkpoint.quarantine_bytes == 0 {
            self.files.quarantine.buffer().extend_from_slice(quarantine::HEAD);
        }
    }

    /// Writes a block whose slots are filled. Errors: those of the disk.
    pub(super) fn put(&mut self, block: Block) -> Result<(), Error> {
        for entry in block.entries {
            self.files.checkpoint.totals.read += 1;
            match entry {
                Entry::Row(row, slots) => self.row(row, &slots)?,
                Entry::Bad(bad) => {
                    self.files.checkpoint.totals.quarantined += 1;
                    self.observer.bad(&bad);
                    quarantine::row(&bad, self.files.quarantine.buffer());
                    self.files.quarantine.settle()?;
                }
            }
        }
        for fresh in &block.fresh {
            let outcome = fresh.slot.get().ok_or_else(unfilled)?;
            write_record(&fresh.key, outcome, self.files.texts.buffer());
            self.files.texts.settle()?;
        }
        self.files.checkpoint.totals.distinct += block.fresh.len() as u64;
        self.files.checkpoint.digest = block.digest;
        if self.saved.elapsed() >= self.every { self.save() } else { Ok(()) }
    }

    fn row(&mut self, row: Row, slots: &[Slot]) -> Result<(), Error> {
        let model = (self.model.0.as_str(), self.model.1.as_str());
        let text = |(slot, column): (&Slot, &usize)| {
            let bytes = slot.get().ok_or_else(unfilled)?;
            let outcome = record::decode(bytes, model).ok_or_else(unfilled)?;
            Ok::<_, Error>(Scored { column: *column, outcome })
        };
        let texts = slots.iter().zip(&self.text).map(text).collect::<Result<Vec<_>, _>>()?;
        let totals = &mut self.files.checkpoint.totals;
        for scored in &texts {
            *match scored.outcome.as_ref().map(|assessment| assessment.status) {
                Ok(Status::Ok) => &mut totals.scored,
                Ok(Status::Empty) => &mut totals.empty,
                Ok(Status::UnsupportedLanguage) => &mut totals.unsupported,
                Err(_) => &mut totals.refused,
            } += 1;
        }
        totals.written += 1;
        let row = ScoredRow { row, texts };
        self.encoder.row(&row, self.files.output.buffer());
        self.observer.row(&row);
        self.files.output.settle()
    }

    /// Notes how far everything is. Errors: those of the disk; the checkpoint before then stays.
    pub(super) fn save(&mut self) -> Result<(), Error> {
        self.files.checkpoint.output_bytes = self.files.output.sync()?;
        self.files.checkpoint.quarantine_bytes = self.files.quarantine.sync()?;
        self.files.checkpoint.texts_bytes = self.files.texts.sync()?;
        self.files.checkpoint.observer = self.observer.state();
        self.files.checkpoint.save(&self.paths.checkpoint)?;
        tracing::info!(rows = self.files.checkpoint.totals.read, "checkpoint");
        self.saved = Instant::now();
        Ok(())
    }
}

fn unfilled() -> Error {
    Error::internal("a text of a block was not read")
}
