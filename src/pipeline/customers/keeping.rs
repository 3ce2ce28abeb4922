//! What stays of a text: nothing, a keyed hash, the text without what identifies a person, or all of it.

use super::reading;
use crate::domain::{Assessment, Conversation};
use crate::error::Error;
use crate::privacy::{HashKey, redact};
use crate::storage::KeptText;

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Nothing: what was read stays, the words go.
    None,
    /// A keyed hash, by which equal texts are known.
    Hash,
    /// The text without what identifies a person, and the hash.
    #[default]
    Redacted,
    /// The text as it was sent, and the hash.
    Full,
}

/// What is kept of texts, and by which key they and their customers are hashed.
#[derive(Debug, Clone)]
pub struct Keeping {
    keep: Keep,
    key: HashKey,
}

impl Keeping {
    /// By this key.
    pub fn new(keep: Keep, key: HashKey) -> Self {
        Self { keep, key }
    }

    /// The key.
    pub fn key(&self) -> &HashKey {
        &self.key
    }

    /// What stays of a message, and what was read in it as JSON; its offsets are into what is kept, or else into what was
    /// sent.
    pub(super) fn message(&self, text: &str, read: &Assessment) -> Result<(KeptText, String), Error> {
        if self.keep != Keep::Redacted {
            return Ok((self.kept(text, || text.to_owned()), reading::message(read, None)?));
        }
        let redacted = redact(text);
        let body = reading::message(read, Some(&redacted))?;
        Ok((self.kept(text, || redacted.text), body))
    }

    /// What stays of a conversation: a line for each turn, with its role.
    pub(super) fn conversation(&self, talk: &Conversation) -> KeptText {
        let line = |text: &str, role: &str| format!("{role}: {text}\n");
        let whole: String = talk.turns.iter().map(|turn| line(&turn.text, turn.role.name())).collect();
        let shown = || match self.keep {
            Keep::Redacted => {
                talk.turns.iter().map(|turn| line(&redact(&turn.text).text, turn.role.name())).collect()
            }
            Keep::None | Keep::Hash | Keep::Full => whole.clone(),
        };
        self.kept(&whole, shown)
    }

    fn kept(&self, sent: &str, shown: impl FnOnce() -> String) -> KeptText {
        let hash = (self.keep != Keep::None).then(|| self.key.text(sent));
        // PostgreSQL has no NUL in a text.
        let text =
            matches!(self.keep, Keep::Redacted | Keep::Full).then(|| shown().replace('\0', "\u{fffd}"));
        KeptText { text, hash }
    }
}

#[cfg(test)]
#[path = "keeping_tests.rs"]
mod tests;
