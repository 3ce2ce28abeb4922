//! Names of columns: as people see them, as they are compared, and as they are asked for.

use super::header::Field;
use crate::error::Error;

/// Characters of a name that a message shows.
const SHOWN: usize = 60;
/// Tags that part words.
const BLOCKS: &[&str] = &["p", "br", "div", "li", "ul", "ol", "tr", "td", "th", "h1", "h2", "h3", "h4"];
/// Columns that a message lists.
const LISTED: usize = 12;

/// A name for a message: on one line, in quotation marks, not too long.
pub(super) fn shown(name: &str) -> String {
    let line = one_line(name);
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("\"{}…\"", &line[..end]),
        None => format!("\"{line}\""),
    }
}

/// A text with single blanks between its words.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name or a question without tags and character references, on one line. It is a hint and context for people; cells
/// are never changed so.
pub(super) fn plain(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        let is_tag = tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        rest = match tag.split_once('>') {
            Some((name, after)) if is_tag => {
                let name = normal(name.trim_start_matches('/'));
                out.push_str(if has(&name, BLOCKS) { " " } else { "" });
                after
            }
            _ => {
                out.push('<');
                tag
            }
        };
    }
    out.push_str(rest);
    let references =
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    one_line(&references.iter().fold(out, |text, (name, sign)| text.replace(name, sign)))
}

/// A name as it is compared: small letters and digits, with single blanks for everything else.
pub(in crate::jobs) fn normal(name: &str) -> String {
    let small = name.to_lowercase();
    let words = small.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Whether one of some words or phrases stands in a normal name, whole.
pub(super) fn has(normal: &str, words: &[&str]) -> bool {
    let padded = format!(" {normal} ");
    words.iter().any(|word| padded.contains(&format!(" {word} ")))
}

/// Whether a word of a normal name begins so; for languages that join and bend words.
pub(super) fn has_beginning(normal: &str, beginnings: &[&str]) -> bool {
    let padded = format!(" {normal}");
    beginnings.iter().any(|beginning| padded.contains(&format!(" {beginning}")))
}

/// The place of the column that was asked for under `flag`: by name, by question, by ImportId, whatever the case, or by
/// number from 1. Errors: `InvalidInput` when there is none, or more than one.
pub(super) fn find(file: &str, fields: &[Field], flag: &str, given: &str) -> Result<usize, Error> {
    let exact = |field: &Field| field.name == given;
    let alike = |field: &Field| {
        let names = [Some(&field.name), field.question.as_ref(), field.import_id.as_ref()];
        names
            .into_iter()
            .flatten()
            .any(|name| one_line(name).to_lowercase() == one_line(given).to_lowercase())
    };
    let places = |fits: &dyn Fn(&Field) -> bool| -> Vec<usize> {
        fields.iter().enumerate().filter(|(_, field)| fits(field)).map(|(at, _)| at).collect()
    };
    let found = Some(places(&exact)).filter(|found| !found.is_empty()).unwrap_or_else(|| places(&alike));
    let by_number = || given.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < fields.len());
    match found.as_slice() {
        [one] => Ok(*one),
        [] => by_number().ok_or_else(|| {
            let problem = format!("{file} has no column {}; it has {}", shown(given), listed(fields));
            Error::invalid(flag, problem)
        }),
        several => {
            let numbers: Vec<String> = several.iter().map(|at| (at + 1).to_string()).collect();
            let problem = format!("{file} has {} in columns {}", shown(given), numbers.join(", "));
            Err(Error::invalid(flag, format!("{problem}; name one by its number")))
        }
    }
}

/// The first columns, for a message.
pub(super) fn listed(fields: &[Field]) -> String {
    let names =
        fields.iter().zip(1..).take(LISTED).map(|(field, number)| format!("{number} {}", shown(&field.name)));
    let more = fields.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.collect::<Vec<_>>().join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_lose_their_tags_and_keep_their_words() {
        for (text, expected) in [
            ("<p>How <b>was</b> it?</p><p>Well</p>", "How was it? Well"),
            ("a &amp;&nbsp;b\n c", "a & b c"),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            ("open <b", "open <b"),
            ("&amp;lt;", "&lt;"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn columns_are_found_by_name_question_import_id_and_number() {
        let field = |name: &str, question: &str, id: &str| Field {
            name: name.into(),
            question: Some(question.into()),
            import_id: Some(id.into()),
            label: None,
        };
        let fields =
            [field("Q1", "Why so?", "QID1_TEXT"), field("Q2", "What else?", "QID2"), field("q2", "x", "y")];
        for (given, expected) in [
            ("Q1", Some(0)),
            ("why  so?", Some(0)),
            ("qid2", Some(1)),
            ("q2", Some(2)),
            ("Q2", Some(1)),
            ("3", Some(2)),
            ("0", None),
            ("4", None),
            ("Q9", None),
        ] {
            assert_eq!(find("x.csv", &fields, "text-column", given).ok(), expected, "{given}");
        }
        let twice = [field("Comment", "", "a"), field("comment", "", "b")];
        let error = find("x.csv", &twice, "text-column", "COMMENT").unwrap_err();
        assert!(error.public().contains("columns 1, 2"), "{error}");
        let none = find("x.csv", &twice, "text-column", "z").unwrap_err();
        assert!(none.public().contains("1 \"Comment\", 2 \"comment\""), "{none}");
    }
}
