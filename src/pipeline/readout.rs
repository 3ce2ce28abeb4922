//! From per-token terms to an assessment: probabilities, thresholds, the mixed rule, evidence and sentences.

use std::cell::LazyCell;
use std::ops::{Deref, Range};

use super::beside::{self, Beside};
use super::calibrated::PlacedHead;
use super::evidence::{self, Places, Terms};
use super::options::ResolvedOptions;
use super::{observed, segment};
use crate::domain::emotion::EKMAN_GROUPS;
use crate::domain::probability::logit;
use crate::domain::{
    ClassEvidence, Evidence, EvidenceMethod, EvidenceScope, HeadAssessment, LabelAssessment, Probability,
    SentenceAssessment, Sentiment, SentimentLabel, Spans,
};
use crate::drift::Said;
use crate::error::Error;
use crate::inference::{DocumentScores, TokenizedText};
use crate::model::{Activation, HeadKind, Manifest, MixedRule};

/// Where words are measured from a threshold, one nearer to 0 or 1 counts as this far off: a caller may set it there.
const LEAST_THRESHOLD: f64 = 0.01;

/// What the heads say of a text or of a sentence.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) sentiment: Option<Sentiment>,
    pub(super) emotions: Vec<LabelAssessment>,
    pub(super) emotion_groups: Vec<(&'static str, Probability)>,
    pub(super) cues: Vec<LabelAssessment>,
    pub(super) other_heads: Vec<HeadAssessment>,
    /// What drift sees of it; of the whole text alone.
    pub(super) said: Said,
}

/// One text with everything that reading it takes.
pub(super) struct Readout<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a TokenizedText,
    pub(super) scores: &'a DocumentScores,
    pub(super) beside: &'a Beside,
    pub(super) manifest: &'a Manifest,
    pub(super) options: &'a ResolvedOptions,
}

