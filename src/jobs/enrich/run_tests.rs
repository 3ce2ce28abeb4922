//! Whole backfills over the deterministic backend: stopped anywhere and run again, the store holds the same.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::super::mapping::Choice;
use super::*;
use crate::batching::{AdmissionSettings, Batcher, BatcherSettings};
use crate::escalation::Policies;
use crate::inference::TextTokenizer;
use crate::inference::fake::FakeFactory;
use crate::jobs::samples::{columns, layout, row};
use crate::jobs::table::Layout;
use crate::model::ModelBundle;
use crate::pipeline::customers::{Deciding, Keep, Keeping};
use crate::pipeline::{Analyzer, AnalyzerSettings, Models};
use crate::privacy::HashKey;
use crate::storage::memory::MemoryStore;
use crate::storage::{CustomerKey, HeldTable, Store};

const ROWS: u64 = 60;
const CUSTOMERS: u64 = 7;
/// 2024-04-01T00:00:00Z.
const NOW_MS: i64 = 1_711_929_600_000;

fn customers(store: Arc<dyn Store>) -> Customers {
    let bundle = ModelBundle::load_embedded().unwrap();
    let manifest = bundle.manifest.clone();
    let settings = BatcherSettings {
        model: "fake@1".into(),
        markers: manifest.markers,
        workers: 2,
        batch_tokens: Some(64),
        admission: AdmissionSettings { capacity_tokens: 4000, overload_delay: Duration::ZERO },
        cache_bytes: 0,
    };
    let factory = FakeFactory::new(manifest.label_count(), manifest.heads.len());
    let batcher = Batcher::spawn(&factory, settings).unwrap();
    let tokenizer = TextTokenizer::parse(&bundle.tokenizer).unwrap();
    let bounds = AnalyzerSettings { text_bytes: 1500, text_tokens: 2000 };
    let analyzer = Arc::new(Analyzer::new(manifest, tokenizer, batcher, bounds));
    let policies = tokio::sync::watch::channel(Arc::new(Policies::embedded().unwrap())).1;
    let deciding = Deciding { source: "test".into(), model: "fake@1".into(), routes: Default::default() };
    let keeping = Keeping::new(Keep::Redacted, HashKey::of(b"test"));
    Customers::new(Models::new(analyzer), policies, store, keeping, deciding)
}

/// Customers in turn, days apart; some rows that can't be used, one of them only when it is read.
fn rows() -> Vec<Result<Row, BadRow>> {
    let day = |n: u64| format!("2024-{:02}-{:02}", 1 + n % 3, 1 + n % 28);
    let text = |n: u64| format!("order {} is late again, I want my money back", n % 11);
    let one = |n: u64| match n {
        5 | 31 => Err(BadRow { number: n, place: n + 1, reason: "has 9 cells".into(), ends: false }),
        12 => Ok(row(n, &["12", "c0", "someday", "Hello"])),
        40 => Ok(row(n, &["40", "c0", &day(n), &"too long ".repeat(200)])),
        59 => Ok(row(n, &["58", "c2", &day(58), &text(58)])),
        _ => Ok(row(n, &[&n.to_string(), &format!("c{}", n % CUSTOMERS), &day(n), &text(n)])),
    };
    (1..=ROWS).map(one).collect()
}

fn enrich(directory: &Path, output: bool) -> Enrich {
    let input = directory.join("crm.csv");
    std::fs::write(&input, "the fingerprint's bytes").unwrap();
    let table = Table {
        form: "a test".into(),
        columns: columns(&["id", "customer", "time", "comment"]),
        layout: Layout { id: Some(0), time: Some(2), ..layout(&[3]) },
        rows: Box::new(rows().into_iter()),
    };
    let choice = Choice { source: "desk".into(), ..Choice::default() };
    let mapping = Mapping::find(&table, &choice).unwrap();
    let output = output.then(|| directory.join("out.csv"));
    let place = Place { input: Some(input), output, overwrite: false };
    Enrich { table, mapping, place, batch: 8, batch_tokens: 64, tenant: String::new(), now_ms: NOW_MS }
}

/// Everything that is held of everybody.
async fn dump(store: &dyn Store) -> Vec<String> {
    let mut all = Vec::new();
    for n in 0..CUSTOMERS {
        for table in HeldTable::ALL {
            all.extend(store.held(&CustomerKey::new("", format!("c{n}")), table, 0, 1000).await.unwrap());
        }
    }
    all
}

