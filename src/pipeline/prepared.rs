//! What is known of a text before the network reads it.

use crate::inference::TokenizedText;
use crate::inference::language::Identification;

/// A text's language and how sure that is.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) tag: Option<String>,
    pub(super) confidence: f64,
}

/// A text that the network is to read.
pub(super) struct Prepared {
    pub(super) found: Found,
    pub(super) tokens: TokenizedText,
}

impl From<Identification> for Found {
    fn from(found: Identification) -> Self {
        Self { tag: found.tag.map(str::to_owned), confidence: found.confidence }
    }
}
