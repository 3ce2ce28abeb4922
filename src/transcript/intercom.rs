//! Intercom conversations: the first message in `source`, the others in `conversation_parts`.
//!
//! Notes, assignments and other events, and parts without a body are left out. An AI agent is a bot, whatever its type
//! says. Bodies are HTML.

use std::collections::BTreeMap;

use super::assemble::{Assembly, order_by_time, refuse};
use super::json::{Node, documents};
use super::{Skip, clean, html};
use crate::domain::{Channel, Conversation, Role, Turn};
use crate::error::Error;

/// Kinds of parts with which a body reaches the other side; all but the first also change the conversation's state.
const SAID: [&str; 5] = ["comment", "open", "close", "quick_reply", "snoozed"];

/// Reads each conversation of the file.
pub(super) fn read(text: &str, assembly: &mut Assembly) -> Result<(), Error> {
    for document in documents(text, |item| item.get("conversation_parts").or(item.get("source")).is_some())? {
        let root = document.root();
        match root.get("conversations") {
            Some(list) => list.items()?.iter().try_for_each(|one| conversation(one, assembly))?,
            None => conversation(&root, assembly)?,
        }
    }
    Ok(())
}

fn conversation(root: &Node, assembly: &mut Assembly) -> Result<(), Error> {
    let source = root.get("source");
    let parts = match root.get("conversation_parts") {
        Some(wrapped) if wrapped.value().is_array() => wrapped.items()?,
        Some(wrapped) => wrapped.list("conversation_parts")?,
        None if source.is_some() => Vec::new(),
        None => return Err(refuse(root.path(), "has neither source nor conversation_parts")),
    };
    let mut done = header(root, source.as_ref())?;
    if let Some(source) = &source {
        let at_ms = root.seconds("created_at")?;
        message(source, at_ms, &mut done, assembly)?;
    }
    for part in parts {
        match passed_over(&part)? {
            Some(reason) => assembly.skip(reason),
            None => message(&part, part.seconds("created_at")?, &mut done, assembly)?,
        }
    }
    order_by_time(&mut done);
    assembly.conversation(done, root.path())
}

fn header(root: &Node, source: Option<&Node>) -> Result<Conversation, Error> {
    let subject = source.map(|source| source.str("subject")).transpose()?.flatten().map(html::to_text);
    let kind = source.map(|source| source.str("type")).transpose()?.flatten();
    let contact =
        root.get("contacts").map(|contacts| contacts.list("contacts")).transpose()?.unwrap_or_default();
    let contact = contact.first().map(|contact| contact.id("id")).transpose()?.flatten();
    let subject = subject.filter(|subject| !subject.is_empty());
    Ok(Conversation {
        id: root.id("id")?.unwrap_or_default(),
        channel: channel(kind.unwrap_or_default()),
        language: None,
        tenant: None,
        customer: contact.map_or_else(|| source_customer(source), |id| Ok(Some(id)))?,
        metadata: subject
            .map(|subject| ("subject".to_owned(), subject))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        turns: Vec::new(),
    })
}

/// The author of the first message, when that is the customer.
fn source_customer(source: Option<&Node>) -> Result<Option<String>, Error> {
    let Some(author) = source.and_then(|source| source.get("author")) else { return Ok(None) };
    let customer = role(&author)? == Role::Customer;
    Ok(if customer { author.id("id")? } else { None })
}

fn channel(kind: &str) -> Channel {
    match kind {
        "conversation" | "chat" | "push" => Channel::Chat,
        "email" => Channel::Email,
        "sms" => Channel::Sms,
        "phone_call" | "phone_switch" => Channel::Phone,
        "facebook" | "instagram" | "twitter" | "whatsapp" => Channel::Social,
        _ => Channel::Unknown,
    }
}

/// Why a part is no turn, when it is none.
fn passed_over(part: &Node) -> Result<Option<Skip>, Error> {
    let kind = part.str("part_type")?.unwrap_or("comment");
    Ok(match kind {
        _ if kind.starts_with("note") => Some(Skip::Private),
        _ if !SAID.contains(&kind) => Some(Skip::Event),
        // A conversation that is closed or opened without a word.
        _ if kind != "comment" && part.get("body").is_none() => Some(Skip::Event),
        _ => None,
    })
}

fn message(
    node: &Node,
    at_ms: Option<i64>,
    to: &mut Conversation,
    assembly: &mut Assembly,
) -> Result<(), Error> {
    let text = html::to_text(node.str("body")?.unwrap_or_default());
    if text.is_empty() {
        assembly.skip(Skip::Empty);
        return Ok(());
    }
    let author = node.need("author")?;
    let role = role(&author)?;
    let participant = author.id("id")?.unwrap_or_else(|| role.name().to_owned());
    let text = clean::mail(&text, assembly);
    assembly.turn(to, Turn { id: node.id("id")?, participant, role, text, at_ms }, node.path())
}

/// Errors: an author of a type that Intercom does not document.
fn role(author: &Node) -> Result<Role, Error> {
    if author.bool("from_ai_agent")? == Some(true) {
        return Ok(Role::Bot);
    }
    match author.str("type")?.unwrap_or_default() {
        "user" | "lead" | "contact" => Ok(Role::Customer),
        "admin" | "team" => Ok(Role::Agent),
        "bot" => Ok(Role::Bot),
        _ => {
            let place = format!("{}.type", author.path());
            Err(refuse(&place, "is missing or unknown; expected user, lead, contact, admin, team or bot"))
        }
    }
}

#[cfg(test)]
#[path = "intercom_tests.rs"]
mod tests;
