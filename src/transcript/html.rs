//! HTML of a mail or a message as plain text: blocks become lines, a link keeps its text, a quote's lines begin with
//! `> ` and a signature's block with `-- `, as in plain mails, so that one place decides about both.
//!
//! One pass over the tags without a tree: its time grows with the length alone, whatever is nested in what, and nothing
//! recurses. Character references are decoded by html5ever.

use html2text::{Element, Handle, config};

/// Elements that begin and end a line.
const LINES: &[&str] =
    &["div", "br", "li", "tr", "dt", "dd", "section", "article", "header", "footer", "address"];
/// Elements with an empty line before and after.
const PARAGRAPHS: &[&str] =
    &["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre", "hr"];
/// Elements whose content is no text for readers.
const UNREAD: &[&str] = &["script", "style", "title", "textarea", "xmp", "noframes"];
/// Classes of a signature's block.
const SIGNATURES: &[&str] = &["gmail_signature", "signature", "moz-signature"];

/// The text of HTML.
pub(super) fn to_text(html: &str) -> String {
    let mut page = Page::default();
    let mut scanner = Scanner { html, at: 0, quotes: true };
    while let Some(piece) = scanner.next() {
        match piece {
            Piece::Text(text) => page.text(text),
            Piece::Open(name, attributes) => {
                page.open(&name, attributes);
                if UNREAD.contains(&name.as_str()) {
                    scanner.pass(&name);
                }
            }
            Piece::Close(name) => page.close(&name),
        }
    }
    tidy(&decoded(&page.out))
}

/// A text with its character references (`&eacute;`, `&#39;`) decoded.
pub(super) fn decoded(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    // The value of an attribute is decoded as a text is, and nothing in it can be a tag or a blank that is dropped.
    let page = format!("<p title=\"{}\">", text.replace('"', "&quot;"));
    let parsed = config::plain().parse_html(page.as_bytes()).ok();
    parsed.and_then(|dom| attribute(&dom.document)).unwrap_or_else(|| text.to_owned())
}

/// The first attribute of a page.
fn attribute(document: &Handle) -> Option<String> {
    let mut left = vec![document.clone()];
    while let Some(node) = left.pop() {
        if let Element { attrs, .. } = &node.data
            && let Some(first) = attrs.borrow().first()
        {
            return Some(first.value.to_string());
        }
        left.extend(node.children.borrow().iter().cloned());
    }
    None
}

/// Single blank lines, no blanks at the ends of lines.
fn tidy(text: &str) -> String {
    let (mut out, mut blank) = (String::with_capacity(text.len()), true);
    for line in text.lines() {
        let line = line.replace('\u{a0}', " ");
        // The mark of a signature ends in a blank.
        let line = if line.trim_end() == "--" { "-- " } else { line.trim_end() };
        if !(line.is_empty() && blank) {
            out.push_str(line);
            out.push('\n');
        }
        blank = line.is_empty();
    }
    out.trim().to_owned()
}

/// The text so far.
#[derive(Default)]
struct Page {
    out: String,
    /// Line ends that are due before the next text: 1 ends a line, 2 leaves one empty.
    breaks: usize,
    /// Whether a blank is due before the next text of the line.
    blank: bool,
    quotes: usize,
    preformatted: usize,
}

impl Page {
    fn open(&mut self, name: &str, attributes: &str) {
        match name {
            // Two of them leave a line empty; one after a block's start does too.
            "br" => self.breaks = (self.breaks + 1).min(2),
            "td" | "th" => self.blank = true,
            _ => self.block(name),
        }
        match name {
            "blockquote" => self.quotes += 1,
            "pre" => self.preformatted += 1,
            "li" => self.text("- "),
            _ => {}
        }
        if SIGNATURES.iter().any(|class| has_class(attributes, class)) {
            self.breaks = self.breaks.max(1);
            self.text("-- ");
            self.breaks = 1;
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "blockquote" => self.quotes = self.quotes.saturating_sub(1),
            "pre" => self.preformatted = self.preformatted.saturating_sub(1),
            "br" => return,
            _ => {}
        }
        self.block(name);
    }

    fn block(&mut self, name: &str) {
        let due = if PARAGRAPHS.contains(&name) { 2 } else { usize::from(LINES.contains(&name)) };
        self.breaks = self.breaks.max(due);
    }

    fn text(&mut self, text: &str) {
        if self.preformatted > 0 {
            for (part, at) in text.split('\n').zip(0..) {
                self.breaks = if at > 0 { (self.breaks + 1).min(2) } else { self.breaks };
                self.word(part);
            }
            return;
        }
        self.blank |= text.starts_with(|c: char| c.is_ascii_whitespace());
        for (word, at) in text.split_ascii_whitespace().zip(0..) {
            self.blank |= at > 0;
            self.word(word);
        }
        self.blank |= text.ends_with(|c: char| c.is_ascii_whitespace());
    }

