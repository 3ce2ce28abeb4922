//! What a ticket or mail system wrote into a mail: its own lines, markers of tickets, disclaimers.

use super::clean::folded;

/// Beginnings of a disclaimer's paragraph.
const DISCLAIMERS: &[&str] = &[
    "this email and any attachments",
    "this e-mail and any attachments",
    "this email and any files",
    "this e-mail and any files",
    "this message and any attachments",
    "this message is intended",
    "this email is intended",
    "this e-mail is intended",
    "the information contained in this",
    "the contents of this email",
    "confidentiality notice",
    "diese e-mail enthält vertrauliche",
    "ce message et toutes les pièces jointes",
    "este mensaje y sus archivos adjuntos",
];
/// Words of which a disclaimer has at least one.
const DISCLAIMING: &[&str] =
    &["confidential", "intended", "privileged", "vertraulich", "confidentiel", "confidencial"];
/// Whole lines of ticket systems, by their beginning.
const LINES: &[&str] = &[
    "to add additional comments, reply to this email",
    "to add additional comments, please reply to this email",
    "this email is a service from",
    "you are registered as a cc on this",
];
/// Lines of a paragraph in which the words of a disclaimer are looked for.
const PARAGRAPH: usize = 20;
/// Longest marker of a ticket, in bytes.
const MARKER_BYTES: usize = 40;

/// The lines without what a system added.
pub(super) fn cut(lines: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut in_disclaimer = false;
    for (at, line) in lines.iter().enumerate() {
        let small = folded(line);
        let begins = DISCLAIMERS.iter().any(|begin| small.trim_start_matches(['*', '_']).starts_with(begin));
        in_disclaimer = !small.is_empty() && (in_disclaimer || (begins && disclaims(&lines[at..])));
        if in_disclaimer || is_system_line(&small) {
            continue;
        }
        kept.push(without_markers(line));
    }
    kept
}

/// Whether the paragraph that begins here says what disclaimers say.
fn disclaims(lines: &[String]) -> bool {
    let paragraph: Vec<String> =
        lines.iter().take(PARAGRAPH).take_while(|line| !line.trim().is_empty()).map(|l| folded(l)).collect();
    DISCLAIMING.iter().any(|word| paragraph.iter().any(|line| line.contains(word)))
}

fn is_system_line(small: &str) -> bool {
    let updated = small.starts_with("your request (") && small.contains("has been ");
    updated || LINES.iter().any(|begin| small.starts_with(begin))
}

/// The line without `[Ticket #123]` and the like.
fn without_markers(line: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(line.len()), line);
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        match marker(after) {
            Some(behind) => rest = if out.is_empty() { behind.trim_start() } else { behind },
            None => {
                out.push('[');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// What stands behind the marker whose inside begins here, when it is one.
fn marker(inside: &str) -> Option<&str> {
    let end = inside.bytes().take(MARKER_BYTES).position(|byte| byte == b']')?;
    let (inner, behind) = (inside.get(..end)?.to_lowercase(), inside.get(end + 1..)?);
    let word = ["ticket", "request", "case"].iter().find_map(|word| inner.strip_prefix(word));
    let number = word.unwrap_or(&inner).trim_start_matches([' ', ':']);
    let digits = number.strip_prefix('#').or(word.map(|_| number)).unwrap_or("");
    let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    sound.then_some(behind)
}
