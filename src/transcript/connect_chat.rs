//! Raw chat transcripts of Amazon Connect, as `GetTranscript` answers them or as they lie in the chat's bucket.
//!
//! Events are left out. Interactive messages give their title and what was chosen; messages that have no plain text,
//! attachments among them, are counted. A display name is looked up in the role map only where no role is given.

use serde_json::Value;

use super::assemble::{Assembly, order_by_time, refuse};
use super::connect::{Participants, is_event};
use super::json::{Document, Node, documents};
use super::roles::Speaker;
use super::{RoleMap, Skip};
use crate::domain::{Channel, Conversation, Role, Turn};
use crate::error::Error;

/// Fields of a message in JSON that hold text for people.
const TEXTS: [&str; 6] = ["title", "subtitle", "text", "message", "selectedText", "label"];

/// Reads each document as one conversation.
pub(super) fn read(text: &str, assembly: &mut Assembly) -> Result<(), Error> {
    let found = documents(text, |item| item.get("Transcript").is_some())?;
    // Messages one after the other, or in a bare array, are one conversation.
    let bare = |document: &Document| {
        document.root().get("Transcript").is_none() && !document.root().value().is_array()
    };
    if found.len() > 1 && found.iter().all(bare) {
        let items: Vec<Node> = found.iter().map(Document::root).collect();
        return conversation(Conversation::default(), None, &items, "file", assembly);
    }
    for document in &found {
        let root = document.root();
        if root.value().is_array() {
            conversation(Conversation::default(), None, &root.items()?, root.path(), assembly)?;
            continue;
        }
        let id = root.id("ContactId")?.or(root.id("InitialContactId")?).unwrap_or_default();
        let items = root.need("Transcript")?.items()?;
        conversation(
            Conversation { id, ..Conversation::default() },
            Some(&root),
            &items,
            root.path(),
            assembly,
        )?;
    }
    Ok(())
}

fn conversation(
    mut done: Conversation,
    root: Option<&Node>,
    items: &[Node],
    place: &str,
    assembly: &mut Assembly,
) -> Result<(), Error> {
    done.channel = Channel::Chat;
    let participants = root.map_or_else(|| Ok(Participants::default()), Participants::read)?;
    for item in items {
        item.fields()?;
        if is_event(item)? {
            assembly.skip(Skip::Event);
            continue;
        }
        let Some(text) = plain_text(item)? else {
            assembly.skip(Skip::NotText);
            continue;
        };
        let (participant, role) = speaker(item, &participants, &assembly.options.roles)?;
        let turn = Turn { id: item.id("Id")?, participant, role, text, at_ms: item.date("AbsoluteTime")? };
        assembly.turn(&mut done, turn, item.path())?;
    }
    order_by_time(&mut done);
    assembly.conversation(done, place)
}

fn speaker(item: &Node, participants: &Participants, roles: &RoleMap) -> Result<(String, Role), Error> {
    let id = item.id("ParticipantId")?;
    let name = item.str("DisplayName")?.filter(|name| !name.trim().is_empty());
    let stated = participants.role(item, id.as_deref().unwrap_or_default())?;
    let role = stated.or_else(|| match roles.find(name?) {
        Speaker::Is(role) => Some(role),
        Speaker::Nobody | Speaker::Unknown => None,
    });
    let role = role.ok_or_else(|| {
        let problem = "is missing, and the display name has no role; give it one with --role NAME=ROLE";
        refuse(&format!("{}.ParticipantRole", item.path()), problem)
    })?;
    Ok((id.or(name.map(str::to_owned)).unwrap_or_else(|| role.name().to_owned()), role))
}

/// What a message says to people; `None` when nothing in it does.
fn plain_text(item: &Node) -> Result<Option<String>, Error> {
    let kind = item.str("ContentType")?.unwrap_or("text/plain");
    let attachment = item.str("Type")?.is_some_and(|kind| kind.eq_ignore_ascii_case("ATTACHMENT"));
    let content = item.str("Content")?.unwrap_or_default();
    if attachment {
        return Ok(None);
    }
    if kind.starts_with("text/") {
        return Ok(Some(content.trim().to_owned()));
    }
    Ok(serde_json::from_str::<Value>(content).ok().and_then(|message| texts(&message)))
}

/// The texts of a message in JSON, from the message itself, its `data`, or their `content`.
fn texts(message: &Value) -> Option<String> {
    let data = message.get("data");
    let places = [data.and_then(|data| data.get("content")), data, message.get("content"), Some(message)];
    places.into_iter().flatten().find_map(|place| {
        let texts = TEXTS.iter().filter_map(|key| place.get(key)?.as_str());
        let texts: Vec<&str> = texts.map(str::trim).filter(|text| !text.is_empty()).collect();
        (!texts.is_empty()).then(|| texts.join("\n"))
    })
}

#[cfg(test)]
#[path = "connect_chat_tests.rs"]
mod tests;
