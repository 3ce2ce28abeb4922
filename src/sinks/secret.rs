//! Secrets of sinks: never printed, and read from their file anew each time, so that a token that somebody renews is used
//! without a restart.

use std::path::PathBuf;

use crate::error::{Error, ErrorKind};

/// Largest secret, in bytes: a header of this size is more than servers take.
const BYTES: usize = 8 << 10;

/// Something that only attune and the receiver may know.
#[derive(Clone)]
pub enum Secret {
    /// The value itself.
    Value(String),
    /// The file that holds it.
    File(PathBuf),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Value(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

impl Secret {
    /// The secret, without white space around it. Errors: `NotFound` or `Unavailable` for a file that can't be read,
    /// `InvalidInput` for one that is empty, too large or no text. None of them holds any of it.
    pub async fn read(&self) -> Result<String, Error> {
        let text = match self {
            Self::Value(value) => value.clone(),
            Self::File(path) => {
                use tokio::io::AsyncReadExt;
                let fail = |e: std::io::Error| Error::unread(path.display(), &e);
                let file = tokio::fs::File::open(path).await.map_err(fail)?;
                let mut bytes = Vec::new();
                file.take(BYTES as u64 + 1).read_to_end(&mut bytes).await.map_err(fail)?;
                String::from_utf8(bytes).map_err(|_| self.wrong("is no text"))?
            }
        };
        match text.trim() {
            "" => Err(self.wrong("is empty")),
            long if long.len() > BYTES => Err(self.wrong("is longer than 8192 bytes")),
            secret => Ok(secret.to_owned()),
        }
    }

    fn wrong(&self, problem: &str) -> Error {
        let what = match self {
            Self::Value(_) => "a secret".to_owned(),
            Self::File(path) => format!("the secret in {}", path.display()),
        };
        Error::new(ErrorKind::InvalidInput, format!("{what} {problem}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_secret_is_read_anew_each_time_and_never_printed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let secret = Secret::File(path.clone());
        for value in ["canary-1\n", "canary-2"] {
            std::fs::write(&path, value).unwrap();
            assert_eq!(secret.read().await.unwrap(), value.trim());
        }
        assert!(!format!("{:?}", Secret::Value("canary".into())).contains("canary"));
    }

    #[tokio::test]
    async fn a_secret_that_can_not_be_used_is_an_error_without_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        for (bytes, problem) in
            [(&b" \n"[..], "is empty"), (b"\xffcanary", "is no text"), (&[b'x'; BYTES + 1], "is longer than")]
        {
            std::fs::write(&path, bytes).unwrap();
            let error = Secret::File(path.clone()).read().await.unwrap_err();
            assert!(error.public().contains(problem), "{error}");
            assert!(!error.public().contains("canary"));
        }
        let missing = Secret::File(folder.path().join("none")).read().await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }
}
