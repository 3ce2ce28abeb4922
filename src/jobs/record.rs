//! What is said of a text, as bytes: to keep many of them in memory, and beside the output for a run that is resumed.
//!
//! Every bit of a probability survives; evidence is kept in single precision. Whatever is written or shown has been
//! through here, whether its text was new or known. Sentences are not kept; model id and version are the job's own.

use crate::domain::emotion::EKMAN_GROUPS;
use crate::domain::{
    Assessment, ClassEvidence, Evidence, EvidenceMethod, EvidenceScope, EvidenceSpan, HeadAssessment,
    LabelAssessment, Probability, Sentiment, SentimentLabel, Span, Status,
};

/// An assessment, or why there is none.
pub(super) type Outcome = Result<Assessment, String>;

const STATUSES: [Status; 3] = [Status::Ok, Status::Empty, Status::UnsupportedLanguage];
const METHODS: [EvidenceMethod; 2] = [EvidenceMethod::Contributions, EvidenceMethod::Occlusion];
const CLASSES: [SentimentLabel; 4] =
    [SentimentLabel::Negative, SentimentLabel::Neutral, SentimentLabel::Positive, SentimentLabel::Mixed];

/// Bytes of an outcome.
pub(super) fn encode(outcome: &Outcome) -> Box<[u8]> {
    let mut out = Encoder(Vec::with_capacity(256));
    match outcome {
        Ok(assessment) => {
            out.byte(0);
            out.assessment(assessment);
        }
        Err(reason) => {
            out.byte(1);
            out.text(reason);
        }
    }
    out.0.into_boxed_slice()
}

/// The outcome of `bytes`, read by the given model; `None` when [`encode`] has not written them.
pub(super) fn decode(bytes: &[u8], model: (&str, &str)) -> Option<Outcome> {
    let mut from = Decoder(bytes);
    let outcome = match from.byte()? {
        0 => Ok(from.assessment(model)?),
        1 => Err(from.text()?),
        _ => return None,
    };
    from.0.is_empty().then_some(outcome)
}

struct Encoder(Vec<u8>);

