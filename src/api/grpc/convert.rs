//! Between protobuf and domain values, both ways; nowhere else.

use super::v1;
use crate::batching::Lane;
use crate::domain::{
    Assessment, Evidence, EvidenceMethod, HeadAssessment, LabelAssessment, SentenceAssessment, Sentiment,
    SentimentLabel, Span, Status,
};
use crate::error::Error;
use crate::model::{Activation, HeadKind, Manifest};
use crate::pipeline::AnalysisOptions;

/// Options as the pipeline takes them, and the lane; `lane` is what unspecified means.
pub(super) fn options(
    from: Option<v1::AnalysisOptions>,
    lane: Lane,
) -> Result<(AnalysisOptions, Lane), Error> {
    let Some(from) = from else { return Ok((AnalysisOptions::default(), lane)) };
    let lane = match v1::Lane::try_from(from.lane) {
        Ok(v1::Lane::Unspecified) => lane,
        Ok(v1::Lane::Interactive) => Lane::Interactive,
        Ok(v1::Lane::Bulk) => Lane::Bulk,
        Err(_) => {
            return Err(Error::invalid(
                "options.lane",
                format!("{} is not a Lane; expected 0 (default), 1 (interactive) or 2 (bulk)", from.lane),
            ));
        }
    };
    let defaults = AnalysisOptions::default();
    let options = AnalysisOptions {
        heads: from.heads,
        evidence: from.evidence.unwrap_or(defaults.evidence),
        sentences: from.sentences.unwrap_or(defaults.sentences),
        all_labels: from.all_labels,
        thresholds: from.thresholds.into_iter().collect(),
    };
    Ok((options, lane))
}

/// The caller's language tag: empty for none. Tags are short and plain.
pub(super) fn language(tag: &str) -> Result<Option<&str>, Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    match tag {
        "" => Ok(None),
        _ if tag.len() <= 35 && tag.chars().all(plain) => Ok(Some(tag)),
        _ => Err(Error::invalid("language", "expected a BCP 47 tag such as \"en\" or \"en-GB\"")),
    }
}

pub(super) fn assessment(from: Assessment) -> v1::Assessment {
    v1::Assessment {
        status: match from.status {
            Status::Ok => v1::Status::Ok,
            Status::Empty => v1::Status::Empty,
            Status::UnsupportedLanguage => v1::Status::UnsupportedLanguage,
        }
        .into(),
        language: from.language.unwrap_or_default(),
        language_confidence: from.language_confidence,
        coverage: from.coverage,
        token_count: count(from.token_count),
        window_count: count(from.window_count),
        sentiment: from.sentiment.map(sentiment),
        emotions: labels(from.emotions),
        emotion_groups: from
            .emotion_groups
            .into_iter()
            .map(|(group, p)| v1::EmotionGroup { group: group.into(), probability: p.get() })
            .collect(),
        cues: labels(from.cues),
        other_heads: heads(from.other_heads),
        sentences: from.sentences.into_iter().map(sentence).collect(),
        model: Some(v1::ModelReference { id: from.model_id, version: from.model_version }),
        evidence_method: from
            .evidence
            .map_or(v1::EvidenceMethod::Unspecified, |scope| evidence_method(scope.method))
            .into(),
        evidence_windows: from.evidence.map_or(0, |scope| count(scope.windows)),
    }
}

fn evidence_method(from: EvidenceMethod) -> v1::EvidenceMethod {
    match from {
        EvidenceMethod::Contributions => v1::EvidenceMethod::Contributions,
        EvidenceMethod::Occlusion => v1::EvidenceMethod::Occlusion,
    }
}

pub(super) fn model(manifest: &Manifest, is_default: bool) -> v1::Model {
    v1::Model {
        id: manifest.id.clone(),
        version: manifest.version.clone(),
        description: manifest.description.clone(),
        license: manifest.license.clone(),
        languages: manifest.languages.clone(),
        maximum_tokens: count(manifest.maximum_tokens),
        heads: manifest
            .heads
            .iter()
            .map(|head| v1::Head {
                name: head.name.clone(),
                kind: match head.kind {
                    HeadKind::Sentiment => v1::HeadKind::Sentiment,
                    HeadKind::Emotion => v1::HeadKind::Emotion,
                    HeadKind::Cue => v1::HeadKind::Cue,
                    HeadKind::Other => v1::HeadKind::Other,
                }
                .into(),
                activation: match head.activation {
                    Activation::Softmax => v1::Activation::Softmax,
                    Activation::Sigmoid => v1::Activation::Sigmoid,
                }
                .into(),
                labels: head
                    .labels
                    .iter()
                    .zip(&head.thresholds)
                    .map(|(name, t)| v1::HeadLabel { name: name.clone(), threshold: t.get() })
                    .collect(),
            })
            .collect(),
        is_default,
        graph_sha256: manifest.graph.sha256.clone(),
        scores: manifest.scores.clone().into_iter().collect(),
        evidence_method: evidence_method(manifest.evidence).into(),
        ..v1::Model::default()
    }
}

fn sentiment(from: Sentiment) -> v1::Sentiment {
    v1::Sentiment {
        label: match from.label {
            SentimentLabel::Negative => v1::SentimentLabel::Negative,
            SentimentLabel::Neutral => v1::SentimentLabel::Neutral,
            SentimentLabel::Positive => v1::SentimentLabel::Positive,
            SentimentLabel::Mixed => v1::SentimentLabel::Mixed,
        }
        .into(),
        score: from.score(),
        negative: from.negative.get(),
        neutral: from.neutral.get(),
        positive: from.positive.get(),
        evidence: from
            .evidence
            .into_iter()
            .map(|e| v1::ClassEvidence { label: e.class.name().into(), evidence: Some(evidence(e.evidence)) })
            .collect(),
    }
}

fn labels(from: Vec<LabelAssessment>) -> Vec<v1::LabelAssessment> {
    from.into_iter()
        .map(|l| v1::LabelAssessment {
            label: l.label,
            probability: l.probability.get(),
            threshold: l.threshold.get(),
            predicted: l.predicted,
            evidence: l.evidence.map(evidence),
        })
        .collect()
}

fn heads(from: Vec<HeadAssessment>) -> Vec<v1::HeadAssessment> {
    from.into_iter().map(|h| v1::HeadAssessment { head: h.head, labels: labels(h.labels) }).collect()
}

fn sentence(from: SentenceAssessment) -> v1::SentenceAssessment {
    v1::SentenceAssessment {
        span: Some(span(from.span)),
        sentiment: from.sentiment.map(sentiment),
        emotions: labels(from.emotions),
        cues: labels(from.cues),
        other_heads: heads(from.other_heads),
    }
}

fn evidence(from: Evidence) -> v1::Evidence {
    v1::Evidence {
        logit: from.logit,
        bias: from.bias,
        spans: from
            .spans
            .into_iter()
            .map(|s| v1::EvidenceSpan { span: Some(span(s.span)), contribution: s.contribution })
            .collect(),
        remainder: from.remainder,
    }
}

pub(super) fn span(from: Span) -> v1::Span {
    v1::Span {
        byte_start: count(from.byte_start),
        byte_end: count(from.byte_end),
        char_start: count(from.char_start),
        char_end: count(from.char_end),
    }
}

/// Texts are bounded far below 4 GiB, so that every count and offset fits.
pub(super) fn count(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
