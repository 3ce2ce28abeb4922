//! Checksums as a hub gives them: SHA-256 for what is kept beside git, and git's own (SHA-1 over a head and the content) for the
//! rest.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha1::{Digest as _, Sha1};
use sha2::Sha256;

/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// What a file's content must add up to; lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Digest {
    /// Of the content.
    Sha256(String),
    /// Of `blob`, the length and the content: the id of an object of git.
    GitBlob(String),
}

impl Digest {
    /// Tells them apart by their length, out of an ETag or plain; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches("W/").trim_matches('"');
        let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match text.len() {
            64 if hex => Some(Self::Sha256(text.to_ascii_lowercase())),
            40 if hex => Some(Self::GitBlob(text.to_ascii_lowercase())),
            _ => None,
        }
    }

    /// The digits.
    pub(super) fn hex(&self) -> &str {
        match self {
            Self::Sha256(hex) | Self::GitBlob(hex) => hex,
        }
    }

    /// Whether a file has it.
    pub(super) fn fits(&self, sums: &Sums) -> bool {
        match self {
            Self::Sha256(hex) => *hex == sums.sha256,
            Self::GitBlob(hex) => *hex == sums.git_blob,
        }
    }
}

/// Both checksums of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) sha256: String,
    pub(super) git_blob: String,
}

impl Sums {
    /// Reads a file through; blocks.
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        let mut file = File::open(path)?;
        let (mut sha256, mut git_blob) = (Sha256::new(), Sha1::new());
        git_blob.update(format!("blob {}\0", file.metadata()?.len()));
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                count => {
                    sha256.update(&buffer[..count]);
                    git_blob.update(&buffer[..count]);
                }
            }
        }
        Ok(Self { sha256: hex(&sha256.finalize()), git_blob: hex(&git_blob.finalize()) })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_checksums_that_sha256sum_and_git_give() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        std::fs::write(&path, "hello\n").unwrap();
        let sums = Sums::of(&path).unwrap();
        // What `sha256sum` and `git hash-object` print.
        assert_eq!(sums.sha256, "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
        assert_eq!(sums.git_blob, "ce013625030ba8dba906f756967f9e9ca394464a");
    }

    #[test]
    fn an_etag_is_a_checksum_by_its_length_or_none() {
        let (long, short) = ("AB".repeat(32), "cd".repeat(20));
        assert_eq!(Digest::parse(&format!("\"{long}\"")), Some(Digest::Sha256("ab".repeat(32))));
        assert_eq!(Digest::parse(&format!("W/\"{short}\"")), Some(Digest::GitBlob(short)));
        for text in ["", "\"5d41402abc4b2a76b9719d911017c592\"", &"zz".repeat(32)] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }
}
