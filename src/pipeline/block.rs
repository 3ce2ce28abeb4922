//! Reads many texts so that what comes out depends on them alone, bit for bit, and not on the moment.
//!
//! A text's company in a batch moves its numbers a little (docs/models.md). Here the company follows from the block: its
//! texts in the order of length, cut into batches of a fixed size that run as they are. Windows of a long text keep to
//! themselves, and so do the further runs of a network that only has logits. Nothing comes out of the batcher's cache. Drift
//! does not count blocks: they hold files, which would push the texts that come in now out of its window.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use tokio::task::JoinSet;

use super::analyzer::{Analyzer, WINDOWS_IN_FLIGHT};
use super::beside::{Beside, Heard};
use super::options::ResolvedOptions;
use super::prepared::Prepared;
use crate::batching::Lane;
use crate::domain::{Assessment, Status};
use crate::error::Error;
use crate::inference::document::DocumentBuilder;
use crate::inference::window::{Window, windows};
use crate::inference::{DocumentScores, TokenizedText, WindowOutput};
use crate::telemetry::metrics;

/// Texts that one thread prepares at a go: with fewer there are more threads, each of which keeps megabytes.
const CHUNK: usize = 256;
/// Tokens in a row beside the text's own.
const MARKERS: usize = 2;

/// A text of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockText {
    /// What is read.
    pub text: String,
    /// The caller's BCP 47 tag; without one the language is identified.
    pub language: Option<String>,
}

/// What became of one text. `Err` is the text's own fault, or that of the network at this text.
pub type BlockResult = Result<Assessment, Error>;

type Preparation = Result<Prepared, Result<Box<Assessment>, Error>>;

/// Windows, and what the network says of each.
type Outputs<'a> = (&'a [Window], Vec<Result<WindowOutput, Error>>);

/// What the tasks of a block share.
struct Block {
    analyzer: Arc<Analyzer>,
    texts: Vec<BlockText>,
    prepared: Vec<Preparation>,
    options: Arc<ResolvedOptions>,
    batch_tokens: usize,
}

impl Analyzer {
    /// Reads `texts` in the bulk lane, in batches of at most `batch_tokens` padded tokens; results are in their order.
    /// Must be called on a tokio runtime. Errors: those that are not a text's own, such as `Unavailable` during shutdown.
    pub async fn analyze_block(
        self: &Arc<Self>,
        texts: Vec<BlockText>,
        options: &Arc<ResolvedOptions>,
        batch_tokens: usize,
    ) -> Result<Vec<BlockResult>, Error> {
        let (texts, prepared) = self.prepare_all(texts).await?;
        let (analyzer, options) = (Arc::clone(self), Arc::clone(options));
        let block = Arc::new(Block { analyzer, texts, prepared, options, batch_tokens });
        let mut results: Vec<Option<BlockResult>> = block.texts.iter().map(|_| None).collect();
        // Dropped with its tasks when the caller goes away.
        let mut tasks = JoinSet::new();
        for batch in block.batches() {
            let block = Arc::clone(&block);
            tasks.spawn(async move { block.read_short(batch).await });
        }
        for place in block.long() {
            let block = Arc::clone(&block);
            tasks.spawn(async move { Ok(vec![(place, block.read_long(place).await?)]) });
        }
        while let Some(done) = tasks.join_next().await {
            for (place, result) in done.map_err(Error::internal)?? {
                results[place] = Some(result);
            }
        }
        drop(tasks);
        let block = Arc::into_inner(block).ok_or_else(|| Error::internal("a task of a block lives on"))?;
        let unread = block.prepared.into_iter().map(|p| p.err().map(|early| early.map(|a| *a)));
        let all = results.into_iter().zip(unread).map(|(read, unread)| read.or(unread));
        all.map(|result| result.ok_or_else(|| Error::internal("a text of a block was not read"))).collect()
    }

    /// Tokenises on the threads for blocking work.
    async fn prepare_all(
        self: &Arc<Self>,
        texts: Vec<BlockText>,
    ) -> Result<(Vec<BlockText>, Vec<Preparation>), Error> {
        let texts = Arc::new(texts);
        let chunks = (0..texts.len()).step_by(CHUNK).map(|start| {
            let (analyzer, texts) = (Arc::clone(self), Arc::clone(&texts));
            tokio::task::spawn_blocking(move || {
                let chunk = &texts[start..texts.len().min(start + CHUNK)];
                chunk.iter().map(|t| analyzer.prepare(&t.text, t.language.as_deref())).collect::<Vec<_>>()
            })
        });
        let chunks: Vec<Vec<Preparation>> =
            futures_util::future::try_join_all(chunks).await.map_err(Error::internal)?;
        let texts = Arc::into_inner(texts).ok_or_else(|| Error::internal("a task of a block lives on"))?;
        Ok((texts, chunks.into_iter().flatten().collect()))
    }
}

impl Block {
    fn window_tokens(&self) -> usize {
        self.analyzer.manifest().window_tokens()
    }

    /// The texts that the network reads, with their tokens.
    fn lengths(&self) -> impl Iterator<Item = (usize, usize)> {
        let read = self.prepared.iter().enumerate().filter_map(|(n, p)| Some((n, p.as_ref().ok()?)));
        read.map(|(place, p)| (place, p.tokens.ids.len()))
    }

    fn batches(&self) -> Vec<Vec<usize>> {
        let short = self.lengths().filter(|(_, tokens)| *tokens <= self.window_tokens());
        batches(short.collect(), self.batch_tokens)
    }

    fn long(&self) -> Vec<usize> {
        self.lengths().filter(|(_, tokens)| *tokens > self.window_tokens()).map(|(n, _)| n).collect()
    }

