//! `[inference]`: the library that runs networks, and who runs them in it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

use super::{ConfigError, path};

/// Each option of a provider: its key, the providers that have it, and what a value must be.
const OPTIONS: [(&str, &[Provider], Rule); 6] = [
    ("device", &[Provider::Openvino], Rule::OneOf(&["cpu", "gpu", "npu"])),
    ("precision", &[Provider::Openvino], Rule::OneOf(&["f32", "bf16", "f16"])),
    ("load_config", &[Provider::Openvino], Rule::Json),
    ("device_id", &[Provider::Cuda], Rule::Number),
    ("gpu_mem_limit", &[Provider::Cuda], Rule::Number),
    ("use_tf32", &[Provider::Cuda], Rule::OneOf(&["0", "1"])),
];
/// Longest value of an option.
const OPTION_BYTES: usize = 4096;

/// `[inference]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inference {
    /// `None` looks in the usual places.
    #[serde(deserialize_with = "path")]
    pub runtime_library: Option<PathBuf>,
    /// 0 for one per processor.
    pub workers: usize,
    /// Who runs the network.
    pub provider: Provider,
    /// The provider's plugin; `None` looks in the usual places.
    #[serde(deserialize_with = "path")]
    pub provider_library: Option<PathBuf>,
    /// What the provider is told, without what is empty.
    #[serde(deserialize_with = "given")]
    pub provider_options: BTreeMap<String, String>,
}

/// Who runs a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// ONNX Runtime itself, on the processors.
    Cpu,
    /// OpenVINO, a plugin.
    Openvino,
    /// CUDA, in builds that have it.
    Cuda,
}

impl Provider {
    /// Its name in the settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Openvino => "openvino",
            Self::Cuda => "cuda",
        }
    }
}

/// What a value must be.
#[derive(Clone, Copy)]
enum Rule {
    OneOf(&'static [&'static str]),
    Number,
    Json,
}

impl Rule {
    fn problem(self, value: &str) -> Option<String> {
        let (fits, expected) = match self {
            Self::OneOf(words) => (words.contains(&value), words.join(", ")),
            Self::Number => (value.parse::<u64>().is_ok(), "a whole number from 0, in quotes".to_owned()),
            Self::Json => (
                value.starts_with('{') && value.ends_with('}') && value.len() <= OPTION_BYTES,
                format!("an object in JSON of at most {OPTION_BYTES} bytes"),
            ),
        };
        (!fits).then(|| format!("expected {expected}"))
    }
}

impl Inference {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, problem: String| Err(ConfigError::Value { key: key.into(), problem });
        if self.workers > 256 {
            return wrong("inference.workers", "expected at most 256".into());
        }
        for (key, value) in &self.provider_options {
            let name = format!("inference.provider_options.{key}");
            let Some((_, providers, rule)) = OPTIONS.iter().find(|(known, ..)| known == key) else {
                return wrong(&name, "there is no such option".into());
            };
            // A file that is written for another provider serves the processors, too: a way back that takes one setting.
            if self.provider != Provider::Cpu && !providers.contains(&self.provider) {
                return wrong(&name, format!("is no option of {}", self.provider.name()));
            }
            if let Some(problem) = rule.problem(value) {
                return wrong(&name, problem);
            }
        }
        Ok(())
    }
}

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let all = BTreeMap::<String, String>::deserialize(deserializer)?;
    Ok(all.into_iter().filter(|(_, value)| !value.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Sources};
    use super::*;

    fn load(file: &str, flags: &[(&str, &str)]) -> Result<Inference, ConfigError> {
        let flags = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let file = Some(("attune.toml".to_owned(), file.to_owned()));
        Config::load(&Sources { file, flags, ..Sources::default() }).map(|config| config.inference)
    }

    #[test]
    fn a_provider_and_its_options_come_from_a_file_and_from_flags() {
        let file = "[inference]\nprovider = \"openvino\"\n[inference.provider_options]\ndevice = \"gpu\"";
        let found = load(file, &[("inference.provider_options.precision", "f16")]).unwrap();
        assert_eq!(found.provider, Provider::Openvino);
        let options = [("device", "gpu"), ("precision", "f16")];
        assert!(found.provider_options.iter().map(|(k, v)| (k.as_str(), v.as_str())).eq(options));
        let back = load(file, &[("inference.provider", "cpu")]).unwrap();
        assert_eq!(back.provider, Provider::Cpu);
        let none = load("", &[]).unwrap();
        assert!(none.provider == Provider::Cpu && none.provider_options.is_empty());
    }

    #[test]
    fn every_known_option_has_a_place_in_the_defaults_and_the_other_way_round() {
        let defaults: toml::Table = super::super::DEFAULTS.parse().unwrap();
        let listed = defaults["inference"]["provider_options"].as_table().unwrap();
        let mut known: Vec<&str> = OPTIONS.iter().map(|(key, ..)| *key).collect();
        known.sort_unstable();
        let mut listed: Vec<&str> = listed.keys().map(String::as_str).collect();
        listed.sort_unstable();
        assert_eq!(listed, known);
    }

    #[test]
    fn a_wrong_provider_or_option_is_named_with_what_is_expected() {
        for (flags, message) in [
            (&[("inference.provider", "tpu")][..], "unknown variant `tpu`"),
            (
                &[("inference.provider_options.devise", "gpu")],
                "did you mean `inference.provider_options.device`?",
            ),
            (
                &[("inference.provider", "openvino"), ("inference.provider_options.device", "tpu")],
                "`inference.provider_options.device`: expected cpu, gpu, npu",
            ),
            (
                &[("inference.provider", "openvino"), ("inference.provider_options.load_config", "x")],
                "expected an object in JSON",
            ),
            (
                &[("inference.provider", "cuda"), ("inference.provider_options.precision", "f32")],
                "is no option of cuda",
            ),
            (
                &[("inference.provider", "cuda"), ("inference.provider_options.device_id", "first")],
                "expected a whole number from 0",
            ),
            (&[("inference.workers", "257")], "expected at most 256"),
        ] {
            let error = load("", flags).unwrap_err().to_string();
            assert!(error.contains(message), "{flags:?}: {error}");
        }
        let error = load("[inference]\nprovider_options = \"x\"", &[]).unwrap_err().to_string();
        assert!(error.contains("`inference.provider_options` takes a table of settings"), "{error}");
        let error = load("[inference.provider_options.device]\nx = 1", &[]).unwrap_err().to_string();
        assert!(error.contains("there is no setting `inference.provider_options.device.x`"), "{error}");
    }
}
