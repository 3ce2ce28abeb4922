//! `attune models import`: a Hugging Face export becomes a model directory, after its network has been tried out.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Surroundings;
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::inference::interface::Interface;
use crate::inference::onnx::OnnxFactory;
use crate::inference::runtime_library::Search;
use crate::inference::{BackendFactory, EncodedBatch, InferenceError, TextTokenizer};
use crate::model::import::{self, Draft, Export, Finding, Network, Tokens};
use crate::model::manifest::Markers;
use crate::model::{Manifest, ModelBundle};

pub use crate::model::Activation;
pub use crate::model::import::{DraftOptions, Mapping};

/// What is to be imported, and where it goes.
#[derive(Debug, Clone)]
pub struct Import {
    /// The export.
    pub directory: PathBuf,
    /// The model directory; named by the model's id when there is none.
    pub out: Option<PathBuf>,
    /// Whether a model that is there is replaced.
    pub force: bool,
    /// What the caller says instead of the export.
    pub options: DraftOptions,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The model directory.
    pub directory: PathBuf,
    /// Id and version.
    pub name: String,
    /// What was recognised.
    pub findings: Vec<Finding>,
}

/// Imports. Errors: `NotFound` and `InvalidInput` name the file that is missing or wrong, `AlreadyExists` the output.
pub fn run(import: &Import, config: &Config, surroundings: &Surroundings) -> Result<Imported, Error> {
    let export = Export::load(&import.directory)?;
    let tokenizer = TextTokenizer::parse(&export.tokenizer).map_err(|e| wrong("tokenizer.json", e))?;
    check_vocabulary(&tokenizer, &export)?;
    let tokens = tokens(&tokenizer, &export)?;
    let mut draft = Draft::new(&export, tokens, &import.options)?;
    let name = |id: u32| format!("{} {id}", tokenizer.token(id).unwrap_or_default());
    let Markers { begin, end, pad } = tokens.markers;
    draft.findings.extend([
        finding("markers", format!("{} begins, {} ends, {} pads", name(begin), name(end), name(pad))),
        finding("evidence", format!("by occlusion; {} covers words", name(tokens.occlusion))),
        finding("license", draft.manifest.license.clone()),
        finding("languages", languages(&draft.manifest)),
    ]);
    if export.network == Network::Onnx {
        let library =
            Search::new(config.inference.runtime_library.clone(), surroundings.runtime_library.clone())
                .find()?;
        try_graph(&library, &export, &draft.manifest)?;
        draft.findings.push(finding("tried", "the graph reads rows of several lengths, and a whole window"));
    }
    let out = import.out.clone().unwrap_or_else(|| PathBuf::from(&draft.manifest.id));
    import::write(&export, &draft, &out, import.force)?;
    let name = format!("{} {}", draft.manifest.id, draft.manifest.version);
    Ok(Imported { directory: out, name, findings: draft.findings })
}

fn finding(what: &str, found: impl Into<String>) -> Finding {
    Finding { what: what.to_owned(), found: found.into() }
}

fn wrong(file: &str, problem: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("can't import the model: {file}: {problem}"))
}

fn languages(manifest: &Manifest) -> String {
    if manifest.languages.is_empty() {
        "any; --languages names those that it was trained for".into()
    } else {
        manifest.languages.join(", ")
    }
}

fn check_vocabulary(tokenizer: &TextTokenizer, export: &Export) -> Result<(), Error> {
    let found = tokenizer.vocabulary();
    match export.config.vocabulary {
        Some(known) if found > known => {
            let problem =
                format!("has {found} tokens, and config.json says vocab_size {known}: of another model?");
            Err(wrong("tokenizer.json", problem))
        }
        _ => Ok(()),
    }
}

