//! What an ONNX graph takes and gives, before anybody says what it should.

use std::path::Path;

use ort::session::Session;
use ort::value::Outlet;

use super::backend::InferenceError;
use super::onnx;
use super::provider::Provider;

/// The inputs and outputs of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// In the graph's order.
    pub inputs: Vec<Port>,
    /// In the graph's order.
    pub outputs: Vec<Port>,
}

/// One input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name in the graph.
    pub name: String,
    /// Type of its elements, such as `f32`; empty for what is no tensor.
    pub element: String,
    /// Its size along each axis; `None` for an axis whose size may change.
    pub shape: Vec<Option<usize>>,
}

impl Interface {
    /// Loads a graph to look at it. Slow. Errors: the library, or a graph that it can't load.
    pub fn inspect(library: &Path, graph: &[u8]) -> Result<Self, InferenceError> {
        let session: Session = onnx::session(&onnx::environment(library)?, graph, &Provider::Cpu)?;
        Ok(Self {
            inputs: session.inputs().iter().map(port).collect(),
            outputs: session.outputs().iter().map(port).collect(),
        })
    }

    /// Names of inputs that no backend of this build can feed.
    pub fn unknown_inputs(&self) -> Vec<&str> {
        let names = self.inputs.iter().map(|port| port.name.as_str());
        names.filter(|name| !onnx::INPUTS.contains(name)).collect()
    }
}

fn port(outlet: &Outlet) -> Port {
    let sizes = outlet.dtype().tensor_shape().map(|shape| shape.to_vec()).unwrap_or_default();
    Port {
        name: outlet.name().to_owned(),
        element: outlet.dtype().tensor_type().map(|element| element.to_string()).unwrap_or_default(),
        shape: sizes.into_iter().map(|size| usize::try_from(size).ok()).collect(),
    }
}
