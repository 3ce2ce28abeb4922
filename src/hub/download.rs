//! One file: fetched into its unfinished form, gone on with where an earlier try has stopped, checked, and given its name.
//!
//! An unfinished file is called by its checksum. What lies there under that name is a beginning of this very content or it is
//! damaged, which the check at the end tells; a file that has changed has another name, and begins anew.

use std::io::SeekFrom;
use std::path::{Path, PathBuf};

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap};
use reqwest::{Response, StatusCode};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::answer::Trouble;
use super::client::Client;
use super::digest::{Digest, Sums};
use super::names::UNFINISHED;
use crate::error::{Error, ErrorKind};

/// A file that is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) digest: Digest,
}

impl Planned {
    /// What its unfinished form is called.
    pub(super) fn unfinished(&self) -> String {
        format!("{}{UNFINISHED}", self.digest.hex())
    }

    /// Whether a file is this one; what can't be read is not.
    pub(super) async fn is_at(&self, path: PathBuf) -> Option<Sums> {
        let fits = std::fs::metadata(&path).is_ok_and(|m| m.is_file() && m.len() == self.bytes);
        let sums = if fits { sums(path).await.ok()? } else { return None };
        self.digest.fits(&sums).then_some(sums)
    }
}

/// A file on its way.
pub(super) struct Download<'a> {
    pub(super) client: &'a Client,
    pub(super) commit: &'a str,
    pub(super) file: &'a Planned,
    /// Of the unfinished form.
    pub(super) path: &'a Path,
    /// Is told how much of it is there.
    pub(super) came: &'a (dyn Fn(u64) + Send + Sync),
}

impl Download<'_> {
    /// Fetches what is missing. Whoever calls it again goes on from there.
    pub(super) async fn go_on(&self) -> Result<(), Trouble> {
        let have = tokio::fs::metadata(self.path).await.map_or(0, |m| m.len());
        let have = if have > self.file.bytes { 0 } else { have };
        (self.came)(have);
        if have == self.file.bytes && have > 0 {
            return Ok(());
        }
        let answer = self.client.content(self.commit, &self.file.name, have).await?;
        let from = self.begins(&answer, have).await?;
        let length =
            answer.headers().get(CONTENT_LENGTH).and_then(|text| text.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > self.file.bytes - from) {
            return Err(self.longer());
        }
        let mut out = self.open(from).await.map_err(|e| self.unwritten(&e))?;
        let came = self.pour(answer, from, &mut out).await;
        // What has come is kept, however it ended.
        out.flush().await.map_err(|e| self.unwritten(&e))?;
        out.sync_all().await.map_err(|e| self.unwritten(&e))?;
        came
    }

    /// From which byte on the answer goes: the one that was asked for, or the first.
    async fn begins(&self, answer: &Response, have: u64) -> Result<u64, Trouble> {
        match answer.status() {
            StatusCode::PARTIAL_CONTENT if begins_at(answer.headers(), have, self.file.bytes) => Ok(have),
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                // Without a beginning, the next request is one for the whole.
                let _none = tokio::fs::remove_file(self.path).await;
                let problem = format!("{}: another part came than was asked for", self.file.name);
                Err(Trouble::passing(Error::new(ErrorKind::Unavailable, problem)))
            }
            _ => Ok(0),
        }
    }

    async fn open(&self, from: u64) -> std::io::Result<File> {
        let mut options = OpenOptions::new();
        let mut out = options.create(true).write(true).truncate(from == 0).open(self.path).await?;
        out.seek(SeekFrom::Start(from)).await?;
        Ok(out)
    }

    async fn pour(&self, mut answer: Response, from: u64, out: &mut File) -> Result<(), Trouble> {
        let Planned { name, bytes, .. } = self.file;
        let mut have = from;
        while let Some(piece) = answer.chunk().await.map_err(|e| self.client.broken(&e))? {
            if piece.len() as u64 > bytes - have {
                return Err(self.longer());
            }
            out.write_all(&piece).await.map_err(|e| self.unwritten(&e))?;
            have += piece.len() as u64;
            (self.came)(have);
        }
        if have == *bytes {
            return Ok(());
        }
        let problem = format!("{name}: the answer ended after {have} of {bytes} bytes");
        Err(Trouble::passing(Error::new(ErrorKind::Unavailable, problem)))
    }

    fn longer(&self) -> Trouble {
        let Planned { name, bytes, .. } = self.file;
        let problem = format!("{name}: more comes than the {bytes} bytes that the hub says it has");
        Trouble::lasting(Error::new(ErrorKind::Precondition, problem))
    }

    fn unwritten(&self, error: &std::io::Error) -> Trouble {
        Trouble::lasting(unwritten(self.path, error))
    }
}

/// Whether a part is the one that was asked for: from this byte on, of a file of this length.
fn begins_at(headers: &HeaderMap, from: u64, bytes: u64) -> bool {
    let range = headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    range.starts_with(&format!("bytes {from}-")) && range.ends_with(&format!("/{bytes}"))
}

/// Checks what was fetched; a file that does not fit is removed, since nobody could say where it goes wrong. Errors:
/// `Precondition`; `Unavailable` for a disk that does not read.
pub(super) async fn check(file: &Planned, path: &Path) -> Result<Sums, Error> {
    let found = sums(path.to_path_buf()).await?;
    if file.digest.fits(&found) {
        return Ok(found);
    }
    std::fs::remove_file(path).map_err(|e| unwritten(path, &e))?;
    let problem = format!(
        "{} does not have the checksum that the hub gives (expected {}): it was damaged on the way, or by somebody; it was removed. Run \
         the same command again",
        file.name,
        file.digest.hex()
    );
    Err(Error::new(ErrorKind::Precondition, problem))
}

async fn sums(path: PathBuf) -> Result<Sums, Error> {
    let read =
        tokio::task::spawn_blocking(move || Sums::of(&path).map_err(|e| Error::unread(path.display(), &e)));
    read.await.map_err(Error::internal)?
}

/// A file that can't be written, and what to do about it.
pub(super) fn unwritten(path: &Path, error: &std::io::Error) -> Error {
    let advice = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            "; make room and run the same command again: it goes on from here"
        }
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            "; name a directory that can be written with -o"
        }
        _ => "",
    };
    Error::new(ErrorKind::Unavailable, format!("can't write {}: {error}{advice}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_closed_one_say_what_to_do() {
        for (code, advice) in
            [(28, "make room and run the same command again"), (13, "with -o"), (30, "with -o")]
        {
            let error = unwritten(Path::new("/models/x"), &std::io::Error::from_raw_os_error(code));
            assert!(error.public().starts_with("can't write /models/x: "), "{error}");
            assert!(error.public().contains(advice), "{error}");
        }
    }

    #[test]
    fn a_part_is_the_one_that_was_asked_for_or_none() {
        for (range, fits) in [
            ("bytes 5-9/10", true),
            ("bytes 0-9/10", false),
            ("bytes 50-99/10", false),
            ("bytes 5-9/11", false),
            ("bytes 5-9/*", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_RANGE, range.parse().unwrap());
            assert_eq!(begins_at(&headers, 5, 10), fits, "{range}");
        }
    }
}
