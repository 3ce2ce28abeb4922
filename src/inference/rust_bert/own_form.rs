//! attune's own form: a BERT encoder, and per head attention pooling with a linear layer. For head g with labels c and
//! tokens t of the text (markers and padding take no part):
//!
//! ```text
//! s_t = u_g · h_t        a_t = softmax over t of s_t
//! contribution_t,c = a_t · (w_c · h_t)        logit_c = b_c + Σ_t contribution_t,c
//! ```
//!
//! It is what `models/training/network.py` exports to ONNX, here over the weights as they were trained.

use rust_bert::bert::{BertConfig, BertEmbeddings, BertModel};
use tch::nn::Path;
use tch::{Kind, Tensor};

use super::weights::Weights;
use super::{Outputs, said};
use crate::inference::InferenceError;
use crate::model::{Activation, Manifest};

/// The score of a token that takes no part, as in the exported graph.
const NO_PART: f64 = -50.0;

/// The encoder and its heads side by side.
pub(super) struct OwnForm {
    body: BertModel<BertEmbeddings>,
    /// `[hidden, labels]`.
    weight: Tensor,
    /// `[labels]`.
    bias: Tensor,
    /// `[hidden, heads]`.
    score: Tensor,
    /// `[labels]`: the number of each label's head.
    head_of_label: Tensor,
    begin: i64,
    end: i64,
}

impl OwnForm {
    /// Builds the encoder, whose variables are still to be filled, and takes the heads out of the weights.
    pub(super) fn new(
        root: &Path<'_>,
        config: &BertConfig,
        weights: &Weights,
        manifest: &Manifest,
    ) -> Result<Self, InferenceError> {
        let hidden = config.hidden_size;
        let (mut weight, mut bias, mut score, mut head_of_label) = (vec![], vec![], vec![], vec![]);
        for (number, head) in manifest.heads.iter().enumerate() {
            let (name, labels) = (&head.name, head.labels.len() as i64);
            let mut w = weights.get(&format!("out.{name}.weight"), &[labels, hidden])?;
            let mut b = weights.get(&format!("out.{name}.bias"), &[labels])?;
            if head.activation == Activation::Softmax {
                // Centred over the classes, a class's terms speak for it against the others; probabilities stay as they are.
                w = &w - w.mean_dim([0i64].as_slice(), true, Kind::Float);
                b = &b - b.mean(Kind::Float);
            }
            weight.push(w);
            bias.push(b);
            score.push(weights.get(&format!("score.{name}.weight"), &[1, hidden])?);
            head_of_label.extend(std::iter::repeat_n(number as i64, head.labels.len()));
        }
        Ok(Self {
            body: BertModel::new_with_optional_pooler(root / "body", config, false),
            weight: Tensor::cat(&weight, 0).tr().contiguous(),
            bias: Tensor::cat(&bias, 0),
            score: Tensor::cat(&score, 0).tr().contiguous(),
            head_of_label: Tensor::from_slice(&head_of_label),
            begin: i64::from(manifest.markers.begin),
            end: i64::from(manifest.markers.end),
        })
    }

    /// Runs a batch.
    pub(super) fn run(&self, ids: &Tensor, mask: &Tensor) -> Result<Outputs, InferenceError> {
        let encoded = self.body.forward_t(Some(ids), Some(mask), None, None, None, None, None, false);
        let hidden = encoded.map_err(|e| said(&e))?.hidden_state;
        let scores = hidden.matmul(&self.score);
        let text = mask.to_kind(Kind::Bool).logical_and(&ids.ne(self.begin)).logical_and(&ids.ne(self.end));
        let text = text.unsqueeze(-1);
        let pooled = scores.masked_fill(&text.logical_not(), NO_PART).softmax(1, Kind::Float)
            * text.to_kind(Kind::Float);
        let contributions = hidden.matmul(&self.weight) * pooled.index_select(2, &self.head_of_label);
        let logits = contributions.sum_dim_intlist([1i64].as_slice(), false, Kind::Float) + &self.bias;
        Ok(Outputs { logits, terms: Some((contributions, scores)) })
    }
}
