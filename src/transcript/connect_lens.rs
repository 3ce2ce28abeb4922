//! Analysis files of Amazon Connect Contact Lens, for calls and chats; also segments of its real-time API.
//!
//! `ParticipantId` is a UUID or the role itself, so it is joined through `Participants`. The file's own sentiment,
//! issues and categories are not read.

use super::Skip;
use super::assemble::{Assembly, order_by_time, refuse};
use super::connect::{Participants, is_event};
use super::json::{Node, documents};
use crate::domain::{Channel, Conversation, Turn};
use crate::error::Error;

/// Reads each document as one conversation.
pub(super) fn read(text: &str, assembly: &mut Assembly) -> Result<(), Error> {
    for document in documents(text, |item| item.get("Transcript").or(item.get("Segments")).is_some())? {
        conversation(&document.root(), assembly)?;
    }
    Ok(())
}

fn conversation(root: &Node, assembly: &mut Assembly) -> Result<(), Error> {
    let mut done = header(root)?;
    let participants = Participants::read(root)?;
    let entries = entries(root, assembly)?;
    // Offsets and dates have different beginnings; one conversation uses one of them.
    let offsets = entries.iter().any(|entry| entry.get("BeginOffsetMillis").is_some());
    for entry in entries {
        if is_event(&entry)? {
            assembly.skip(Skip::Event);
            continue;
        }
        let turn = turn(&entry, &participants, offsets)?;
        assembly.turn(&mut done, turn, entry.path())?;
    }
    order_by_time(&mut done);
    assembly.conversation(done, root.path())
}

fn header(root: &Node) -> Result<Conversation, Error> {
    let contact = match root.get("CustomerMetadata") {
        Some(metadata) => metadata.id("ContactId")?,
        None => None,
    };
    let channel = match root.str("Channel")? {
        Some(name) if name.eq_ignore_ascii_case("VOICE") => Channel::Phone,
        Some(name) if name.eq_ignore_ascii_case("CHAT") => Channel::Chat,
        Some(name) if name.eq_ignore_ascii_case("EMAIL") => Channel::Email,
        _ => Channel::Unknown,
    };
    Ok(Conversation {
        id: contact.or(root.id("ContactId")?).unwrap_or_default(),
        channel,
        language: root.str("LanguageCode")?.filter(|tag| !tag.is_empty()).map(str::to_owned),
        ..Conversation::default()
    })
}

/// The transcript's entries, also out of real-time segments, of which those without a transcript are events.
fn entries<'a>(root: &Node<'a>, assembly: &mut Assembly) -> Result<Vec<Node<'a>>, Error> {
    if root.get("Segments").is_none() {
        return root.need("Transcript")?.items();
    }
    let mut found = Vec::new();
    for segment in root.list("Segments")? {
        match segment.get("Transcript") {
            Some(entry) => found.push(entry),
            None => assembly.skip(Skip::Event),
        }
    }
    Ok(found)
}

fn turn(entry: &Node, participants: &Participants, offsets: bool) -> Result<Turn, Error> {
    let participant = entry
        .id("ParticipantId")?
        .ok_or_else(|| refuse(&format!("{}.ParticipantId", entry.path()), "is missing"))?;
    let role = participants.role(entry, &participant)?.ok_or_else(|| {
        let place = format!("{}.ParticipantId", entry.path());
        refuse(
            &place,
            "stands neither in Participants nor for a role (AGENT, CUSTOMER, SYSTEM, SUPERVISOR, CUSTOM_BOT)",
        )
    })?;
    let at_ms = if offsets { entry.integer("BeginOffsetMillis")? } else { entry.date("AbsoluteTime")? };
    let text = entry.str("Content")?.unwrap_or_default().trim().to_owned();
    Ok(Turn { id: entry.id("Id")?, participant, role, text, at_ms })
}

#[cfg(test)]
#[path = "connect_tests.rs"]
mod tests;
