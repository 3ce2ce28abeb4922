//! Keeps the tree as ARCHITECTURE.md draws it: who may know whom, where each third-party crate lives, and the
//! house rules that neither the compiler nor clippy can hold.
//!
//! The tables are the truth. What the tree does and no table grants fails; what a table grants and the tree
//! no longer does fails too. The reader of Rust at the end is small: it skips comments and literals, follows
//! `use` trees, and resolves `self`, `super` and imported names file by file, from top to bottom. It expands
//! no macros and does not see what a glob brings in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

type Table<'a> = &'a [(&'a str, &'a [&'a str])];

/// Who may know whom: a module, and the modules it names. Each face of the API is a module of its own.
const MODULES: Table = &[
    ("error", &[]),
    ("domain", &[]),
    ("telemetry", &[]),
    ("model", &["domain", "error"]),
    ("inference", &["error", "model"]),
    ("batching", &["error", "inference", "model", "telemetry"]),
    ("pipeline", &["batching", "domain", "error", "inference", "model", "telemetry"]),
    ("evaluation", &["batching", "domain", "error", "model", "pipeline"]),
    ("config", &["error", "telemetry"]),
    ("runtime", &["error"]),
    ("api", &[]),
    ("api::grpc", &["batching", "domain", "error", "model", "pipeline", "telemetry"]),
    ("api::http", &["error"]),
    ("app", &["api::grpc", "api::http", "batching", "config", "error", "inference", "model", "pipeline"]),
    ("cli", &["api::grpc", "app", "config", "error", "evaluation", "runtime", "telemetry"]),
    ("lib", &[]),
    ("main", &["cli"]),
];

/// Modules that hold concrete adapters, here `OnnxFactory`, and who may name what is in them.
const ADAPTERS: Table = &[("crate::inference::onnx", &["src/app.rs"])];

/// Where each third-party crate lives: files, or folders with all that is in them.
const CRATES: Table = &[
    ("anstream", &["src/cli"]),
    ("anstyle", &["src/cli"]),
    ("axum", &["src/api/http"]),
    ("blake3", &["src/batching/cache.rs"]),
    ("clap", &["src/cli"]),
    ("clap_complete", &["src/cli"]),
    ("csv", &["src/evaluation/dataset.rs"]),
    ("futures_util", &["src/api/grpc", "src/batching", "src/evaluation/scoring.rs", "src/pipeline"]),
    ("http", &["src/api/grpc/deadline.rs", "src/api/grpc/shedding.rs"]),
    ("metrics", &["src/telemetry/metrics.rs"]),
    ("metrics_exporter_prometheus", &["src/telemetry/metrics.rs", "src/app.rs", "src/api/http"]),
    ("mimalloc", &["src/main.rs"]),
    ("ort", &["src/inference/onnx.rs"]),
    ("parking_lot", &["src/batching", "src/inference"]),
    ("plotters", &["src/evaluation/diagram.rs"]),
    ("prost", &["src/api/grpc"]),
    ("quick_cache", &["src/batching/cache.rs"]),
    ("serde", &["src/cli/json.rs", "src/config", "src/evaluation", "src/model", "src/telemetry/logs.rs"]),
    ("serde_json", &["src/cli/json.rs", "src/evaluation"]),
    ("sha2", &["src/model/bundle.rs"]),
    ("strsim", &["src/config/layers.rs"]),
    ("thiserror", &["src/config", "src/domain", "src/error.rs", "src/inference", "src/model"]),
    ("tokenizers", &["src/inference/tokenizer.rs"]),
    ("tokio", &["src/api", "src/app.rs", "src/batching", "src/cli", "src/pipeline", "src/runtime"]),
    ("tokio_util", &["src/api", "src/app.rs", "src/cli/serve.rs", "src/runtime"]),
    ("toml", &["src/config/layers.rs", "src/evaluation/mapping.rs", "src/model"]),
    ("tonic", &["src/api/grpc"]),
    ("tonic_health", &["src/api/grpc"]),
    ("tonic_prost", &["src/api/grpc"]),
    ("tonic_reflection", &["src/api/grpc"]),
    ("tonic_types", &["src/api/grpc"]),
    ("tower", &["src/api/grpc/deadline.rs", "src/api/grpc/shedding.rs"]),
    ("tracing", &["src/api", "src/app.rs", "src/batching", "src/inference", "src/pipeline", "src/runtime"]),
    ("tracing_subscriber", &["src/telemetry/logs.rs"]),
    ("unicode_segmentation", &["src/pipeline/segment.rs"]),
    ("whatlang", &["src/inference/language.rs"]),
];

/// Who asks `std::env` for what. Settings come in by the command line; the rest of the tree is told them.
const ENVIRONMENT: Table = &[
    ("args_os", &["src/main.rs"]),
    ("current_exe", &["src/inference/runtime_library.rs"]),
    ("var_os", &["src/cli/mod.rs"]),
    ("vars_os", &["src/cli/mod.rs"]),
];

/// Files that may say `unsafe`: none.
const UNSAFE: Table = &[("unsafe", &[])];

/// What stands at the top level, for people and for machines.
const TOP_LEVEL: &str = "Cargo.toml Cargo.lock build.rs proto src models tests README.md ARCHITECTURE.md \
    CHANGELOG.md CONTRIBUTING.md Makefile .ci/run LICENSE";

/// Where Rust stands; a root that does not exist is skipped.
const ROOTS: &[&str] = &["src", "tests", "benches", "examples", "build.rs"];
const SRC: &[&str] = &["src"];

#[test]
fn a_module_names_only_the_modules_its_row_grants() {
    let strays = edges().into_iter().filter(|((from, to), _)| !granted(MODULES, from).contains(&to.as_str()));
    report(strays.map(|((from, to), place)| format!("{place}: `{from}` names `{to}`: not in MODULES")));
}

#[test]
fn the_module_table_has_a_row_for_every_module_and_no_row_or_edge_too_many() {
    let (files, edges) = (sources(SRC), edges());
    let modules: BTreeSet<String> = files.iter().map(|file| module_of(&module_path(&file.path))).collect();
    let rows: BTreeSet<String> = MODULES.iter().map(|(module, _)| module.to_string()).collect();
    let new = modules.difference(&rows).map(|m| format!("src/lib.rs:1: `{m}` has no row in MODULES"));
    let gone = rows.difference(&modules).map(|m| format!("{}: there is no `{m}`", row_place(m)));
    let granted = MODULES.iter().flat_map(|(m, row)| row.iter().map(|to| (m.to_string(), to.to_string())));
    let unused = granted.filter(|edge| !edges.contains_key(edge));
    let unused = unused.map(|(m, to)| format!("{}: `{m}` does not name `{to}`", row_place(&m)));
    report(new.chain(gone).chain(unused));
}

#[test]
fn the_module_table_reads_from_the_bottom_up_and_keeps_the_faces_of_the_api_apart() {
    let edges = MODULES.iter().enumerate().flat_map(|(n, (m, row))| row.iter().map(move |to| (n, *m, *to)));
    let wrong = edges.filter(|(n, m, to)| {
        let faces = m.starts_with("api::") && to.starts_with("api::");
        faces || !MODULES[..*n].iter().any(|(below, _)| below == to)
    });
    report(wrong.map(|(_, m, to)| format!("{}: `{m}` may not name `{to}`", row_place(m))));
}

#[test]
fn only_the_composition_root_names_a_concrete_adapter() {
    let adapter = |name: Name| Some(name.with(ADAPTERS.iter().find(|row| name.what.starts_with(row.0))?.0));
    report(placed("ADAPTERS", ADAPTERS, names(SRC).filter_map(adapter)));
}

#[test]
fn a_third_party_crate_stays_where_it_lives() {
    let section = include_str!("../Cargo.toml").lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let entries = section.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('='));
    let dependencies: BTreeSet<String> = entries.map(|(name, _)| name.trim().replace('-', "_")).collect();
    let crates = |name: Name| match name.what.as_str() {
        // The generated code that this brings in names two more.
        "tonic::include_proto" => ["tonic", "prost", "tonic_prost"].map(|krate| name.with(krate)).into(),
        path => vec![name.with(path.split("::").next().unwrap_or(path))],
    };
    let found = names(SRC).flat_map(crates).filter(|name| dependencies.contains(&name.what));
    report(placed("CRATES", CRATES, found));
}

#[test]
fn no_source_file_is_too_long_to_read() {
    let limit = |file: &Source| if is_test(&file.path) { 500 } else { 400 };
    let long = sources(ROOTS).into_iter().filter(|file| file.text.lines().count() > limit(file));
    report(long.map(|file| format!("{}:{}: begins to be too long; split it", file.path, limit(&file) + 1)));
}

#[test]
fn every_file_begins_by_saying_what_it_is_for() {
    let silent = sources(ROOTS).into_iter().filter(|file| !file.text.starts_with("//! "));
    report(silent.map(|file| format!("{}:1: expected `//!` documentation", file.path)));
}

#[test]
fn a_silenced_lint_or_test_gives_its_reason() {
    report(sources(ROOTS).into_iter().flat_map(|file| {
        let tokens = tokens(&file.text);
        let found = (0..tokens.len()).filter_map(|at| Some((tokens[at].line, unreasoned(&tokens[at..])?)));
        found.map(|(line, problem)| format!("{}:{line}: {problem}", file.path)).collect::<Vec<_>>()
    }));
}

#[test]
fn no_test_sleeps() {
    let sleep =
        |name: &Name| ["std::thread::sleep", "tokio::time::sleep"].iter().any(|s| name.what.starts_with(s));
    let found = names(ROOTS).filter(|name| is_test(&name.place) && sleep(name));
    report(found.map(|name| format!("{}: `{}`: wait for the event, not for time", name.place, name.what)));
}

#[test]
fn unsafe_code_stays_in_the_listed_files() {
    let found = sources(ROOTS).into_iter().flat_map(|file| {
        let tokens = tokens(&file.text).into_iter().filter(|token| token.text == "unsafe");
        tokens.map(|token| Name::new(token.text, &file, token.line)).collect::<Vec<_>>()
    });
    report(placed("UNSAFE", UNSAFE, found));
}

#[test]
fn only_the_command_line_reads_the_environment() {
    let item = |name: Name| Some(name.with(name.what.strip_prefix("std::env::")?.split("::").next()?));
    report(placed("ENVIRONMENT", ENVIRONMENT, names(SRC).filter_map(item)));
}

#[test]
fn the_top_level_holds_what_it_promises() {
    let missing = TOP_LEVEL.split_whitespace().filter(|path| !Path::new(path).exists());
    report(missing.map(|path| format!("{path}:1: is missing")));
}

#[test]
fn the_reader_follows_imports_and_skips_comments_and_literals() {
    let text = r##"
        use crate::{error, domain::{self, span as s, *}, api}; // crate::cli
        use std::env;
        fn f<'a>(c: &'a char) -> ::ort::Session { /* axum::x */ }
        const A: &str = "tonic::x \" http::y"; const B: &str = r#"serde::"x"#; f(['"', '\'']);
        mod tests { use super::super::model; fn g() { env::var("X"); s::h(Vec::<toml::Value>::new()) } }
        fn h() { super::telemetry::x(); a.metrics::<u8>(); api::http::x() }
    "##;
    let file = Source { path: "src/inference/x.rs".into(), text: text.into() };
    let named: Vec<String> =
        names_of(&file).iter().map(|n| format!("{}:{}", &n.place[19..], n.what)).collect();
    let expected = "2:crate::error 2:crate::domain 2:crate::domain::span 2:crate::domain::* 2:crate::api \
        3:std::env 4:ort::Session 6:crate::inference::model 6:std::env::var 6:crate::domain::span::h \
        6:toml::Value 7:crate::inference::telemetry::x 7:crate::api::http::x";
    assert_eq!(named, expected.split(' ').collect::<Vec<_>>());
}

fn report(failures: impl IntoIterator<Item = String>) {
    let failures: Vec<String> = failures.into_iter().collect();
    assert!(failures.is_empty(), "{} broken:\n  {}\n", failures.len(), failures.join("\n  "));
}

/// What a row grants; nothing when there is no row.
fn granted<'a>(table: Table<'a>, name: &str) -> &'a [&'a str] {
    table.iter().find(|(row, _)| *row == name).map_or(&[], |(_, grants)| grants)
}

