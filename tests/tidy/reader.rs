//! A small reader of Rust: it skips comments and literals, follows `use` trees, and resolves `self`, `super` and imported
//! names file by file, from top to bottom. It expands no macros and does not see what a glob brings in.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

/// The module that a file of `src` holds; `batcher_tests.rs` holds `batcher::tests`.
pub(crate) fn module_path(place: &str) -> Vec<&str> {
    let inner = place.trim_start_matches("src/").split(".rs").next().unwrap_or(place);
    let segments = inner.split('/').filter(|segment| !["lib", "mod"].contains(segment));
    let tests = |segment: &str| segment.ends_with("_tests").then_some("tests");
    segments.flat_map(|s| [Some(s.trim_end_matches("_tests")), tests(s)]).flatten().collect()
}

pub(crate) fn is_test(place: &str) -> bool {
    place.starts_with("tests/") || place.contains("_tests.rs")
}

pub(crate) struct Source {
    /// From the top of the tree, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The Rust files under some roots; Cargo runs tests at the top of the tree.
pub(crate) fn sources(roots: &[&str]) -> Vec<Source> {
    let (mut left, mut files): (Vec<_>, _) = (roots.iter().map(PathBuf::from).collect(), Vec::new());
    while let Some(path) = left.pop() {
        if let Ok(entries) = fs::read_dir(&path) {
            left.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
        } else if path.extension().is_some_and(|extension| extension == "rs") && path.exists() {
            let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            files.push(Source { path: path.to_string_lossy().into_owned(), text });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// A word or a resolved path that the code says: `crate::…` for our own, the crate's name first for others'.
pub(crate) struct Name {
    pub(crate) what: String,
    /// As `file:line`.
    pub(crate) place: String,
}

impl Name {
    pub(crate) fn new(what: &str, file: &Source, line: usize) -> Self {
        Self { what: what.into(), place: format!("{}:{line}", file.path) }
    }

    pub(crate) fn with(&self, what: &str) -> Self {
        Self { what: what.into(), place: self.place.clone() }
    }

    /// Whether it stands in a file, or anywhere in a folder.
    pub(crate) fn is_in(&self, place: &str) -> bool {
        self.place.strip_prefix(place).is_some_and(|rest| rest.starts_with([':', '/']))
    }
}

pub(crate) fn names(roots: &[&str]) -> impl Iterator<Item = Name> {
    sources(roots).into_iter().flat_map(|file| names_of(&file))
}

/// Every import of a file, and every path of two or more segments, resolved.
pub(crate) fn names_of(file: &Source) -> Vec<Name> {
    let tokens = tokens(&file.text);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut scope = Scope { module: module_path(&file.path), bound: HashMap::new() };
    // Per open brace, whether an inline module began there.
    let (mut names, mut braces, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        let mut say = |path: &[&str], line| names.push(Name::new(&path.join("::"), file, line));
        match text(at) {
            "{" => braces.push(false),
            "}" if braces.pop() == Some(true) => drop(scope.module.pop()),
            "mod" if is_word(text(at + 1)) => {
                let name = text(at + 1);
                scope.bound.insert(name, scope.resolved(&["self", name]));
                if text(at + 2) == "{" {
                    braces.push(true);
                    scope.module.push(name);
                    at += 2;
                }
            }
            "use" if text(at + 1) != "<" => {
                let length = tokens[at..].iter().take_while(|token| token.text != ";").count();
                for (path, name, line) in imports(&tokens[at + 1..at + length]) {
                    let path = scope.resolved(&path);
                    say(&path, line);
                    scope.bound.insert(name, path);
                }
                at += length;
            }
            word if is_word(word) => {
                let (path, line) = (path(&tokens[at..]), tokens[at].line);
                let before = |back: usize| at.checked_sub(back).map_or("", text);
                match (before(1), before(2)) {
                    // A member, the rest of a qualified path, a mere word; then a path that begins with `::`.
                    (".", _) | ("::", ">") => {}
                    _ if path.len() < 2 => {}
                    ("::", _) => say(&path, line),
                    _ => say(&scope.resolved(&path), line),
                }
                at += 2 * (path.len() - 1);
            }
            _ => {}
        }
        at += 1;
    }
    names
}

/// Where a file's names lead.
struct Scope<'a> {
    module: Vec<&'a str>,
    /// Names that the file declared or imported, with what they stand for.
    bound: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Scope<'a> {
    fn resolved(&self, path: &[&'a str]) -> Vec<&'a str> {
        let ups = path.iter().take_while(|segment| **segment == "super").count();
        let above = &self.module[..self.module.len().saturating_sub(ups)];
        match (path[0], self.bound.get(path[0])) {
            ("crate" | "attune", _) => [&["crate"], &path[1..]].concat(),
            ("self", _) => [&["crate"], &self.module[..], &path[1..]].concat(),
            ("super", _) => [&["crate"], above, &path[ups..]].concat(),
            (_, Some(whole)) => [whole, &path[1..]].concat(),
            _ => path.to_vec(),
        }
    }
}

/// The path that `tokens` begin with.
fn path<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let more = tokens[1..].chunks_exact(2).take_while(|pair| pair[0].text == "::" && is_word(pair[1].text));
    [tokens[0].text].into_iter().chain(more.map(|pair| pair[1].text)).collect()
}

/// The leaves of a `use`: whole path, name in this file, line.
fn imports<'a>(tokens: &[Token<'a>]) -> Vec<(Vec<&'a str>, &'a str, usize)> {
    let (mut leaves, mut groups, mut path, mut alias) = (Vec::new(), vec![Vec::new()], Vec::new(), None);
    let end = Token { text: ";", line: 0 };
    for (n, token) in tokens.iter().chain([&end]).enumerate() {
        match token.text {
            "{" => groups.push(path.clone()),
            "as" => alias = tokens.get(n + 1).map(|token| token.text),
            sign @ ("," | "}" | ";") => {
                if path.len() > groups.last().map_or(0, Vec::len) {
                    path.truncate(path.len() - usize::from(path.len() > 1 && path.ends_with(&["self"])));
                    let name = alias.take().unwrap_or(path[path.len() - 1]);
                    leaves.push((path, name, tokens[n - 1].line));
                }
                groups.truncate(groups.len() - usize::from(sign == "}"));
                path = groups.last().cloned().unwrap_or_default();
            }
            word if (is_word(word) || word == "*") && alias.is_none() => path.push(word),
            _ => {}
        }
    }
    leaves
}

/// What the attribute that `tokens` begin with silences without a reason, if they begin with one.
pub(crate) fn unreasoned(tokens: &[Token]) -> Option<&'static str> {
    let (_, rest) = tokens.split_first().filter(|(hash, _)| hash.text == "#")?;
    let open = rest.iter().position(|token| token.text == "[").filter(|at| *at < 2)?;
    let end = rest.iter().position(|token| token.text == "]").filter(|end| *end > open + 1)?;
    let attribute = &rest[open + 1..end];
    let first = attribute[0].text;
    let silences = |word| first == word || first == "cfg_attr" && attribute.iter().any(|t| t.text == word);
    let says = |key| {
        let mut values = attribute.windows(3).filter(|t| (t[0].text, t[1].text) == (key, "="));
        values.any(|t| !t[2].text.trim_matches('"').trim().is_empty())
    };
    if (silences("allow") || silences("expect")) && !says("reason") {
        return Some("a lint silenced without `reason = \"why\"`");
    }
    (silences("ignore") && !says("ignore")).then_some("a bare `ignore`: say `ignore = \"why\"`")
}

/// A word, a string literal, or a sign (`::`, `->` and `=>` are one).
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_word(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit()) && !text.is_empty() && text.chars().all(in_word)
}

pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut rest, mut line) = (Vec::new(), text, 1);
    while !rest.is_empty() {
        let (length, is_code) = piece(rest);
        let (text, after) = rest.split_at(length);
        if is_code {
            tokens.push(Token { text, line });
        }
        line += text.matches('\n').count();
        rest = after;
    }
    tokens
}

/// Length of the piece that `rest` begins with, and whether it is code: comments, blanks, characters are not.
fn piece(rest: &str) -> (usize, bool) {
    let until =
        |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
    let (word, tail) = rest.split_at(rest.find(|c| !in_word(c)).unwrap_or(rest.len()));
    let hashes = tail.len() - tail.trim_start_matches('#').len();
    let is_raw = ["r", "br", "cr"].contains(&word) && tail[hashes..].starts_with('"');
    let mut chars = rest.chars();
    let first = chars.next().unwrap_or(' ');
    match (first, chars.next(), chars.next()) {
        _ if is_raw => (until(&format!("\"{}", "#".repeat(hashes)), word.len() + hashes + 1), true),
        _ if !word.is_empty() => (word.len(), true),
        ('/', Some('/'), _) => (until("\n", 0), false),
        ('/', Some('*'), _) => (until("*/", 2), false),
        ('"', ..) => (quoted(rest, '"'), true),
        ('\'', Some('\\'), _) | ('\'', _, Some('\'')) => (quoted(rest, '\''), false),
        (':', Some(':'), _) | ('-' | '=', Some('>'), _) => (2, true),
        // The tick of a lifetime, a blank, or any other sign.
        _ => (first.len_utf8(), first != '\'' && !first.is_whitespace()),
    }
}

/// Length of a literal with its quotes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    let end = rest.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(rest.len(), |(at, _)| at + 1)
}
