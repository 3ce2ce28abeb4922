//! A `config.json`, a `tokenizer_config.json` and a mapping from anywhere: refused with a message, or a manifest that holds.
#![no_main]

use attune::model::import::{
    Draft, DraftOptions, Export, ExportConfig, Mapping, Network, SpecialTokens, Tokens,
};
use attune::model::manifest::Markers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str)| {
    let (config, tokenizer, mapping) = input;
    let Ok(config) = ExportConfig::parse(config) else { return };
    assert!(!config.labels.is_empty());
    let labels = config.labels.len();
    let export = Export {
        directory: "export".into(),
        config,
        config_file: Vec::new(),
        special: SpecialTokens::parse("tokenizer_config.json", tokenizer).unwrap_or_default(),
        tokenizer: Vec::new(),
        network: Network::Onnx,
        weights: Vec::new(),
    };
    let mapping = Mapping::parse(mapping, "mapping").unwrap_or_default();
    let tokens = Tokens { markers: Markers { begin: 0, end: 2, pad: 1 }, occlusion: 4 };
    let options = DraftOptions { mapping, ..DraftOptions::default() };
    if let Ok(draft) = Draft::new(&export, tokens, &options) {
        assert_eq!(draft.manifest.label_count(), labels);
    }
});