/// Where this file holds a row, as `file:line`.
fn row_place(name: &str) -> String {
    let mut lines = include_str!("tidy.rs").lines().zip(1..);
    let row = lines.find(|(line, _)| line.contains(&format!("(\"{name}\",")));
    format!("tests/tidy.rs:{}", row.map_or(1, |(_, line)| line))
}

/// What was found outside the places of its row, and the places where nothing was found.
fn placed(name: &str, table: Table, found: impl Iterator<Item = Name>) -> Vec<String> {
    let found: Vec<Name> = found.collect();
    let strays = found.iter().filter(|f| !granted(table, &f.what).iter().any(|place| f.is_in(place)));
    let strays = strays.map(|f| {
        let places = granted(table, &f.what);
        format!("{}: `{}` is not granted here; {name} grants {places:?}", f.place, f.what)
    });
    let places = table.iter().flat_map(|(what, row)| row.iter().map(move |place| (what, place)));
    let empty = places.filter(|(what, place)| !found.iter().any(|f| f.what == **what && f.is_in(place)));
    strays.chain(empty.map(|(what, at)| format!("{}: no `{what}` in {at}", row_place(what)))).collect()
}

/// Which module names which other, with one place, as `file:line`.
fn edges() -> BTreeMap<(String, String), String> {
    let edge = |name: Name| {
        let path: Vec<&str> = name.what.strip_prefix("crate::")?.split("::").collect();
        let (from, to) = (module_of(&module_path(&name.place)), module_of(&path));
        (from != to).then_some(((from, to), name.place))
    };
    names(SRC).filter_map(edge).collect()
}

