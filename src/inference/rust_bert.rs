//! The rust-bert backend: native weights in safetensors, computed by libtorch. Behind the cargo feature `rust-bert`.
//!
//! Plain sequence classifiers give logits alone: their `contributions` and `attention_scores` are empty. Networks in
//! attune's own form give all three, as their ONNX graphs do. The weights are in memory once, whatever the number of
//! workers. Nothing here may panic for what a file or a text says: what libtorch would throw at is checked before, and
//! what is thrown all the same becomes an error.

mod classifier;
mod own_form;
mod settings;
mod weights;

use std::panic::{AssertUnwindSafe, catch_unwind};

use parking_lot::Mutex;
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

use self::classifier::Classifier;
use self::own_form::OwnForm;
use self::settings::Settings;
use self::weights::Weights;
use super::backend::{Backend, BackendFactory, EncodedBatch, InferenceError, WindowOutput};
use crate::model::{Manifest, ModelBundle, Network};

/// Builds networks over one set of weights.
pub struct RustBertFactory {
    manifest: Manifest,
    settings: Settings,
    /// A tensor may go from thread to thread, and may not be looked at by two of them.
    weights: Mutex<Weights>,
}

impl RustBertFactory {
    /// Reads weights and configuration; the bundle is not needed any more afterwards.
    pub fn load(bundle: &ModelBundle) -> Result<Self, InferenceError> {
        let (Network::RustBert(architecture), Some(config)) =
            (&bundle.manifest.network, &bundle.architecture_config)
        else {
            return Err(InferenceError::Load("the model is not one of rust-bert's".into()));
        };
        let (settings, weights) = guarded(InferenceError::Load, || {
            let settings = Settings::read(architecture.kind, config, &bundle.manifest)?;
            Ok((settings, Weights::read(&bundle.graph)?))
        })?;
        Ok(Self { manifest: bundle.manifest.clone(), settings, weights: Mutex::new(weights) })
    }
}

impl BackendFactory for RustBertFactory {
    fn build(&self) -> Result<Box<dyn Backend>, InferenceError> {
        let manifest = &self.manifest;
        let network = guarded(InferenceError::Load, || self.assemble())?;
        let mut backend = RustBertBackend {
            network,
            labels: manifest.label_count(),
            heads: manifest.heads.len(),
            vocabulary: self.settings.vocabulary(),
            positions: self.settings.positions(),
            threads_set: false,
        };
        // A tiny run proves the shapes before the first request does.
        backend.run(&EncodedBatch::new(&[&[manifest.markers.end]], manifest.markers))?;
        // The first run of a worker sets the threads of its own thread.
        backend.threads_set = false;
        Ok(Box::new(backend))
    }
}

impl RustBertFactory {
    fn assemble(&self) -> Result<Assembled, InferenceError> {
        let weights = self.weights.lock();
        self.settings.fit(&weights)?;
        let mut store = VarStore::new(Device::Cpu);
        let network = match &self.settings {
            Settings::Attune(config) => {
                Assembled::OwnForm(OwnForm::new(&store.root(), config, &weights, &self.manifest)?)
            }
            other => Assembled::Classifier(Classifier::new(&store.root(), other)?),
        };
        store.freeze();
        weights.fill(&store)?;
        Ok(network)
    }
}

enum Assembled {
    Classifier(Classifier),
    OwnForm(OwnForm),
}

/// What a run gives, as tensors.
struct Outputs {
    /// `[rows, labels]`.
    logits: Tensor,
    /// `[rows, columns, labels]` and `[rows, columns, heads]`, from a network whose terms add up.
    terms: Option<(Tensor, Tensor)>,
}

struct RustBertBackend {
    network: Assembled,
    labels: usize,
    heads: usize,
    vocabulary: i64,
    positions: usize,
    threads_set: bool,
}

impl Backend for RustBertBackend {
    fn run(&mut self, batch: &EncodedBatch) -> Result<Vec<WindowOutput>, InferenceError> {
        self.check(batch)?;
        if !self.threads_set {
            // Of the thread that runs: there is one worker per core, and more threads would take the others' cores.
            tch::set_num_threads(1);
            self.threads_set = true;
        }
        let (rows, columns) = (batch.rows(), batch.columns);
        guarded(InferenceError::Run, || {
            let _no_gradients = tch::no_grad_guard();
            let size = [rows as i64, columns as i64];
            let ids = Tensor::from_slice(&batch.input_ids).reshape(size);
            let mask = Tensor::from_slice(&batch.attention_mask).reshape(size);
            let outputs = match &self.network {
                Assembled::Classifier(network) => network.run(&ids, &mask)?,
                Assembled::OwnForm(network) => network.run(&ids, &mask)?,
            };
            self.read(batch, &outputs)
        })
    }
}

impl RustBertBackend {
    /// Libtorch would throw at an id or a position that its tables do not have.
    fn check(&self, batch: &EncodedBatch) -> Result<(), InferenceError> {
        if batch.columns > self.positions {
            return Err(InferenceError::Shape(format!(
                "a row has {} tokens, and config.json has positions for {}",
                batch.columns, self.positions
            )));
        }
        let known = 0..self.vocabulary;
        match batch.input_ids.iter().find(|id| !known.contains(id)) {
            Some(id) => Err(InferenceError::Shape(format!(
                "the tokenizer gives id {id}, and config.json has a vocabulary of {}",
                self.vocabulary
            ))),
            None => Ok(()),
        }
    }

    fn read(&self, batch: &EncodedBatch, outputs: &Outputs) -> Result<Vec<WindowOutput>, InferenceError> {
        let (rows, columns) = (batch.rows(), batch.columns);
        let logits = numbers(&outputs.logits, rows * self.labels)?;
        let terms = match &outputs.terms {
            Some((contributions, scores)) => Some((
                numbers(contributions, rows * columns * self.labels)?,
                numbers(scores, rows * columns * self.heads)?,
            )),
            None => None,
        };
        Ok(batch
            .lengths
            .iter()
            .enumerate()
            .map(|(row, tokens)| {
                let part = |values: &[f32], width: usize| batch.of_text(row, values, width);
                let (contributions, attention_scores) = match &terms {
                    Some((terms, scores)) => (part(terms, self.labels), part(scores, self.heads)),
                    None => (Vec::new(), Vec::new()),
                };
                let logits = logits[row * self.labels..(row + 1) * self.labels].to_vec();
                WindowOutput { logits, contributions, attention_scores, tokens: *tokens }
            })
            .collect())
    }
}

fn numbers(tensor: &Tensor, size: usize) -> Result<Vec<f32>, InferenceError> {
    let flat = tensor.f_to_kind(Kind::Float).and_then(|t| t.f_reshape([-1])).map_err(|e| said(&e))?;
    let values = Vec::<f32>::try_from(&flat).map_err(|e| said(&e))?;
    if values.len() == size {
        return Ok(values);
    }
    Err(InferenceError::Shape(format!("the network gave {} numbers, expected {size}", values.len())))
}

/// What libtorch says in its first line; the rest is a stack.
fn said(error: &dyn std::fmt::Display) -> InferenceError {
    InferenceError::Run(error.to_string().lines().next().unwrap_or_default().to_owned())
}

/// Does what may throw inside libtorch: tch and rust-bert turn that into a panic, which would end the worker.
fn guarded<T>(
    failed: fn(String) -> InferenceError,
    work: impl FnOnce() -> Result<T, InferenceError>,
) -> Result<T, InferenceError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("rust-bert panicked");
        Err(failed(text.lines().next().unwrap_or_default().to_owned()))
    })
}