impl Encoder {
    fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    fn count(&mut self, value: usize) {
        // LEB128: most counts and offsets take a byte.
        let mut rest = value;
        while rest >= 0x80 {
            self.byte(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.byte(rest as u8);
    }

    fn single(&mut self, value: f64) {
        self.0.extend_from_slice(&(value as f32).to_le_bytes());
    }

    fn number(&mut self, value: f64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn assessment(&mut self, a: &Assessment) {
        self.byte(STATUSES.iter().position(|s| *s == a.status).unwrap_or(0) as u8);
        self.byte(u8::from(a.language.is_some()));
        self.text(a.language.as_deref().unwrap_or_default());
        self.number(a.language_confidence);
        self.number(a.coverage);
        self.count(a.token_count);
        self.count(a.window_count);
        self.byte(u8::from(a.sentiment.is_some()));
        if let Some(s) = &a.sentiment {
            self.class(s.label);
            for p in [s.negative, s.neutral, s.positive] {
                self.number(p.get());
            }
            self.count(s.evidence.len());
            for of_class in &s.evidence {
                self.class(of_class.class);
                self.evidence(&of_class.evidence);
            }
        }
        self.labels(&a.emotions);
        self.count(a.emotion_groups.len());
        for (group, p) in &a.emotion_groups {
            self.byte(EKMAN_GROUPS.iter().position(|(name, _)| name == group).unwrap_or(0) as u8);
            self.number(p.get());
        }
        self.labels(&a.cues);
        self.count(a.other_heads.len());
        for head in &a.other_heads {
            self.text(&head.head);
            self.labels(&head.labels);
        }
        self.scope(a.evidence);
    }

    fn scope(&mut self, scope: Option<EvidenceScope>) {
        let method = scope.and_then(|scope| METHODS.iter().position(|m| *m == scope.method));
        self.byte(method.map_or(0, |place| place as u8 + 1));
        if let Some(scope) = scope {
            self.count(scope.windows);
        }
    }

    fn labels(&mut self, labels: &[LabelAssessment]) {
        self.count(labels.len());
        for label in labels {
            self.text(&label.label);
            self.number(label.probability.get());
            self.number(label.threshold.get());
            self.byte(u8::from(label.predicted));
            self.byte(u8::from(label.evidence.is_some()));
            if let Some(evidence) = &label.evidence {
                self.evidence(evidence);
            }
        }
    }

    fn class(&mut self, class: SentimentLabel) {
        self.byte(CLASSES.iter().position(|c| *c == class).unwrap_or(0) as u8);
    }

    fn evidence(&mut self, evidence: &Evidence) {
        self.single(evidence.logit);
        self.single(evidence.bias);
        self.single(evidence.remainder);
        self.count(evidence.spans.len());
        for EvidenceSpan { span, core, contribution } in &evidence.spans {
            for offset in [span.byte_start, span.byte_end, span.char_start, span.char_end, core.0, core.1] {
                self.count(offset);
            }
            self.single(*contribution);
        }
    }
}

struct Decoder<'a>(&'a [u8]);

impl Decoder<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.byte()? != 0)
    }

    fn count(&mut self) -> Option<usize> {
        let mut value = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let byte = self.byte()?;
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn single(&mut self) -> Option<f64> {
        self.take().map(|bytes| f64::from(f32::from_le_bytes(bytes)))
    }

    fn number(&mut self) -> Option<f64> {
        self.take().map(f64::from_le_bytes)
    }

    fn probability(&mut self) -> Option<Probability> {
        Probability::try_new(self.number()?).ok()
    }

    fn text(&mut self) -> Option<String> {
        let count = self.count()?;
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        String::from_utf8(head.to_vec()).ok()
    }

    /// As many as the bytes say; a count that can't be true ends at the end of the bytes.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..self.count()?).map(|_| one(self)).collect()
    }

    fn assessment(&mut self, (model_id, model_version): (&str, &str)) -> Option<Assessment> {
        let status = *STATUSES.get(usize::from(self.byte()?))?;
        let (known, language) = (self.flag()?, self.text()?);
        Some(Assessment {
            status,
            language: known.then_some(language),
            language_confidence: self.number()?,
            coverage: self.number()?,
            token_count: self.count()?,
            window_count: self.count()?,
            sentiment: if self.flag()? { Some(self.sentiment()?) } else { None },
            emotions: self.labels()?,
            emotion_groups: self.list(|from| {
                let (group, _) = EKMAN_GROUPS.get(usize::from(from.byte()?))?;
                Some((*group, from.probability()?))
            })?,
            cues: self.labels()?,
            other_heads: self
                .list(|from| Some(HeadAssessment { head: from.text()?, labels: from.labels()? }))?,
            evidence: self.scope()?,
            sentences: Vec::new(),
            model_id: model_id.to_owned(),
            model_version: model_version.to_owned(),
        })
    }

    fn scope(&mut self) -> Option<Option<EvidenceScope>> {
        let Some(place) = usize::from(self.byte()?).checked_sub(1) else { return Some(None) };
        Some(Some(EvidenceScope { method: *METHODS.get(place)?, windows: self.count()? }))
    }

    fn sentiment(&mut self) -> Option<Sentiment> {
        let label = self.class()?;
        let mut sentiment = Sentiment::new(self.probability()?, self.probability()?, self.probability()?);
        sentiment.label = label;
        sentiment.evidence =
            self.list(|from| Some(ClassEvidence { class: from.class()?, evidence: from.evidence()? }))?;
        Some(sentiment)
    }

    fn class(&mut self) -> Option<SentimentLabel> {
        CLASSES.get(usize::from(self.byte()?)).copied()
    }

    fn evidence(&mut self) -> Option<Evidence> {
        let (logit, bias, remainder) = (self.single()?, self.single()?, self.single()?);
        let spans = self.list(|from| {
            let (byte_start, byte_end) = (from.count()?, from.count()?);
            let (char_start, char_end) = (from.count()?, from.count()?);
            let span = Span { byte_start, byte_end, char_start, char_end };
            let core = (from.count()?, from.count()?);
            Some(EvidenceSpan { span, core, contribution: from.single()? })
        })?;
        Some(Evidence { logit, bias, spans, remainder })
    }

    fn labels(&mut self) -> Option<Vec<LabelAssessment>> {
        self.list(|from| {
            Some(LabelAssessment {
                label: from.text()?,
                probability: from.probability()?,
                threshold: from.probability()?,
                predicted: from.flag()?,
                evidence: if from.flag()? { Some(from.evidence()?) } else { None },
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::assessment;
    use super::*;

    #[test]
    fn outcomes_come_back_bit_by_bit_and_anything_else_is_refused() {
        let mut mixed = assessment(0.1 + 0.2, &[("anger", 1.0 / 3.0), ("joy", 0.7)]);
        mixed.sentiment.as_mut().unwrap().label = SentimentLabel::Mixed;
        let span = Span { byte_start: 3, byte_end: 300, char_start: 3, char_end: 20_000 };
        let spans = vec![EvidenceSpan { span, core: (5, 290), contribution: -0.5 }];
        let evidence = Evidence { logit: 1.25, bias: 0.25, spans, remainder: 1.5 };
        mixed.emotions[0].evidence = Some(evidence.clone());
        mixed.sentiment.as_mut().unwrap().evidence =
            vec![ClassEvidence { class: SentimentLabel::Positive, evidence }];
        mixed.evidence = Some(EvidenceScope { method: EvidenceMethod::Occlusion, windows: 4 });
        mixed.other_heads = vec![HeadAssessment { head: "topic".into(), labels: mixed.emotions.clone() }];
        let empty =
            Assessment { status: Status::Empty, language: None, sentiment: None, ..assessment(0.5, &[]) };
        for outcome in [Ok(mixed), Ok(empty), Err("has 9 bytes".to_owned())] {
            let bytes = encode(&outcome);
            assert_eq!(decode(&bytes, ("tiny", "1")), Some(outcome));
            for end in 0..bytes.len() {
                assert_eq!(decode(&bytes[..end], ("tiny", "1")), None, "{end}");
            }
            assert_eq!(decode(&[&bytes[..], &[0]].concat(), ("tiny", "1")), None);
        }
        assert_eq!(decode(&[7], ("tiny", "1")), None);
    }
}
