//! The ONNX Runtime backend: one single-threaded session per worker.
//!
//! A graph takes `input_ids`, `attention_mask` and, if it wants them, `token_type_ids` `[batch, tokens]` (int64) and returns
//! `logits [batch, labels]`, `contributions [batch, tokens, labels]` and, unless it pools by a plain mean,
//! `attention_scores [batch, tokens, heads]` (float32). Of a model whose evidence comes from occlusion only the logits are read.

mod heap;
mod provider;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::Tensor;
use parking_lot::Mutex;

use self::heap::GiveBack;
use super::backend::{Backend, BackendFactory, EncodedBatch, InferenceError, WindowOutput};
use super::provider::Provider;
use crate::model::ModelBundle;

/// What the backend can feed. Texts have one part, so that token types are zeros.
pub(super) const INPUTS: [&str; 3] = ["input_ids", "attention_mask", "token_type_ids"];

/// The runtime is one per process: the path it came from, once it is loaded.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// Builds sessions over one graph.
pub struct OnnxFactory {
    environment: Environment,
    bundle: Arc<ModelBundle>,
    provider: Provider,
}

impl OnnxFactory {
    /// Loads the library (once per process) and keeps the graph for the sessions to come.
    pub fn load(library: &Path, bundle: Arc<ModelBundle>) -> Result<Self, InferenceError> {
        Ok(Self { environment: environment(library)?, bundle, provider: Provider::Cpu })
    }

    /// Has the graph run by another execution provider than ONNX Runtime's own. Error: `Library`, which says what is missing
    /// and what to do.
    pub fn with_provider(self, provider: Provider) -> Result<Self, InferenceError> {
        provider::prepare(&self.environment, &provider)?;
        Ok(Self { provider, ..self })
    }
}

pub(super) fn environment(library: &Path) -> Result<Environment, InferenceError> {
    let mut loaded = LOADED.lock();
    if let Some((path, environment)) = &*loaded {
        if path != library {
            tracing::warn!(used = %path.display(), asked = %library.display(), "ONNX Runtime is loaded already");
        }
        return Ok(environment.clone());
    }
    let fail = |problem: String| {
        InferenceError::Library(format!(
            "{} can't be used as ONNX Runtime ({problem}); this build needs API level 24, which `make runtime` fetches",
            library.display()
        ))
    };
    let environment = ort::init_from(library)
        .map_err(|e| fail(e.to_string()))?
        .with_name("attune")
        .with_telemetry(false)
        .build()
        .map_err(|e| fail(e.to_string()))?;
    *loaded = Some((library.to_path_buf(), environment.clone()));
    Ok(environment)
}

impl BackendFactory for OnnxFactory {
    fn build(&self) -> Result<Box<dyn Backend>, InferenceError> {
        let session = session(&self.environment, &self.bundle.graph, &self.provider)?;
        let plain = !self.bundle.manifest.has_terms();
        let has = |name: &str| session.outputs().iter().any(|o| o.name() == name);
        for name in ["logits", "contributions"].into_iter().take(if plain { 1 } else { 2 }) {
            if !has(name) {
                return Err(InferenceError::Shape(format!("it has no output `{name}`")));
            }
        }
        if let Some(unknown) = session.inputs().iter().find(|i| !INPUTS.contains(&i.name())) {
            let problem = format!("it takes an input `{}`; known are {}", unknown.name(), INPUTS.join(", "));
            return Err(InferenceError::Shape(problem));
        }
        let takes = |name: &str| session.inputs().iter().any(|i| i.name() == name);
        let mut backend = OnnxBackend {
            scores: has("attention_scores"),
            inputs: INPUTS.map(takes),
            plain,
            session,
            labels: self.bundle.manifest.label_count(),
            heads: self.bundle.manifest.heads.len(),
            _freed: GiveBack,
        };
        // A tiny run proves the shapes before the first request does.
        backend
            .run(&EncodedBatch::new(&[&[self.bundle.manifest.markers.end]], self.bundle.manifest.markers))?;
        Ok(Box::new(backend))
    }
}

/// A session over a graph.
pub(super) fn session(
    environment: &Environment,
    graph: &[u8],
    provider: &Provider,
) -> Result<Session, InferenceError> {
    let builder = configure(environment).map_err(|e| InferenceError::Load(e.to_string()))?;
    let mut builder = provider::apply(environment, builder, provider)?;
    builder.commit_from_memory(graph).map_err(|e| InferenceError::Load(e.to_string()))
}

/// One thread, no spinning: the dynamic batcher has one session per core, and a spinning pool would burn the cores
/// of its neighbours.
fn configure(environment: &Environment) -> Result<SessionBuilder, ort::Error> {
    let builder = Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        // Shapes differ from batch to batch: plans by shape would only fill the memory.
        .with_memory_pattern(false)?;
    Ok(builder)
}

struct OnnxBackend {
    session: Session,
    labels: usize,
    heads: usize,
    scores: bool,
    /// Which of `INPUTS` the graph takes.
    inputs: [bool; 3],
    /// Whether only the logits are read.
    plain: bool,
    /// Drops after the session.
    _freed: GiveBack,
}

impl Backend for OnnxBackend {
    fn run(&mut self, batch: &EncodedBatch) -> Result<Vec<WindowOutput>, InferenceError> {
        let fail = |e: ort::Error| InferenceError::Run(e.to_string());
        let (rows, columns) = (batch.rows(), batch.columns);
        let values = |name: &str| match name {
            "input_ids" => batch.input_ids.clone(),
            "attention_mask" => batch.attention_mask.clone(),
            _ => vec![0; rows * columns],
        };
        let taken = INPUTS.into_iter().zip(self.inputs).filter(|(_, taken)| *taken);
        let inputs = taken
            .map(|(name, _)| Ok((name, Tensor::from_array(([rows, columns], values(name))).map_err(fail)?)))
            .collect::<Result<Vec<_>, InferenceError>>()?;
        let outputs = self.session.run(inputs).map_err(fail)?;
        let take = |name: &str, size: usize| {
            let (_, values) = outputs[name].try_extract_tensor::<f32>().map_err(fail)?;
            if values.len() == size {
                return Ok(values);
            }
            Err(InferenceError::Shape(format!(
                "output `{name}` has {} numbers for {rows} rows of {columns} tokens, expected {size}",
                values.len()
            )))
        };
        let logits = take("logits", rows * self.labels)?;
        if self.plain {
            let logits = logits.chunks_exact(self.labels);
            return Ok(logits.zip(&batch.lengths).map(|(row, tokens)| plain(row, *tokens)).collect());
        }
        let contributions = take("contributions", rows * columns * self.labels)?;
        let scores =
            if self.scores { Some(take("attention_scores", rows * columns * self.heads)?) } else { None };
        Ok(batch
            .lengths
            .iter()
            .enumerate()
            .map(|(row, tokens)| {
                let part = |values: &[f32], width: usize| batch.of_text(row, values, width);
                WindowOutput {
                    logits: logits[row * self.labels..(row + 1) * self.labels].to_vec(),
                    contributions: part(contributions, self.labels),
                    attention_scores: scores
                        .map_or_else(|| vec![0.0; tokens * self.heads], |s| part(s, self.heads)),
                    tokens: *tokens,
                }
            })
            .collect())
    }
}

fn plain(logits: &[f32], tokens: usize) -> WindowOutput {
    let (contributions, attention_scores) = (Vec::new(), Vec::new());
    WindowOutput { logits: logits.to_vec(), contributions, attention_scores, tokens }
}
