//! WebVTT: cues with the speaker in a voice span (`<v Name>`) or before a colon.
//!
//! Adjacent cues of one speaker become one turn, which begins with the first of them and keeps its id. Header, notes,
//! styles and regions are passed over; a block that is nothing of these and no cue is counted as left out.

use super::Skip;
use super::assemble::{Assembly, line, refuse};
use super::html::decoded;
use super::speaker::{Speakers, Unmapped, label};
use super::times::cue as cue_time;
use crate::domain::{Conversation, Role, Turn};
use crate::error::Error;

const ARROW: &str = "-->";

/// Whether a text begins as WebVTT must.
pub(super) fn looks_like(text: &str) -> bool {
    text.strip_prefix("WEBVTT")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
}

/// What one person says in a cue.
struct Said {
    line: usize,
    at_ms: i64,
    id: Option<String>,
    /// From a voice span, where it can only be a speaker.
    voice: Option<String>,
    text: String,
}

/// Reads one conversation.
pub(super) fn read(text: &str, assembly: &mut Assembly) -> Result<(), Error> {
    if !looks_like(text) {
        return Err(refuse("line 1", "a WebVTT file begins with the line `WEBVTT`"));
    }
    let said = cues(text, assembly)?;
    let roles = &assembly.options.roles;
    let mut unmapped = Unmapped::default();
    for (piece, at) in said.iter().zip(0..) {
        match &piece.voice {
            Some(name) => unmapped.note(roles, name, piece.line, true),
            None => label(&piece.text, false)
                .into_iter()
                .for_each(|(name, _)| unmapped.note(roles, name, piece.line, at == 0)),
        }
    }
    unmapped.check()?;
    let done = merged(said, assembly)?;
    assembly.conversation(done, "file")
}

fn merged(said: Vec<Said>, assembly: &mut Assembly) -> Result<Conversation, Error> {
    let (mut done, mut speakers) = (Conversation::default(), Speakers::default());
    let mut open: Option<(Turn, usize)> = None;
    for piece in said {
        let (speaker, text) = speaker_of(&piece, assembly, &mut speakers);
        match (&mut open, speaker) {
            (None, None) => {
                let problem =
                    "nobody is named as the speaker; write `<v Name>` or `Name:` in front of the text";
                return Err(refuse(&line(piece.line), problem));
            }
            (Some((turn, _)), None) => extend(turn, text),
            (Some((turn, _)), Some((name, _))) if turn.participant == name => extend(turn, text),
            (_, Some((participant, role))) => {
                let turn = Turn {
                    id: piece.id.clone(),
                    participant,
                    role,
                    text: text.to_owned(),
                    at_ms: Some(piece.at_ms),
                };
                close(open.replace((turn, piece.line)), &mut done, assembly)?;
            }
        }
    }
    close(open, &mut done, assembly)?;
    Ok(done)
}

fn speaker_of<'a>(
    piece: &'a Said,
    assembly: &Assembly,
    speakers: &mut Speakers,
) -> (Option<(String, Role)>, &'a str) {
    let roles = &assembly.options.roles;
    if let Some(name) = &piece.voice {
        return (speakers.find(roles, name), &piece.text);
    }
    let named = label(&piece.text, false).and_then(|(name, rest)| Some((speakers.find(roles, name)?, rest)));
    named.map_or((None, piece.text.as_str()), |(speaker, rest)| (Some(speaker), rest))
}

fn extend(turn: &mut Turn, text: &str) {
    if !turn.text.is_empty() && !text.is_empty() {
        turn.text.push(' ');
    }
    turn.text.push_str(text);
}

fn close(open: Option<(Turn, usize)>, done: &mut Conversation, assembly: &mut Assembly) -> Result<(), Error> {
    let Some((turn, began)) = open else { return Ok(()) };
    assembly.turn(done, turn, &line(began))
}

/// The cues' pieces in their order.
fn cues(text: &str, assembly: &mut Assembly) -> Result<Vec<Said>, Error> {
    let mut lines: Vec<(usize, &str)> =
        (1..).zip(text.lines().map(|line| line.trim_end_matches('\r'))).collect();
    // A last block ends too.
    lines.push((lines.len() + 1, ""));
    let (mut said, mut block) = (Vec::new(), Vec::new());
    let mut header = true;
    for (number, text) in lines {
        if !text.trim().is_empty() {
            block.push((number, text));
            continue;
        }
        // The header has no cues, whatever stands in it.
        if !std::mem::take(&mut header) && !block.is_empty() && !read_block(&block, &mut said)? {
            assembly.skip(Skip::Stray);
        }
        block.clear();
    }
    Ok(said)
}

/// Reads a block; `false` when it is nothing that WebVTT knows.
fn read_block(block: &[(usize, &str)], said: &mut Vec<Said>) -> Result<bool, Error> {
    let arrow = block.iter().take(2).position(|(_, text)| text.contains(ARROW));
    let Some(at) = arrow else {
        let first = block.first().map_or("", |(_, text)| text);
        return Ok(["NOTE", "STYLE", "REGION"].contains(&first.split_whitespace().next().unwrap_or("")));
    };
    let (number, timing) = block[at];
    let (start, end) = timing.split_once(ARROW).unwrap_or((timing, ""));
    let end = end.split_whitespace().next().unwrap_or("");
    let (Some(at_ms), Some(_)) = (cue_time(start.trim()), cue_time(end)) else {
        return Err(refuse(&line(number), "expected a cue's times, such as `00:01.000 --> 00:04.000`"));
    };
    let id = (at == 1).then(|| block[0].1.trim().to_owned());
    let mut voice = None;
    for (number, text) in &block[at + 1..] {
        for (voice, text) in pieces(text, &mut voice) {
            said.push(Said { line: *number, at_ms, id: id.clone(), voice, text });
        }
    }
    Ok(true)
}

/// A line's text by voice, without tags; `voice` goes on into the next line of the cue.
fn pieces(text: &str, voice: &mut Option<String>) -> Vec<(Option<String>, String)> {
    let (mut found, mut plain) = (Vec::new(), String::new());
    let mut rest = text;
    while let Some((before, tag, after)) = next_tag(rest) {
        plain.push_str(before);
        let next = match tag {
            "/v" => Some(None),
            _ => voice_name(tag).map(Some),
        };
        if let Some(next) = next {
            keep(&mut found, voice.as_ref(), &mut plain);
            *voice = next;
        }
        rest = after;
    }
    plain.push_str(rest);
    keep(&mut found, voice.as_ref(), &mut plain);
    found
}

fn keep(found: &mut Vec<(Option<String>, String)>, voice: Option<&String>, plain: &mut String) {
    let text = decoded(&std::mem::take(plain));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !text.is_empty() {
        found.push((voice.cloned(), text));
    }
}

/// What stands before a tag, in it, and behind it.
fn next_tag(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('<')?;
    let (tag, after) = rest.split_once('>')?;
    Some((before, tag.trim(), after))
}

/// The name in `v Name` or `v.loud.first Name`.
fn voice_name(tag: &str) -> Option<String> {
    let (kind, name) = tag.split_once([' ', '\t'])?;
    let is_voice = kind == "v" || kind.starts_with("v.");
    let name = decoded(name);
    (is_voice && !name.trim().is_empty()).then(|| name.trim().to_owned())
}

#[cfg(test)]
#[path = "vtt_tests.rs"]
mod tests;
