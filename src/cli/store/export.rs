//! `attune customers export`: everything that is held of a customer, in a file of its own.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::arguments::ExportOptions;
use super::customers::{key, receipt};
use crate::app::customers::keeping;
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::pipeline::customers::upkeep;
use crate::pipeline::monitor::now_ms;
use crate::storage::Store;

/// What is said of a person is for whoever asked.
const OWNER_ALONE: u32 = 0o600;

/// Writes it; the file has its name when it is whole and the audit log says so.
pub(super) async fn run(store: &dyn Store, options: &ExportOptions, config: &Config) -> Result<(), Error> {
    let (path, keeping) = (&options.output, keeping(config).await?);
    if path.exists() {
        let message = format!("{}: is already there; name another file", path.display());
        return Err(Error::new(ErrorKind::AlreadyExists, message));
    }
    let part = Part::create(path)?;
    let mut out = BufWriter::new(&part.file);
    let key = key(&options.customer);
    let exported = upkeep::export(store, keeping.key(), &key, &options.actor, now_ms(), &mut out).await?;
    let flushed = out.flush();
    drop(out);
    flushed.and_then(|()| part.file.sync_all()).map_err(|e| unwritten(path, &e))?;
    std::fs::rename(&part.path, path).map_err(|e| unwritten(path, &e))?;
    receipt("exported", &exported, options.customer.form.format, Some(path))
}

/// A file that goes away when it does not get its name.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    fn create(output: &Path) -> Result<Self, Error> {
        let mut name = output.as_os_str().to_owned();
        name.push(".part");
        let path = PathBuf::from(name);
        // What an export that was killed has left is nobody's any more.
        let _ = std::fs::remove_file(&path);
        let file = OpenOptions::new().write(true).create_new(true).mode(OWNER_ALONE).open(&path);
        Ok(Self { file: file.map_err(|e| unwritten(output, &e))?, path })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::NotFound,
        std::io::ErrorKind::PermissionDenied => ErrorKind::Forbidden,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("can't write {}: {error}", path.display()))
}
