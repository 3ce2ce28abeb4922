//! The plain sequence classifiers of transformers: a text's logits, and no terms per token.

use rust_bert::bert::BertForSequenceClassification;
use rust_bert::distilbert::DistilBertModelClassifier;
use rust_bert::roberta::RobertaForSequenceClassification;
use tch::Tensor;
use tch::nn::Path;

use super::settings::Settings;
use super::{Outputs, said};
use crate::inference::InferenceError;

/// One of them, with its variables.
pub(super) enum Classifier {
    Bert(BertForSequenceClassification),
    Roberta(RobertaForSequenceClassification),
    Distilbert(DistilBertModelClassifier),
}

impl Classifier {
    /// Builds the network; its variables are random until weights fill them.
    pub(super) fn new(root: &Path<'_>, settings: &Settings) -> Result<Self, InferenceError> {
        let built = match settings {
            Settings::Bert(config) => BertForSequenceClassification::new(root, config).map(Self::Bert),
            Settings::Roberta(config) => {
                RobertaForSequenceClassification::new(root, config).map(Self::Roberta)
            }
            Settings::Distilbert(config) => {
                DistilBertModelClassifier::new(root, config).map(Self::Distilbert)
            }
            Settings::Attune(_) => {
                return Err(InferenceError::Load("attune's own form is no plain classifier".into()));
            }
        };
        built.map_err(|e| InferenceError::Load(e.to_string()))
    }

    /// Runs a batch. There is one kind of token, and positions are what each network makes of them.
    pub(super) fn run(&self, ids: &Tensor, mask: &Tensor) -> Result<Outputs, InferenceError> {
        let (ids, mask) = (Some(ids), Some(mask));
        let logits = match self {
            Self::Bert(network) => network.forward_t(ids, mask, None, None, None, false).logits,
            Self::Roberta(network) => network.forward_t(ids, mask, None, None, None, false).logits,
            Self::Distilbert(network) => {
                network.forward_t(ids, mask, None, false).map_err(|e| said(&e))?.logits
            }
        };
        Ok(Outputs { logits, terms: None })
    }
}
