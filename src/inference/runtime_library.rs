//! Finds the ONNX Runtime library: the configured path, `ORT_DYLIB_PATH`, beside the binary, then `.runtime/`, where
//! `make runtime` puts it; and OpenVINO's plugin, in `openvino/` of the same places, where `make openvino` puts it.

use std::path::{Path, PathBuf};

use super::backend::InferenceError;

/// The library's file name on this system.
pub const FILE_NAME: &str = if cfg!(target_os = "windows") {
    "onnxruntime.dll"
} else if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// File name of OpenVINO's plugin, in a directory of its own: it brings its libraries along.
pub const OPENVINO_PLUGIN: &str = if cfg!(target_os = "windows") {
    "openvino/onnxruntime_providers_openvino_plugin.dll"
} else {
    "openvino/libonnxruntime_providers_openvino_plugin.so"
};

/// Where the library may be.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Path from the configuration: wins, and must exist.
    pub configured: Option<PathBuf>,
    /// Value of `ORT_DYLIB_PATH`: second, and must exist.
    pub environment: Option<PathBuf>,
    /// Directories to look in, in this order.
    pub directories: Vec<PathBuf>,
}

impl Search {
    /// The usual places: beside the binary, in `lib/` beside it, and `.runtime/` in the directories above the binary (a
    /// build finds its repository's own). Never the working directory: it may be anybody's.
    pub fn new(configured: Option<PathBuf>, environment: Option<PathBuf>) -> Self {
        let mut directories = Vec::new();
        let binary = std::env::current_exe().ok();
        if let Some(beside) = binary.as_deref().and_then(Path::parent) {
            directories.extend([beside.to_path_buf(), beside.join("lib")]);
        }
        if let Some(binary) = &binary {
            directories.extend(binary.ancestors().skip(1).take(5).map(|a| a.join(".runtime")));
        }
        Self { configured, environment, directories }
    }

    /// The first library that is there.
    pub fn find(&self) -> Result<PathBuf, InferenceError> {
        for (path, origin) in
            [(&self.configured, "inference.runtime_library"), (&self.environment, "ORT_DYLIB_PATH")]
        {
            if let Some(path) = path {
                return named(path, origin, "make runtime");
            }
        }
        self.beside(FILE_NAME).ok_or_else(|| {
            InferenceError::Library(format!(
                "ONNX Runtime is not there: no {FILE_NAME} in any of {}; run `make runtime`, or name the library with \
                 ORT_DYLIB_PATH",
                self.places(FILE_NAME)
            ))
        })
    }

    /// OpenVINO's plugin: the one that is configured, or the first that is there.
    pub fn find_openvino(&self, configured: Option<&Path>) -> Result<PathBuf, InferenceError> {
        if let Some(path) = configured {
            return named(path, "inference.provider_library", "make openvino");
        }
        self.beside(OPENVINO_PLUGIN).ok_or_else(|| {
            InferenceError::Library(format!(
                "inference.provider is \"openvino\", and OpenVINO's plugin is not there: no {OPENVINO_PLUGIN} in any of {}; run \
                 `make openvino`, or name the library with inference.provider_library",
                self.places(OPENVINO_PLUGIN)
            ))
        })
    }

    fn beside(&self, file: &str) -> Option<PathBuf> {
        self.directories.iter().map(|directory| directory.join(file)).find(|path| path.is_file())
    }

    fn places(&self, file: &str) -> String {
        let places = self.directories.iter().map(|directory| directory.join(file).display().to_string());
        places.collect::<Vec<String>>().join(", ")
    }
}

/// A path that somebody has named: it must be there.
fn named(path: &Path, origin: &str, make: &str) -> Result<PathBuf, InferenceError> {
    if path.is_file() {
        return Ok(path.to_path_buf());
    }
    Err(InferenceError::Library(format!(
        "{origin} names {}, which is not a file; correct it, or unset it and run `{make}`",
        path.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configured_path_wins_and_must_exist() {
        let directory = tempfile::tempdir().unwrap();
        let library = directory.path().join(FILE_NAME);
        std::fs::write(&library, b"").unwrap();
        let mut search = Search { directories: vec![directory.path().into()], ..Search::default() };
        assert_eq!(search.find().unwrap(), library);
        search.configured = Some("/nowhere/lib.so".into());
        let message = search.find().unwrap_err().to_string();
        assert!(message.contains("inference.runtime_library names /nowhere/lib.so"), "{message}");
    }

    #[test]
    fn the_plugin_is_found_where_make_puts_it_or_where_it_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let plugin = directory.path().join(OPENVINO_PLUGIN);
        std::fs::create_dir_all(plugin.parent().unwrap()).unwrap();
        std::fs::write(&plugin, b"").unwrap();
        let search = Search { directories: vec![directory.path().into()], ..Search::default() };
        assert_eq!(search.find_openvino(None).unwrap(), plugin);
        let message = search.find_openvino(Some(Path::new("/nowhere.so"))).unwrap_err().to_string();
        assert!(message.contains("inference.provider_library names /nowhere.so"), "{message}");
        let message = Search::default().find_openvino(None).unwrap_err().to_string();
        assert!(message.contains("run `make openvino`"), "{message}");
    }

    #[test]
    fn a_missing_library_says_what_to_type() {
        let message = Search::default().find().unwrap_err().to_string();
        assert!(message.contains("make runtime") && message.contains("ORT_DYLIB_PATH"), "{message}");
    }
}