/// The module of MODULES to which a path belongs, `crate` left off.
fn module_of(path: &[&str]) -> String {
    let face = path.get(..2).map(|two| two.join("::"));
    let face = face.filter(|face| MODULES.iter().any(|(module, _)| module == face));
    face.unwrap_or_else(|| path.first().copied().unwrap_or("lib").into())
}

/// The module that a file of `src` holds; `batcher_tests.rs` holds `batcher::tests`.
fn module_path(place: &str) -> Vec<&str> {
    let inner = place.trim_start_matches("src/").split(".rs").next().unwrap_or(place);
    let segments = inner.split('/').filter(|segment| !["lib", "mod"].contains(segment));
    let tests = |segment: &str| segment.ends_with("_tests").then_some("tests");
    segments.flat_map(|s| [Some(s.trim_end_matches("_tests")), tests(s)]).flatten().collect()
}

fn is_test(place: &str) -> bool {
    place.starts_with("tests/") || place.contains("_tests.rs")
}

struct Source {
    /// From the top of the tree, with `/`.
    path: String,
    text: String,
}

/// The Rust files under some roots; Cargo runs tests at the top of the tree.
fn sources(roots: &[&str]) -> Vec<Source> {
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
struct Name {
    what: String,
    /// As `file:line`.
    place: String,
}

impl Name {
    fn new(what: &str, file: &Source, line: usize) -> Self {
        Self { what: what.into(), place: format!("{}:{line}", file.path) }
    }

    fn with(&self, what: &str) -> Self {
        Self { what: what.into(), place: self.place.clone() }
    }

    /// Whether it stands in a file, or anywhere in a folder.
    fn is_in(&self, place: &str) -> bool {
        self.place.strip_prefix(place).is_some_and(|rest| rest.starts_with([':', '/']))
    }
}

fn names(roots: &[&str]) -> impl Iterator<Item = Name> {
    sources(roots).into_iter().flat_map(|file| names_of(&file))
}

/// Every import of a file, and every path of two or more segments, resolved.
fn names_of(file: &Source) -> Vec<Name> {
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
fn unreasoned(tokens: &[Token]) -> Option<&'static str> {
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
struct Token<'a> {
    text: &'a str,
    line: usize,
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_word(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit()) && !text.is_empty() && text.chars().all(in_word)
}

fn tokens(text: &str) -> Vec<Token<'_>> {
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
