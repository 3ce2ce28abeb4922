//! Runs a job from where it stands to its end: read, score, write, in the order of the file.
//!
//! A thread of its own reads the table and cuts it into blocks; a few blocks are scored at a time; they are written in
//! their order, and between two of them a checkpoint is made now and then. A block's numbers follow from its texts
//! (`Analyzer::analyze_block`), and so the output is the same byte by byte however often the job was interrupted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::blocks::{Block, BlockSize, Blocks, Reading, SIZE};
use super::checkpoint::{Checkpoint, Identity, Totals, named};
use super::files::{self, Files, Opened, Paths};
use super::ledger::Ledger;
use super::observer::Observer;
use super::part::DiskMaker;
use super::record;
use super::table::Table;
use super::write::Format;
use super::write::schema::Schema;
use crate::domain::Assessment;
use crate::error::{Error, ErrorKind};
use crate::pipeline::{AnalysisOptions, Analyzer, ResolvedOptions};

/// Blocks that are scored at a time: one at the workers, one that is tokenised, one in reserve.
const IN_FLIGHT: usize = 3;
/// Blocks that are read ahead of these.
const READ_AHEAD: usize = 1;
/// Padded tokens of a batch where the settings say nothing. It is not measured: it decides about bits of the output.
const BATCH_TOKENS: usize = 256;
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
    paths: Paths,
}

impl Finished {
    /// Takes the checkpoint away, when the report is written too. Errors: those of the file system.
    pub fn clean(&self) -> Result<(), Error> {
        self.paths.clean()
    }
}

/// Called after each block with the totals and the place of its last row in the file.
pub type Progress<'a> = dyn FnMut(&Totals, u64) + Send + 'a;

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
        files: Files,
        company: Company<'_>,
    ) -> Result<Finished, Error> {
        let Files { checkpoint, resumed, output, quarantine, texts, known, lock: _lock } = files;
        if resumed {
            company.observer.restore(checkpoint.observer.clone())?;
        }
        let (before, digest, started) = (checkpoint.totals, checkpoint.digest.clone(), Instant::now());
        let schema = self.schema(&scorer, &checkpoint);
        let Self { table, paths, format, language, checkpoint_every, .. } = self;
        let mut ledger = Ledger {
            paths: &paths,
            checkpoint,
            output,
            quarantine,
            texts,
            encoder: format.encoder(schema.clone()),
            observer: company.observer,
            text: table.layout.text.clone(),
            model: scorer.model(),
            every: checkpoint_every,
            saved: started,
        };
        tracing::info!(rows = before.read, "a job begins");
        ledger.begin();
        let (text, language_column) = (table.layout.text, table.layout.language);
        let reading = Reading { rows: table.rows, text, language, language_column };
        let blocks = read_blocks(Blocks::new(reading, known, size), before.read, digest)?;
        let read = scorer.score(blocks, &mut ledger, company.progress, company.stop).await;
        close(&mut ledger, read)?;
        let checkpoint = ledger.checkpoint;
        publish(format, paths, &schema, (&checkpoint, &before, started))
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
        let used = (&self.table.columns, &layout.text, layout.id, layout.language);
        // With thresholds and calibration, which an overlay may have changed.
        let model = named(format!("{manifest:?}").as_bytes());
        let mut identity = self.identity.clone();
        identity.extend([
            ("the model".into(), format!("{}@{} ({model})", manifest.id, manifest.version)),
            ("the choice of columns".into(), named(format!("{used:?}").as_bytes())),
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
            ledger.checkpoint.complete = true;
            ledger.save()
        }
        Err(e) if e.kind() == ErrorKind::Cancelled => ledger.save().and(Err(e)),
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
        paths,
    })
}

/// What comes from the thread that reads.
enum Message {
    Block(Block),
    /// After the last block, with the number of rows.
    End(u64),
}

/// Reads on a thread of its own: standard input may keep it waiting for ever.
fn read_blocks(
    mut blocks: Blocks,
    skip: u64,
    digest: String,
) -> Result<mpsc::Receiver<Result<Message, Error>>, Error> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    let read = move || {
        let mut next = blocks.skip(skip, &digest).and_then(|()| blocks.next_block());
        loop {
            let (message, last) = match next {
                Ok(Some(block)) => (Ok(Message::Block(block)), false),
                Ok(None) => (Ok(Message::End(blocks.number())), true),
                Err(e) => (Err(e), true),
            };
            // Nobody listens any more once the run is stopped.
            if sender.blocking_send(message).is_err() || last {
                return;
            }
            next = blocks.next_block();
        }
    };
    std::thread::Builder::new().name("attune-reader".into()).spawn(read).map_err(Error::internal)?;
    Ok(receiver)
}

