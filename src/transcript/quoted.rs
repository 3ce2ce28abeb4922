//! Earlier mails in a mail: lines with `>`, and what stands below a line such as `On … wrote:`.
//!
//! Lines with `>` go, wherever they stand, so that answers between them stay. What stands below an introduction without
//! `>` is taken for the earlier mail and goes, unless nothing stands above: then the order can't be told, and all stays.

use super::clean::folded;

/// Lines over which an introduction may be wrapped.
const WRAPPED: usize = 3;
/// Longest introduction, in bytes.
const INTRODUCTION_BYTES: usize = 320;
/// Lines below `From:` among which the other fields of a header are looked for.
const HEADER_LINES: usize = 5;

/// How the introduction of an earlier mail begins, and a word that it holds near its end.
const INTRODUCTIONS: &[(&str, &[&str])] = &[
    ("on ", &["wrote:"]),
    ("am ", &["schrieb"]),
    ("le ", &["a écrit"]),
    ("el ", &["escribió"]),
    ("il ", &["ha scritto"]),
    ("em ", &["escreveu"]),
    ("op ", &["schreef"]),
];
/// Titles above a mail that is quoted whole.
const TITLES: &[&str] = &[
    "original message",
    "original appointment",
    "ursprüngliche nachricht",
    "originalnachricht",
    "message d'origine",
    "mensaje original",
    "reply message",
];
const SENDER: &[&str] = &["from:", "von:", "de:", "de :", "da:", "van:"];
const HEADER: &[&str] = &[
    "sent:",
    "date:",
    "to:",
    "cc:",
    "subject:",
    "gesendet:",
    "datum:",
    "an:",
    "betreff:",
    "envoyé:",
    "envoyé :",
    "date :",
    "à:",
    "à :",
    "objet:",
    "objet :",
    "enviado:",
    "fecha:",
    "para:",
    "asunto:",
];
/// What Zendesk writes above the mails that it sends.
const REPLY_ABOVE: &str = "type your reply above this line";

/// The lines without earlier mails.
pub(super) fn cut(lines: &[String]) -> Vec<String> {
    let folded: Vec<String> = lines.iter().map(|line| folded(line).replace('*', "")).collect();
    let (mut kept, mut at, mut above) = (Vec::new(), 0, false);
    while at < lines.len() {
        match found(&folded, at) {
            Found::Own => {
                kept.push(lines[at].clone());
                above |= !folded[at].is_empty();
                at += 1;
            }
            Found::Quoted => at += 1,
            // Above the mail that it was sent with it is one line too many; below an answer all that follows is.
            Found::ReplyAbove if !above => at += 1,
            Found::Introduction(length) if is_marked(&folded[at + length..]) => at += length,
            // Nothing above: whether the writer's own lines follow can't be told.
            Found::Introduction(length) | Found::Header(length) if !above => {
                kept.extend_from_slice(&lines[at..at + length]);
                at += length;
            }
            Found::Introduction(_) | Found::Header(_) | Found::ReplyAbove => break,
        }
    }
    kept
}

enum Found {
    /// The writer's own line.
    Own,
    /// A line of an earlier mail.
    Quoted,
    /// Zendesk's line above a mail that it sends.
    ReplyAbove,
    /// Introduction of an earlier mail, over so many lines.
    Introduction(usize),
    /// Head of a mail that is quoted whole, over so many lines.
    Header(usize),
}

fn found(lines: &[String], at: usize) -> Found {
    let line = &lines[at];
    if is_quote(line) {
        return Found::Quoted;
    }
    if line.starts_with("##") && line.contains(REPLY_ABOVE) {
        return Found::ReplyAbove;
    }
    if let Some(length) = introduction(&lines[at..]) {
        return Found::Introduction(length);
    }
    let bare = line.trim_matches(['-', ' ']);
    if line.starts_with("--") && TITLES.contains(&bare) {
        return Found::Header(1);
    }
    let ruled = line.len() >= 20 && line.bytes().all(|byte| byte == b'_');
    let below = if ruled { first_filled(lines, at + 1) } else { at };
    match header(lines, below) {
        Some(length) => Found::Header(below - at + length),
        None => Found::Own,
    }
}

fn is_quote(line: &str) -> bool {
    line == ">" || line.starts_with("> ") || line.starts_with(">>")
}

/// Whether the next line with a text is marked as quoted.
fn is_marked(lines: &[String]) -> bool {
    lines.iter().find(|line| !line.is_empty()).is_some_and(|line| is_quote(line))
}

fn first_filled(lines: &[String], from: usize) -> usize {
    lines.iter().skip(from).take(2).position(|line| !line.is_empty()).map_or(from, |more| from + more)
}

/// How many lines an introduction takes. It names a time, so it has a digit; without one it may be the writer's own.
fn introduction(lines: &[String]) -> Option<usize> {
    let first = lines.first()?;
    let (_, words) = INTRODUCTIONS.iter().find(|(begin, _)| first.starts_with(begin))?;
    (1..=WRAPPED.min(lines.len())).find(|length| {
        let whole = lines[..*length].join(" ");
        let ends = whole.ends_with(':') && words.iter().any(|word| whole.contains(word));
        ends && whole.len() <= INTRODUCTION_BYTES && whole.bytes().any(|byte| byte.is_ascii_digit())
    })
}

/// How many lines the head of a mail takes: `From:` and at least two other fields.
fn header(lines: &[String], at: usize) -> Option<usize> {
    let field = |line: &String, names: &[&str]| names.iter().any(|name| line.starts_with(name));
    lines.get(at).filter(|line| field(line, SENDER))?;
    let below = lines.iter().skip(at + 1).take(HEADER_LINES);
    let fields: Vec<usize> = below.zip(1..).filter(|(line, _)| field(line, HEADER)).map(|(_, n)| n).collect();
    (fields.len() >= 2).then(|| fields.last().map_or(1, |last| last + 1))
}
