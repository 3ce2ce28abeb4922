//! The header of a `model.safetensors`: which tensors it has and their shapes. The weights themselves are not read.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::ImportError;
use super::export::Network;

/// Longest header that is read: real ones have some hundred bytes per tensor.
const HEADER_BYTES: u64 = 16 << 20;

#[derive(Deserialize)]
struct Tensor {
    shape: Vec<usize>,
}

/// The columns of a classifier of the given kind. Errors: [`ImportError::Wrong`] for what is no such file, and for one
/// without a classifier.
pub(super) fn columns(kind: &str, content: &[u8]) -> Result<usize, ImportError> {
    let wrong = |problem: String| ImportError::wrong(Network::SAFETENSORS, problem);
    let header = header(content).ok_or_else(|| wrong("no safetensors file: its header is broken".into()))?;
    let name = if kind == "roberta" { "classifier.out_proj.weight" } else { "classifier.weight" };
    let tensor = header.get(name).ok_or_else(|| wrong(format!("has no tensor {name}, as a {kind} has")))?;
    match serde_json::from_value(tensor.clone()) {
        Ok(Tensor { shape }) if shape.len() == 2 => Ok(shape[0]),
        _ => Err(wrong(format!("the tensor {name} is no matrix"))),
    }
}

/// Eight bytes of length, little endian, then JSON.
fn header(content: &[u8]) -> Option<BTreeMap<String, serde_json::Value>> {
    let (length, rest) = content.split_first_chunk::<8>()?;
    let length = u64::from_le_bytes(*length);
    let header = rest.get(..usize::try_from(length.min(HEADER_BYTES + 1)).ok()?)?;
    (length <= HEADER_BYTES).then(|| serde_json::from_slice(header).ok())?
}