/// Tokens with a role: the markers that the tokenizer itself sets, and others by their names.
fn tokens(tokenizer: &TextTokenizer, export: &Export) -> Result<Tokens, Error> {
    let special = &export.special;
    let named = |said: &Option<String>, usual: &[&str]| {
        let mut names = said.as_deref().into_iter().chain(usual.iter().copied());
        names.find_map(|name| tokenizer.id(name))
    };
    let frame = tokenizer.frame().map_err(|e| wrong("tokenizer.json", e))?;
    let markers = match (frame.before.as_slice(), frame.after.as_slice()) {
        ([begin], [end]) => Some((*begin, *end)),
        // Some exports leave it to their caller to set the markers.
        ([], []) => named(&special.begin, &["[CLS]", "<s>"]).zip(named(&special.end, &["[SEP]", "</s>"])),
        _ => None,
    };
    let (begin, end) = markers.ok_or_else(|| {
        let (before, after) = (frame.before.len(), frame.after.len());
        let problem = format!(
            "it puts {before} tokens before a text and {after} behind it; expected one at each end, such as [CLS] and \
             [SEP] or <s> and </s>"
        );
        wrong("tokenizer.json", problem)
    })?;
    let pad = named(&special.pad, &["[PAD]", "<pad>"]).or(export.config.pad).ok_or_else(|| {
        wrong("tokenizer.json", "no token fills a batch up; expected pad_token, [PAD] or <pad>")
    })?;
    let mask = named(&special.mask, &["[MASK]", "<mask>"]);
    let occlusion = mask.or_else(|| named(&special.unknown, &["[UNK]", "<unk>"])).unwrap_or(pad);
    Ok(Tokens { markers: Markers { begin, end, pad }, occlusion })
}

/// Looks at the graph, then runs it on what the service will send: rows of different lengths, and a whole window.
fn try_graph(library: &Path, export: &Export, manifest: &Manifest) -> Result<(), Error> {
    let graph = |problem: String| wrong("model.onnx", problem);
    let interface = Interface::inspect(library, &export.weights).map_err(|e| failed(e, manifest))?;
    check_interface(&interface, manifest.label_count()).map_err(graph)?;
    let bundle = Arc::new(ModelBundle {
        architecture_config: None,
        manifest: manifest.clone(),
        graph: Cow::Owned(export.weights.clone()),
        tokenizer: Cow::Owned(Vec::new()),
    });
    let factory = OnnxFactory::load(library, Arc::clone(&bundle))?;
    let mut backend = factory.build().map_err(|e| failed(e, manifest))?;
    let markers = manifest.markers;
    let uneven = EncodedBatch::new(&[&[markers.end], &[markers.end; 3]], markers);
    backend.run(&uneven).map_err(|e| {
        graph(format!(
            "can't be run on rows of 3 and 5 tokens; export it with dynamic batch and sequence axes: {e}"
        ))
    })?;
    let whole = vec![markers.end; manifest.window_tokens()];
    backend.run(&EncodedBatch::new(&[&whole], markers)).map_err(|e| {
        let most = manifest.maximum_tokens;
        graph(format!("can't be run on a window of {most} tokens; --maximum-tokens says fewer: {e}"))
    })?;
    Ok(())
}

fn failed(error: InferenceError, manifest: &Manifest) -> Error {
    match error {
        InferenceError::Library(_) => error.into(),
        InferenceError::Shape(problem) => {
            wrong("model.onnx", format!("{problem}; config.json names {} labels", manifest.label_count()))
        }
        other => wrong("model.onnx", other),
    }
}

/// Whether a graph takes and gives what the backend feeds and reads. Errors: what it does instead.
fn check_interface(interface: &Interface, labels: usize) -> Result<(), String> {
    const EXPECTED: &str = "expected input_ids, attention_mask and at most token_type_ids, all int64";
    let unknown = interface.unknown_inputs();
    if !unknown.is_empty() {
        return Err(format!("takes {}; {EXPECTED}", unknown.join(", ")));
    }
    if let Some(port) = interface.inputs.iter().find(|port| port.element != "i64") {
        return Err(format!("its input {} is of type {}; {EXPECTED}", port.name, port.element));
    }
    if !interface.inputs.iter().any(|port| port.name == "input_ids") {
        return Err(format!("takes no input_ids; {EXPECTED}"));
    }
    let outputs: Vec<&str> = interface.outputs.iter().map(|port| port.name.as_str()).collect();
    let logits = interface.outputs.iter().find(|port| port.name == "logits");
    let logits = logits.ok_or_else(|| format!("gives {}; expected logits", outputs.join(", ")))?;
    if logits.element != "f32" {
        return Err(format!("its logits are of type {}; expected float32", logits.element));
    }
    match logits.shape.as_slice() {
        [_, Some(columns)] if *columns != labels => {
            Err(format!("its logits have {columns} columns, and config.json names {labels} labels"))
        }
        [_, _] => Ok(()),
        other => Err(format!(
            "its logits have {} axes; expected two, rows and labels: is it a classifier of whole texts?",
            other.len()
        )),
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
