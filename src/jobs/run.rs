//! Runs a job from where it stands to its end: read, score, write, in the order of the file.
//!
//! A thread of its own reads the table and cuts it into blocks; a few blocks are scored at a time; they are written in
//! their order, and between two of them a checkpoint is made now and then. A block's numbers follow from its texts
//! (`Analyzer::analyze_block`), and so the output is the same byte by byte however often the job was interrupted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::blocks::{BlockSize, Blocks, Reading, SIZE};
use super::checkpoint::{Checkpoint, Identity, Totals, named};
use super::files::{self, Files, Opened, Paths};
use super::ledger::Ledger;
use super::observer::Observer;
use super::part::DiskMaker;
use super::scorer::{Progress, Scorer, read_blocks};
use super::table::Table;
use super::write::Format;
use super::write::schema::Schema;
use crate::error::{Error, ErrorKind};
use crate::pipeline::Analyzer;

/// What is to be done.
pub struct Job {
    /// The rows.
    pub table: Table,
    /// Where they go.
    pub paths: Paths,
    /// In which form.
    pub format: Format,
    /// Language of all texts (BCP 47), instead of what the rows say or what is identified.
    pub language: Option<String>,
    /// When the job begins, in RFC 3339; a job that is resumed keeps its first one.
    pub started: String,
    /// Padded tokens of a batch; 0 for the usual number.
    pub batch_tokens: usize,
    /// Time between checkpoints: what a killed run has to do again, about.
    pub checkpoint_every: Duration,
    /// Whether what an earlier run has left is thrown away.
    pub restart: bool,
    /// What else decides the output, such as the input's fingerprint.
    pub identity: Identity,
    /// Where bytes go.
    pub disk: Box<DiskMaker>,
}

/// A job that is done; its output has its name.
pub struct Finished {
    /// What became of the rows, over all runs.
    pub totals: Totals,
    /// Rows that earlier runs had written.
    pub resumed_from: u64,
    /// Texts that this run has sent to the model.
    pub distinct: u64,
    /// Seconds of this run, from the first row on.
    pub seconds: f64,
    /// When the job began, in RFC 3339; the first run's time, over all runs.
    pub began: String,
    paths: Paths,
}

impl Finished {
    /// Takes the checkpoint away, when the report is written too. Errors: those of the file system.
    pub fn clean(&self) -> Result<(), Error> {
        self.paths.clean()
    }
}

/// Who takes part in a run beside the files.
pub struct Company<'a> {
    /// Reads the texts.
    pub analyzer: &'a Arc<Analyzer>,
    /// Sees the rows.
    pub observer: &'a mut dyn Observer,
    /// Hears how far it is.
    pub progress: &'a mut Progress<'a>,
    /// Asks for an early end.
    pub stop: &'a CancellationToken,
}

impl Job {
    /// Runs the job to its end, or until it is stopped. On a multi-threaded tokio runtime.
    ///
    /// Errors: `Cancelled` after a stop, when what was in flight is written; those of the files and of the model. What was
    /// done up to the last checkpoint is not lost.
    pub async fn run(self, company: Company<'_>) -> Result<Finished, Error> {
        self.run_in(SIZE, company).await
    }

    async fn run_in(self, size: BlockSize, company: Company<'_>) -> Result<Finished, Error> {
        if self.table.layout.text.is_empty() {
            let message = "no column was found to hold free text; name it with --text-column";
            return Err(Error::invalid("input", message));
        }
        let scorer = Scorer::try_new(company.analyzer, self.batch_tokens, company.observer.wants_evidence())?;
        let identity = self.identity(&scorer);
        match Opened::open(&self.paths, identity, &self.started, self.restart, &*self.disk)? {
            Opened::Complete(checkpoint, _lock) => {
                company.observer.restore(checkpoint.observer.clone())?;
                let schema = self.schema(&scorer, &checkpoint);
                let before = checkpoint.totals;
                publish(self.format, self.paths, &schema, (&checkpoint, &before, Instant::now()))
            }
            Opened::Begun(files) => self.go_on(size, scorer, *files, company).await,
        }
    }

