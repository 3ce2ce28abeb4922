//! The execution provider that the configuration names, with its library and its options.

use crate::config::{self, Config};
use crate::error::Error;
use crate::inference::Provider;
use crate::inference::provider::{Device, OpenVino};
use crate::inference::runtime_library::Search;

/// Errors: `Precondition` for a plugin that is not there.
pub(super) fn provider(config: &Config, search: &Search) -> Result<Provider, Error> {
    let settings = &config.inference;
    let option = |key: &str| settings.provider_options.get(key).cloned();
    Ok(match settings.provider {
        config::Provider::Cpu => Provider::Cpu,
        config::Provider::Openvino => Provider::OpenVino(OpenVino {
            library: search.find_openvino(settings.provider_library.as_deref())?,
            device: match option("device").as_deref() {
                Some("gpu") => Device::Gpu,
                Some("npu") => Device::Npu,
                _ => Device::Cpu,
            },
            precision: option("precision"),
            load_config: option("load_config"),
        }),
        config::Provider::Cuda => Provider::Cuda(settings.provider_options.clone().into_iter().collect()),
    })
}
