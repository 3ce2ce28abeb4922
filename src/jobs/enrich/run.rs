//! Reads, keeps, and goes on where it was.

use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::mapping::Mapping;
use super::mark::Mark;
use super::output::{self, Named};
use crate::error::{Error, ErrorKind};
use crate::jobs::Table;
use crate::jobs::checkpoint::{self, Identity, named};
use crate::jobs::files::{self, Paths};
use crate::jobs::part::{self, Part};
use crate::jobs::scorer::BATCH_TOKENS;
use crate::jobs::table::{BadRow, Row};
use crate::jobs::write::quarantine;
use crate::pipeline::customers::{Customers, Interaction, Read};

/// Rows of a block by default: the model is busy, and a transaction is short.
pub const BATCH: usize = 256;
/// Most rows of a block: what a killed run does again, and what one transaction holds.
const MOST_BATCH: usize = 4096;
/// Bytes of cells at which a block ends.
const BLOCK_BYTES: usize = 8 << 20;

/// What became of the rows: `read = recorded + known + quarantined`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Rows of the input.
    pub read: u64,
    /// Interactions that are new.
    pub recorded: u64,
    /// Interactions that were there, or that are older than their customer's erasure.
    pub known: u64,
    /// Rows that can't be used.
    pub quarantined: u64,
    /// Signals that followed.
    pub signals: u64,
}

/// Where the files of a run are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The input; `None` for standard input, which begins at its first row every time.
    pub input: Option<PathBuf>,
    /// One row per customer; `None` for none.
    pub output: Option<PathBuf>,
    /// Whether an output that is there is written over.
    pub overwrite: bool,
}

/// A backfill.
pub struct Enrich {
    /// The rows.
    pub table: Table,
    /// What becomes of them.
    pub mapping: Mapping,
    /// Where the files are.
    pub place: Place,
    /// Rows of a block, 1 to 4,096.
    pub batch: usize,
    /// Padded tokens of a batch of the model; 0 for the usual number.
    pub batch_tokens: usize,
    /// The tenant, for the output.
    pub tenant: String,
    /// When it is, in milliseconds since 1970: what is later can't have taken place, and the output is as of then.
    pub now_ms: i64,
}

/// A backfill that is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Enriched {
    /// What became of the rows, over all runs.
    pub totals: Totals,
    /// Rows that earlier runs had done.
    pub resumed_from: u64,
    /// The file of the rows that can't be used; `None` when all could be.
    pub quarantine: Option<PathBuf>,
    /// Customers of the output.
    pub customers: Option<u64>,
    /// Seconds of this run.
    pub seconds: f64,
}

/// A row, as an interaction or as what is wrong with it.
type Item = Result<(u64, u64, Interaction), BadRow>;

impl Enrich {
    /// Runs to the end, or until it is stopped; `progress` hears the totals and the last row's line after each block. On a
    /// multi-threaded tokio runtime.
    ///
    /// Errors: `Cancelled` after a stop; `AlreadyExists` for an output that is there; `Unavailable` while another run is at
    /// the same input; those of the files, the model and the store. What was kept before stays kept.
    pub async fn run(
        self,
        customers: &Customers,
        progress: &mut (dyn FnMut(&Totals, u64) + Send),
        stop: &CancellationToken,
    ) -> Result<Enriched, Error> {
        if !(1..=MOST_BATCH).contains(&self.batch) {
            return Err(Error::invalid("batch", format!("expected 1 to {MOST_BATCH}")));
        }
        if let Some(output) = &self.place.output {
            output::check_free(output, self.place.overwrite)?;
        }
        let paths = self.paths()?;
        let started = Instant::now();
        // Held to the end, so that two runs don't write the same quarantine.
        let lock = files::lock(&paths.quarantine_part)?;
        let mark = self.begin(customers, &paths).await?;
        let file = lock.try_clone().map_err(|e| part::failure(&paths.quarantine_part, &e))?;
        let quarantine = Part::resume(&paths.quarantine_part, file, mark.quarantine_bytes, &part::plain)?;
        let (resumed_from, output) = (mark.totals.read, self.place.output.clone());
        let (tenant, now_ms) = (self.tenant.clone(), self.now_ms);
        let mut work = Work { paths, mark, quarantine, named: output.as_ref().map(|_| Named::default()) };
        work.rows(self, customers, progress, stop).await?;
        let mut written = None;
        if let (Some(path), Some(named)) = (&output, &work.named) {
            let store = &**customers.store();
            written = Some(output::write(store, &tenant, named, now_ms, path).await?);
        }
        let quarantine = work.finish()?;
        let (totals, seconds) = (work.mark.totals, started.elapsed().as_secs_f64());
        Ok(Enriched { totals, resumed_from, quarantine, customers: written, seconds })
    }

    /// Files stand beside the output, or else beside the input.
    fn paths(&self) -> Result<Paths, Error> {
        let base = self.place.output.as_ref().or(self.place.input.as_ref());
        base.map(|base| Paths::new(base)).ok_or_else(|| {
            Error::invalid("output", "is required with standard input: other files stand beside it")
        })
    }

    /// The mark of an earlier run, when it is of the same rows and the store still has what that run has kept.
    async fn begin(&self, customers: &Customers, paths: &Paths) -> Result<Mark, Error> {
        let identity = self.identity()?;
        let fresh = Mark::new(identity.clone());
        if self.place.input.is_none() {
            return Ok(fresh);
        }
        let Some(found) = Mark::load(&paths.checkpoint, &identity) else { return Ok(fresh) };
        let there = match &found.last {
            Some(last) => {
                !customers.store().interactions(&self.tenant, std::slice::from_ref(last)).await?.is_empty()
            }
            None => true,
        };
        let length = std::fs::metadata(&paths.quarantine_part).map_or(0, |part| part.len());
        Ok(if there && length >= found.quarantine_bytes { found } else { fresh })
    }

