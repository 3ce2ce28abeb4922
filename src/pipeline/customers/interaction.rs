//! What a caller hands in.

use std::fmt;

use crate::domain::{Channel, Turn};
use crate::error::Error;

/// Longest id, in bytes.
pub const ID_BYTES: usize = 256;
/// The latest time: the end of the year 9999, in milliseconds since 1970.
pub const LATEST_MS: i64 = 253_402_300_799_999;
/// Longest language tag, in bytes.
const TAG_BYTES: usize = 35;
/// How far ahead of now a time may lie, for clocks that differ and times without a zone.
pub const AHEAD_MS: i64 = 86_400_000;
/// Most turns of a conversation that is recorded.
pub const TURNS: usize = 2_000;

/// What was said.
#[derive(Clone, PartialEq)]
pub enum Content {
    /// A message, a mail, a post.
    Message(String),
    /// A comment of a survey; may be empty when there is a score.
    Survey(String),
    /// A whole conversation, when it is over.
    Conversation(Vec<Turn>),
}

impl fmt::Debug for Content {
    /// Says how much there is, and never what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(text) => f.debug_tuple("Message").field(&text.len()).finish(),
            Self::Survey(text) => f.debug_tuple("Survey").field(&text.len()).finish(),
            Self::Conversation(turns) => f.debug_tuple("Conversation").field(&turns.len()).finish(),
        }
    }
}

impl Content {
    /// Its name in exports.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Survey(_) => "survey",
            Self::Conversation(_) => "conversation",
        }
    }
}

/// One interaction of one customer.
#[derive(Clone, PartialEq)]
pub struct Interaction {
    /// Empty for the only tenant.
    pub tenant: String,
    /// The customer's id in the caller's systems.
    pub customer: String,
    /// The system it comes from, such as `zendesk`.
    pub source: String,
    /// Its id there. With tenant and source: the same interaction.
    pub external_id: String,
    /// When it took place, in milliseconds since 1970.
    pub at_ms: i64,
    /// The way it was led; of no meaning for a survey.
    pub channel: Channel,
    /// BCP 47 tag when the caller knows it.
    pub language: Option<String>,
    /// What was said.
    pub content: Content,
    /// The answer to "how likely are you to recommend us", 0 to 10.
    pub nps: Option<u8>,
    /// The answer to "how satisfied are you", brought to [0, 1].
    pub csat: Option<f64>,
}

impl fmt::Debug for Interaction {
    /// Leaves the customer out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interaction")
            .field("tenant", &self.tenant)
            .field("source", &self.source)
            .field("at_ms", &self.at_ms)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

impl Interaction {
    /// Errors: `InvalidInput` with the field.
    pub fn check(&self) -> Result<(), Error> {
        check_id(&self.tenant, "tenant", false)?;
        check_id(&self.customer, "customer", true)?;
        check_id(&self.source, "source", true)?;
        check_id(&self.external_id, "external_id", true)?;
        check_time(self.at_ms, "at_ms")?;
        // It is kept as it was sent, whatever becomes of texts, so it has to be no text.
        if self.language.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(Error::invalid("language", "expected a BCP 47 tag such as \"en\" or \"en-GB\""));
        }
        if self.nps.is_some_and(|nps| nps > 10) {
            return Err(Error::invalid("nps", "expected 0 to 10"));
        }
        if self.csat.is_some_and(|csat| !(0.0..=1.0).contains(&csat)) {
            return Err(Error::invalid("csat", "expected a share from 0 to 1, such as 0.75 for 4 of 1 to 5"));
        }
        match &self.content {
            Content::Conversation(turns) if turns.is_empty() => {
                Err(Error::invalid("conversation.turns", "a conversation has at least one turn"))
            }
            Content::Conversation(turns) if turns.len() > TURNS => {
                let problem = format!("has {} turns, at most {TURNS} are read", turns.len());
                Err(Error::invalid("conversation.turns", problem))
            }
            Content::Message(_) | Content::Survey(_) | Content::Conversation(_) => Ok(()),
        }
    }

    /// Retention and erasure go by the time of an interaction: one that lies years ahead would outlive both, and make
    /// everything else about its customer old. Errors: `InvalidInput`.
    pub(super) fn check_not_ahead(&self, now_ms: i64) -> Result<(), Error> {
        if self.at_ms > now_ms.saturating_add(AHEAD_MS) {
            return Err(Error::invalid(
                "at_ms",
                "lies more than a day ahead; expected milliseconds since 1970",
            ));
        }
        Ok(())
    }

    /// The interaction's id: the same wherever and however often it arrives.
    pub fn id(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in [&self.tenant, &self.source, &self.external_id] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        format!("int_{}", &hasher.finalize().to_hex()[..32])
    }
}

/// A time that everything here can say.
pub fn check_time(at_ms: i64, field: &str) -> Result<(), Error> {
    if (0..=LATEST_MS).contains(&at_ms) {
        return Ok(());
    }
    Err(Error::invalid(field, "expected milliseconds since 1970, before the year 10000"))
}

/// Whether a tag of BCP 47 may look so: up to eight letters or digits between hyphens.
fn is_tag(tag: &str) -> bool {
    let part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    tag.len() <= TAG_BYTES && tag.split('-').all(part)
}

/// Ids are names, and stored as they are: PostgreSQL takes no NUL, and a line break in a log is two lines.
pub fn check_id(id: &str, field: &str, required: bool) -> Result<(), Error> {
    let problem = if required && id.is_empty() {
        "is required".to_owned()
    } else if id.len() > ID_BYTES {
        format!("has {} bytes, at most {ID_BYTES} are allowed", id.len())
    } else if id.chars().any(char::is_control) {
        "has a control character".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::invalid(field, problem))
}

#[cfg(test)]
#[path = "interaction_tests.rs"]
mod tests;
