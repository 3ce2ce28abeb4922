//! Puts turns into conversations, within the bounds, and conversations into an import.

use super::{Import, ImportOptions, METADATA, NAME_BYTES, Skip, TEXT_BYTES, TURNS};
use crate::domain::{Conversation, Turn};
use crate::error::Error;

/// What a conversation is called when neither the file nor the options say.
const UNNAMED: &str = "conversation";

/// An import that is being made.
pub(super) struct Assembly<'a> {
    /// How the file is read.
    pub(super) options: &'a ImportOptions,
    /// What has been read.
    pub(super) import: Import,
    unnamed: usize,
}

impl<'a> Assembly<'a> {
    pub(super) fn new(options: &'a ImportOptions) -> Self {
        Self { options, import: Import::default(), unnamed: 0 }
    }

    /// Counts something that is left out.
    pub(super) fn skip(&mut self, reason: Skip) {
        self.import.skipped.note(reason);
    }

    /// Adds a turn that has a text; one that has none is counted.
    pub(super) fn turn(&mut self, to: &mut Conversation, turn: Turn, place: &str) -> Result<(), Error> {
        if turn.text.trim().is_empty() {
            self.skip(Skip::Empty);
            return Ok(());
        }
        check_turn(&turn, place)?;
        if to.turns.len() >= TURNS {
            return Err(refuse(place, format!("a conversation has at most {TURNS} turns")));
        }
        to.turns.push(turn);
        Ok(())
    }

    /// Adds a conversation that has turns, under the id, channel, language and tenant that the options want.
    pub(super) fn conversation(&mut self, mut done: Conversation, place: &str) -> Result<(), Error> {
        if done.turns.is_empty() {
            self.skip(Skip::NoTurns);
            return Ok(());
        }
        if done.id.is_empty() {
            done.id = self.next_id();
        }
        override_with(&mut done, self.options);
        check_conversation(&done, place)?;
        self.import.conversations.push(done);
        Ok(())
    }

    fn next_id(&mut self) -> String {
        self.unnamed += 1;
        let name = self.options.id.as_deref().unwrap_or(UNNAMED);
        if self.unnamed == 1 { name.to_owned() } else { format!("{name}-{}", self.unnamed) }
    }
}

/// What the caller says about all conversations wins.
pub(super) fn override_with(conversation: &mut Conversation, options: &ImportOptions) {
    conversation.channel = options.channel.unwrap_or(conversation.channel);
    for (given, field) in
        [(&options.language, &mut conversation.language), (&options.tenant, &mut conversation.tenant)]
    {
        if given.is_some() {
            field.clone_from(given);
        }
    }
}

/// Orders turns by time where every one has a time: some systems list the newest first.
pub(super) fn order_by_time(conversation: &mut Conversation) {
    if conversation.turns.iter().all(|turn| turn.at_ms.is_some()) {
        conversation.turns.sort_by_key(|turn| turn.at_ms);
    }
}

/// Errors: a turn that is longer than the bounds.
pub(super) fn check_turn(turn: &Turn, place: &str) -> Result<(), Error> {
    if turn.text.len() > TEXT_BYTES {
        let bytes = turn.text.len();
        return Err(refuse(place, format!("the text has {bytes} bytes; a turn has at most {TEXT_BYTES}")));
    }
    check_name(&turn.participant, "the participant", place)?;
    turn.id.iter().try_for_each(|id| check_name(id, "the turn's id", place))
}

/// Errors: ids, tags or metadata that are longer or more than the bounds.
pub(super) fn check_conversation(conversation: &Conversation, place: &str) -> Result<(), Error> {
    check_name(&conversation.id, "the conversation's id", place)?;
    for (name, what) in [
        (&conversation.language, "the language"),
        (&conversation.tenant, "the tenant"),
        (&conversation.customer, "the customer"),
    ] {
        name.iter().try_for_each(|name| check_name(name, what, place))?;
    }
    if conversation.metadata.len() > METADATA {
        let count = conversation.metadata.len();
        return Err(refuse(
            place,
            format!("there are {count} metadata entries; at most {METADATA} are kept"),
        ));
    }
    let mut pairs = conversation.metadata.iter();
    pairs.try_for_each(|(k, v)| check_name(k, "metadata", place).and(check_name(v, "metadata", place)))
}

fn check_name(name: &str, what: &str, place: &str) -> Result<(), Error> {
    if name.len() <= NAME_BYTES {
        return Ok(());
    }
    Err(refuse(place, format!("{what} has {} bytes; at most {NAME_BYTES} are taken", name.len())))
}

/// An error at a place: a line, a JSON path, or the file.
pub(super) fn refuse(place: &str, problem: impl AsRef<str>) -> Error {
    let separator = if place.is_empty() || place.ends_with(": ") { "" } else { ": " };
    Error::invalid(place.trim_end_matches(": "), format!("{place}{separator}{}", problem.as_ref()))
}

/// A line's number as a place.
pub(super) fn line(number: usize) -> String {
    format!("line {number}")
}
