//! Weights out of a safetensors file that is in memory, by name.

use std::collections::{BTreeMap, HashMap};

use safetensors::SafeTensors;
use tch::nn::VarStore;
use tch::{Kind, Tensor};

use crate::inference::InferenceError;

/// Names that a message lists of those that are missing.
const NAMED: usize = 3;

/// Every tensor of numbers that the file has, in float32.
pub(super) struct Weights(HashMap<String, Tensor>);

impl Weights {
    /// Reads float32, float16 and bfloat16; other tensors, such as stored positions, are none of the network's.
    pub(super) fn read(file: &[u8]) -> Result<Self, InferenceError> {
        let tensors = SafeTensors::deserialize(file)
            .map_err(|e| InferenceError::Load(format!("the weights are no safetensors file ({e:?})")))?;
        let mut weights = HashMap::new();
        for (name, view) in tensors.tensors() {
            let Ok(tensor) = Tensor::try_from(view) else { continue };
            if matches!(tensor.kind(), Kind::Float | Kind::Half | Kind::BFloat16) {
                weights.insert(name, tensor.to_kind(Kind::Float));
            }
        }
        Ok(Self(weights))
    }

    /// One tensor, of the shape that it must have.
    pub(super) fn get(&self, name: &str, shape: &[i64]) -> Result<Tensor, InferenceError> {
        let tensor = self.0.get(name).ok_or_else(|| absent(&[name]))?;
        if tensor.size() != shape {
            return Err(InferenceError::Shape(format!(
                "`{name}` in the weights is {:?}, and the configuration makes it {shape:?}",
                tensor.size()
            )));
        }
        Ok(tensor.shallow_clone())
    }

    /// Puts the weights into a network's variables; they share their memory, so that a network more costs next to none.
    pub(super) fn fill(&self, store: &VarStore) -> Result<(), InferenceError> {
        // In order of their names, so that an error names the same one each time.
        let variables: BTreeMap<String, Tensor> = store.variables().into_iter().collect();
        let missing: Vec<&str> =
            variables.keys().map(String::as_str).filter(|name| !self.0.contains_key(*name)).collect();
        if !missing.is_empty() {
            return Err(absent(&missing));
        }
        for (name, mut variable) in variables {
            let tensor = self.get(&name, &variable.size())?;
            variable.f_set_data(&tensor).map_err(|e| InferenceError::Load(format!("`{name}`: {e}")))?;
        }
        Ok(())
    }
}

fn absent(names: &[&str]) -> InferenceError {
    let more = names.len().saturating_sub(NAMED);
    let names = names[..names.len().min(NAMED)].join("`, `");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    InferenceError::Shape(format!("the weights have no `{names}`{more}: they are of another architecture"))
}
