//! Which of ONNX Runtime's execution providers runs a graph, as plain values: what each takes, and what it is told.

use std::path::PathBuf;

/// Who runs a graph.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Provider {
    /// ONNX Runtime itself, on the processors.
    #[default]
    Cpu,
    /// Intel's OpenVINO, out of a plugin library.
    OpenVino(OpenVino),
    /// NVIDIA's CUDA, by a build of ONNX Runtime that has it; options by their names there.
    Cuda(Vec<(String, String)>),
}

impl Provider {
    /// One word, for logs and labels.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::OpenVino(_) => "openvino",
            Self::Cuda(_) => "cuda",
        }
    }
}

/// What OpenVINO takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenVino {
    /// The plugin library.
    pub library: PathBuf,
    /// Kind of device.
    pub device: Device,
    /// Precision to reckon in, in OpenVINO's words (`f32`, `bf16`, `f16`); `None` leaves it to OpenVINO.
    pub precision: Option<String>,
    /// Properties in OpenVINO's own form (JSON), in place of everything that attune would say.
    pub load_config: Option<String>,
}

impl OpenVino {
    /// Properties in OpenVINO's own form. A session has one thread on processors, as with ONNX Runtime itself: there is one
    /// session for each of them.
    pub fn properties(&self) -> String {
        if let Some(config) = &self.load_config {
            return config.clone();
        }
        let threads: &[(&str, &str)] = match self.device {
            Device::Cpu => &[("INFERENCE_NUM_THREADS", "1"), ("NUM_STREAMS", "1")],
            Device::Gpu | Device::Npu => &[],
        };
        let precision = self.precision.as_deref().map(|precision| ("INFERENCE_PRECISION_HINT", precision));
        let properties = threads.iter().copied().chain(precision);
        let properties: Vec<String> = properties.map(|(name, value)| format!("{name:?}:{value:?}")).collect();
        format!("{{{:?}:{{{}}}}}", self.device.name(), properties.join(","))
    }
}

/// A kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// Processors.
    Cpu,
    /// Graphics processors.
    Gpu,
    /// Processors for networks.
    Npu,
}

impl Device {
    /// OpenVINO's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Gpu => "GPU",
            Self::Npu => "NPU",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openvino_is_told_one_thread_per_session_and_the_precision_unless_it_is_told_otherwise() {
        let one = r#""INFERENCE_NUM_THREADS":"1","NUM_STREAMS":"1""#;
        for (device, precision, load_config, expected) in [
            (Device::Cpu, None, None, format!(r#"{{"CPU":{{{one}}}}}"#)),
            (
                Device::Cpu,
                Some("f32"),
                None,
                format!(r#"{{"CPU":{{{one},"INFERENCE_PRECISION_HINT":"f32"}}}}"#),
            ),
            (Device::Gpu, Some("f16"), None, r#"{"GPU":{"INFERENCE_PRECISION_HINT":"f16"}}"#.to_owned()),
            (Device::Npu, None, None, r#"{"NPU":{}}"#.to_owned()),
            (Device::Cpu, Some("f32"), Some("{}"), "{}".to_owned()),
        ] {
            let provider = OpenVino {
                library: PathBuf::new(),
                device,
                precision: precision.map(str::to_owned),
                load_config: load_config.map(str::to_owned),
            };
            assert_eq!(provider.properties(), expected);
        }
    }
}
