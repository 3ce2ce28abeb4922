//! Where the files go: a directory that is there whole or not at all. What is unfinished stands beside it (`DIR.part`), and stays
//! there for the next try.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use super::download::unwritten;
use super::names::UNFINISHED;
use crate::error::{Error, ErrorKind};

/// Folders within folders that are looked into; a pull makes no more.
const DEPTH: usize = 4;

/// A directory in the making.
pub(super) struct Place {
    directory: PathBuf,
    partial: PathBuf,
    /// Held for as long as files are fetched: two pulls into one directory would spoil each other's.
    _lock: File,
}

impl Place {
    /// Makes the unfinished directory, or takes that of an earlier try. Errors: `InvalidInput` for a path without a name,
    /// `Precondition` while another pull works there, or for links in it.
    pub(super) fn open(directory: &Path) -> Result<Self, Error> {
        let partial = beside(directory)?;
        if fs::symlink_metadata(&partial).is_ok_and(|m| !m.is_dir()) {
            return Err(strange(&partial));
        }
        fs::create_dir_all(&partial).map_err(|e| unwritten(&partial, &e))?;
        let lock = File::open(&partial).map_err(|e| unwritten(&partial, &e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let problem = format!("another pull works in {}; wait for its end", partial.display());
                return Err(Error::new(ErrorKind::Precondition, problem));
            }
            Err(TryLockError::Error(e)) => return Err(unwritten(&partial, &e)),
        }
        Ok(Self { directory: directory.to_path_buf(), partial, _lock: lock })
    }

    /// The unfinished directory.
    pub(super) fn partial(&self) -> &Path {
        &self.partial
    }

    /// Where a file of this name goes; its folders are made.
    pub(super) fn file(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.partial.join(name);
        let folder = path.parent().unwrap_or(&self.partial);
        fs::create_dir_all(folder).map_err(|e| unwritten(folder, &e))?;
        Ok(path)
    }

    /// Removes what is not `kept`. Error: `Precondition` for a link or a device, which no pull has made.
    pub(super) fn sweep(&self, kept: impl Fn(&str) -> bool) -> Result<(), Error> {
        sweep(&self.partial, "", DEPTH, &kept)
    }

    /// Gives the directory its name. An empty one that stands there gives way; `AlreadyExists` for any other.
    pub(super) fn finish(self) -> Result<(), Error> {
        let fail = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::DirectoryNotEmpty | std::io::ErrorKind::AlreadyExists => {
                occupied(&self.directory)
            }
            _ => unwritten(&self.directory, &e),
        };
        File::open(&self.partial).and_then(|folder| folder.sync_all()).map_err(fail)?;
        fs::rename(&self.partial, &self.directory).map_err(fail)
    }
}

/// A directory that already holds something else.
pub(super) fn occupied(directory: &Path) -> Error {
    let problem = format!(
        "{} is there already and holds something else; name another directory with -o, or remove it first",
        directory.display()
    );
    Error::new(ErrorKind::AlreadyExists, problem)
}

/// Whether a directory is there and holds anything.
pub(super) fn is_occupied(directory: &Path) -> bool {
    match fs::read_dir(directory) {
        Ok(mut entries) => entries.next().is_some(),
        // A file, a link that leads nowhere, or what may not be read.
        Err(_) => fs::symlink_metadata(directory).is_ok(),
    }
}

fn beside(directory: &Path) -> Result<PathBuf, Error> {
    let name = directory.file_name().ok_or_else(|| {
        Error::invalid("-o", format!("expected a directory that can be made, not {}", directory.display()))
    })?;
    let mut partial = name.to_owned();
    partial.push(UNFINISHED);
    Ok(directory.with_file_name(partial))
}

fn sweep(folder: &Path, prefix: &str, depth: usize, kept: &impl Fn(&str) -> bool) -> Result<(), Error> {
    let fail = |e: std::io::Error| unwritten(folder, &e);
    for entry in fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(fail)?);
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if kind.is_dir() && depth > 0 {
            sweep(&path, &format!("{name}/"), depth - 1, kept)?;
            // Goes away when it is empty, and stays otherwise.
            let _full = fs::remove_dir(&path);
        } else if !kind.is_file() {
            return Err(strange(&path));
        } else if !kept(&name) {
            fs::remove_file(&path).map_err(fail)?;
        }
    }
    Ok(())
}

fn strange(path: &Path) -> Error {
    let problem = format!("{} is nothing that a pull has made (a link?); remove it first", path.display());
    Error::new(ErrorKind::Precondition, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_appears_whole_and_only_where_nothing_else_is() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("mood");
        let place = Place::open(&directory).unwrap();
        fs::write(place.file("onnx/model.onnx").unwrap(), "x").unwrap();
        assert!(!is_occupied(&directory) && root.path().join("mood.part/onnx/model.onnx").is_file());
        // An empty one gives way.
        fs::create_dir(&directory).unwrap();
        place.finish().unwrap();
        assert!(is_occupied(&directory) && directory.join("onnx/model.onnx").is_file());
        let again = Place::open(&directory).unwrap();
        assert_eq!(again.finish().unwrap_err().kind(), ErrorKind::AlreadyExists);
    }

    #[test]
    fn two_pulls_do_not_meet_in_one_directory() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("mood");
        let first = Place::open(&directory).unwrap();
        let error = Place::open(&directory).err().unwrap();
        assert!(error.public().contains("another pull works in"), "{error}");
        drop(first);
        Place::open(&directory).unwrap();
    }

    #[test]
    fn what_is_not_kept_is_swept_and_links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let place = Place::open(&root.path().join("mood")).unwrap();
        for name in ["keep", "onnx/keep", "old.part", "old/x"] {
            fs::write(place.file(name).unwrap(), "x").unwrap();
        }
        place.sweep(|name| name.ends_with("keep")).unwrap();
        let there = |name: &str| place.partial().join(name).exists();
        assert!(there("keep") && there("onnx/keep") && !there("old.part") && !there("old"));
        std::os::unix::fs::symlink(root.path(), place.partial().join("link")).unwrap();
        let error = place.sweep(|_| true).unwrap_err();
        assert!(error.public().contains("(a link?)"), "{error}");
    }

    #[test]
    fn a_link_in_place_of_the_unfinished_directory_is_refused() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(root.path(), root.path().join("mood.part")).unwrap();
        let error = Place::open(&root.path().join("mood")).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Precondition);
        assert_eq!(Place::open(Path::new("/")).err().unwrap().kind(), ErrorKind::InvalidInput);
    }
}
