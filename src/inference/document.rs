//! Combines the windows of one text additively.
//!
//! In a window with attention scores s, token t has weight a_t = exp(s_t) / Σ_window exp(s), and the graph gives
//! a_t · (w·h_t). Over the whole text the weight is exp(s_t) / Σ_text exp(s), so a window's terms are multiplied by
//! Σ_window / Σ_text, sums taken over exp(s) and, for the text, over owned tokens. The terms still add up to the logit.
//!
//! A network that only has logits says nothing of tokens: a text's logit is then the mean of its windows', each weighted by
//! the tokens that it owns, as a plain mean over tokens would weigh them.

use std::ops::Range;

use super::backend::WindowOutput;
use super::window::Window;

/// A window of a text that is read by a network that only has logits.
#[derive(Debug, Clone, PartialEq)]
pub struct PlainWindow {
    /// Its share of the text's tokens, in (0, 1].
    pub share: f64,
    /// `[labels]`
    pub logits: Vec<f64>,
}

/// Per-token terms of a whole text, or its logits alone.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentScores {
    labels: usize,
    heads: usize,
    /// `[labels]`; without terms, the logits.
    bias: Vec<f64>,
    /// `[tokens, labels]`; empty without terms.
    contributions: Vec<f32>,
    /// `[tokens, heads]`; adds up to 1 over tokens.
    weights: Vec<f32>,
    /// The windows; empty with terms.
    plain: Vec<PlainWindow>,
}

/// Collects windows in their order, then combines them.
#[derive(Debug)]
pub struct DocumentBuilder {
    labels: usize,
    heads: usize,
    head_of_label: Vec<usize>,
    bias: Option<Vec<f64>>,
    contributions: Vec<f32>,
    scores: Vec<f32>,
    /// Owned tokens and, per head, the logarithm of the window's Σ exp(s).
    parts: Vec<(usize, Vec<f64>)>,
    /// Owned tokens and logits of windows without terms.
    plain: Vec<(usize, Vec<f64>)>,
}

impl DocumentBuilder {
    /// `head_labels` holds each head's range of the label axis.
    pub fn new(head_labels: &[Range<usize>]) -> Self {
        let head_of_label =
            head_labels.iter().enumerate().flat_map(|(h, r)| r.clone().map(move |_| h)).collect();
        Self {
            labels: head_labels.last().map_or(0, |r| r.end),
            heads: head_labels.len(),
            head_of_label,
            bias: None,
            contributions: Vec::new(),
            scores: Vec::new(),
            parts: Vec::new(),
            plain: Vec::new(),
        }
    }

    /// Adds the next window's output.
    pub fn push(&mut self, window: &Window, output: &WindowOutput) {
        let (labels, heads) = (self.labels, self.heads);
        let logits = || output.logits.iter().map(|l| f64::from(*l));
        if output.contributions.is_empty() {
            self.plain.push((window.owned.len(), logits().collect()));
            return;
        }
        let bias = || {
            let mut bias: Vec<f64> = logits().collect();
            for row in output.contributions.chunks_exact(labels) {
                for (b, c) in bias.iter_mut().zip(row) {
                    *b -= f64::from(*c);
                }
            }
            bias
        };
        self.bias.get_or_insert_with(bias);
        let owned = window.owned.start - window.tokens.start..window.owned.end - window.tokens.start;
        self.contributions.extend_from_slice(&output.contributions[owned.start * labels..owned.end * labels]);
        self.scores.extend_from_slice(&output.attention_scores[owned.start * heads..owned.end * heads]);
        let mass = (0..heads).map(|h| log_sum_exp(&output.attention_scores, h, heads)).collect();
        self.parts.push((owned.len(), mass));
    }

    /// The text's terms; `None` when no window was added.
    pub fn finish(mut self) -> Option<DocumentScores> {
        let (labels, heads) = (self.labels, self.heads);
        if !self.plain.is_empty() {
            return Some(plain(labels, heads, self.plain));
        }
        let bias = self.bias?;
        let totals: Vec<f64> = (0..heads).map(|h| log_sum_exp(&self.scores, h, heads)).collect();
        if self.parts.len() > 1 {
            let mut rows = self.contributions.chunks_exact_mut(labels);
            for (tokens, mass) in &self.parts {
                let scale: Vec<f64> = mass.iter().zip(&totals).map(|(m, t)| (m - t).exp()).collect();
                for row in rows.by_ref().take(*tokens) {
                    for (value, head) in row.iter_mut().zip(&self.head_of_label) {
                        *value = (f64::from(*value) * scale[*head]) as f32;
                    }
                }
            }
        }
        for row in self.scores.chunks_exact_mut(heads) {
            for (score, total) in row.iter_mut().zip(&totals) {
                *score = (f64::from(*score) - total).exp() as f32;
            }
        }
        let (contributions, weights) = (self.contributions, self.scores);
        Some(DocumentScores { labels, heads, bias, contributions, weights, plain: Vec::new() })
    }
}

/// A text out of windows that only have logits.
fn plain(labels: usize, heads: usize, parts: Vec<(usize, Vec<f64>)>) -> DocumentScores {
    let tokens: usize = parts.iter().map(|(owned, _)| owned).sum();
    let share = |owned: usize| owned as f64 / tokens.max(1) as f64;
    let windows: Vec<PlainWindow> =
        parts.into_iter().map(|(owned, logits)| PlainWindow { share: share(owned), logits }).collect();
    let mean = |label| windows.iter().map(|window| window.share * window.logits[label]).sum();
    DocumentScores {
        labels,
        heads,
        bias: (0..labels).map(mean).collect(),
        contributions: Vec::new(),
        weights: vec![share(1) as f32; tokens * heads],
        plain: windows,
    }
}