impl Readout<'_> {
    /// The whole text.
    pub(super) fn text(&self) -> Reading {
        // Only for evidence and where the sentiment may be mixed.
        let clauses = LazyCell::new(|| segment::clauses(self.text));
        let places = self.options.evidence.then(|| {
            let words = match &self.beside.occluded {
                Some(occluded) => occluded.pieces.clone(),
                None => evidence::words(self.tokens),
            };
            Places::new(self.text, self.tokens, words, &clauses)
        });
        let mut reading = Reading::default();
        for head in self.heads() {
            let probabilities = head.probabilities(&head.logits(self.scores));
            reading.said.note(head.place, observed::said(head.head, &probabilities));
            if head.head.kind == HeadKind::Sentiment {
                reading.sentiment = Some(self.sentiment(&head, &probabilities, &clauses, places.as_ref()));
                continue;
            }
            if head.head.kind == HeadKind::Emotion {
                reading.emotion_groups = groups(&head, &probabilities);
            }
            let labels = self.labels(&head, &probabilities, places.as_ref());
            reading.put(&head, labels);
        }
        reading
    }

    /// How evidence was looked for, and where.
    pub(super) fn scope(&self, windows: usize) -> Option<EvidenceScope> {
        let looked_into = self.beside.occluded.as_ref().map_or(0, |occluded| occluded.windows);
        let scope = if self.scores.plain_windows().is_empty() {
            EvidenceScope { method: EvidenceMethod::Contributions, windows }
        } else {
            EvidenceScope { method: EvidenceMethod::Occlusion, windows: looked_into }
        };
        self.options.evidence.then_some(scope)
    }

    /// Whether any label is reported under `options`.
    pub(super) fn reports(&self, options: &ResolvedOptions) -> bool {
        self.heads_of(options).any(|head| {
            // Of labels that exclude each other the likeliest is always reported.
            head.head.activation == Activation::Softmax
                || head
                    .probabilities(&head.logits(self.scores))
                    .iter()
                    .zip(head.labels.clone())
                    .any(|(probability, label)| *probability >= options.thresholds[label])
        })
    }

    /// Sentence by sentence, without evidence: from the same pass, or read one by one where its terms are not known.
    pub(super) fn sentences(&self) -> Result<Vec<SentenceAssessment>, Error> {
        let mut spans = Spans::new(self.text);
        let assessed = beside::sentences(self.text, self.tokens, self.scores)?
            .into_iter()
            .enumerate()
            .map(|(n, (range, tokens))| {
                let reading = match self.beside.sentences.get(n) {
                    Some(own) => self.part(|head| Some(head.logits(own))),
                    None => self.part(|head| head.part_logits(self.scores, &tokens)),
                };
                SentenceAssessment {
                    span: spans.of(range),
                    sentiment: reading.sentiment,
                    emotions: reading.emotions,
                    cues: reading.cues,
                    other_heads: reading.other_heads,
                }
            })
            .collect();
        Ok(assessed)
    }

    fn part(&self, logits: impl Fn(&PlacedHead<'_>) -> Option<Vec<f64>>) -> Reading {
        let mut reading = Reading::default();
        for head in self.heads() {
            let Some(logits) = logits(&head) else { continue };
            let probabilities = head.probabilities(&logits);
            if head.head.kind == HeadKind::Sentiment {
                reading.sentiment = sentiment_of(&probabilities);
            } else {
                let labels = self.labels(&head, &probabilities, None);
                reading.put(&head, labels);
            }
        }
        reading
    }

    fn heads(&self) -> impl Iterator<Item = PlacedHead<'_>> {
        self.heads_of(self.options)
    }

    fn heads_of<'s>(&'s self, options: &'s ResolvedOptions) -> impl Iterator<Item = PlacedHead<'s>> {
        self.manifest
            .heads_with_ranges()
            .enumerate()
            .filter(move |(place, _)| options.heads[*place])
            .map(|(place, (head, labels))| PlacedHead { head, place, labels })
    }

    fn sentiment(
        &self,
        head: &PlacedHead<'_>,
        p: &[Probability],
        clauses: &impl Deref<Target = Vec<Range<usize>>>,
        places: Option<&Places<'_>>,
    ) -> Sentiment {
        let mut sentiment = Sentiment::new(p[0], p[1], p[2]);
        if head.head.mixed.is_some_and(|rule| self.pulls_both_ways(head, p, clauses, rule)) {
            sentiment.label = SentimentLabel::Mixed;
        }
        if let Some(places) = places {
            let classes: &[SentimentLabel] = match sentiment.label {
                SentimentLabel::Mixed => &[SentimentLabel::Negative, SentimentLabel::Positive],
                SentimentLabel::Negative => &[SentimentLabel::Negative],
                SentimentLabel::Neutral => &[SentimentLabel::Neutral],
                SentimentLabel::Positive => &[SentimentLabel::Positive],
            };
            sentiment.evidence = classes
                .iter()
                .filter_map(|class| {
                    let own = head.head.labels.iter().position(|l| l == class.name())?;
                    let evidence = self.evidence(head, head.labels.start + own, places)?;
                    Some(ClassEvidence { class: *class, evidence })
                })
                .collect();
        }
        sentiment
    }

    /// The words behind a label of the label axis; `None` when the text was not looked into.
    fn evidence(&self, head: &PlacedHead<'_>, label: usize, places: &Places<'_>) -> Option<Evidence> {
        let words = &places.words;
        let terms = match &self.beside.occluded {
            Some(occluded) => {
                let effect = |piece| head.effect(occluded, piece, label);
                let bias = head.blank(occluded, label);
                let total = head.logit(self.scores, label) - bias;
                Terms { weights: (0..words.len()).map(effect).collect(), bias, total }
            }
            None if !self.scores.plain_windows().is_empty() => return None,
            None => {
                // Attention adds up to 1 over the text, so that what the words are measured from can be moved: from the
                // threshold, a word speaks for the label when it alone would be enough.
                let lift = self.threshold(head, label).map_or(0.0, |t| t - head.bias(self.scores, label));
                let term = |token| {
                    let share = self.scores.weight(token..token + 1, head.place);
                    head.contribution(self.scores, token, label) - lift * share
                };
                let weight = |word: &Range<usize>| word.clone().map(term).sum();
                let weights: Vec<f64> = words.iter().map(weight).collect();
                let total: f64 = weights.iter().sum();
                Terms { weights, bias: head.logit(self.scores, label) - total, total }
            }
        };
        Some(places.evidence(&terms))
    }

    /// The log-odds of a label's threshold; `None` in a head of which one label always holds.
    fn threshold(&self, head: &PlacedHead<'_>, label: usize) -> Option<f64> {
        let threshold = self.options.thresholds[label].get();
        (head.head.activation == Activation::Sigmoid).then(|| logit(threshold, LEAST_THRESHOLD))
    }

    /// Whether both sides are likely of the whole text, or clauses of both signs hold enough of the attention.
    fn pulls_both_ways(
        &self,
        head: &PlacedHead<'_>,
        text: &[Probability],
        clauses: &impl Deref<Target = Vec<Range<usize>>>,
        rule: MixedRule,
    ) -> bool {
        if rule.holds_of_text(text[0].get(), text[2].get()) {
            return true;
        }
        if clauses.len() < 2 {
            return false;
        }
        let (mut negative, mut positive) = (0.0, 0.0);
        for tokens in segment::tokens_in(self.tokens, clauses) {
            let Some(logits) = head.part_logits(self.scores, &tokens) else { continue };
            let p = head.probabilities(&logits);
            let share = self.scores.weight(tokens, head.place);
            if p[0].get() >= rule.clause_probability {
                negative += share;
            } else if p[2].get() >= rule.clause_probability {
                positive += share;
            }
        }
        negative >= rule.minimum_share && positive >= rule.minimum_share
    }

    fn labels(
        &self,
        head: &PlacedHead<'_>,
        probabilities: &[Probability],
        places: Option<&Places<'_>>,
    ) -> Vec<LabelAssessment> {
        let likeliest = probabilities
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.get().total_cmp(&b.1.get()))
            .map(|(own, _)| own);
        let mut labels: Vec<LabelAssessment> = head
            .head
            .labels
            .iter()
            .zip(probabilities)
            .enumerate()
            .filter_map(|(own, (name, probability))| {
                let threshold = self.options.thresholds[head.labels.start + own];
                let predicted = match head.head.activation {
                    Activation::Sigmoid => *probability >= threshold,
                    Activation::Softmax => likeliest == Some(own),
                };
                if !predicted && !self.options.all_labels {
                    return None;
                }
                let evidence = places
                    .filter(|_| predicted)
                    .and_then(|places| self.evidence(head, head.labels.start + own, places));
                Some(LabelAssessment {
                    label: name.clone(),
                    probability: *probability,
                    threshold,
                    predicted,
                    evidence,
                })
            })
            .collect();
        labels.sort_by(|a, b| b.probability.get().total_cmp(&a.probability.get()));
        labels
    }
}

impl Reading {
    fn put(&mut self, head: &PlacedHead<'_>, labels: Vec<LabelAssessment>) {
        match head.head.kind {
            HeadKind::Emotion => self.emotions = labels,
            HeadKind::Cue => self.cues = labels,
            HeadKind::Sentiment | HeadKind::Other => {
                self.other_heads.push(HeadAssessment { head: head.head.name.clone(), labels });
            }
        }
    }
}

fn sentiment_of(p: &[Probability]) -> Option<Sentiment> {
    match p {
        [negative, neutral, positive] => Some(Sentiment::new(*negative, *neutral, *positive)),
        _ => None,
    }
}

/// Group probability = 1 − Π(1 − p) over its labels, as if they were independent.
fn groups(head: &PlacedHead<'_>, probabilities: &[Probability]) -> Vec<(&'static str, Probability)> {
    EKMAN_GROUPS
        .iter()
        .filter_map(|(group, members)| {
            let mut of_group = head
                .head
                .labels
                .iter()
                .zip(probabilities)
                .filter(|(label, _)| members.contains(&label.as_str()))
                .map(|(_, p)| *p)
                .peekable();
            of_group.peek()?;
            Some((*group, Probability::any_of(of_group)))
        })
        .collect()
}