    fn prepared(&self, place: usize) -> Result<&Prepared, Error> {
        self.prepared[place].as_ref().map_err(|_| Error::internal("a text without tokens was planned"))
    }

    /// Texts of one window each.
    async fn read_short(&self, places: Vec<usize>) -> Result<Vec<(usize, BlockResult)>, Error> {
        let rows: Result<Vec<_>, Error> =
            places.iter().map(|place| Ok(self.prepared(*place)?.tokens.ids.clone())).collect();
        let outputs = self.analyzer.batcher.submit_closed(rows?, Lane::Bulk).await?;
        let mut read = Vec::with_capacity(places.len());
        for (place, output) in places.into_iter().zip(outputs) {
            let count = self.prepared(place)?.tokens.ids.len();
            let window = Window { tokens: 0..count, owned: 0..count };
            let result = match output {
                Ok(output) => {
                    let mut builder = self.builder();
                    builder.push(&window, &output);
                    self.read_out(place, &[window], builder).await?
                }
                Err(error) => Err(error),
            };
            read.push((place, result));
        }
        Ok(read)
    }

    /// A text of several windows, which share batches in their order. Only the batcher's own errors are not the text's.
    async fn read_long(&self, place: usize) -> Result<BlockResult, Error> {
        let manifest = self.analyzer.manifest();
        let ids = &self.prepared(place)?.tokens.ids;
        let _room = self.analyzer.long_room(ids.len(), None).await?;
        let windows = windows(ids.len(), manifest.window_tokens(), manifest.window_overlap);
        let longest = windows.iter().map(|w| w.tokens.len() + MARKERS).max().unwrap_or(1);
        let chunks = windows.chunks((self.batch_tokens / longest).max(1));
        // Nothing is sent before it is polled.
        let batches: Vec<_> = chunks.map(|batch| self.read_windows(ids, batch)).collect();
        let mut batches = futures_util::stream::iter(batches).buffered(WINDOWS_IN_FLIGHT);
        let mut builder = self.builder();
        while let Some((batch, outputs)) = batches.try_next().await? {
            for (window, output) in batch.iter().zip(outputs) {
                match output {
                    Ok(output) => builder.push(window, &output),
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
        self.read_out(place, &windows, builder).await
    }

    async fn read_windows<'a>(&self, ids: &[u32], batch: &'a [Window]) -> Result<Outputs<'a>, Error> {
        let rows = batch.iter().map(|window| ids[window.tokens.clone()].to_vec()).collect();
        Ok((batch, self.analyzer.batcher.submit_closed(rows, Lane::Bulk).await?))
    }

    fn builder(&self) -> DocumentBuilder {
        DocumentBuilder::new(&self.analyzer.head_labels)
    }

    /// Only the batcher's own errors are not the text's.
    async fn read_out(
        &self,
        place: usize,
        windows: &[Window],
        builder: DocumentBuilder,
    ) -> Result<BlockResult, Error> {
        let Prepared { found, tokens } = self.prepared(place)?;
        let scores = builder.finish().ok_or_else(|| Error::internal("no window was read"))?;
        let text = &self.texts[place].text;
        let beside = match self.ask(text, tokens, windows, &scores).await? {
            Ok(beside) => beside,
            Err(error) => return Ok(Err(error)),
        };
        let heard = Heard { windows: windows.len(), scores, beside };
        let result = self.analyzer.read_out(text, found.clone(), tokens, &heard, &self.options);
        if result.is_ok() {
            metrics::text(Status::Ok.name());
        }
        Ok(result.map(|(assessment, _)| assessment))
    }

    /// What a network without terms is asked beside the text, in batches that follow from the text.
    async fn ask(
        &self,
        text: &str,
        tokens: &TokenizedText,
        windows: &[Window],
        scores: &DocumentScores,
    ) -> Result<Result<Beside, Error>, Error> {
        let questions = match self.analyzer.questions(text, tokens, (windows, scores), (&self.options, None))
        {
            Ok(questions) => questions,
            Err(error) => return Ok(Err(error)),
        };
        let lengths = questions.rows.iter().enumerate().map(|(n, row)| (n, row.len())).collect();
        let mut outputs: Vec<Option<Arc<WindowOutput>>> = vec![None; questions.rows.len()];
        for batch in batches(lengths, self.batch_tokens) {
            let rows = batch.iter().map(|n| questions.rows[*n].clone()).collect();
            let read = self.analyzer.batcher.submit_closed(rows, Lane::Bulk).await?;
            for (n, output) in batch.into_iter().zip(read) {
                match output {
                    Ok(output) => outputs[n] = Some(Arc::new(output)),
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
        let outputs: Vec<Arc<WindowOutput>> = outputs.into_iter().flatten().collect();
        Ok(questions.finish(&outputs, scores, &self.analyzer.head_labels))
    }
}

/// Cuts texts, given as place and tokens, into batches of neighbours in length: at most `budget` padded tokens with the
/// markers, or one text.
fn batches(mut texts: Vec<(usize, usize)>, budget: usize) -> Vec<Vec<usize>> {
    texts.sort_unstable_by_key(|(place, tokens)| (*tokens, *place));
    let mut all: Vec<Vec<usize>> = Vec::new();
    for (place, tokens) in texts {
        match all.last_mut() {
            // In this order the newest is the longest.
            Some(last) if (tokens + MARKERS) * (last.len() + 1) <= budget => last.push(place),
            _ => all.push(vec![place]),
        }
    }
    all
}

#[cfg(test)]
#[path = "block_tests.rs"]
mod tests;
