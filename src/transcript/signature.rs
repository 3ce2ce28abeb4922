//! Signatures: what stands below `-- `, lines of mail programs, and the card below a closing such as `Kind regards,`.
//!
//! The closing and the name below it stay, since they can colour a text. A card is cut only if each of its lines looks
//! like a title, an address or a number; when in doubt, all stays.

use super::clean::folded;

/// Most lines below `-- ` that can be a signature.
const DELIMITED: usize = 15;
/// Most lines below a closing.
const CARD: usize = 10;
/// Lines that mail programs add, by their beginning.
const PROGRAMS: &[&str] = &[
    "sent from my ",
    "sent from mail for windows",
    "sent from outlook",
    "sent from yahoo",
    "get outlook for",
    "von meinem iphone gesendet",
    "gesendet von meinem",
    "gesendet von mail für windows",
    "envoyé de mon",
    "envoyé depuis mon",
    "enviado desde mi",
    "inviato da iphone",
];
/// Longest line of a mail program, in bytes; a longer one is a sentence.
const PROGRAM_BYTES: usize = 60;
const CLOSINGS: &[&str] = &[
    "kind regards",
    "best regards",
    "warm regards",
    "regards",
    "many thanks and kind regards",
    "kindest regards",
    "best wishes",
    "best",
    "all the best",
    "thanks",
    "many thanks",
    "thank you",
    "thanks and regards",
    "cheers",
    "sincerely",
    "yours sincerely",
    "sincerely yours",
    "yours faithfully",
    "yours truly",
    "respectfully",
    "mit freundlichen grüßen",
    "mit freundlichem gruß",
    "freundliche grüße",
    "viele grüße",
    "beste grüße",
    "mfg",
    "cordialement",
    "bien cordialement",
    "bien à vous",
    "salutations distinguées",
    "un saludo",
    "saludos",
    "saludos cordiales",
    "atentamente",
    "cordiali saluti",
];

/// The lines without signatures.
pub(super) fn cut(lines: &[String]) -> Vec<String> {
    let mut end = lines.len();
    if let Some(at) = lines.iter().rposition(|line| line == "-- " || line == "--")
        && lines.len() - at <= DELIMITED + 1
    {
        end = at;
    }
    while let Some(last) = lines[..end].iter().rposition(|line| !line.trim().is_empty()) {
        if !is_program(&lines[last]) {
            break;
        }
        end = last;
    }
    lines[..card(&lines[..end]).unwrap_or(end)].to_vec()
}

fn is_program(line: &str) -> bool {
    let small = folded(line);
    small.len() <= PROGRAM_BYTES && PROGRAMS.iter().any(|begin| small.starts_with(begin))
}

/// Where the card below the last closing begins.
fn card(lines: &[String]) -> Option<usize> {
    let closing = lines.iter().rposition(|line| {
        let small = folded(line);
        CLOSINGS.contains(&small.trim_end_matches([',', '.', '!', ' ']))
    })?;
    let filled: Vec<usize> = (closing + 1..lines.len()).filter(|at| !lines[*at].trim().is_empty()).collect();
    let (name, rest) = filled.split_first()?;
    let fits = rest.len() <= CARD && rest.iter().all(|at| is_detail(lines[*at].trim()));
    (!rest.is_empty() && is_name(lines[*name].trim()) && fits).then_some(name + 1)
}

/// A few words with capitals and no end of a sentence.
fn is_name(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let letters = line.chars().all(|c| c.is_alphabetic() || c.is_whitespace() || ".-'’,".contains(c));
    words.len() <= 4 && letters && !line.ends_with('.') && is_title(&words)
}

/// A title, a company, a number or an address; no sentence.
fn is_detail(line: &str) -> bool {
    if line.chars().count() > 80 || line.ends_with(['?', '!']) {
        return false;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let letters = line.chars().filter(|c| c.is_alphabetic()).count();
    let digits = line.chars().filter(char::is_ascii_digit).count();
    let address = words.len() <= 3 && (line.contains('@') || line.contains("www.") || line.contains("://"));
    address || (digits >= 5 && digits >= letters) || is_title(&words)
}

/// A few words with capitals, none of them shouted.
fn is_title(words: &[&str]) -> bool {
    const SMALL: [&str; 8] = ["of", "and", "for", "the", "und", "de", "&", "|"];
    let capital = |word: &&str| {
        let first = word.chars().find(|c| c.is_alphabetic());
        let shouted = word.chars().count() > 3 && word.chars().all(|c| !c.is_lowercase());
        first.is_some_and(char::is_uppercase) && !shouted
    };
    words.len() <= 6 && words.iter().all(|word| SMALL.contains(word) || capital(word))
}
