//! `config.json`: what rust-bert needs of it, and what would make its numbers differ from those the model was trained
//! with.

use rust_bert::bert::BertConfig;
use rust_bert::distilbert::DistilBertConfig;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::weights::Weights;
use crate::inference::InferenceError;
use crate::model::{ArchitectureKind, Manifest};

/// The most that a size in `config.json` may be, so that a wrong one can't ask for all memory: the largest published encoders
/// have 50 layers, 2,560 numbers per token and 4,096 positions.
const LARGEST: i64 = 1 << 16;
/// The largest epsilon of a layer norm that is let pass, that of the published RoBERTa models: rust-bert computes with 1e-12, which
/// moves logits by a thousandth or so.
const EPSILON: f64 = 1e-5;
/// Keys that rust-bert asks for, that play no part when a text is read, and that not every version of transformers writes;
/// those without a number are switches.
const UNUSED: &[(&str, Option<f64>)] = &[
    ("attention_dropout", Some(0.0)),
    ("attention_probs_dropout_prob", Some(0.0)),
    ("dropout", Some(0.0)),
    ("hidden_dropout_prob", Some(0.0)),
    ("initializer_range", Some(0.02)),
    ("qa_dropout", Some(0.0)),
    ("seq_classif_dropout", Some(0.0)),
    ("sinusoidal_pos_embds", None),
    ("tie_weights_", None),
];
/// The id from which RoBERTa's positions count; rust-bert has it fixed.
const ROBERTA_PAD: u32 = 1;

/// A configuration, checked against the manifest.
pub(super) enum Settings {
    Bert(BertConfig),
    Roberta(BertConfig),
    Distilbert(DistilBertConfig),
    Attune(BertConfig),
}

/// What rust-bert does not read, and has fixed.
#[derive(Deserialize)]
struct Fixed {
    layer_norm_eps: Option<f64>,
    pad_token_id: Option<u32>,
    position_embedding_type: Option<String>,
    is_decoder: Option<bool>,
}

impl Settings {
    /// Reads `config.json`, and refuses what would not fit the manifest.
    pub(super) fn read(
        kind: ArchitectureKind,
        json: &[u8],
        manifest: &Manifest,
    ) -> Result<Self, InferenceError> {
        let settings = match kind {
            ArchitectureKind::Bert => Self::Bert(bert(json, manifest)?),
            ArchitectureKind::Roberta => Self::Roberta(bert(json, manifest)?),
            ArchitectureKind::Attune => {
                // The labels are the heads', which it has several of.
                let config = parse::<BertConfig>(json)?;
                Self::Attune(BertConfig { output_attentions: None, output_hidden_states: None, ..config })
            }
            ArchitectureKind::Distilbert => {
                let mut config: DistilBertConfig = parse(json)?;
                config.id2label = Some(labelled(config.id2label, manifest)?);
                // Sinusoids are only what the table starts from; the weights bring it.
                config.sinusoidal_pos_embds = false;
                (config.output_attentions, config.output_hidden_states) = (None, None);
                Self::Distilbert(config)
            }
            // As many places apart as there are heads is the furthest that rust-bert 0.23 tells two tokens apart: it takes
            // the heads' axis for the tokens'. On a tiny network logits are off by 0.1 from nine tokens on.
            ArchitectureKind::Deberta => {
                return Err(InferenceError::Load(
                    "rust-bert computes DeBERTa's relative positions wrongly in texts of more than a few tokens; serve this \
                     model in ONNX"
                        .into(),
                ));
            }
        };
        settings.check_sizes()?;
        settings.check_fixed(&parse(json)?, manifest)?;
        if manifest.maximum_tokens > settings.positions() {
            return Err(InferenceError::Shape(format!(
                "maximum_tokens is {}, and config.json has positions for {}",
                manifest.maximum_tokens,
                settings.positions()
            )));
        }
        Ok(settings)
    }

    /// Number of token ids.
    pub(super) fn vocabulary(&self) -> i64 {
        self.sizes()[0]
    }

    /// The longest row, markers included.
    pub(super) fn positions(&self) -> usize {
        let positions = self.sizes()[1];
        let positions = match self {
            // They count from the id of the padding on.
            Self::Roberta(_) => positions - i64::from(ROBERTA_PAD) - 1,
            _ => positions,
        };
        usize::try_from(positions).unwrap_or(0)
    }

