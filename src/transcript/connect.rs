//! What both exports of Amazon Connect share: participants and their roles.

use std::collections::HashMap;

use super::assemble::refuse;
use super::json::Node;
use crate::domain::Role;
use crate::error::Error;

/// Content types of what happened and nobody said.
const EVENTS: &str = "application/vnd.amazonaws.connect.event.";

/// Roles by participant, from the export's `Participants`.
#[derive(Default)]
pub(super) struct Participants {
    roles: HashMap<String, Role>,
}

impl Participants {
    /// Errors: an entry without an id, or with a role that Amazon Connect does not document.
    pub(super) fn read(root: &Node) -> Result<Self, Error> {
        let mut roles = HashMap::new();
        for node in root.list("Participants")? {
            let id =
                node.id("ParticipantId")?.ok_or_else(|| refuse(node.path(), "ParticipantId is missing"))?;
            roles.insert(
                id,
                stated_role(&node)?.ok_or_else(|| refuse(node.path(), "ParticipantRole is missing"))?,
            );
        }
        Ok(Self { roles })
    }

    /// The role of an entry's participant: from the list, else the entry's own, else the id where it is a role.
    pub(super) fn role(&self, entry: &Node, id: &str) -> Result<Option<Role>, Error> {
        if let Some(role) = self.roles.get(id) {
            return Ok(Some(*role));
        }
        Ok(stated_role(entry)?.or_else(|| role_of(id)))
    }
}

fn stated_role(node: &Node) -> Result<Option<Role>, Error> {
    let Some(name) = node.str("ParticipantRole")? else { return Ok(None) };
    let unknown = || {
        let place =
            node.need("ParticipantRole").map_or_else(|_| node.path().to_owned(), |n| n.path().to_owned());
        refuse(&place, "is no role; expected AGENT, CUSTOMER, SYSTEM, SUPERVISOR or CUSTOM_BOT")
    };
    role_of(name).map(Some).ok_or_else(unknown)
}

fn role_of(name: &str) -> Option<Role> {
    match name.to_ascii_uppercase().as_str() {
        "CUSTOMER" => Some(Role::Customer),
        "AGENT" => Some(Role::Agent),
        "CUSTOM_BOT" | "BOT" => Some(Role::Bot),
        "SUPERVISOR" => Some(Role::Supervisor),
        "SYSTEM" => Some(Role::System),
        _ => None,
    }
}

/// Whether an entry is an event, by its type or its content's.
pub(super) fn is_event(entry: &Node) -> Result<bool, Error> {
    let content_type = entry.str("ContentType")?.is_some_and(|kind| kind.starts_with(EVENTS));
    Ok(content_type || entry.str("Type")?.is_some_and(|kind| kind.eq_ignore_ascii_case("EVENT")))
}
