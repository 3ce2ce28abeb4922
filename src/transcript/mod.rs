//! Turns other systems' transcript exports into conversations.
//!
//! `detect` finds a file's format, the format's own file reads it, `assemble` holds the bounds and counts what is left
//! out; `clean`, `html`, `quoted` and `signature` take from a mail what its writer did not say in it. A turn's text is
//! never empty, and what is left out on purpose is counted. Nothing here does I/O, and no message quotes a text or a name.

mod assemble;
mod boilerplate;
mod clean;
mod connect;
mod connect_chat;
mod connect_lens;
mod detect;
mod html;
mod intercom;
mod json;
pub mod jsonl;
mod quoted;
mod roles;
mod signature;
mod skipped;
mod speaker;
mod text;
mod times;
mod vtt;
mod zendesk;

pub use detect::detect;
pub use roles::RoleMap;
pub use skipped::{Skip, Skipped};

use crate::domain::{Channel, Conversation};
use crate::error::Error;
use assemble::{Assembly, refuse};

/// Longest file, in bytes: a year of one agent's chats has less. Larger ones are split by conversation.
pub const FILE_BYTES: usize = 64 << 20;
/// Most turns of a conversation: two turns a second for half a day.
pub const TURNS: usize = 100_000;
/// Longest text of a turn, in bytes: what the service takes for one text by default.
pub const TEXT_BYTES: usize = 1 << 20;
/// Longest id, speaker's name, language tag, and name or value of a metadata entry, in bytes.
pub const NAME_BYTES: usize = 1024;
/// Most metadata entries of a conversation.
pub const METADATA: usize = 64;

/// What a file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Lines such as `[10:02] Agent: …`.
    Text,
    /// Web Video Text Tracks, as meeting and call recorders write them.
    WebVtt,
    /// Analysis file of Amazon Connect Contact Lens.
    ConnectLens,
    /// Raw chat transcript of Amazon Connect.
    ConnectChat,
    /// Zendesk tickets with their comments.
    Zendesk,
    /// Intercom conversations with their parts.
    Intercom,
    /// The project's own schema, a conversation per line.
    Jsonl,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 7] = [
        Self::Text,
        Self::WebVtt,
        Self::ConnectLens,
        Self::ConnectChat,
        Self::Zendesk,
        Self::Intercom,
        Self::Jsonl,
    ];

    /// The format's name in flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::WebVtt => "webvtt",
            Self::ConnectLens => "connect-lens",
            Self::ConnectChat => "connect-chat",
            Self::Zendesk => "zendesk",
            Self::Intercom => "intercom",
            Self::Jsonl => "jsonl",
        }
    }

    /// The format of that name, in small letters.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// How a file is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// Which speaker is what, for formats that only name speakers.
    pub roles: RoleMap,
    /// Whether quoted mails, signatures and a ticket system's own lines are cut from mails.
    pub clean: bool,
    /// Channel of all conversations, whatever the file says.
    pub channel: Option<Channel>,
    /// BCP 47 tag of all conversations, whatever the file says.
    pub language: Option<String>,
    /// Tenant of all conversations, whatever the file says.
    pub tenant: Option<String>,
    /// Id of a conversation that has none of its own; the second one such gets `-2` behind it, and so on.
    pub id: Option<String>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { roles: RoleMap::default(), clean: true, channel: None, language: None, tenant: None, id: None }
    }
}

/// What a file held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Import {
    /// In the file's order; each has at least one turn.
    pub conversations: Vec<Conversation>,
    /// What was left out on purpose.
    pub skipped: Skipped,
}

/// Reads a file's bytes as `format`. A caller that reads from a disk or a network checks [`FILE_BYTES`] before it
/// fills its memory; here it is checked again.
///
/// Errors: `InvalidInput` with the line or the JSON path, for bytes that are not UTF-8, a shape that is not the
/// format's, a speaker without a role, or a bound that is passed.
pub fn import(bytes: &[u8], format: Format, options: &ImportOptions) -> Result<Import, Error> {
    let text = utf8(bytes)?;
    let mut assembly = Assembly::new(options);
    match format {
        Format::Text => text::read(text, &mut assembly),
        Format::WebVtt => vtt::read(text, &mut assembly),
        Format::ConnectLens => connect_lens::read(text, &mut assembly),
        Format::ConnectChat => connect_chat::read(text, &mut assembly),
        Format::Zendesk => zendesk::read(text, &mut assembly),
        Format::Intercom => intercom::read(text, &mut assembly),
        Format::Jsonl => jsonl::read(text, &mut assembly),
    }?;
    Ok(assembly.import)
}

/// The text without the mark that some programs put in front of it.
fn utf8(bytes: &[u8]) -> Result<&str, Error> {
    if bytes.len() > FILE_BYTES {
        let problem = format!("has {} bytes; at most {FILE_BYTES} are read: split it", bytes.len());
        return Err(refuse("file", problem));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let problem = "is UTF-16; save it as UTF-8, for instance with `iconv -f UTF-16 -t UTF-8`";
        return Err(refuse("file", problem));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let problem = format!("is not UTF-8 at byte offset {}; save it as UTF-8", e.valid_up_to());
        refuse("file", problem)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

#[cfg(test)]
#[path = "mod_tests.rs"]
mod tests;
