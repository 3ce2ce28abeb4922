//! Where something lies, as a caller names it: a file by its path, an object by its bucket and key.
//!
//! What a name alone can tell is refused here: a relative path, a step up, another scheme. Whether a place is allowed, the
//! file system must say (`directories`).

use std::path::{Path, PathBuf};

use url::Url;

use crate::error::Error;

/// Longest key of an object, in bytes, as S3 has it.
const KEY_BYTES: usize = 1024;

/// A file or an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// An absolute path, without steps up.
    File(PathBuf),
    /// An object.
    Object(Object),
}

/// An object in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) bucket: String,
    pub(super) key: String,
}

impl Place {
    /// Reads a URI (`file:///…`, `s3://bucket/key`) or an absolute path; `field` is what messages call it.
    ///
    /// Errors: `InvalidInput`.
    pub(super) fn parse(field: &str, uri: &str) -> Result<Self, Error> {
        let wrong = |problem: &str| Err(Error::invalid(field, problem));
        if uri.chars().any(char::is_control) {
            return wrong("holds a control character");
        }
        if uri.split(['/', '\\']).any(is_step) {
            return wrong("holds a step such as `..`; name the place itself");
        }
        if uri.starts_with('/') {
            return Self::file(field, uri.into());
        }
        match uri.split_once("://") {
            Some(("file", _)) => {
                let url =
                    Url::parse(uri).ok().filter(|url| url.query().is_none() && url.fragment().is_none());
                let path = url.and_then(|url| url.to_file_path().ok());
                let path = path.ok_or_else(|| {
                    Error::invalid(field, "is no file URI; expected file:///PATH with ? and # as %3F and %23")
                })?;
                Self::file(field, path)
            }
            Some(("s3", rest)) => Self::object(field, rest),
            Some(_) => wrong("has a scheme that is not read; expected an absolute path, file:// or s3://"),
            None => wrong("expected an absolute path, file:///PATH or s3://BUCKET/KEY"),
        }
    }

    fn file(field: &str, path: PathBuf) -> Result<Self, Error> {
        let bytes = path.as_os_str().as_encoded_bytes();
        // Once more: a URI may have hidden them.
        let hidden =
            bytes.contains(&0) || bytes.split(|b| *b == b'/').any(|part| part == b".." || part == b".");
        if hidden || bytes.iter().any(u8::is_ascii_control) {
            return Err(Error::invalid(field, "holds a step such as `..`, or a control character"));
        }
        if bytes.ends_with(b"/") || path.file_name().is_none() {
            return Err(Error::invalid(field, "names a directory; name a file in it"));
        }
        Ok(Self::File(path))
    }

    fn object(field: &str, rest: &str) -> Result<Self, Error> {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if bucket.is_empty() || bucket.len() > 63 || !bucket.chars().all(plain) {
            return Err(Error::invalid(field, "names no bucket; expected s3://BUCKET/KEY"));
        }
        if key.is_empty() || key.len() > KEY_BYTES || key.split('/').any(str::is_empty) {
            let problem =
                format!("expected s3://BUCKET/KEY, with a key of 1 to {KEY_BYTES} bytes and no empty part");
            return Err(Error::invalid(field, problem));
        }
        Ok(Self::Object(Object { bucket: bucket.into(), key: key.into() }))
    }

    /// The last part of its name.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File(path) => path.file_name().map(|name| name.to_string_lossy().into_owned()),
            Self::Object(object) => object.key.rsplit('/').next().map(ToOwned::to_owned),
        }
        .unwrap_or_default()
    }

    /// The place beside it, with something more at the end of its name.
    pub(super) fn beside(&self, suffix: &str) -> Self {
        match self {
            Self::File(path) => {
                let mut name = path.as_os_str().to_owned();
                name.push(suffix);
                Self::File(name.into())
            }
            Self::Object(object) => {
                Self::Object(Object { key: object.key.clone() + suffix, bucket: object.bucket.clone() })
            }
        }
    }

    /// The path of a file.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Object(_) => None,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Object(object) => object.fmt(f),
        }
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// `.` or `..`, also when a URI has hidden it.
fn is_step(part: &str) -> bool {
    let part = part.to_ascii_lowercase().replace("%2e", ".");
    part == "." || part == ".."
}
