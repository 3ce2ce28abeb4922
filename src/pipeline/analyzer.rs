//! Reads one text from its characters to its assessment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::Instrument;

use super::beside::{Beside, Heard, Questions};
use super::drift::DriftMonitor;
use super::monitor::now_ms;
use super::observed::{self, ReadText};
use super::options::ResolvedOptions;
use super::prepared::Found;
use super::readout::{Reading, Readout};
use super::shadow::Shadow;
use crate::batching::{Batcher, Ending, Entrance, Lane, Request, WindowAnswer};
use crate::domain::{Assessment, Status};
use crate::drift::{Observation, Said, Tenant};
use crate::error::{Error, ErrorKind};
use crate::inference::document::DocumentBuilder;
use crate::inference::window::{Window, windows};
use crate::inference::{DocumentScores, TextTokenizer, TokenizedText};
use crate::model::Manifest;
use crate::telemetry::metrics;

/// Windows of one text that may be in flight at once: keeps the workers busy, and others' texts from starving.
pub(super) const WINDOWS_IN_FLIGHT: usize = 4;
/// Texts above this many bytes leave the async threads while they are tokenised and read out.
pub(super) const BLOCKING_BYTES: usize = 8 * 1024;
/// Tokens of a short message.
const SHORT_TEXT: usize = 16;
/// Texts above this many tokens share `LONG_TOKENS`.
const LONG_TEXT: usize = 4096;
/// Tokens of long texts that may be held at once; a token takes some 200 bytes with 52 labels.
const LONG_TOKENS: usize = 300_000;
/// Bytes of text per token, about, for an estimate before the text is tokenised.
const BYTES_PER_TOKEN: usize = 5;

/// Bounds of one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnalyzerSettings {
    /// Longest text, in bytes of UTF-8.
    pub text_bytes: usize,
    /// Most tokens in a text.
    pub text_tokens: usize,
}

/// How one call is to be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Which lane it waits in.
    pub lane: Lane,
    /// How it enters the queue.
    pub entrance: Entrance,
    /// When its caller stops waiting.
    pub deadline: Option<Instant>,
    /// Whose text it is, as far as drift tells tenants apart.
    pub tenant: Tenant,
}

/// A model ready to read texts.
pub struct Analyzer {
    manifest: Manifest,
    pub(super) head_labels: Vec<std::ops::Range<usize>>,
    pub(super) tokenizer: Arc<TextTokenizer>,
    pub(super) batcher: Batcher,
    pub(super) settings: AnalyzerSettings,
    long_room: Semaphore,
    /// The candidate that reads along.
    pub(super) shadow: ArcSwapOption<Shadow>,
    pub(super) drift: Option<DriftMonitor>,
}

impl Analyzer {
    /// Joins the parts of a model.
    pub fn new(
        manifest: Manifest,
        tokenizer: TextTokenizer,
        mut batcher: Batcher,
        settings: AnalyzerSettings,
    ) -> Self {
        let tokenizer = Arc::new(tokenizer);
        // A vocabulary takes milliseconds to drop: where the workers are waited for, and not where the last call ends.
        batcher.hold(Arc::clone(&tokenizer));
        Self {
            head_labels: manifest.heads_with_ranges().map(|(_, range)| range).collect(),
            manifest,
            tokenizer,
            batcher,
            settings,
            long_room: Semaphore::new(LONG_TOKENS),
            shadow: ArcSwapOption::empty(),
            drift: None,
        }
    }

    /// What the model is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Says where its workers are to be waited for when it is dropped.
    pub(super) fn set_ending(&self, ending: Ending) {
        self.batcher.set_ending(ending);
    }

    /// Whether even a short text would be refused right now; asked before a request is read. Errors: `Overloaded`.
    pub fn check_overload(&self) -> Result<(), Error> {
        self.batcher.check_room(SHORT_TEXT, Lane::Interactive, None)
    }

    /// Reads `text`. `language` is the caller's BCP 47 tag; without one the language is identified.
    ///
    /// Errors: `InvalidInput` for a text over the limits, `Overloaded`, `DeadlineExceeded`, `Unavailable` during shutdown.
    pub async fn analyze(
        &self,
        text: &str,
        language: Option<&str>,
        options: &ResolvedOptions,
        call: Call,
    ) -> Result<Assessment, Error> {
        self.analyze_both(text, language, (options, None), call).await.map(|(assessment, _)| assessment)
    }

