//! Execution providers: plugin libraries registered, sessions told of them.

use std::path::{Path, PathBuf};

use ort::device::Device as OrtDevice;
use ort::environment::Environment;
use ort::memory::DeviceType;
use ort::session::builder::SessionBuilder;
use parking_lot::Mutex;

use crate::inference::backend::InferenceError;
use crate::inference::provider::{Device, Provider};

/// The name by which the plugin's devices go.
const OPENVINO: &str = "OpenVINOExecutionProvider";

/// A library is registered once per process.
static REGISTERED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Makes sure that the provider can be used at all; registers its library where it has one.
pub(super) fn prepare(environment: &Environment, provider: &Provider) -> Result<(), InferenceError> {
    match provider {
        Provider::Cpu => Ok(()),
        Provider::OpenVino(openvino) => {
            register(environment, &openvino.library)?;
            match devices(environment, openvino.device).next() {
                Some(_) => Ok(()),
                None => Err(InferenceError::Library(no_device(openvino.device))),
            }
        }
        Provider::Cuda(_) if cfg!(feature = "cuda") => Ok(()),
        Provider::Cuda(_) => Err(InferenceError::Library(
            "inference.provider is \"cuda\", and this build has no CUDA: build attune with `cargo build --release \
             --features cuda`, or set inference.provider to \"cpu\""
                .to_owned(),
        )),
    }
}

/// Tells a session's builder who runs the graph.
pub(super) fn apply(
    environment: &Environment,
    builder: SessionBuilder,
    provider: &Provider,
) -> Result<SessionBuilder, InferenceError> {
    match provider {
        Provider::Cpu => Ok(builder),
        Provider::OpenVino(openvino) => {
            let options = [(format!("{OPENVINO}.load_config"), openvino.properties())];
            let fail = |e: ort::Error<SessionBuilder>| {
                let what = "inference.provider_options may name something that it does not have";
                InferenceError::Library(format!("OpenVINO refuses the session: {e}; {what}"))
            };
            // One device is enough: several of one kind would share the graph between them.
            builder.with_devices(devices(environment, openvino.device).take(1), Some(&options)).map_err(fail)
        }
        Provider::Cuda(options) => cuda(builder, options),
    }
}

#[cfg(feature = "cuda")]
fn cuda(builder: SessionBuilder, options: &[(String, String)]) -> Result<SessionBuilder, InferenceError> {
    use ort::ep::{ArbitrarilyConfigurableExecutionProvider, CUDA};
    let provider =
        options.iter().fold(CUDA::default(), |cuda, (key, value)| cuda.with_arbitrary_config(key, value));
    builder.with_execution_providers([provider.build().error_on_failure()]).map_err(|e| {
        InferenceError::Library(format!(
            "ONNX Runtime can't use CUDA ({e}); inference.runtime_library must be a build with CUDA, such as that of the PyPI \
             package onnxruntime-gpu, with libonnxruntime_providers_cuda.so beside it and CUDA and cuDNN installed"
        ))
    })
}

#[cfg(not(feature = "cuda"))]
fn cuda(builder: SessionBuilder, _: &[(String, String)]) -> Result<SessionBuilder, InferenceError> {
    // `prepare` has refused it.
    Ok(builder)
}

fn register(environment: &Environment, library: &Path) -> Result<(), InferenceError> {
    let mut registered = REGISTERED.lock();
    if registered.iter().any(|path| path == library) {
        return Ok(());
    }
    // The name is no more than a handle; two libraries need two.
    let name = format!("attune-{}", registered.len());
    environment.register_ep_library(name, library).map_err(|e| {
        InferenceError::Library(format!(
            "{} can't be used as OpenVINO's plugin ({e}); `make openvino` fetches one that fits",
            library.display()
        ))
    })?;
    registered.push(library.to_path_buf());
    Ok(())
}

fn devices(environment: &Environment, device: Device) -> impl Iterator<Item = OrtDevice<'_>> {
    let kind = match device {
        Device::Cpu => DeviceType::CPU,
        Device::Gpu => DeviceType::GPU,
        Device::Npu => DeviceType::NPU,
    };
    environment
        .devices()
        .filter(move |d| d.ep().is_ok_and(|ep| ep == OPENVINO) && d.hardware_device().ty() == kind)
}

fn no_device(device: Device) -> String {
    format!(
        "OpenVINO offers no {} here: its plugin takes those of Intel alone. Set inference.provider to \"cpu\", or name another \
         device in inference.provider_options",
        device.name()
    )
}
