//! A conversation: who said what, in which order, and when.

use std::collections::BTreeMap;
use std::fmt;

/// What a participant is in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Who asks for help; only these turns say how the customer feels.
    Customer,
    /// A person who helps.
    Agent,
    /// A program that helps.
    Bot,
    /// A person the agent reports to.
    Supervisor,
    /// The tool itself: "Maria joined", "the chat was transferred".
    System,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Customer, Self::Agent, Self::Bot, Self::Supervisor, Self::System];

    /// The role's name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Agent => "agent",
            Self::Bot => "bot",
            Self::Supervisor => "supervisor",
            Self::System => "system",
        }
    }

    /// The role of that name, in small letters.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether this is somebody, or something, that answers for the company.
    pub fn helps(self) -> bool {
        matches!(self, Self::Agent | Self::Bot | Self::Supervisor)
    }
}

/// The way a conversation is led.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Channel {
    /// Not said.
    #[default]
    Unknown,
    /// Messages in a window, seconds apart.
    Chat,
    /// Mails and tickets, hours apart.
    Email,
    /// A call, written down.
    Phone,
    /// Public or direct messages of a social network.
    Social,
    /// Text messages.
    Sms,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 6] = [Self::Unknown, Self::Chat, Self::Email, Self::Phone, Self::Social, Self::Sms];

    /// The channel's name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Chat => "chat",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Social => "social",
            Self::Sms => "sms",
        }
    }

    /// The channel of that name, in small letters.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// One participant's piece of text.
#[derive(Clone, PartialEq, Eq)]
pub struct Turn {
    /// The source's own id; `None` when it has none.
    pub id: Option<String>,
    /// Who speaks, by the source's id or name; unique within the conversation.
    pub participant: String,
    /// What that participant is.
    pub role: Role,
    /// What was said.
    pub text: String,
    /// When, in milliseconds: since 1970 where the source gives a time, since the conversation's start where it gives
    /// an offset. Only differences within a conversation count.
    pub at_ms: Option<i64>,
}

impl fmt::Debug for Turn {
    /// Says how long the text is, and never what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn")
            .field("role", &self.role)
            .field("text_bytes", &self.text.len())
            .field("at_ms", &self.at_ms)
            .finish_non_exhaustive()
    }
}

/// Turns in their order, and what is known about them together.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Conversation {
    /// The source's id of the conversation.
    pub id: String,
    /// The way it is led.
    pub channel: Channel,
    /// BCP 47 tag when the source says it.
    pub language: Option<String>,
    /// Whose conversation it is, for policies and queues that differ by tenant.
    pub tenant: Option<String>,
    /// The customer's id.
    pub customer: Option<String>,
    /// What else the source says, such as a queue or a subject; names and values are the source's.
    pub metadata: BTreeMap<String, String>,
    /// In the order in which they were said.
    pub turns: Vec<Turn>,
}

impl fmt::Debug for Conversation {
    /// Says how much there is, and nothing of what a customer or a subject line says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("channel", &self.channel)
            .field("metadata_entries", &self.metadata.len())
            .field("turns", &self.turns)
            .finish_non_exhaustive()
    }
}

/// How a conversation ended, as a person marked it; places count all turns from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Whether somebody had to step in, or should have.
    pub escalated: bool,
    /// The first customer turn at which a team lead would want to be told; `None` when it is not known.
    pub turn: Option<usize>,
    /// The earliest customer turn at which that could be seen coming, before anything explicit.
    pub forecastable_turn: Option<usize>,
    /// Whether the customer was clearly negative and ended settled or better; `None` when nobody said.
    pub recovered: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_what_they_name() {
        for role in Role::ALL {
            assert_eq!(Role::of_name(role.name()), Some(role));
        }
        for channel in Channel::ALL {
            assert_eq!(Channel::of_name(channel.name()), Some(channel));
        }
        assert_eq!(Role::of_name("Customer"), None);
    }

    #[test]
    fn a_turn_that_is_logged_does_not_say_its_text() {
        let turn = Turn {
            id: None,
            participant: "maria".into(),
            role: Role::Customer,
            text: "my secret".into(),
            at_ms: None,
        };
        let shown = format!("{turn:?}");
        assert!(!shown.contains("secret") && !shown.contains("maria") && shown.contains('9'), "{shown}");
    }
}
