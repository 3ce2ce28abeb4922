//! Scores block after block, a few at a time, and hands them on in their order.

use std::sync::Arc;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::blocks::{Block, Blocks};
use super::checkpoint::Totals;
use super::ledger::Ledger;
use super::record;
use crate::domain::Assessment;
use crate::error::{Error, ErrorKind};
use crate::pipeline::{AnalysisOptions, Analyzer, ResolvedOptions};

/// Blocks that are scored at a time: one at the workers, one that is tokenised, one in reserve.
const IN_FLIGHT: usize = 3;
/// Blocks that are read ahead of these.
const READ_AHEAD: usize = 1;
/// Padded tokens of a batch where the settings say nothing. It is not measured: it decides about bits of the output.
pub(super) const BATCH_TOKENS: usize = 256;

/// Called after each block with the totals and the place of its last row in the file.
pub type Progress<'a> = dyn FnMut(&Totals, u64) + Send + 'a;

/// What comes from the thread that reads.
pub(super) enum Message {
    Block(Block),
    /// After the last block, with the number of rows.
    End(u64),
}

/// Reads on a thread of its own: standard input may keep it waiting for ever.
pub(super) fn read_blocks(
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
pub(super) struct Scorer {
    pub(super) analyzer: Arc<Analyzer>,
    options: Arc<ResolvedOptions>,
    pub(super) batch_tokens: usize,
    pub(super) evidence: bool,
}

impl Scorer {
    /// Errors: none that a model of this version gives.
    pub(super) fn try_new(
        analyzer: &Arc<Analyzer>,
        batch_tokens: usize,
        evidence: bool,
    ) -> Result<Self, Error> {
        let options = AnalysisOptions { evidence, ..AnalysisOptions::default() };
        let options = Arc::new(options.resolve(analyzer.manifest())?);
        let batch_tokens = if batch_tokens == 0 { BATCH_TOKENS } else { batch_tokens };
        Ok(Self { analyzer: Arc::clone(analyzer), options, batch_tokens, evidence })
    }

    /// Id and version.
    pub(super) fn model(&self) -> (String, String) {
        let manifest = self.analyzer.manifest();
        (manifest.id.clone(), manifest.version.clone())
    }

    /// Scores block after block and writes them; returns the number of rows of the table.
    pub(super) async fn score(
        &self,
        blocks: mpsc::Receiver<Result<Message, Error>>,
        ledger: &mut Ledger<'_>,
        progress: &mut Progress<'_>,
        stop: &CancellationToken,
    ) -> Result<u64, Error> {
        let messages = futures_util::stream::unfold(blocks, |mut blocks| async move {
            tokio::select! {
                // A stop is not left to chance where blocks are ready, too.
                biased;
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
        Err(stopped(ledger.totals().read))
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

fn stopped(rows: u64) -> Error {
    let message = format!("stopped after row {rows}; run the same command again, and it goes on from there");
    Error::new(ErrorKind::Cancelled, message)
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
