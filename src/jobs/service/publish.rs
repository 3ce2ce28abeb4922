//! Puts a finished file where it was wanted: in one step, and over nothing that somebody else has written.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::error::Error;
use crate::jobs::part;

use super::directories::occupied;
use super::place::Place;

/// Gives `from` the name `to` as well. `own` says that what may stand there is this job's own, from before a restart.
///
/// The file gets a second name where the file system can do that, and is copied where it can't. Errors: `AlreadyExists`,
/// and those of the file system.
pub(super) fn put(from: &Path, to: &Path, id: &str, own: bool) -> Result<(), Error> {
    let mut name = to.as_os_str().to_owned();
    name.push(format!(".{id}.new"));
    let new = Path::new(&name);
    part::remove(new)?;
    if own && same_length(from, to) {
        part::remove(to)?;
    }
    let named = std::fs::hard_link(from, new).or_else(|_| copy(from, new)).and_then(|()| {
        // A link does not replace anything, as a rename would.
        std::fs::hard_link(new, to).or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Err(error),
            _ if to.symlink_metadata().is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
            _ => std::fs::rename(new, to),
        })
    });
    part::remove(new)?;
    match named {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            Err(occupied("spec.output", &Place::File(to.to_owned())))
        }
        Err(e) => Err(part::failure(to, &e)),
        Ok(()) => {
            let folder = to.parent().unwrap_or(Path::new("/"));
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| part::failure(folder, &e))
        }
    }
}

/// What this job has put there is as long as what it puts there now; anything else is somebody else's.
fn same_length(one: &Path, other: &Path) -> bool {
    let length = |path: &Path| path.symlink_metadata().ok().filter(|m| m.is_file()).map(|m| m.len());
    length(one).is_some_and(|one| length(other) == Some(one))
}

/// A copy that survives a power cut, under a name that was free.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut target = File::create_new(to)?;
    io::copy(&mut source, &mut target)?;
    target.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_file_gets_its_name_and_nothing_is_written_over_but_ones_own() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("work"), "rows").unwrap();
        put(&at("work"), &at("out.csv"), "id", false).unwrap();
        assert_eq!(std::fs::read_to_string(at("out.csv")).unwrap(), "rows");
        std::fs::write(at("later"), "ROWS").unwrap();
        std::fs::write(at("other"), "somebody else's rows").unwrap();
        for (from, own) in [("later", false), ("other", false), ("other", true)] {
            let error = put(&at(from), &at("out.csv"), "id", own).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{from} {own}");
        }
        put(&at("later"), &at("out.csv"), "id", true).unwrap();
        assert_eq!(std::fs::read_to_string(at("out.csv")).unwrap(), "ROWS");
        // Not even through a link that leads nowhere.
        std::os::unix::fs::symlink("nowhere", at("link.csv")).unwrap();
        assert!(put(&at("work"), &at("link.csv"), "id", false).is_err());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 5);
        let error = put(&at("work"), &at("none/out.csv"), "id", false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_copy_takes_no_name_that_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("work"), "rows").unwrap();
        copy(&at("work"), &at("new")).unwrap();
        assert_eq!(copy(&at("work"), &at("new")).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