    fn identity(&self) -> Result<Identity, Error> {
        let input = match self.place.input.as_deref() {
            Some(path) => checkpoint::fingerprint(path)?,
            None => "a stream".into(),
        };
        let columns = format!("{:?} {}", self.table.columns, self.mapping.describe());
        Ok(Identity::from([
            ("the input".into(), input),
            ("how it is read".into(), self.table.form.clone()),
            ("the choice of columns".into(), named(columns.as_bytes())),
        ]))
    }
}

/// A run that is going on.
struct Work {
    paths: Paths,
    mark: Mark,
    quarantine: Part,
    /// Customers of the output.
    named: Option<Named>,
}

impl Work {
    async fn rows(
        &mut self,
        enrich: Enrich,
        customers: &Customers,
        progress: &mut (dyn FnMut(&Totals, u64) + Send),
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let Enrich { table, mapping, batch, now_ms, batch_tokens, .. } = enrich;
        let batch_tokens = if batch_tokens == 0 { BATCH_TOKENS } else { batch_tokens };
        let mut rows = table.rows;
        for _ in 0..self.mark.totals.read {
            let Some(row) = rows.next() else { break };
            // Only for its customer.
            let _done = self.item(&mapping, row, now_ms)?;
        }
        loop {
            if stop.is_cancelled() {
                let message = "stopped; run the same command again, and it goes on where it was";
                return Err(Error::new(ErrorKind::Cancelled, message));
            }
            let (mut items, mut bytes) = (Vec::with_capacity(batch), 0);
            while items.len() < batch
                && bytes < BLOCK_BYTES
                && let Some(row) = rows.next()
            {
                bytes += row.as_ref().map_or(0, |row| row.cells.iter().map(String::len).sum());
                items.push(self.item(&mapping, row, now_ms)?);
            }
            let Some(last) = items.last() else { return Ok(()) };
            let place = last.as_ref().map_or_else(|bad| bad.place, |(_, place, _)| *place);
            self.block(items, customers, batch_tokens, now_ms).await?;
            progress(&self.mark.totals, place);
        }
    }

    /// A row as an interaction; its customer is noted.
    fn item(&mut self, mapping: &Mapping, row: Result<Row, BadRow>, now_ms: i64) -> Result<Item, Error> {
        let row = match row {
            Ok(row) => row,
            Err(bad) => return Ok(Err(bad)),
        };
        match mapping.interaction(&row, now_ms) {
            Ok(interaction) => {
                if let Some(named) = &mut self.named {
                    named.note(&interaction.customer)?;
                }
                Ok(Ok((row.number, row.place, interaction)))
            }
            Err(e) => Ok(Err(BadRow::refused(row.number, row.place, &e))),
        }
    }

    /// Reads and keeps a block; what can't be used is written down; then the mark is moved.
    async fn block(
        &mut self,
        items: Vec<Item>,
        customers: &Customers,
        batch_tokens: usize,
        now_ms: i64,
    ) -> Result<(), Error> {
        let rows = items.len() as u64;
        let (mut bad, mut places, mut interactions) = (Vec::new(), Vec::new(), Vec::new());
        for item in items {
            match item {
                Ok((number, place, interaction)) => {
                    places.push((number, place));
                    interactions.push(interaction);
                }
                Err(row) => bad.push(row),
            }
        }
        let read = customers.read_block(&interactions, batch_tokens, now_ms).await?;
        let mut records = Vec::with_capacity(read.len());
        for ((number, place), read) in places.into_iter().zip(read) {
            match read {
                Ok(Read { record, .. }) => records.push(record),
                Err(e) if e.kind() == ErrorKind::InvalidInput => bad.push(BadRow::refused(number, place, &e)),
                Err(e) => return Err(e),
            }
        }
        let kept = customers.keep(&records).await?;
        bad.sort_by_key(|row| row.number);
        self.write_down(&bad)?;
        let totals = &mut self.mark.totals;
        let new = kept.iter().filter(|one| one.new).count() as u64;
        totals.read += rows;
        totals.recorded += new;
        totals.known += kept.len() as u64 - new;
        totals.quarantined += bad.len() as u64;
        totals.signals += kept.iter().map(|one| one.signals.len() as u64).sum::<u64>();
        let newest = kept.into_iter().rev().find(|one| one.new).map(|one| one.id);
        self.mark.last = newest.or_else(|| self.mark.last.take());
        self.mark.quarantine_bytes = self.quarantine.sync()?;
        self.mark.save(&self.paths.checkpoint)?;
        tracing::info!(rows = self.mark.totals.read, "a block is kept");
        Ok(())
    }

    fn write_down(&mut self, bad: &[BadRow]) -> Result<(), Error> {
        let head = self.mark.totals.quarantined == 0 && !bad.is_empty();
        if head {
            self.quarantine.buffer().extend_from_slice(quarantine::HEAD);
        }
        for row in bad {
            quarantine::row(row, self.quarantine.buffer());
            self.quarantine.settle()?;
        }
        Ok(())
    }

    /// Gives the quarantine its name, and takes the mark away: the next run begins at the first row.
    fn finish(&mut self) -> Result<Option<PathBuf>, Error> {
        part::remove(&self.paths.checkpoint)?;
        if self.mark.totals.quarantined == 0 {
            part::remove(&self.paths.quarantine_part)?;
            // An older one would speak of rows that are in order now.
            part::remove(&self.paths.quarantine)?;
            return Ok(None);
        }
        part::rename(&self.paths.quarantine_part, &self.paths.quarantine)?;
        Ok(Some(self.paths.quarantine.clone()))
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