    /// The table of words says whether weights and configuration belong together, before memory is asked for.
    pub(super) fn fit(&self, weights: &Weights) -> Result<(), InferenceError> {
        let table = match self {
            Self::Bert(_) => "bert.embeddings.word_embeddings.weight",
            Self::Roberta(_) => "roberta.embeddings.word_embeddings.weight",
            Self::Distilbert(_) => "distilbert.embeddings.word_embeddings.weight",
            Self::Attune(_) => "body.embeddings.word_embeddings.weight",
        };
        weights.get(table, &[self.vocabulary(), self.sizes()[2]]).map(|_| ())
    }

    /// Vocabulary, positions, width, heads, layers, width between.
    fn sizes(&self) -> [i64; 6] {
        match self {
            Self::Bert(c) | Self::Roberta(c) | Self::Attune(c) => [
                c.vocab_size,
                c.max_position_embeddings,
                c.hidden_size,
                c.num_attention_heads,
                c.num_hidden_layers,
                c.intermediate_size,
            ],
            Self::Distilbert(c) => {
                [c.vocab_size, c.max_position_embeddings, c.dim, c.n_heads, c.n_layers, c.hidden_dim]
            }
        }
    }

    fn check_sizes(&self) -> Result<(), InferenceError> {
        let [vocabulary, rest @ ..] = self.sizes();
        let [_, width, heads, ..] = rest;
        if !(1..=LARGEST * LARGEST).contains(&vocabulary)
            || rest.iter().any(|size| !(1..=LARGEST).contains(size))
        {
            return Err(load(format!("a size is not in 1 to {LARGEST}")));
        }
        if width % heads != 0 {
            return Err(load(format!("{heads} attention heads do not divide a width of {width}")));
        }
        Ok(())
    }

    fn check_fixed(&self, fixed: &Fixed, manifest: &Manifest) -> Result<(), InferenceError> {
        // DistilBERT has no other than rust-bert's.
        let epsilon = match self {
            Self::Distilbert(_) => None,
            _ => fixed.layer_norm_eps.filter(|eps| !(0.0..=EPSILON).contains(eps)),
        };
        if let Some(eps) = epsilon {
            return Err(load(format!(
                "layer_norm_eps is {eps}, and rust-bert computes with 1e-12; serve this model in ONNX"
            )));
        }
        if let Some(kind) = fixed.position_embedding_type.as_ref().filter(|kind| *kind != "absolute") {
            return Err(load(format!(
                "position_embedding_type is \"{kind}\", and rust-bert has only \"absolute\""
            )));
        }
        if fixed.is_decoder == Some(true) {
            return Err(load("is_decoder is true: a decoder does not read a text as a whole".into()));
        }
        let pad = [fixed.pad_token_id.unwrap_or(ROBERTA_PAD), manifest.markers.pad];
        if matches!(self, Self::Roberta(_)) && pad != [ROBERTA_PAD; 2] {
            return Err(InferenceError::Shape(format!(
                "pad_token_id and markers.pad are {pad:?}; rust-bert's RoBERTa counts positions from id {ROBERTA_PAD} on"
            )));
        }
        Ok(())
    }
}

fn bert(json: &[u8], manifest: &Manifest) -> Result<BertConfig, InferenceError> {
    let mut config: BertConfig = parse(json)?;
    config.id2label = Some(labelled(config.id2label, manifest)?);
    (config.output_attentions, config.output_hidden_states) = (None, None);
    Ok(config)
}

/// The labels by number. Transformers writes none where they are the two it has without being told.
fn labelled<M>(labels: Option<M>, manifest: &Manifest) -> Result<M, InferenceError>
where
    M: IntoIterator<Item = (i64, String)> + FromIterator<(i64, String)>,
{
    let count = manifest.label_count();
    let labels: Vec<(i64, String)> = match labels {
        Some(labels) => labels.into_iter().collect(),
        None => (0..2).map(|n| (n, String::new())).collect(),
    };
    if labels.len() != count {
        return Err(InferenceError::Shape(format!(
            "config.json has {} labels, and the manifest {count}",
            labels.len()
        )));
    }
    Ok(labels.into_iter().collect())
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, InferenceError> {
    let mut keys: Map<String, Value> = serde_json::from_slice(json).map_err(|e| load(e.to_string()))?;
    for (key, value) in UNUSED {
        keys.entry(*key).or_insert_with(|| value.map_or(Value::Bool(false), Value::from));
    }
    serde_json::from_value(Value::Object(keys)).map_err(|e| load(e.to_string()))
}

fn load(problem: String) -> InferenceError {
    InferenceError::Load(format!("config.json: {problem}"))
}