    /// Reads `text` once and tells it by the first options, and by the second where there are such. Errors: as
    /// [`Self::analyze`].
    pub(super) async fn analyze_both(
        &self,
        text: &str,
        language: Option<&str>,
        options: (&ResolvedOptions, Option<&ResolvedOptions>),
        call: Call,
    ) -> Result<(Assessment, Option<Assessment>), Error> {
        let read = self.read_text(text, language, options, call).await?;
        if let Some(drift) = &self.drift {
            drift.observe(call.tenant, &read.seen, now_ms());
        }
        Ok((read.assessment, read.also))
    }

    /// The same, and what drift sees of the text; it is not counted.
    pub(super) async fn read_text(
        &self,
        text: &str,
        language: Option<&str>,
        (options, also): (&ResolvedOptions, Option<&ResolvedOptions>),
        call: Call,
    ) -> Result<ReadText, Error> {
        let started = Instant::now();
        let unscored = |unread: Assessment, seen| ReadText {
            also: also.map(|_| unread.clone()),
            assessment: unread,
            seen,
        };
        self.check_bytes(text)?;
        if call.deadline.is_some_and(|d| d <= Instant::now()) {
            return Err(Error::new(
                ErrorKind::DeadlineExceeded,
                "the deadline passed before the text was read",
            ));
        }
        if call.entrance == Entrance::Refuse {
            // Only the first windows of a long text wait at the same time.
            let evidence = options.evidence || also.is_some_and(|also| also.evidence);
            let estimate = self.estimate(text.len() / BYTES_PER_TOKEN, evidence);
            self.batcher.check_room(estimate, call.lane, call.deadline)?;
        }
        let found = match self.find_language(text, language) {
            Ok(found) => found,
            Err(unread) => {
                let seen = observed::unread(&unread, language.is_some());
                return Ok(unscored(*unread, seen));
            }
        };
        let tokens = self.tokenize(text).await?;
        if tokens.ids.is_empty() {
            return Ok(unscored(self.unread(Status::Empty, found), Observation::empty()));
        }
        let _room = self.long_room(tokens.ids.len(), call.deadline).await?;
        let windows = windows(tokens.ids.len(), self.manifest.window_tokens(), self.manifest.window_overlap);
        let scores = self.read(&tokens, &windows, call).await?;
        self.mirror(text, found.tag.as_deref(), &scores, started.elapsed());
        let questions = self.questions(text, &tokens, (&windows[..], &scores), (options, also))?;
        let beside = self.ask(questions, &scores, call).await?;
        let heard = Heard { windows: windows.len(), scores, beside };
        let also = also.map(|also| self.read_out(text, found.clone(), &tokens, &heard, also)).transpose()?;
        let (assessment, said) = self.read_out(text, found, &tokens, &heard, options)?;
        metrics::text(Status::Ok.name());
        let identified = language.is_none().then_some(assessment.language.as_deref());
        let seen = observed::read(identified, &tokens, self.tokenizer.unknown(), said);
        Ok(ReadText { assessment, also: also.map(|(also, _)| also), seen })
    }

    /// What is still to be asked of a text after its windows, for one or two assessments. Errors: `InvalidInput`.
    pub(super) fn questions(
        &self,
        text: &str,
        tokens: &TokenizedText,
        (windows, scores): (&[Window], &DocumentScores),
        (options, also): (&ResolvedOptions, Option<&ResolvedOptions>),
    ) -> Result<Questions, Error> {
        let (manifest, beside) = (&self.manifest, &Beside::default());
        Questions::new(&Readout { text, tokens, scores, beside, manifest, options }, also, windows)
    }

    /// From what the network said of a text to its assessment, and to what drift sees of it.
    pub(super) fn read_out(
        &self,
        text: &str,
        found: Found,
        tokens: &TokenizedText,
        heard: &Heard,
        options: &ResolvedOptions,
    ) -> Result<(Assessment, Said), Error> {
        let started = Instant::now();
        let Heard { windows, scores, beside } = heard;
        let readout = Readout { text, tokens, scores, beside, manifest: &self.manifest, options };
        let reading = {
            let _span = tracing::debug_span!("readout").entered();
            let read = || {
                let sentences = if options.sentences { readout.sentences()? } else { Vec::new() };
                Ok::<_, Error>((readout.text(), sentences))
            };
            // A long text's readout takes milliseconds: its thread is made up for meanwhile.
            if text.len() > BLOCKING_BYTES { block_in_place(read)? } else { read()? }
        };
        metrics::stage("readout", started.elapsed());
        let said = reading.0.said;
        let assessment = self.assessment(found, tokens, *windows, reading);
        Ok((Assessment { evidence: readout.scope(*windows), ..assessment }, said))
    }

