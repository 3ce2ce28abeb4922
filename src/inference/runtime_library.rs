//! Finds the ONNX Runtime library: the configured path, `ORT_DYLIB_PATH`, beside the binary, then `.runtime/`, where
//! `make runtime` puts it.

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
            let Some(path) = path else { continue };
            if path.is_file() {
                return Ok(path.clone());
            }
            return Err(InferenceError::Library(format!(
                "{origin} names {}, which is not a file; correct it, or unset it and run `make runtime`",
                path.display()
            )));
        }
        let candidates = self.directories.iter().map(|d| d.join(FILE_NAME));
        candidates.clone().find(|c| c.is_file()).ok_or_else(|| {
            let places: Vec<String> = candidates.map(|c| c.display().to_string()).collect();
            InferenceError::Library(format!(
                "ONNX Runtime is not there: no {FILE_NAME} in any of {}; run `make runtime`, or name the library with \
                 ORT_DYLIB_PATH",
                places.join(", ")
            ))
        })
    }
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
    fn a_missing_library_says_what_to_type() {
        let message = Search::default().find().unwrap_err().to_string();
        assert!(message.contains("make runtime") && message.contains("ORT_DYLIB_PATH"), "{message}");
    }
}
