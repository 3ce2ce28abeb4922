//! The files of an export: found, read and checked one by one.

use std::path::{Path, PathBuf};

use super::config::ExportConfig;
use super::special::SpecialTokens;
use super::{ImportError, safetensors};
use crate::model::bundle::FILE_BYTES;

/// Largest JSON beside the tokenizer: a `config.json` of thousands of labels has some hundred kilobytes.
const JSON_BYTES: u64 = 4 << 20;
/// Where exporters put the graph.
const GRAPHS: [&str; 2] = ["model.onnx", "onnx/model.onnx"];
/// Names under which exporters put weights that did not go into the graph.
const OUTSIDE: [&str; 2] = ["_data", ".data"];
/// Kinds of network whose weights are read, with the names that transformers gives to networks of the same build.
const KINDS: [(&str, &[&str]); 3] = [
    ("bert", &["bert"]),
    ("roberta", &["roberta", "xlm-roberta", "camembert"]),
    ("distilbert", &["distilbert"]),
];

/// The network of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// A graph.
    Onnx,
    /// Weights of a network of this kind.
    Weights(&'static str),
}

impl Network {
    pub(super) const SAFETENSORS: &'static str = "model.safetensors";

    /// The file's name in a model directory.
    pub fn file(self) -> &'static str {
        match self {
            Self::Onnx => GRAPHS[0],
            Self::Weights(_) => Self::SAFETENSORS,
        }
    }
}

/// An export, read.
#[derive(Debug)]
pub struct Export {
    /// Where it was found.
    pub directory: PathBuf,
    /// What `config.json` says.
    pub config: ExportConfig,
    /// `config.json` itself.
    pub config_file: Vec<u8>,
    /// Which tokens have a role.
    pub special: SpecialTokens,
    /// `tokenizer.json`.
    pub tokenizer: Vec<u8>,
    /// What the network is.
    pub network: Network,
    /// The graph or the weights.
    pub weights: Vec<u8>,
}

impl Export {
    /// Reads a directory. Errors: the first file that is missing or can't be used.
    pub fn load(directory: &Path) -> Result<Self, ImportError> {
        let config_file = required(directory, "config.json", JSON_BYTES)?;
        let config = ExportConfig::parse(&text("config.json", &config_file)?)?;
        let mut special = SpecialTokens::default();
        for name in ["special_tokens_map.json", "tokenizer_config.json"] {
            if let Some(content) = optional(&directory.join(name), JSON_BYTES)? {
                special = special.or(SpecialTokens::parse(name, &text(name, &content)?)?);
            }
        }
        let tokenizer = required(directory, "tokenizer.json", FILE_BYTES)?;
        let (network, weights) = network(directory, &config)?;
        Ok(Self {
            directory: directory.to_owned(),
            config,
            config_file,
            special,
            tokenizer,
            network,
            weights,
        })
    }
}

/// The graph if there is one, else the weights.
fn network(directory: &Path, config: &ExportConfig) -> Result<(Network, Vec<u8>), ImportError> {
    for name in GRAPHS {
        let path = directory.join(name);
        let Some(content) = optional(&path, FILE_BYTES)? else { continue };
        let mut outside = OUTSIDE.iter().map(|end| format!("{name}{end}"));
        if let Some(outside) = outside.find(|name| directory.join(name).exists()) {
            let problem = format!(
                "its weights stand outside it, in {outside}; export them into the one file (up to 2 GiB)"
            );
            return Err(ImportError::wrong(name, problem));
        }
        return Ok((Network::Onnx, content));
    }
    let Some(content) = optional(&directory.join(Network::SAFETENSORS), FILE_BYTES)? else {
        let problem = "no network: expected model.onnx, onnx/model.onnx or model.safetensors; \
             `optimum-cli export onnx` makes the first";
        return Err(ImportError::Incomplete { directory: directory.to_owned(), problem: problem.into() });
    };
    let kind = KINDS.iter().find(|(_, names)| names.contains(&config.model_type.as_str()));
    let &(kind, _) = kind.ok_or_else(|| {
        let kinds: Vec<&str> = KINDS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let problem = format!(
            "model_type is {:?}; weights can be read of {}: export any other network to ONNX",
            config.model_type,
            kinds.join(", ")
        );
        ImportError::wrong("config.json", problem)
    })?;
    let columns = safetensors::columns(kind, &content)?;
    if columns != config.labels.len() {
        let problem = format!(
            "its classifier has {columns} columns, and config.json names {} labels",
            config.labels.len()
        );
        return Err(ImportError::wrong(Network::SAFETENSORS, problem));
    }
    Ok((Network::Weights(kind), content))
}

fn required(directory: &Path, name: &str, limit: u64) -> Result<Vec<u8>, ImportError> {
    optional(&directory.join(name), limit)?.ok_or_else(|| {
        let mut problem = format!("has no {name}: expected the directory of a Hugging Face export");
        if name == "tokenizer.json" {
            problem.push_str("; AutoTokenizer.from_pretrained(…).save_pretrained(…) writes it");
        }
        ImportError::Incomplete { directory: directory.to_owned(), problem }
    })
}

/// A file's content; `None` when there is none.
fn optional(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ImportError> {
    let fail = |source| ImportError::Read { path: path.to_owned(), source };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(fail(e)),
    };
    if metadata.len() > limit {
        return Err(ImportError::TooLarge { path: path.to_owned(), limit });
    }
    std::fs::read(path).map(Some).map_err(fail)
}

fn text(name: &str, content: &[u8]) -> Result<String, ImportError> {
    String::from_utf8(content.to_vec()).map_err(|e| ImportError::wrong(name, e.utf8_error().to_string()))
}
