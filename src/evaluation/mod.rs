//! Measures a model on labelled texts, fits its calibration to them, and says what another model would change.
//!
//! `dataset` reads files, `mapping` turns their labels into the model's, `scoring` runs the model, and the rest is
//! arithmetic on what came out (`baseline` counts what drift sees of the rows): `scores`, `metrics`, `bootstrap`, `fit`, `calibration`, `compare`. `report`, `render`
//! and `diagram` say it. Nothing here prints or writes files, and no message quotes a text.

pub mod baseline;
pub mod bootstrap;
pub mod calibration;
pub mod compare;
pub mod dataset;
pub mod diagram;
pub mod fit;
pub mod left_out;
mod lines;
pub mod mapping;
pub mod metrics;
mod render;
pub mod report;
pub mod scores;
pub mod scoring;

pub use dataset::{InputFormat, Labels, Separator, Source};
pub use mapping::Mapping;
pub use scoring::{LabelledFile, Scorer};

use crate::error::Error;
use crate::model::{Head, HeadKind, Manifest};

/// What is measured: one of the heads that attune has a field for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Negative, neutral, positive.
    Sentiment,
    /// Emotion labels.
    Emotion,
    /// Customer cues.
    Cues,
}

impl Task {
    /// The task's name in reports and flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sentiment => "sentiment",
            Self::Emotion => "emotion",
            Self::Cues => "cues",
        }
    }

    /// Names under which a file may hold this task's labels, the likeliest first.
    pub fn column_names(self) -> &'static [&'static str] {
        match self {
            Self::Sentiment => &["sentiment", "label", "labels"],
            Self::Emotion => &["emotions", "emotion", "labels", "label"],
            Self::Cues => &["cues", "cue", "labels", "label"],
        }
    }

    /// The model's head for the task. Errors: `InvalidInput` when it has none.
    pub fn head(self, manifest: &Manifest) -> Result<&Head, Error> {
        let kind = match self {
            Self::Sentiment => HeadKind::Sentiment,
            Self::Emotion => HeadKind::Emotion,
            Self::Cues => HeadKind::Cue,
        };
        manifest.heads.iter().find(|h| h.kind == kind).ok_or_else(|| {
            let names: Vec<&str> = manifest.heads.iter().map(|h| h.name.as_str()).collect();
            Error::invalid("task", format!("the model has no head for it; it has {}", names.join(", ")))
        })
    }
}

/// How a name out of a file is shown. A long one is likely a text from a column that was taken for another, and texts
/// are not quoted.
pub(crate) fn shown(name: &str) -> String {
    let characters = name.chars().count();
    if characters <= 32 && name.split_whitespace().count() <= 3 {
        format!("{name:?}")
    } else {
        format!("(a cell of {characters} characters)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelBundle;

    #[test]
    fn each_task_finds_its_head_in_the_embedded_model() {
        let manifest = ModelBundle::load_embedded().unwrap().manifest;
        for (task, name) in [(Task::Sentiment, "sentiment"), (Task::Emotion, "emotion"), (Task::Cues, "cue")]
        {
            assert_eq!(task.head(&manifest).unwrap().name, name);
        }
    }

    #[test]
    fn a_cell_that_may_be_a_text_is_not_quoted() {
        assert_eq!(shown("very happy"), "\"very happy\"");
        assert_eq!(shown("my order is late again"), "(a cell of 22 characters)");
    }
}
