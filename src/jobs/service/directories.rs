//! The rules of places: only what lies in an allowed directory or bucket is read or written.
//!
//! A path is compared twice: as it is named, so that nobody learns what lies elsewhere, and with all links followed. It is
//! resolved when a job is created and again when it is run. Whoever may write in an allowed directory can still exchange a
//! link in the moment between; such people are trusted.

use std::path::{Path, PathBuf};

use super::place::Place;
use super::spec::Spec;
use crate::error::{Error, ErrorKind};
use crate::jobs::Paths;

/// What jobs may touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Allowed {
    /// As they are named, and without links.
    directories: Vec<(PathBuf, PathBuf)>,
    buckets: Vec<String>,
}

/// The places of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) input: Place,
    pub(super) output: Place,
    /// Rows that could not be read; beside the output.
    pub(super) quarantine: Place,
    pub(super) report: Option<Place>,
}

impl Places {
    /// What the job will write.
    pub(super) fn targets(&self) -> impl Iterator<Item = (&'static str, &Place)> {
        let report = self.report.iter().map(|report| ("spec.report.uri", report));
        [("spec.output", &self.output), ("spec.output", &self.quarantine)].into_iter().chain(report)
    }
}

impl Allowed {
    /// Errors: `NotFound` or `InvalidInput` for a directory that is not there, that is no absolute path, or that holds
    /// the directory of the jobs or lies in it.
    pub(super) fn try_new(directories: &[PathBuf], buckets: &[String], jobs: &Path) -> Result<Self, Error> {
        let find = |directory: &PathBuf| {
            let wrong =
                |problem| Error::invalid("jobs.directories", format!("{}: {problem}", directory.display()));
            if !directory.is_absolute() {
                return Err(wrong("expected an absolute path"));
            }
            let real = std::fs::canonicalize(directory)
                .map_err(|e| Error::unread(format!("jobs.directories: {}", directory.display()), &e))?;
            if !real.is_dir() {
                return Err(wrong("is no directory"));
            }
            if real.starts_with(jobs) || jobs.starts_with(&real) {
                return Err(wrong(
                    "and jobs.directory may not lie in one another: jobs could read each other's files",
                ));
            }
            Ok((directory.clone(), real))
        };
        let directories = directories.iter().map(find).collect::<Result<_, _>>()?;
        Ok(Self { directories, buckets: buckets.to_vec() })
    }

    /// The places of a request, links followed. Errors: `InvalidInput` with the field for what is not allowed;
    /// `Precondition` where nothing of the kind is; `NotFound` for a file that is not there.
    pub(super) fn places(&self, spec: &Spec) -> Result<Places, Error> {
        let input = self.input("spec.input", &spec.input)?;
        let output = self.target("spec.output", &spec.output)?;
        let report =
            spec.report.as_ref().map(|report| self.target("spec.report.uri", &report.uri)).transpose()?;
        let suffix = Paths::new(Path::new("")).quarantine.to_string_lossy().into_owned();
        let places = Places { quarantine: output.beside(&suffix), input, output, report };
        if places.input == places.output || places.input == places.quarantine {
            return Err(Error::invalid("spec.output", "is the input, or would need its name; name another"));
        }
        let taken = [&places.input, &places.output, &places.quarantine];
        if places.report.as_ref().is_some_and(|report| taken.contains(&report)) {
            return Err(Error::invalid(
                "spec.report.uri",
                "is the input or an output of the job; name another",
            ));
        }
        Ok(places)
    }

    /// Errors: `AlreadyExists` for a file that a job would write over. Objects are asked for when the job is run.
    pub(super) fn check_free(places: &Places) -> Result<(), Error> {
        let there = |place: &Place| place.path().is_some_and(|path| path.symlink_metadata().is_ok());
        match places.targets().find(|(_, place)| there(place)) {
            Some((field, place)) => Err(occupied(field, place)),
            None => Ok(()),
        }
    }

    fn input(&self, field: &str, uri: &str) -> Result<Place, Error> {
        match Place::parse(field, uri)? {
            Place::File(path) => {
                self.check_named(field, &path)?;
                let real = std::fs::canonicalize(&path)
                    .map_err(|e| Error::unread(format!("{field}: {}", path.display()), &e))?;
                self.check_real(field, &real)?;
                if !real.is_file() {
                    return Err(Error::invalid(
                        field,
                        "is no file: a directory, a pipe or a device is not read",
                    ));
                }
                Ok(Place::File(real))
            }
            object => self.check_bucket(field, object),
        }
    }

    fn target(&self, field: &str, uri: &str) -> Result<Place, Error> {
        match Place::parse(field, uri)? {
            Place::File(path) => {
                self.check_named(field, &path)?;
                let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
                    return Err(Error::invalid(field, "names a directory; name a file in it"));
                };
                let real = std::fs::canonicalize(directory).map_err(|e| {
                    Error::unread(format!("{field}: the directory {}", directory.display()), &e)
                })?;
                self.check_real(field, &real)?;
                Ok(Place::File(real.join(name)))
            }
            object => self.check_bucket(field, object),
        }
    }

    fn check_named(&self, field: &str, path: &Path) -> Result<(), Error> {
        if self.directories.is_empty() {
            let problem = format!(
                "{field}: no directory is allowed; list those that jobs may read and write in jobs.directories"
            );
            return Err(Error::new(ErrorKind::Precondition, problem));
        }
        let within = |(named, real): &(PathBuf, PathBuf)| path.starts_with(named) || path.starts_with(real);
        if self.directories.iter().any(within) { Ok(()) } else { Err(outside(field)) }
    }

    fn check_real(&self, field: &str, real: &Path) -> Result<(), Error> {
        let allowed = self.directories.iter().any(|(_, directory)| real.starts_with(directory));
        if allowed { Ok(()) } else { Err(outside(field)) }
    }

    fn check_bucket(&self, field: &str, place: Place) -> Result<Place, Error> {
        let Place::Object(object) = &place else { return Ok(place) };
        if self.buckets.is_empty() {
            let problem =
                format!("{field}: no bucket is allowed; list those that jobs may use in jobs.buckets");
            return Err(Error::new(ErrorKind::Precondition, problem));
        }
        if self.buckets.contains(&object.bucket) {
            return Ok(place);
        }
        Err(Error::invalid(field, "lies in a bucket that is not allowed; jobs.buckets lists those that are"))
    }
}

fn outside(field: &str) -> Error {
    Error::invalid(
        field,
        "lies in no allowed directory, or a link leads out of it; jobs.directories lists them",
    )
}

/// A target that somebody else has written.
pub(super) fn occupied(field: &str, place: &Place) -> Error {
    let problem = format!("{field}: {place} is already there; name another, or take it away");
    Error::new(ErrorKind::AlreadyExists, problem)
}

#[cfg(test)]
#[path = "directories_tests.rs"]
mod tests;
