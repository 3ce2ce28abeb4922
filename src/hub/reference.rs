//! `hf://owner/name@revision`: a model on a hub.

use crate::error::Error;

/// What a reference begins with.
const SCHEME: &str = "hf://";
/// What is asked for when no revision is named.
const DEFAULT_REVISION: &str = "main";
/// Longest owner or name; a hub's own limit.
const NAME_BYTES: usize = 96;
/// Longest revision; a hub's own limit for branches and tags.
const REVISION_BYTES: usize = 250;

/// A model on a hub, at a branch, a tag or a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    owner: String,
    name: String,
    revision: String,
}

impl Reference {
    /// Reads `hf://owner/name` or `hf://owner/name@revision`. Error: `InvalidInput`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let read = || {
            let rest = text.strip_prefix(SCHEME)?;
            let (repository, revision) = rest.split_once('@').unwrap_or((rest, DEFAULT_REVISION));
            let (owner, name) = repository.split_once('/')?;
            let fits = is_name(owner) && is_name(name) && is_revision(revision);
            fits.then(|| Self { owner: owner.into(), name: name.into(), revision: revision.into() })
        };
        read().ok_or_else(|| {
            let expected = "expected hf://owner/name or hf://owner/name@revision, where the revision is a branch, a tag or a commit";
            Error::invalid("MODEL", format!("{expected}, not {text:?}"))
        })
    }

    /// Who has it.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The branch, tag or commit that is asked for.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// `owner/name`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=NAME_BYTES).contains(&text.len())
        && text.bytes().all(plain)
        && !text.starts_with(['-', '.'])
        && !text.contains("..")
}

/// Branches and tags may have slashes (`refs/pr/1`); the rest is what git allows and needs no quoting.
fn is_revision(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+".contains(&byte);
    (1..=REVISION_BYTES).contains(&text.len())
        && text.bytes().all(plain)
        && !text.contains("..")
        && text.split('/').all(|part| !part.is_empty() && !part.starts_with(['.', '-']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_model_is_named_with_its_owner_and_perhaps_a_revision() {
        for (text, repository, revision) in [
            ("hf://acme/mood", "acme/mood", "main"),
            ("hf://acme/mood-v1.5_b@v2", "acme/mood-v1.5_b", "v2"),
            ("hf://acme/mood@refs/pr/1", "acme/mood", "refs/pr/1"),
        ] {
            let reference = Reference::parse(text).unwrap();
            assert_eq!(
                (reference.repository().as_str(), reference.revision()),
                (repository, revision),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_reference_is_refused_with_the_form_that_is_expected() {
        for text in [
            "acme/mood",
            "https://hub.test/acme/mood",
            "hf://mood",
            "hf://acme/mood/more",
            "hf:///mood",
            "hf://acme/",
            "hf://acme/..",
            "hf://../mood",
            "hf://acme/mood@",
            "hf://acme/mood@../main",
            "hf://acme/mood@a//b",
            "hf://acme/mood@/main",
            "hf://acme/mo od",
            "hf://acme/mood?x=1",
            "hf://acme/mood@a#b",
            "hf://acme/mood@a@b",
        ] {
            let error = Reference::parse(text).unwrap_err();
            assert!(error.public().starts_with("expected hf://owner/name"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_reference_that_is_taken_says_the_same_when_it_is_written_again(text in "hf://[a-z./@_-]{0,20}") {
            if let Ok(read) = Reference::parse(&text) {
                let again = format!("hf://{}@{}", read.repository(), read.revision());
                prop_assert_eq!(Reference::parse(&again).unwrap(), read);
            }
        }
    }
}
