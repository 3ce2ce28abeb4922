//! Names of files that may be written: plain ones, below the model's directory.

use super::source;

/// Longest name, with its folders.
const BYTES: usize = 200;
/// Most folders and the name itself.
const PARTS: usize = 4;
/// What an unfinished file's name ends with; no finished one may.
pub(super) const UNFINISHED: &str = ".part";

/// Whether a file may be written under this name: letters, digits, `-`, `_` and `.`, no part that begins with a dot (which
/// leaves out `..`), no absolute path, and none of the names that a pull uses itself.
pub(super) fn is_safe(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain);
    name.len() <= BYTES
        && name.split('/').count() <= PARTS
        && name.split('/').all(part)
        && !name.ends_with(UNFINISHED)
        && name != source::FILE
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_names_are_safe_and_tricks_are_not() {
        for name in ["config.json", "onnx/model.onnx", "LICENSE", "a/b/c/d.bin"] {
            assert!(is_safe(name), "{name}");
        }
        for name in [
            "",
            "..",
            "../x",
            "a/../../x",
            "/etc/passwd",
            "a//b",
            "a/",
            "./a",
            ".git/config",
            "a\\b",
            "C:x",
            "a\0b",
            "a b",
            "a/b/c/d/e",
            "source.toml",
            "model.onnx.part",
            "caf\u{e9}",
        ] {
            assert!(!is_safe(name), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn a_safe_name_stays_below_its_directory(name in "[a-z./\\\\~: -]{0,24}") {
            if is_safe(&name) {
                prop_assert!(Path::new(&name).components().all(|c| matches!(c, Component::Normal(_))), "{}", name);
            }
        }
    }
}