async fn run(enrich: Enrich, customers: &Customers, stop_after: u64) -> Result<Enriched, Error> {
    let stop = CancellationToken::new();
    let mut progress = |totals: &Totals, _| {
        if totals.read >= stop_after {
            stop.cancel();
        }
    };
    enrich.run(customers, &mut progress, &stop).await
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_after_every_block_and_run_again_the_store_and_the_files_are_the_same() {
    let (whole, directory) = (Arc::new(MemoryStore::new()), tempfile::tempdir().unwrap());
    let undisturbed = customers(Arc::clone(&whole) as _);
    let done = run(enrich(directory.path(), true), &undisturbed, u64::MAX).await.unwrap();
    assert_eq!((done.totals.read, done.totals.recorded, done.totals.known), (ROWS, 55, 1));
    assert_eq!((done.totals.quarantined, done.customers, done.resumed_from), (4, Some(CUSTOMERS), 0));
    let files = |directory: &Path| {
        ["out.csv", "out.csv.quarantine.csv"]
            .map(|name| std::fs::read_to_string(directory.join(name)).unwrap())
    };
    let expected = files(directory.path());
    let (store, directory) = (Arc::new(MemoryStore::new()), tempfile::tempdir().unwrap());
    let disturbed = customers(Arc::clone(&store) as _);
    for stopped in 0..7 {
        let error = run(enrich(directory.path(), true), &disturbed, 0).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{stopped}: {error}");
    }
    let done = run(enrich(directory.path(), true), &disturbed, u64::MAX).await.unwrap();
    assert_eq!((done.totals.read, done.totals.recorded, done.resumed_from), (ROWS, 55, 56));
    assert_eq!(files(directory.path()), expected);
    assert_eq!(dump(&*store).await, dump(&*whole).await);
    let names = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(names, 3, "only input, output and quarantine are left");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_twice_is_recorded_once_and_the_quarantine_names_rows_and_reasons() {
    let (store, directory) = (Arc::new(MemoryStore::new()), tempfile::tempdir().unwrap());
    let customers = customers(Arc::clone(&store) as _);
    run(enrich(directory.path(), false), &customers, u64::MAX).await.unwrap();
    let first = dump(&*store).await;
    let again = run(enrich(directory.path(), false), &customers, u64::MAX).await.unwrap();
    let expected = Totals { read: ROWS, recorded: 0, known: 56, quarantined: 4, signals: 0 };
    assert_eq!((again.totals, again.customers), (expected, None));
    assert_eq!(dump(&*store).await, first);
    let quarantine = std::fs::read_to_string(again.quarantine.unwrap()).unwrap();
    let lines: Vec<&str> = quarantine.lines().collect();
    assert_eq!(lines[0], "row,place,reason");
    for (line, start) in
        lines[1..].iter().zip(["5,6,has 9 cells", "12,13,\"time: expected", "31,32,has", "40,41,\"text: "])
    {
        assert!(line.starts_with(start), "{line}");
    }
    assert!(!quarantine.contains("someday") && !quarantine.contains("too long too"), "{quarantine}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_lost_is_filled_from_the_first_row() {
    let directory = tempfile::tempdir().unwrap();
    let lost = customers(Arc::new(MemoryStore::new()));
    run(enrich(directory.path(), false), &lost, 20).await.unwrap_err();
    let store = Arc::new(MemoryStore::new());
    let done =
        run(enrich(directory.path(), false), &customers(Arc::clone(&store) as _), u64::MAX).await.unwrap();
    assert_eq!((done.totals.recorded, done.totals.quarantined, done.resumed_from), (55, 4, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_is_there_and_a_block_of_no_size_are_refused_before_anything_is_read() {
    let (store, directory) = (Arc::new(MemoryStore::new()), tempfile::tempdir().unwrap());
    let customers = customers(Arc::clone(&store) as _);
    std::fs::write(directory.path().join("out.csv"), "mine").unwrap();
    let error = run(enrich(directory.path(), true), &customers, u64::MAX).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let none = Enrich { batch: 0, ..enrich(directory.path(), false) };
    assert_eq!(run(none, &customers, u64::MAX).await.unwrap_err().field(), Some("batch"));
    let mut stream = enrich(directory.path(), false);
    stream.place.input = None;
    assert_eq!(run(stream, &customers, u64::MAX).await.unwrap_err().field(), Some("output"));
    assert_eq!(dump(&*store).await, Vec::<String>::new());
}