    async fn go_on(
        self,
        size: BlockSize,
        scorer: Scorer,
        mut files: Files,
        company: Company<'_>,
    ) -> Result<Finished, Error> {
        // A run that was killed before its first checkpoint has left one without anything seen.
        if files.resumed && !files.checkpoint.observer.is_null() {
            company.observer.restore(files.checkpoint.observer.clone())?;
        }
        let (before, digest) = (files.checkpoint.totals, files.checkpoint.digest.clone());
        let (started, known) = (Instant::now(), std::mem::take(&mut files.known));
        let schema = self.schema(&scorer, &files.checkpoint);
        let Self { table, paths, format, language, checkpoint_every, .. } = self;
        let (text, language_column) = (table.layout.text, table.layout.language);
        let mut ledger = Ledger {
            paths: &paths,
            files,
            encoder: format.encoder(schema.clone()),
            observer: company.observer,
            text: text.clone(),
            model: scorer.model(),
            every: checkpoint_every,
            saved: started,
        };
        tracing::info!(rows = before.read, "a job begins");
        ledger.begin();
        let reading = Reading { rows: table.rows, text, language, language_column };
        let blocks = read_blocks(Blocks::new(reading, known, size), before.read, digest)?;
        let read = scorer.score(blocks, &mut ledger, company.progress, company.stop).await;
        close(&mut ledger, read)?;
        // The lock is held until the output has its name.
        let files = ledger.files;
        publish(format, paths, &schema, (&files.checkpoint, &before, started))
    }

    fn schema(&self, scorer: &Scorer, checkpoint: &Checkpoint) -> Schema {
        let version = scorer.analyzer.manifest();
        let version = format!("{}@{}", version.id, version.version);
        Schema::new(&self.table.columns, &self.table.layout, &version, &checkpoint.started)
    }

    /// All that decides the output.
    fn identity(&self, scorer: &Scorer) -> Identity {
        let manifest = scorer.analyzer.manifest();
        let layout = &self.table.layout;
        let used = (&layout.text, layout.id, layout.language, layout.score, layout.time);
        // With thresholds and calibration, which an overlay may have changed.
        let model = named(format!("{manifest:?}").as_bytes());
        let mut identity = self.identity.clone();
        identity.extend([
            ("the model".into(), format!("{}@{} ({model})", manifest.id, manifest.version)),
            ("the choice of columns".into(), named(format!("{:?} {used:?}", self.table.columns).as_bytes())),
            ("the format".into(), self.format.name()),
            ("the language".into(), self.language.clone().unwrap_or_else(|| "not given".into())),
            ("batching.batch_tokens".into(), scorer.batch_tokens.to_string()),
            ("evidence for a report".into(), if scorer.evidence { "wanted" } else { "not wanted" }.into()),
        ]);
        identity
    }
}

/// The last checkpoint of a run, unless an error has made one impossible.
fn close(ledger: &mut Ledger<'_>, read: Result<u64, Error>) -> Result<(), Error> {
    match read {
        Ok(read) => {
            let totals = *ledger.totals();
            if totals.read != read || totals.read != totals.written + totals.quarantined {
                return Err(Error::internal(format!("{read} rows were read, and the totals say {totals:?}")));
            }
            if ledger.files.output.sync()? == 0 {
                // An empty part can't be told later from one that has been given its name: no older output may stand there.
                super::part::remove(&ledger.paths.output)?;
            }
            ledger.files.checkpoint.complete = true;
            ledger.save()
        }
        Err(e) if matches!(e.kind(), ErrorKind::Cancelled | ErrorKind::InvalidInput) => {
            ledger.save().and(Err(e))
        }
        Err(e) => Err(e),
    }
}

fn publish(
    format: Format,
    paths: Paths,
    schema: &Schema,
    (checkpoint, before, started): (&Checkpoint, &Totals, Instant),
) -> Result<Finished, Error> {
    files::publish(&paths, checkpoint, |part, output| format.assemble(schema, part, output))?;
    Ok(Finished {
        totals: checkpoint.totals,
        resumed_from: before.read,
        distinct: checkpoint.totals.distinct - before.distinct,
        seconds: started.elapsed().as_secs_f64(),
        began: checkpoint.started.clone(),
        paths,
    })
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