    /// Writes what is due, and a word.
    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        let new_line = self.out.is_empty() || self.breaks > 0;
        if !self.out.is_empty() {
            self.out.extend(std::iter::repeat_n('\n', self.breaks));
        }
        if new_line && self.quotes > 0 {
            self.out.push_str("> ");
        } else if !new_line && self.blank {
            self.out.push(' ');
        }
        (self.breaks, self.blank) = (0, false);
        self.out.push_str(word);
    }
}

/// Whether a tag's `class` holds a class; a class is as long as letters, digits, `-` and `_` go on.
fn has_class(attributes: &str, class: &str) -> bool {
    let Some((_, after)) = attributes.split_once("class=") else { return false };
    let value = match after.chars().next() {
        Some(quote @ ('"' | '\'')) => after[1..].split(quote).next(),
        _ => after.split_ascii_whitespace().next(),
    };
    value.is_some_and(|value| value.split_ascii_whitespace().any(|one| one == class))
}

enum Piece<'a> {
    Text(&'a str),
    /// Name in small letters, and what follows it in the tag.
    Open(String, &'a str),
    Close(String),
}

/// Cuts HTML into text and tags. Each byte is looked at a bounded number of times.
struct Scanner<'a> {
    html: &'a str,
    at: usize,
    /// Whether a `>` between quotation marks belongs to the tag; false after a mark that was never closed.
    quotes: bool,
}

impl<'a> Scanner<'a> {
    fn next(&mut self) -> Option<Piece<'a>> {
        loop {
            let rest = self.html.get(self.at..).filter(|rest| !rest.is_empty())?;
            match kind(rest) {
                Kind::Text => {
                    // The first character may be a `<` that begins no tag.
                    let first = rest.chars().next().map_or(0, char::len_utf8);
                    let length = rest[first..].find('<').map_or(rest.len(), |at| at + first);
                    self.at += length;
                    return Some(Piece::Text(&rest[..length]));
                }
                Kind::Aside(end) => {
                    self.at += rest.find(end).map_or(rest.len(), |at| at + end.len());
                }
                Kind::Tag => match self.tag(rest) {
                    Some(piece) => return Some(piece),
                    None => {
                        // No `>` is left: what looks like a tag is a text that ends here.
                        self.at = self.html.len();
                        return Some(Piece::Text(rest));
                    }
                },
            }
        }
    }

    fn tag(&mut self, rest: &'a str) -> Option<Piece<'a>> {
        let length = match self.quotes.then(|| quoted_end(rest)).flatten() {
            Some(length) => length,
            None => {
                self.quotes = false;
                rest.find('>')?
            }
        };
        self.at += length + 1;
        let inner = &rest[1..length];
        let closing = inner.starts_with('/');
        let inner = inner.trim_start_matches('/');
        let end =
            inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == ':' || c == '-')).unwrap_or(inner.len());
        let name = inner[..end].to_ascii_lowercase();
        Some(if closing { Piece::Close(name) } else { Piece::Open(name, &inner[end..]) })
    }

    /// Goes behind the end of an element that holds no tags.
    fn pass(&mut self, name: &str) {
        let rest = &self.html.as_bytes()[self.at.min(self.html.len())..];
        let end = format!("</{name}");
        let found = rest.windows(end.len()).position(|window| window.eq_ignore_ascii_case(end.as_bytes()));
        self.at += found.unwrap_or(rest.len());
    }
}

enum Kind {
    Text,
    /// A comment or a declaration, to its end.
    Aside(&'static str),
    Tag,
}

fn kind(rest: &str) -> Kind {
    let mut bytes = rest.bytes();
    match (bytes.next(), bytes.next(), bytes.next()) {
        (Some(b'<'), Some(b'!'), _) if rest.starts_with("<!--") => Kind::Aside("-->"),
        (Some(b'<'), Some(b'!' | b'?'), _) => Kind::Aside(">"),
        (Some(b'<'), Some(letter), _) if letter.is_ascii_alphabetic() => Kind::Tag,
        (Some(b'<'), Some(b'/'), Some(letter)) if letter.is_ascii_alphabetic() => Kind::Tag,
        _ => Kind::Text,
    }
}

/// Where a tag ends when a `>` between quotation marks does not end it.
fn quoted_end(rest: &str) -> Option<usize> {
    let (mut quote, mut before) = (None, b' ');
    rest.bytes().position(|byte| {
        match (quote, byte) {
            (None, b'>') => return true,
            // Elsewhere a mark is a character of a name or of a value without marks.
            (None, b'"' | b'\'') if before == b'=' => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
        before = if byte.is_ascii_whitespace() { before } else { byte };
        false
    })
}

#[cfg(test)]
#[path = "html_tests.rs"]
mod tests;