fn log_sum_exp(scores: &[f32], head: usize, heads: usize) -> f64 {
    let of_head = || scores.iter().skip(head).step_by(heads).map(|s| f64::from(*s));
    let highest = of_head().fold(f64::NEG_INFINITY, f64::max);
    highest + of_head().map(|s| (s - highest).exp()).sum::<f64>().ln()
}

impl DocumentScores {
    /// Tokens of the text.
    pub fn tokens(&self) -> usize {
        self.weights.len() / self.heads
    }

    /// The windows of a text whose network only has logits; empty for one that has terms.
    pub fn plain_windows(&self) -> &[PlainWindow] {
        &self.plain
    }

    /// What the label starts from, before any token; without terms, the logit.
    pub fn bias(&self, label: usize) -> f64 {
        self.bias[label]
    }

    /// What a token adds to a label's logit; nothing without terms.
    pub fn contribution(&self, token: usize, label: usize) -> f64 {
        self.contributions.get(token * self.labels + label).map_or(0.0, |term| f64::from(*term))
    }

    /// The label's logit for the whole text.
    pub fn logit(&self, label: usize) -> f64 {
        self.bias[label] + (0..self.tokens()).map(|t| self.contribution(t, label)).sum::<f64>()
    }

    /// Share of a head's attention that falls on a range of tokens, in [0, 1].
    pub fn weight(&self, tokens: Range<usize>, head: usize) -> f64 {
        tokens.map(|t| f64::from(self.weights[t * self.heads + head])).sum()
    }

    /// The logit of a part of the text, as if its tokens were all: their terms over their share of attention.
    /// `None` for a part that no attention falls on, and without terms.
    pub fn part_logit(&self, tokens: Range<usize>, label: usize, head: usize) -> Option<f64> {
        let weight = self.weight(tokens.clone(), head);
        if weight <= f64::EPSILON || !self.plain.is_empty() {
            return None;
        }
        Some(self.bias[label] + tokens.map(|t| self.contribution(t, label)).sum::<f64>() / weight)
    }
}

#[cfg(test)]
mod tests {
    use super::super::window::windows;
    use super::*;
    use proptest::prelude::*;

    /// A window's output for given per-token values w·h and scores, as the graph computes it.
    fn graph(values: &[f32], scores: &[f32], bias: f32) -> WindowOutput {
        let total: f32 = scores.iter().map(|s| s.exp()).sum();
        let contributions: Vec<f32> = values.iter().zip(scores).map(|(v, s)| v * s.exp() / total).collect();
        WindowOutput {
            logits: vec![contributions.iter().sum::<f32>() + bias],
            contributions,
            attention_scores: scores.to_vec(),
            tokens: values.len(),
        }
    }

    proptest! {
        #[test]
        fn windows_combine_to_what_one_pass_over_the_text_would_give(
            tokens in prop::collection::vec((-4.0f32..4.0, -3.0f32..3.0), 1..400),
            bias in -2.0f32..2.0,
        ) {
            let (values, scores): (Vec<f32>, Vec<f32>) = tokens.into_iter().unzip();
            let one_head = std::iter::once(0..1).collect::<Vec<_>>();
            let mut builder = DocumentBuilder::new(&one_head);
            for window in windows(values.len(), 60, 20) {
                let range = window.tokens.clone();
                builder.push(&window, &graph(&values[range.clone()], &scores[range], bias));
            }
            let combined = builder.finish().unwrap();
            let whole = graph(&values, &scores, bias);
            prop_assert!((combined.logit(0) - f64::from(whole.logits[0])).abs() < 1e-3);
            prop_assert!((combined.weight(0..values.len(), 0) - 1.0).abs() < 1e-4);
            let part = combined.part_logit(0..values.len(), 0, 0).unwrap();
            prop_assert!((part - combined.logit(0)).abs() < 1e-3);
        }

        #[test]
        fn windows_without_terms_are_weighed_by_the_tokens_they_own(
            logits in prop::collection::vec(-9.0f32..9.0, 20),
            count in 1usize..600,
        ) {
            let one_head = std::iter::once(0..1).collect::<Vec<_>>();
            let mut builder = DocumentBuilder::new(&one_head);
            let all = windows(count, 60, 20);
            for (window, logit) in all.iter().zip(logits.iter().cycle()) {
                let tokens = window.tokens.len();
                let (contributions, attention_scores) = (Vec::new(), Vec::new());
                builder.push(window, &WindowOutput { logits: vec![*logit], contributions, attention_scores, tokens });
            }
            let combined = builder.finish().unwrap();
            let weighed = all.iter().zip(logits.iter().cycle());
            let mean = weighed.map(|(w, l)| w.owned.len() as f64 * f64::from(*l)).sum::<f64>() / count as f64;
            prop_assert!((combined.logit(0) - mean).abs() < 1e-6);
            prop_assert!((combined.plain_windows().iter().map(|w| w.share).sum::<f64>() - 1.0).abs() < 1e-9);
            prop_assert!((combined.weight(0..count, 0) - 1.0).abs() < 1e-3);
            prop_assert_eq!((combined.tokens(), combined.part_logit(0..1, 0, 0)), (count, None));
        }
    }
}
