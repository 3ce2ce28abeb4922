//! What a network that only has logits is asked beside the text itself: the text with some of its words covered, for evidence,
//! and its sentences, each as a text of its own. A network with terms per token is asked nothing more.

use std::ops::Range;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};

use super::analyzer::{Analyzer, Call, WINDOWS_IN_FLIGHT};
use super::occlusion::{self, Occluded, Plan};
use super::options::ResolvedOptions;
use super::readout::Readout;
use super::{evidence, segment};
use crate::batching::{Entrance, Request};
use crate::error::Error;
use crate::inference::document::DocumentBuilder;
use crate::inference::window::{Window, windows};
use crate::inference::{DocumentScores, TokenizedText, WindowOutput};
use crate::model::Manifest;

/// Sentences that are read one by one. Together they have no more tokens than the text, and two markers each.
const SENTENCES: usize = 256;
/// Sentences that are assessed out of the terms of one pass; a text of a million line breaks must not become gigabytes of
/// answers.
const SENTENCES_OF_TERMS: usize = 4096;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// The text without each of its pieces, when evidence was asked for and something is reported.
    pub(super) occluded: Option<Occluded>,
    /// The sentences that have tokens, in their order.
    pub(super) sentences: Vec<DocumentScores>,
}

/// What the network said of a text.
pub(super) struct Heard {
    /// Windows that the text was read in.
    pub(super) windows: usize,
    pub(super) scores: DocumentScores,
    pub(super) beside: Beside,
}

/// A sentence of a text: where it stands, in bytes and in tokens, at least one.
pub(super) type Sentence = (Range<usize>, Range<usize>);

/// The sentences of a text that have tokens. Errors: `InvalidInput` for more than are assessed.
pub(super) fn sentences(
    text: &str,
    tokens: &TokenizedText,
    scores: &DocumentScores,
) -> Result<Vec<Sentence>, Error> {
    let most = if scores.plain_windows().is_empty() { SENTENCES_OF_TERMS } else { SENTENCES };
    let ranges = segment::sentences(text);
    if ranges.len() > most {
        let message =
            format!("the text has {} sentences, at most {most} are assessed; split it", ranges.len());
        return Err(Error::invalid("options.sentences", message));
    }
    let token_ranges = segment::tokens_in(tokens, &ranges);
    Ok(ranges.into_iter().zip(token_ranges).filter(|(_, tokens)| !tokens.is_empty()).collect())
}

/// Rows of token ids that are to be read, and what they are for.
pub(super) struct Questions {
    /// Token ids without markers.
    pub(super) rows: Vec<Vec<u32>>,
    occlusion: Option<Plan>,
    /// Rows of each sentence, by its windows.
    sentences: Vec<Vec<Window>>,
}

impl Questions {
    /// Nothing for a text with terms. Errors: `InvalidInput` for too many sentences.
    pub(super) fn new(
        readout: &Readout<'_>,
        also: Option<&ResolvedOptions>,
        windows: &[Window],
    ) -> Result<Self, Error> {
        let mut questions = Self { rows: Vec::new(), occlusion: None, sentences: Vec::new() };
        let all = || std::iter::once(readout.options).chain(also);
        if readout.scores.plain_windows().is_empty() {
            return Ok(questions);
        }
        if all().any(|options| options.evidence && readout.reports(options)) {
            let plan = Plan::new(&evidence::words(readout.tokens), windows);
            questions.rows = plan.rows(&readout.tokens.ids, windows, readout.manifest.occlusion_token);
            questions.occlusion = Some(plan);
        }
        if all().any(|options| options.sentences) {
            for (_, tokens) in sentences(readout.text, readout.tokens, readout.scores)? {
                questions.add_sentence(&readout.tokens.ids[tokens], readout.manifest);
            }
        }
        Ok(questions)
    }

    fn add_sentence(&mut self, ids: &[u32], manifest: &Manifest) {
        let windows = windows(ids.len(), manifest.window_tokens(), manifest.window_overlap);
        self.rows.extend(windows.iter().map(|window| ids[window.tokens.clone()].to_vec()));
        self.sentences.push(windows);
    }

    /// What follows from the rows' outputs, which are in the order of the rows.
    pub(super) fn finish(
        self,
        outputs: &[Arc<WindowOutput>],
        scores: &DocumentScores,
        head_labels: &[Range<usize>],
    ) -> Result<Beside, Error> {
        let unread = || Error::internal("a row was not read");
        let of_sentences: usize = self.sentences.iter().map(Vec::len).sum();
        let (covered, rest) = outputs.split_at_checked(self.rows.len() - of_sentences).ok_or_else(unread)?;
        let mut rest = rest.iter();
        let sentence = |windows: Vec<Window>| {
            let mut builder = DocumentBuilder::new(head_labels);
            windows.iter().zip(rest.by_ref()).for_each(|(window, output)| builder.push(window, output));
            builder.finish().ok_or_else(unread)
        };
        let sentences = self.sentences.into_iter().map(sentence).collect::<Result<_, Error>>()?;
        Ok(Beside { occluded: self.occlusion.and_then(|plan| plan.finish(covered, scores)), sentences })
    }
}

impl Analyzer {
    /// Tokens that a text of so many bytes brings, about, as far as they wait at the same time.
    pub(super) fn estimate(&self, text_tokens: usize, evidence: bool) -> usize {
        let covers = evidence && !self.manifest().has_terms();
        let runs = if covers { 1 + occlusion::PIECES } else { 1 };
        (text_tokens * runs).min(WINDOWS_IN_FLIGHT * self.manifest().maximum_tokens)
    }

    /// Asks what there is to ask, through the queue, and never refused: the text itself was let in.
    pub(super) async fn ask(
        &self,
        questions: Questions,
        scores: &DocumentScores,
        call: Call,
    ) -> Result<Beside, Error> {
        if questions.rows.is_empty() {
            return Ok(Beside::default());
        }
        let longest = questions.rows.iter().map(Vec::len).max().unwrap_or(1);
        // As many tokens at once as the windows of a long text.
        let in_flight = (WINDOWS_IN_FLIGHT * self.manifest().window_tokens() / longest)
            .clamp(WINDOWS_IN_FLIGHT, occlusion::PIECES);
        let entrance = match call.entrance {
            Entrance::Refuse | Entrance::Continue => Entrance::Continue,
            Entrance::Wait => Entrance::Wait,
        };
        let requests: Vec<Request> = questions
            .rows
            .iter()
            .map(|ids| Request {
                ids: ids.as_slice().into(),
                lane: call.lane,
                entrance,
                deadline: call.deadline,
            })
            .collect();
        let submit = |request| async move { self.batcher.submit(request).await.map(|answer| answer.output) };
        let answers = futures_util::stream::iter(requests).map(submit).buffered(in_flight);
        let outputs: Vec<Arc<WindowOutput>> = answers.try_collect().await?;
        questions.finish(&outputs, scores, &self.head_labels)
    }
}

#[cfg(test)]
#[path = "beside_tests.rs"]
mod tests;
