//! A `model.toml` from anywhere: refused or sound, never a panic.
#![no_main]

use attune::model::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(manifest) = Manifest::parse(text) {
        assert_eq!(manifest.heads_with_ranges().map(|(_, r)| r.len()).sum::<usize>(), manifest.label_count());
        assert!(manifest.window_tokens() >= 1);
    }
});
