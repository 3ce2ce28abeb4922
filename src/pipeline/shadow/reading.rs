//! Where the shadow meets the analyzer: what a live call hands over, and how the candidate reads.

use std::sync::Arc;
use std::time::Duration;

use super::Shadow;
use crate::error::Error;
use crate::inference::window::windows;
use crate::inference::{DocumentScores, language};
use crate::model::Manifest;
use crate::pipeline::Call;
use crate::pipeline::analyzer::Analyzer;
use crate::pipeline::calibrated::PlacedHead;

impl Analyzer {
    /// Has texts that are read from now on mirrored to a candidate, or to none.
    pub(in crate::pipeline) fn set_shadow(&self, shadow: Option<Arc<Shadow>>) {
        self.shadow.store(shadow);
    }

    /// Hands a text that was read over to the candidate, if there is one and it is the text's turn. Costs a live call a
    /// copy of the text and its probabilities, and never waits.
    pub(in crate::pipeline) fn mirror(
        &self,
        text: &str,
        language: Option<&str>,
        scores: &DocumentScores,
        took: Duration,
    ) {
        let shadow = self.shadow.load();
        let Some(shadow) = shadow.as_ref().filter(|shadow| shadow.is_due()) else { return };
        let live = probabilities(self.manifest(), scores);
        shadow.offer(text, language, (live, took), self.check_overload().is_err());
    }

    /// Calibrated probabilities on the label axis, of a text that another model has read and whose language is known, if it
    /// can be told; `None` for one that this network does not read. Errors: as [`Analyzer::analyze`].
    pub(super) async fn probabilities(
        &self,
        text: &str,
        tag: Option<&str>,
        call: Call,
    ) -> Result<Option<Vec<f64>>, Error> {
        if !language::is_supported(tag, &self.manifest().languages) {
            return Ok(None);
        }
        let tokens = self.tokenize(text).await?;
        if tokens.ids.is_empty() {
            return Ok(None);
        }
        let _room = self.long_room(tokens.ids.len(), call.deadline).await?;
        let manifest = self.manifest();
        let windows = windows(tokens.ids.len(), manifest.window_tokens(), manifest.window_overlap);
        let scores = self.read(&tokens, &windows, call).await?;
        Ok(Some(probabilities(manifest, &scores)))
    }
}

fn probabilities(manifest: &Manifest, scores: &DocumentScores) -> Vec<f64> {
    let heads = manifest.heads_with_ranges().enumerate();
    let heads = heads.map(|(place, (head, labels))| PlacedHead { head, place, labels });
    heads.flat_map(|head| head.probabilities(&head.logits(scores))).map(|p| p.get()).collect()
}
