//! The model directory: written beside its place and renamed into it, so that it is there as a whole or not at all.

use std::path::{Path, PathBuf};

use super::ImportError;
use super::draft::Draft;
use super::export::Export;

const MANIFEST: &str = "model.toml";

/// Writes `out`. A directory that is there is replaced when `force` says so and it holds a model.
///
/// Errors: [`ImportError::Exists`], [`ImportError::Write`].
pub fn write(export: &Export, draft: &Draft, out: &Path, force: bool) -> Result<(), ImportError> {
    check(out, force)?;
    let fail = |source| ImportError::Write { path: out.to_owned(), source };
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(parent).map_err(fail)?;
    // Dropped, and so removed, when anything fails.
    let beside = tempfile::Builder::new().prefix(".attune-import-").tempdir_in(parent).map_err(fail)?;
    let whole = beside.path().join("model");
    std::fs::create_dir(&whole).map_err(fail)?;
    for (name, content) in [
        (export.network.file(), export.weights.as_slice()),
        ("tokenizer.json", &export.tokenizer),
        ("config.json", &export.config_file),
        (MANIFEST, draft.text.as_bytes()),
    ] {
        let file = std::fs::File::create(whole.join(name)).map_err(fail)?;
        std::io::Write::write_all(&mut &file, content).and_then(|()| file.sync_all()).map_err(fail)?;
    }
    let old: PathBuf = beside.path().join("replaced");
    if out.exists() {
        std::fs::rename(out, &old).map_err(fail)?;
    }
    std::fs::rename(&whole, out).map_err(|source| {
        // What was there comes back; the error that counts is the first.
        let _ = std::fs::rename(&old, out);
        fail(source)
    })
}

fn check(out: &Path, force: bool) -> Result<(), ImportError> {
    let exists = |problem| Err(ImportError::Exists { path: out.to_owned(), problem });
    if !out.exists() {
        return Ok(());
    }
    if !out.join(MANIFEST).is_file() {
        return exists("is there and holds no model; name another directory with --out");
    }
    if force { Ok(()) } else { exists("is there; --force replaces it, --out names another directory") }
}