/// The model and how it is asked.
struct Scorer {
    analyzer: Arc<Analyzer>,
    options: Arc<ResolvedOptions>,
    batch_tokens: usize,
    evidence: bool,
}

impl Scorer {
    fn try_new(analyzer: &Arc<Analyzer>, batch_tokens: usize, evidence: bool) -> Result<Self, Error> {
        let options = AnalysisOptions { evidence, ..AnalysisOptions::default() };
        let options = Arc::new(options.resolve(analyzer.manifest())?);
        let batch_tokens = if batch_tokens == 0 { BATCH_TOKENS } else { batch_tokens };
        Ok(Self { analyzer: Arc::clone(analyzer), options, batch_tokens, evidence })
    }

    fn model(&self) -> (String, String) {
        let manifest = self.analyzer.manifest();
        (manifest.id.clone(), manifest.version.clone())
    }

    /// Scores block after block and writes them; returns the number of rows of the table.
    async fn score(
        &self,
        blocks: mpsc::Receiver<Result<Message, Error>>,
        ledger: &mut Ledger<'_>,
        progress: &mut Progress<'_>,
        stop: &CancellationToken,
    ) -> Result<u64, Error> {
        let messages = futures_util::stream::unfold(blocks, |mut blocks| async move {
            tokio::select! {
                () = stop.cancelled() => None,
                message = blocks.recv() => Some((message?, blocks)),
            }
        });
        let scored = messages.map(|message| self.spawn(message)).buffered(IN_FLIGHT);
        let mut scored = std::pin::pin!(scored);
        while let Some(message) = scored.next().await {
            match message? {
                Message::End(rows) => return Ok(rows),
                Message::Block(block) => {
                    let place = block.place;
                    // The workers and the other blocks go on meanwhile.
                    tokio::task::block_in_place(|| ledger.put(block))?;
                    progress(ledger.totals(), place);
                }
            }
        }
        if !stop.is_cancelled() {
            return Err(Error::internal("the thread that reads the table ended before the table did"));
        }
        let message = format!(
            "stopped after row {}; run the same command again, and it goes on from there",
            ledger.totals().read
        );
        Err(Error::new(ErrorKind::Cancelled, message))
    }

    /// Scores a block as a task of its own, so that it goes on while another is written.
    fn spawn(&self, message: Result<Message, Error>) -> impl Future<Output = Result<Message, Error>> + use<> {
        let (analyzer, options) = (Arc::clone(&self.analyzer), Arc::clone(&self.options));
        let batch_tokens = self.batch_tokens;
        let task = AbortOnDropHandle::new(tokio::spawn(async move {
            let mut block = match message? {
                Message::Block(block) => block,
                end @ Message::End(_) => return Ok(end),
            };
            let texts = std::mem::take(&mut block.texts);
            let results = analyzer.analyze_block(texts, &options, batch_tokens).await?;
            for (fresh, result) in block.fresh.iter().zip(results) {
                // A slot is filled once, by the block that made it.
                let _ = fresh.slot.set(record::encode(&outcome(result)?));
            }
            Ok(Message::Block(block))
        }));
        async move { task.await.map_err(Error::internal)? }
    }
}

/// What is the text's own fault becomes its outcome; anything else ends the run.
fn outcome(result: Result<Assessment, Error>) -> Result<record::Outcome, Error> {
    let error = match result {
        Ok(assessment) => return Ok(Ok(assessment)),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::InvalidInput => Ok(Err(format!("the text {}", error.public()))),
        ErrorKind::Internal => {
            tracing::warn!(error = error.causes(), "a text could not be scored");
            Ok(Err("the model failed at this text".into()))
        }
        ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::Precondition
        | ErrorKind::Unauthenticated
        | ErrorKind::Forbidden
        | ErrorKind::Overloaded
        | ErrorKind::DeadlineExceeded
        | ErrorKind::Cancelled
        | ErrorKind::Unavailable => Err(error),
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
