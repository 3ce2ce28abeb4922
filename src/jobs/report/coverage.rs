//! What was read, what was not, and why.

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::figures::MICRO;
use crate::domain::{Assessment, Status};

/// Reasons that are kept apart; they are a handful of sentences of which numbers may differ.
const REASONS: usize = 20;
/// Languages that are kept apart; the detector knows no more than seventy.
const LANGUAGES: usize = 80;
/// Models that are kept apart; a run has one, unless it was resumed with another.
const MODELS: usize = 8;
/// A text of which less than this share of the tokens was read is said to be read in part.
const WHOLE: f64 = 0.9995;

/// Rows and texts by what became of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Coverage {
    /// Rows that were read.
    pub(super) rows: u64,
    /// Rows that could not be read, by reason.
    pub(super) bad: Counts,
    /// Texts that were scored.
    pub(super) scored: u64,
    /// Texts without anything to read.
    pub(super) empty: u64,
    /// Texts in languages that the model was not trained for, by language.
    pub(super) unsupported: Counts,
    /// Texts that could not be scored, by reason.
    pub(super) failed: Counts,
    /// Languages of scored texts.
    pub(super) languages: Counts,
    /// Id and version of the models that read the texts.
    pub(super) models: Counts,
    /// Scored texts of which some tokens were not read.
    pub(super) partial: u64,
    /// Scored texts of more than one window.
    pub(super) windowed: u64,
    read_micro: u64,
}

impl Coverage {
    pub(super) fn bad(&mut self, reason: &str) {
        self.bad.push(reason, REASONS);
    }

    pub(super) fn failed(&mut self, reason: &str) {
        self.failed.push(reason, REASONS);
    }

    pub(super) fn assessed(&mut self, assessment: &Assessment) {
        let language = assessment.language.as_deref().unwrap_or("not identified");
        match assessment.status {
            Status::Empty => self.empty += 1,
            Status::UnsupportedLanguage => self.unsupported.push(language, LANGUAGES),
            Status::Ok => {
                self.scored += 1;
                self.languages.push(language, LANGUAGES);
                self.models.push(&format!("{} {}", assessment.model_id, assessment.model_version), MODELS);
                self.partial += u64::from(assessment.coverage < WHOLE);
                self.windowed += u64::from(assessment.window_count > 1);
                self.read_micro += (assessment.coverage.clamp(0.0, 1.0) * MICRO).round() as u64;
            }
        }
    }

    /// Texts, whatever became of them.
    pub(super) fn texts(&self) -> u64 {
        self.scored + self.empty + self.unsupported.total() + self.failed.total()
    }

    /// Mean share of the scored texts' tokens that were read.
    pub(super) fn read(&self) -> Option<f64> {
        (self.scored > 0).then(|| self.read_micro as f64 / MICRO / self.scored as f64)
    }
}