    /// Room for a long text's terms; short ones need none.
    pub(super) async fn long_room(
        &self,
        tokens: usize,
        deadline: Option<Instant>,
    ) -> Result<Option<SemaphorePermit<'_>>, Error> {
        if tokens <= LONG_TEXT {
            return Ok(None);
        }
        let share = u32::try_from(tokens.min(LONG_TOKENS)).unwrap_or(u32::MAX);
        let acquire = self.long_room.acquire_many(share);
        let permit = match deadline {
            Some(deadline) => tokio::time::timeout_at(deadline.into(), acquire).await.map_err(|_| {
                Error::new(ErrorKind::DeadlineExceeded, "the deadline passed while longer texts were read")
            })?,
            None => acquire.await,
        };
        permit.map(Some).map_err(Error::internal)
    }

    /// Sends the windows to the batcher, a few at a time, and combines what comes back.
    pub(super) async fn read(
        &self,
        tokens: &TokenizedText,
        windows: &[Window],
        call: Call,
    ) -> Result<DocumentScores, Error> {
        let mut builder = DocumentBuilder::new(&self.head_labels);
        let mut queued = Duration::ZERO;
        let submit = |(n, window): (usize, &Window)| {
            let request = Request {
                ids: tokens.ids[window.tokens.clone()].into(),
                lane: call.lane,
                entrance: match call.entrance {
                    Entrance::Refuse if n > 0 => Entrance::Continue,
                    entrance => entrance,
                },
                deadline: call.deadline,
            };
            let window = window.clone();
            async move { Ok::<(Window, WindowAnswer), Error>((window, self.batcher.submit(request).await?)) }
        };
        let mut answers =
            futures_util::stream::iter(windows.iter().enumerate()).map(submit).buffered(WINDOWS_IN_FLIGHT);
        let span = tracing::debug_span!("batch", windows = windows.len());
        async {
            while let Some((window, answer)) = answers.try_next().await? {
                queued += answer.queued;
                builder.push(&window, &answer.output);
            }
            Ok::<_, Error>(())
        }
        .instrument(span)
        .await?;
        metrics::stage("queue", queued);
        builder.finish().ok_or_else(|| Error::internal("no window was read"))
    }

    pub(super) fn unread(&self, status: Status, found: Found) -> Assessment {
        metrics::text(status.name());
        Assessment {
            status,
            language: found.tag,
            language_confidence: found.confidence,
            coverage: if status == Status::Empty { 1.0 } else { 0.0 },
            token_count: 0,
            window_count: 0,
            evidence: None,
            sentiment: None,
            emotions: Vec::new(),
            emotion_groups: Vec::new(),
            cues: Vec::new(),
            other_heads: Vec::new(),
            sentences: Vec::new(),
            model_id: self.manifest.id.clone(),
            model_version: self.manifest.version.clone(),
        }
    }

    fn assessment(
        &self,
        found: Found,
        tokens: &TokenizedText,
        window_count: usize,
        (reading, sentences): (Reading, Vec<crate::domain::SentenceAssessment>),
    ) -> Assessment {
        Assessment {
            status: Status::Ok,
            language: found.tag,
            language_confidence: found.confidence,
            // Every token is owned by exactly one window, and all windows were read.
            coverage: 1.0,
            token_count: tokens.ids.len(),
            window_count,
            evidence: None,
            sentiment: reading.sentiment,
            emotions: reading.emotions,
            emotion_groups: reading.emotion_groups,
            cues: reading.cues,
            other_heads: reading.other_heads,
            sentences,
            model_id: self.manifest.id.clone(),
            model_version: self.manifest.version.clone(),
        }
    }
}

/// Runs on the current thread; on a multi-threaded runtime its other tasks move on.
fn block_in_place<T>(work: impl FnOnce() -> T) -> T {
    match tokio::runtime::Handle::try_current().map(|h| h.runtime_flavor()) {
        Ok(tokio::runtime::RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
