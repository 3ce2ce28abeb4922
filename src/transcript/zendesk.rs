//! Zendesk tickets with their comments: a ticket's export, or the answers of the ticket and comment API put together.
//!
//! Who wrote the ticket is the customer, as is every end user; all others are agents. Private comments are left out.
//! A comment's plain body is taken before its HTML, and a mail's earlier mails and signature are cut.

use std::collections::{BTreeMap, HashMap};

use super::assemble::{Assembly, order_by_time, refuse};
use super::json::{Node, documents};
use super::{Skip, clean, html};
use crate::domain::{Channel, Conversation, Role, Turn};
use crate::error::Error;

/// Author of what Zendesk itself writes.
const SYSTEM: &str = "-1";

/// Reads each ticket as one conversation.
pub(super) fn read(text: &str, assembly: &mut Assembly) -> Result<(), Error> {
    for document in documents(text, |item| item.get("comments").is_some())? {
        ticket(&document.root(), assembly)?;
    }
    Ok(())
}

fn ticket(root: &Node, assembly: &mut Assembly) -> Result<(), Error> {
    let ticket = root.get("ticket").unwrap_or_else(|| root.clone());
    let comments = root.get("comments").or_else(|| ticket.get("comments"));
    let comments = comments.map_or_else(|| root.need("comments"), Ok)?;
    let comments = comments.get("comments").unwrap_or(comments).items()?;
    let requester = ticket.id("requester_id")?.or(root.id("requester_id")?);
    let people = People::read(root, requester.clone())?;
    let mut done = header(&ticket, comments.first())?;
    done.customer = requester;
    for comment in comments {
        if comment.bool("public")? == Some(false) {
            assembly.skip(Skip::Private);
            continue;
        }
        let turn = turn(&comment, &people, assembly)?;
        assembly.turn(&mut done, turn, comment.path())?;
    }
    order_by_time(&mut done);
    assembly.conversation(done, root.path())
}

fn header(ticket: &Node, first: Option<&Node>) -> Result<Conversation, Error> {
    let mut metadata = BTreeMap::new();
    for key in ["subject", "priority", "status"] {
        if let Some(value) = ticket.str(key)? {
            metadata.insert(key.to_owned(), value.to_owned());
        }
    }
    let channel = match channel(ticket) {
        Channel::Unknown => first.map_or(Channel::Unknown, channel),
        known => known,
    };
    let id = ticket.id("id")?.or(ticket.id("ticket_id")?).unwrap_or_default();
    Ok(Conversation { id, channel, metadata, ..Conversation::default() })
}

fn channel(node: &Node) -> Channel {
    // Some old tickets have a number here.
    let via = node.get("via").and_then(|via| via.get("channel"));
    match via.as_ref().and_then(|channel| channel.value().as_str()).unwrap_or_default() {
        "email" | "web" | "web_form" | "mobile" => Channel::Email,
        "chat" | "messaging" | "native_messaging" | "web_messaging" | "web_widget" => Channel::Chat,
        "voice" | "phone" | "phone_call_inbound" | "phone_call_outbound" | "voicemail" => Channel::Phone,
        "sms" | "native_sms" | "text" => Channel::Sms,
        "whatsapp" | "facebook" | "facebook_messenger" | "twitter" | "twitter_dm" | "instagram_dm"
        | "line" | "telegram" | "viber" | "wechat" => Channel::Social,
        _ => Channel::Unknown,
    }
}

/// Who is what.
struct People {
    requester: Option<String>,
    roles: HashMap<String, Role>,
}

impl People {
    fn read(root: &Node, requester: Option<String>) -> Result<Self, Error> {
        let mut roles = HashMap::new();
        for user in root.list("users")? {
            let (id, role) = (user.id("id")?, user.str("role")?);
            let role = role.map(|role| if role == "end-user" { Role::Customer } else { Role::Agent });
            roles.extend(id.zip(role));
        }
        Ok(Self { requester, roles })
    }

    /// Errors: nothing tells the customer from an agent.
    fn role(&self, author: &str, place: &str) -> Result<Role, Error> {
        if author == SYSTEM {
            return Ok(Role::System);
        }
        match (&self.requester, self.roles.get(author)) {
            (Some(requester), _) if requester == author => Ok(Role::Customer),
            (_, Some(role)) => Ok(*role),
            (Some(_), None) => Ok(Role::Agent),
            (None, None) => {
                let problem =
                    "can't be told from the customer: the ticket has no requester_id, and users no such id";
                Err(refuse(&format!("{place}.author_id"), problem))
            }
        }
    }
}

fn turn(comment: &Node, people: &People, assembly: &mut Assembly) -> Result<Turn, Error> {
    let author = comment
        .id("author_id")?
        .ok_or_else(|| refuse(&format!("{}.author_id", comment.path()), "is missing"))?;
    let role = people.role(&author, comment.path())?;
    let text = clean::mail(&body(comment)?, assembly);
    Ok(Turn { id: comment.id("id")?, participant: author, role, text, at_ms: comment.date("created_at")? })
}

/// The plain body, else the HTML as text, else the body in Markdown.
fn body(comment: &Node) -> Result<String, Error> {
    let filled = |key: &str| comment.str(key).map(|body| body.filter(|body| !body.trim().is_empty()));
    if let Some(plain) = filled("plain_body")? {
        // Zendesk leaves this one reference in plain bodies.
        return Ok(plain.replace("&nbsp;", " "));
    }
    if let Some(rich) = filled("html_body")? {
        return Ok(html::to_text(rich));
    }
    Ok(filled("body")?.unwrap_or_default().to_owned())
}

#[cfg(test)]
#[path = "zendesk_tests.rs"]
mod tests;
