//! Objects in and out: downloads into a job's directory, uploads in parts, both tried again a few times.
//!
//! What the store says of an error goes to the log alone; callers are told which object, and what kind of trouble.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use super::place::Object;
use crate::error::{Error, ErrorKind};
use crate::jobs::part;

/// Bytes of a part: S3 takes 5 MiB at least; what is held in memory is this, times the parts in flight.
const PART_BYTES: u64 = 8 << 20;
/// Parts that an upload may have, a S3's own limit: those of larger files are larger.
const PARTS: u64 = 10_000;
/// Parts of one upload in flight.
const PARTS_IN_FLIGHT: usize = 3;
/// Longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How often a transfer is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Attempts in all.
    pub attempts: u32,
    /// The wait after the first one; it doubles, up to half a minute, and half of it is chance.
    pub first: Duration,
}

impl Patience {
    /// The wait after so many attempts, from 1.
    fn wait(self, attempts: u32) -> Duration {
        let longest = self.first.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_WAIT);
        longest.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// Tries until it works, until the trouble is none that passes, or until it was tried often enough.
    ///
    /// Errors: the last one; `Cancelled` after a stop.
    pub(super) async fn keep_trying<T, F>(
        self,
        stop: &CancellationToken,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut attempts = 0;
        loop {
            let result = tokio::select! {
                biased;
                () = stop.cancelled() => return Err(stopped()),
                result = attempt() => result,
            };
            attempts += 1;
            match result {
                Err(error) if error.kind() == ErrorKind::Unavailable && attempts < self.attempts => {
                    tracing::warn!(error = %error, causes = error.causes(), attempts, "a transfer is tried again");
                    tokio::select! {
                        () = stop.cancelled() => return Err(stopped()),
                        () = tokio::time::sleep(self.wait(attempts)) => {}
                    }
                }
                result => return result,
            }
        }
    }
}

fn stopped() -> Error {
    Error::new(ErrorKind::Cancelled, "stopped during a transfer")
}

/// Size of an object in bytes; `None` when it is not there. Errors: `Unavailable`, `Forbidden`, `Unauthenticated`.
pub(super) async fn size(store: &Arc<dyn ObjectStore>, object: &Object) -> Result<Option<u64>, Error> {
    match store.head(&key(object)?).await {
        Ok(meta) => Ok(Some(meta.size)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(e) => Err(failure(object, e)),
    }
}

/// Copies an object of at most `most` bytes to a file that is there as a whole or not at all. Errors as [`size`], and those
/// of the disk.
pub(super) async fn download(
    store: &Arc<dyn ObjectStore>,
    object: &Object,
    to: &Path,
    most: u64,
) -> Result<(), Error> {
    let part = to.with_extension("download");
    let disk = |e: std::io::Error| part::failure(to, &e);
    let mut chunks = store.get(&key(object)?).await.map_err(|e| failure(object, e))?.into_stream();
    let mut file = tokio::fs::File::create(&part).await.map_err(disk)?;
    let mut length = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|e| failure(object, e))?;
        length += chunk.len() as u64;
        if length > most {
            return Err(Error::new(ErrorKind::Unavailable, format!("{object}: grows while it is read")));
        }
        file.write_all(&chunk).await.map_err(disk)?;
    }
    file.sync_all().await.map_err(disk)?;
    part::rename(&part, to)
}

/// Copies a file to an object. Errors as [`size`], and those of the file.
pub(super) async fn upload(store: &Arc<dyn ObjectStore>, from: &Path, object: &Object) -> Result<(), Error> {
    let disk = |e: std::io::Error| Error::unread(from.display(), &e);
    let mut file = tokio::fs::File::open(from).await.map_err(disk)?;
    let length = file.metadata().await.map_err(disk)?.len();
    let key = key(object)?;
    if length <= PART_BYTES {
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.read_to_end(&mut bytes).await.map_err(disk)?;
        return store.put(&key, bytes.into()).await.map(drop).map_err(|e| failure(object, e));
    }
    let size = usize::try_from(PART_BYTES.max(length.div_ceil(PARTS))).map_err(Error::internal)?;
    let upload = store.put_multipart(&key).await.map_err(|e| failure(object, e))?;
    let mut upload = WriteMultipart::new_with_chunk_size(upload, size);
    match in_parts(&mut file, &mut upload).await {
        Ok(()) => upload.finish().await.map(drop).map_err(|e| failure(object, e)),
        Err(error) => {
            // What is left of it costs room; a store that can't be reached will forget it by its own rules.
            let _ = upload.abort().await;
            Err(match error {
                Trouble::Disk(e) => disk(e),
                Trouble::Store(e) => failure(object, e),
            })
        }
    }
}

enum Trouble {
    Disk(std::io::Error),
    Store(object_store::Error),
}

async fn in_parts(file: &mut tokio::fs::File, upload: &mut WriteMultipart) -> Result<(), Trouble> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        upload.wait_for_capacity(PARTS_IN_FLIGHT).await.map_err(Trouble::Store)?;
        match file.read(&mut buffer).await.map_err(Trouble::Disk)? {
            0 => return Ok(()),
            count => upload.write(&buffer[..count]),
        }
    }
}

fn key(object: &Object) -> Result<Key, Error> {
    Key::parse(&object.key).map_err(|e| {
        Error::new(ErrorKind::InvalidInput, format!("{object}: is no key of an object")).with_source(e)
    })
}

fn failure(object: &Object, error: object_store::Error) -> Error {
    use object_store::Error as Store;
    let (kind, problem) = match &error {
        Store::NotFound { .. } => (ErrorKind::NotFound, "is not there, or its bucket is not"),
        Store::PermissionDenied { .. } => (ErrorKind::Forbidden, "the service's credentials don't allow it"),
        Store::Unauthenticated { .. } => {
            (ErrorKind::Unauthenticated, "the service's credentials are not accepted")
        }
        _ => (ErrorKind::Unavailable, "the object store does not answer, or not in order"),
    };
    Error::new(kind, format!("{object}: {problem}")).with_source(error)
}

#[cfg(test)]
#[path = "transfer_tests.rs"]
mod tests;
