//! Keeps the tree as ARCHITECTURE.md draws it: who may know whom, where each third-party crate lives, and the
//! house rules that neither the compiler nor clippy can hold.
//!
//! The tables are the truth. What the tree does and no table grants fails; what a table grants and the tree
//! no longer does fails too.

#[path = "tidy/reader.rs"]
mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use reader::{Name, Source, is_test, module_path, names, names_of, sources, tokens, unreasoned};

type Table<'a> = &'a [(&'a str, &'a [&'a str])];

/// Who may know whom: a module, and the modules it names. Each face of the API is a module of its own.
const MODULES: Table = &[
    ("error", &[]),
    ("domain", &[]),
    ("telemetry", &[]),
    ("transcript", &["domain", "error"]),
    ("escalation", &["domain", "error"]),
    ("lifecycle", &["domain"]),
    ("model", &["domain", "error"]),
    ("inference", &["error", "model"]),
    ("batching", &["error", "inference", "model", "telemetry"]),
    ("privacy", &[]),
    ("storage", &["error", "lifecycle"]),
    ("events", &["error", "lifecycle", "storage"]),
    (
        "pipeline",
        &[
            "batching",
            "domain",
            "error",
            "escalation",
            "events",
            "inference",
            "lifecycle",
            "model",
            "privacy",
            "storage",
            "telemetry",
        ],
    ),
    ("evaluation", &["batching", "domain", "error", "model", "pipeline"]),
    (
        "jobs",
        &[
            "batching",
            "domain",
            "error",
            "escalation",
            "inference",
            "lifecycle",
            "model",
            "pipeline",
            "privacy",
            "storage",
            "telemetry",
        ],
    ),
    ("config", &["error", "telemetry"]),
    ("runtime", &["error"]),
    ("sinks", &["error", "events", "runtime", "storage", "telemetry"]),
    ("api", &[]),
    ("api::grpc", &["batching", "domain", "error", "escalation", "jobs", "model", "pipeline", "telemetry"]),
    ("api::http", &["error"]),
    (
        "app",
        &[
            "api::grpc",
            "api::http",
            "batching",
            "config",
            "domain",
            "error",
            "escalation",
            "events",
            "inference",
            "jobs",
            "model",
            "pipeline",
            "privacy",
            "sinks",
            "storage",
        ],
    ),
    (
        "cli",
        &[
            "api::grpc",
            "app",
            "batching",
            "config",
            "domain",
            "error",
            "escalation",
            "evaluation",
            "jobs",
            "lifecycle",
            "pipeline",
            "runtime",
            "storage",
            "telemetry",
            "transcript",
        ],
    ),
    ("lib", &[]),
    ("main", &["cli"]),
];

/// Modules that hold concrete adapters, such as `OnnxFactory`, and who may name what is in them.
const ADAPTERS: Table =
    &[("crate::inference::onnx", &["src/app.rs"]), ("crate::jobs::service::s3", &["src/app/jobs.rs"])];

/// Where each third-party crate lives: files, or folders with all that is in them.
const CRATES: Table = &[
    ("anstream", &["src/cli"]),
    ("anstyle", &["src/cli"]),
    ("askama", &["src/jobs/report"]),
    ("async_nats", &["src/sinks/nats.rs"]),
    ("async_trait", &["src/jobs/service/transfer_tests.rs", "src/sinks", "src/storage"]),
    ("axum", &["src/api/http"]),
    (
        "blake3",
        &[
            "src/batching/cache.rs",
            "src/jobs",
            "src/pipeline/customers/interaction.rs",
            "src/pipeline/monitor/escalation.rs",
            "src/privacy/keyed.rs",
        ],
    ),
    ("calamine", &["src/jobs/read"]),
    ("chardetng", &["src/jobs/read"]),
    ("clap", &["src/cli"]),
    ("clap_complete", &["src/cli"]),
    ("csv", &["src/evaluation/dataset.rs", "src/jobs"]),
    ("encoding_rs", &["src/jobs/read"]),
    ("fastrand", &["src/app/sinks.rs", "src/jobs/service/transfer.rs", "src/sinks/dispatch/backoff.rs"]),
    ("flate2", &["src/jobs/read"]),
    (
        "futures_util",
        &[
            "src/api/grpc",
            "src/batching",
            "src/cli/policy",
            "src/evaluation/scoring.rs",
            "src/jobs/scorer.rs",
            "src/jobs/service",
            "src/pipeline",
            "src/sinks/dispatch",
        ],
    ),
    ("html2text", &["src/transcript/html.rs"]),
    ("http", &["src/api/grpc/deadline.rs", "src/api/grpc/shedding.rs"]),
    ("indicatif", &["src/cli/progress.rs"]),
    ("ipnet", &["src/sinks/target.rs"]),
    (
        "jiff",
        &["src/cli", "src/events", "src/jobs", "src/sinks/webhook/answer.rs", "src/transcript/times.rs"],
    ),
    ("linfa", &["src/escalation/fit/logistic.rs"]),
    ("linfa_logistic", &["src/escalation/fit/logistic.rs"]),
    ("metrics", &["src/telemetry/metrics.rs"]),
    ("metrics_exporter_prometheus", &["src/telemetry/metrics.rs", "src/app.rs", "src/api/http"]),
    ("mimalloc", &["src/main.rs"]),
    ("minijinja", &["src/sinks/mapping.rs"]),
    ("ndarray", &["src/escalation/fit/logistic.rs"]),
    ("object_store", &["src/jobs/service"]),
    ("ort", &["src/inference/onnx.rs"]),
    ("parquet", &["src/jobs"]),
    (
        "parking_lot",
        &[
            "src/batching",
            "src/inference",
            "src/jobs/service",
            "src/pipeline/monitor.rs",
            "src/sinks",
            "src/storage/memory",
        ],
    ),
    ("plotters", &["src/escalation/backtest/chart.rs", "src/evaluation/diagram.rs", "src/jobs/report"]),
    ("prost", &["src/api/grpc"]),
    ("quick_cache", &["src/batching/cache.rs"]),
    ("regex", &["src/privacy/patterns.rs"]),
    ("reqwest", &["src/sinks/target.rs", "src/sinks/webhook"]),
    ("rustls", &["src/runtime/tls.rs"]),
    (
        "serde",
        &[
            "src/cli",
            "src/config",
            "src/escalation",
            "src/evaluation",
            "src/events",
            "src/jobs",
            "src/lifecycle",
            "src/model",
            "src/pipeline/customers/reading.rs",
            "src/privacy/measured_tests.rs",
            "src/storage/form.rs",
            "src/telemetry/logs.rs",
        ],
    ),
    (
        "serde_json",
        &[
            "src/cli",
            "src/evaluation",
            "src/events",
            "src/jobs",
            "src/lifecycle",
            "src/pipeline/customers",
            "src/privacy/measured_tests.rs",
            "src/sinks",
            "src/storage",
            "src/transcript",
        ],
    ),
    ("sha2", &["src/events", "src/jobs/write/schema.rs", "src/model/bundle.rs", "src/storage/audit.rs"]),
    ("sqlx", &["src/storage"]),
    ("standardwebhooks", &["src/sinks/webhook/headers.rs"]),
    ("strsim", &["src/config/layers.rs", "src/escalation/policy_file.rs"]),
    (
        "tempfile",
        &[
            "src/app",
            "src/cli/progress.rs",
            "src/evaluation",
            "src/inference/runtime_library.rs",
            "src/jobs",
            "src/model",
            "src/sinks",
        ],
    ),
    (
        "thiserror",
        &["src/config", "src/domain", "src/error.rs", "src/inference", "src/model", "src/sinks/target.rs"],
    ),
    ("tokenizers", &["src/inference/tokenizer.rs"]),
    (
        "tokio",
        &[
            "src/api",
            "src/app",
            "src/app.rs",
            "src/batching",
            "src/cli",
            "src/jobs",
            "src/pipeline",
            "src/runtime",
            "src/sinks",
            "src/storage/audit_tests.rs",
        ],
    ),
    (
        "tokio_util",
        &["src/api", "src/app", "src/app.rs", "src/cli", "src/jobs", "src/runtime", "src/sinks/dispatch"],
    ),
    ("toml", &["src/config", "src/escalation", "src/evaluation/mapping.rs", "src/model"]),
    ("tonic", &["src/api/grpc"]),
    ("tonic_health", &["src/api/grpc"]),
    ("tonic_prost", &["src/api/grpc"]),
    ("tonic_reflection", &["src/api/grpc"]),
    ("tonic_types", &["src/api/grpc"]),
    ("tower", &["src/api/grpc/deadline.rs", "src/api/grpc/shedding.rs"]),
    (
        "tracing",
        &[
            "src/api",
            "src/app",
            "src/app.rs",
            "src/batching",
            "src/inference",
            "src/jobs",
            "src/pipeline",
            "src/runtime",
            "src/sinks",
        ],
    ),
    ("tracing_subscriber", &["src/telemetry/logs.rs"]),
    ("unicode_segmentation", &["src/pipeline/segment.rs"]),
    ("url", &["src/jobs/service/place.rs", "src/sinks/nats.rs", "src/sinks/target.rs", "src/sinks/webhook"]),
    ("uuid", &["src/jobs/service/manager.rs"]),
    ("whatlang", &["src/inference/language.rs"]),
    ("zstd", &["src/jobs/read"]),
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
