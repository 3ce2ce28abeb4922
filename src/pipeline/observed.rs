//! What drift sees of a text, out of what was read: at the model's own thresholds, whatever the caller asked for.

use crate::domain::{Assessment, Probability, Status};
use crate::drift::{HeadSaid, Language, Observation, Said};
use crate::inference::TokenizedText;
use crate::model::{Activation, Head, HeadKind};

/// A text that was read, or that there was nothing to read in.
pub(super) struct ReadText {
    pub(super) assessment: Assessment,
    /// By the second options.
    pub(super) also: Option<Assessment>,
    /// What drift sees of it.
    pub(super) seen: Observation,
}

/// What a head said of a text.
pub(super) fn said(head: &Head, probabilities: &[Probability]) -> HeadSaid {
    let (likeliest, highest) = probabilities
        .iter()
        .map(|p| p.get())
        .enumerate()
        .fold((0, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best });
    let score = match (head.kind, probabilities) {
        (HeadKind::Sentiment, [negative, _, positive]) => (positive.get() - negative.get()).midpoint(1.0),
        _ => highest,
    };
    match head.activation {
        Activation::Softmax => HeadSaid::new(std::iter::once(likeliest), score),
        Activation::Sigmoid => {
            let reached = probabilities.iter().zip(&head.thresholds).enumerate();
            HeadSaid::new(reached.filter(|(_, (p, threshold))| p >= threshold).map(|(at, _)| at), score)
        }
    }
}

/// A text that did not reach the network.
pub(super) fn unread(assessment: &Assessment, language_given: bool) -> Observation {
    match assessment.status {
        Status::Empty => Observation::empty(),
        // A language that is read is no reason to be here.
        Status::Ok | Status::UnsupportedLanguage => {
            Observation::unsupported((!language_given).then_some(Language::Other))
        }
    }
}

/// A text that did. `identified` is what the identification said, `None` where the caller named the language.
pub(super) fn read(
    identified: Option<Option<&str>>,
    tokens: &TokenizedText,
    unknown: Option<u32>,
    said: Said,
) -> Observation {
    let language = identified.map(|tag| tag.map_or(Language::Unidentified, |_| Language::OfModel));
    let unknown = unknown.map_or(0, |unknown| tokens.ids.iter().filter(|id| **id == unknown).count());
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Observation::read(language, count(tokens.ids.len()), count(unknown), count(words(tokens)), said)
}

/// Words of a text: tokens with no gap between them make one.
fn words(tokens: &TokenizedText) -> usize {
    let gaps = tokens.offsets.windows(2).filter(|pair| pair[0].end != pair[1].start).count();
    if tokens.offsets.is_empty() { 0 } else { gaps + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::TextTokenizer;
    use crate::model::ModelBundle;

    #[test]
    fn words_and_tokens_that_nobody_knows_are_counted() {
        let bundle = ModelBundle::load_embedded().unwrap();
        let tokenizer = TextTokenizer::parse(&bundle.tokenizer).unwrap();
        assert!(tokenizer.unknown().is_some());
        for (text, tokens, words, unknown) in
            [("where is my parcel", 4, 4, 0), ("hello, you", 3, 2, 0), ("ok \u{12345} then", 3, 3, 1)]
        {
            let cut = tokenizer.tokenize(text).unwrap();
            let seen = read(None, &cut, tokenizer.unknown(), Said::default());
            assert_eq!((seen.tokens, seen.words, seen.unknown), (tokens, words, unknown), "{text}");
        }
    }

    #[test]
    fn labels_count_at_the_models_own_thresholds() {
        let manifest = ModelBundle::load_embedded().unwrap().manifest;
        let head = manifest.heads.iter().find(|head| head.kind == HeadKind::Cue).unwrap();
        let mut p = vec![Probability::try_new(0.0).unwrap(); head.labels.len()];
        assert_eq!(said(head, &p), HeadSaid::new(std::iter::empty(), 0.0));
        p[2] = head.thresholds[2];
        assert_eq!(said(head, &p), HeadSaid::new(std::iter::once(2), head.thresholds[2].get()));
        let sentiment = manifest.heads.iter().find(|head| head.kind == HeadKind::Sentiment).unwrap();
        let p = [0.7, 0.2, 0.1].map(|p| Probability::try_new(p).unwrap());
        assert_eq!(said(sentiment, &p), HeadSaid::new(std::iter::once(0), 0.2));
    }
}
