//! Plain text: `[10:02] Agent: …`, with or without a time; further lines continue the turn.
//!
//! `speaker` says which words before a colon are a speaker. A line with a time in brackets and no speaker, such as
//! `[10:05] Maria joined`, is an event and left out. Blank lines within a turn stay.

use super::Skip;
use super::assemble::{Assembly, line, refuse};
use super::speaker::{Speakers, Unmapped, label};
use super::times::{Ascending, Stamp, TIME_BYTES, stamp};
use crate::domain::{Conversation, Role, Turn};
use crate::error::Error;

/// What a line begins with.
struct Line<'a> {
    number: usize,
    whole: &'a str,
    time: Option<Stamp>,
    /// Whether the time stands in brackets, where it can't be part of a sentence.
    bracketed: bool,
    /// Words before a colon, and what follows.
    label: Option<(&'a str, &'a str)>,
}

impl<'a> Line<'a> {
    fn new(number: usize, whole: &'a str) -> Self {
        let (time, bracketed, rest) = leading_time(whole);
        Self { number, whole, time, bracketed, label: label(rest, time.is_some()) }
    }

    fn is_event(&self) -> bool {
        self.bracketed && self.label.is_none()
    }
}

/// Whether a text looks like a transcript: one of its first lines has a time and a speaker, or a speaker with a role.
pub(super) fn looks_like(text: &str, options: &super::ImportOptions) -> bool {
    let lines = text.lines().filter(|line| !line.trim().is_empty()).take(50);
    let mut speakers = Speakers::default();
    lines.map(|whole| Line::new(0, whole)).any(|line| {
        line.label
            .is_some_and(|(name, _)| line.time.is_some() || speakers.find(&options.roles, name).is_some())
    })
}

/// Reads one conversation.
pub(super) fn read(text: &str, assembly: &mut Assembly) -> Result<(), Error> {
    let options = assembly.options;
    let filled = |line: &Line| !line.whole.trim().is_empty();
    let lines = || text.lines().zip(1..).map(|(whole, number)| Line::new(number, whole));
    let mut unmapped = Unmapped::default();
    let first = lines().find(|line| filled(line) && !line.is_event()).map(|line| line.number);
    for line in lines() {
        if let Some((name, _)) = line.label {
            unmapped.note(
                &options.roles,
                name,
                line.number,
                line.time.is_some() || first == Some(line.number),
            );
        }
    }
    unmapped.check()?;
    let times = Ascending::of(lines().filter(|line| line.label.is_some()).filter_map(|line| line.time));
    let mut reader =
        Reader { assembly, times, speakers: Speakers::default(), open: None, done: Conversation::default() };
    for line in lines() {
        reader.line(&line)?;
    }
    reader.close()?;
    reader.assembly.conversation(reader.done, "file")
}

struct Reader<'a, 'o> {
    assembly: &'a mut Assembly<'o>,
    times: Ascending,
    speakers: Speakers,
    /// The turn that goes on, and the line on which it began.
    open: Option<(Turn, usize)>,
    done: Conversation,
}

impl Reader<'_, '_> {
    fn line(&mut self, line: &Line) -> Result<(), Error> {
        let found = line
            .label
            .and_then(|(name, rest)| Some((self.speakers.find(&self.assembly.options.roles, name)?, rest)));
        match found {
            Some((speaker, rest)) => self.begin(line, speaker, rest),
            None if line.is_event() => {
                self.assembly.skip(Skip::Event);
                Ok(())
            }
            None => self.go_on(line),
        }
    }

    fn begin(&mut self, line: &Line, (participant, role): (String, Role), rest: &str) -> Result<(), Error> {
        self.close()?;
        let at_ms = line.time.map(|time| self.times.at(time));
        self.open = Some((Turn { id: None, participant, role, text: rest.to_owned(), at_ms }, line.number));
        Ok(())
    }

    fn go_on(&mut self, at: &Line) -> Result<(), Error> {
        match &mut self.open {
            Some((turn, _)) => {
                turn.text.push('\n');
                turn.text.push_str(at.whole.trim_end());
                Ok(())
            }
            None if at.whole.trim().is_empty() => Ok(()),
            None => {
                let problem =
                    "stands before the first speaker; a transcript begins with a line such as `Agent: …`";
                Err(refuse(&line(at.number), problem))
            }
        }
    }

    fn close(&mut self) -> Result<(), Error> {
        let Some((mut turn, began)) = self.open.take() else { return Ok(()) };
        turn.text = turn.text.trim().to_owned();
        self.assembly.turn(&mut self.done, turn, &line(began))
    }
}

/// The time in front of a line, whether it stands in brackets, and the rest.
fn leading_time(whole: &str) -> (Option<Stamp>, bool, &str) {
    let open = whole.chars().next();
    let close = match open {
        Some('[') => Some(']'),
        Some('(') => Some(')'),
        _ => None,
    };
    let found = match close {
        Some(close) => bracketed(whole, close),
        None => bare(whole),
    };
    let after = |rest: &'_ str| rest.trim_start_matches([' ', '\t', '-', '–', '|', ',']).len();
    match found {
        Some((time, rest)) => (Some(time), close.is_some(), &rest[rest.len() - after(rest)..]),
        None => (None, false, whole),
    }
}

fn bracketed(whole: &str, close: char) -> Option<(Stamp, &str)> {
    let (inner, rest) = whole.get(1..)?.split_once(close)?;
    Some((stamp(inner)?, rest))
}

/// One or two words in front of a line: `10:02`, `10:02 pm`, `2026-03-02 10:02:33`.
fn bare(whole: &str) -> Option<(Stamp, &str)> {
    if !whole.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let mut ends = whole.char_indices().take(TIME_BYTES).filter(|(_, c)| *c == ' ').map(|(at, _)| at);
    let (one, two) = (ends.next(), ends.next());
    let cut = |end: Option<usize>| {
        let (time, rest) = whole.split_at(end?);
        Some((stamp(time)?, rest))
    };
    cut(two).or_else(|| cut(one))
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
