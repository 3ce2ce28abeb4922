//! What a hub says that a revision holds.

use serde::Deserialize;

use super::digest::Digest;
use super::names;

/// A commit and its files, as far as they may be written at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// 40 hex digits.
    pub(super) commit: String,
    pub(super) files: Vec<Listed>,
}

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    /// `None` when the listing leaves it out.
    pub(super) bytes: Option<u64>,
    /// `None` when the listing leaves it out.
    pub(super) digest: Option<Digest>,
}

#[derive(Deserialize)]
struct Wire {
    sha: String,
    #[serde(default)]
    siblings: Vec<WireFile>,
}

#[derive(Deserialize)]
struct WireFile {
    #[serde(rename = "rfilename")]
    name: String,
    size: Option<u64>,
    #[serde(rename = "blobId")]
    blob_id: Option<String>,
    lfs: Option<WireLfs>,
}

#[derive(Deserialize)]
struct WireLfs {
    sha256: Option<String>,
    size: Option<u64>,
}

impl Listing {
    /// Reads a hub's answer; says what is wrong with one that is none. Names that may not be written are left out.
    pub(super) fn parse(body: &[u8]) -> Result<Self, &'static str> {
        let wire: Wire = serde_json::from_slice(body).map_err(|_| "its list of files can't be read")?;
        let is_commit = wire.sha.len() == 40 && wire.sha.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_commit {
            return Err("it names no commit");
        }
        let files = wire.siblings.into_iter().filter(|file| names::is_safe(&file.name)).map(Listed::from);
        Ok(Self { commit: wire.sha.to_ascii_lowercase(), files: files.collect() })
    }

    /// The file of this name.
    pub(super) fn find(&self, name: &str) -> Option<&Listed> {
        self.files.iter().find(|file| file.name == name)
    }
}

impl From<WireFile> for Listed {
    /// What is kept beside git has its own size and checksum there; git's are those of a pointer to it.
    fn from(file: WireFile) -> Self {
        let (bytes, digest) = match file.lfs {
            Some(lfs) => (lfs.size.or(file.size), lfs.sha256),
            None => (file.size, file.blob_id),
        };
        Self { name: file.name, bytes, digest: digest.as_deref().and_then(Digest::parse) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_and_checksums_are_those_of_the_content_not_of_a_pointer() {
        let (commit, blob, sha256) = ("C0".repeat(20), "b1".repeat(20), "5a".repeat(32));
        let body = serde_json::json!({ "id": "acme/mood", "sha": commit, "siblings": [
            { "rfilename": "config.json", "size": 12, "blobId": blob },
            { "rfilename": "model.onnx", "size": 900, "blobId": blob,
              "lfs": { "sha256": sha256, "size": 900, "pointerSize": 134 } },
            { "rfilename": "README.md" },
            { "rfilename": "../evil", "size": 1, "blobId": blob },
        ] });
        let listing = Listing::parse(body.to_string().as_bytes()).unwrap();
        assert_eq!(listing.commit, "c0".repeat(20));
        let names: Vec<&str> = listing.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["config.json", "model.onnx", "README.md"]);
        assert_eq!(listing.files[0].digest, Some(Digest::GitBlob(blob)));
        assert_eq!(listing.files[1].digest, Some(Digest::Sha256(sha256)));
        assert_eq!((listing.files[2].bytes, &listing.files[2].digest), (None, &None));
    }

    #[test]
    fn an_answer_that_names_no_commit_is_none() {
        for (body, problem) in [
            ("", "its list of files can't be read"),
            ("[]", "its list of files can't be read"),
            (r#"{"siblings":[]}"#, "its list of files can't be read"),
            (r#"{"sha":"main","siblings":[]}"#, "it names no commit"),
            (r#"{"sha":"../../../../../../../../../../../../../..","siblings":[]}"#, "it names no commit"),
        ] {
            assert_eq!(Listing::parse(body.as_bytes()), Err(problem), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_whatever_it_holds_is_a_panic_or_an_unsafe_name(name in ".{0,30}", size: i64, rest in ".{0,20}") {
            let body = serde_json::json!({ "sha": "0".repeat(40),
                "siblings": [{ "rfilename": name, "size": size, "blobId": rest }] });
            if let Ok(listing) = Listing::parse(body.to_string().as_bytes()) {
                prop_assert!(listing.files.iter().all(|file| names::is_safe(&file.name)));
            }
            let _ = Listing::parse(rest.as_bytes());
        }
    }
}
