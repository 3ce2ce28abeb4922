//! Whole jobs over the deterministic backend: interrupted in every way, the bytes stay the same.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::super::part::{Disk, plain};
use super::super::samples::{columns, layout, row};
use super::super::table::{BadRow, Row, ScoredRow, Table};
use super::*;
use crate::batching::{AdmissionSettings, Batcher, BatcherSettings};
use crate::inference::fake::FakeFactory;
use crate::inference::{Backend, BackendFactory, EncodedBatch, InferenceError, TextTokenizer, WindowOutput};
use crate::model::ModelBundle;
use crate::pipeline::AnalyzerSettings;

/// Several blocks in a short table.
const SMALL: BlockSize = BlockSize { texts: 5, text_bytes: 300, rows: 12, cell_bytes: 4000 };
const ROWS: u64 = 120;

/// Like an int8 graph: what comes out of a window depends on the batch that it is in.
struct Rounding(FakeFactory);

struct RoundingBackend(Box<dyn Backend>);

impl BackendFactory for Rounding {
    fn build(&self) -> Result<Box<dyn Backend>, InferenceError> {
        Ok(Box::new(RoundingBackend(self.0.build()?)))
    }
}

impl Backend for RoundingBackend {
    fn run(&mut self, batch: &EncodedBatch) -> Result<Vec<WindowOutput>, InferenceError> {
        let company: i64 = batch.input_ids.iter().enumerate().map(|(n, id)| n as i64 * id % 1009).sum();
        let mut outputs = self.0.run(batch)?;
        for logit in outputs.iter_mut().flat_map(|output| &mut output.logits) {
            *logit += (company % 101) as f32 / 101.0;
        }
        Ok(outputs)
    }
}

fn analyzer() -> Arc<Analyzer> {
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
    let factory = Rounding(FakeFactory::new(manifest.label_count(), manifest.heads.len()));
    let batcher = Batcher::spawn(&factory, settings).unwrap();
    let tokenizer = TextTokenizer::parse(&bundle.tokenizer).unwrap();
    let bounds = AnalyzerSettings { text_bytes: 1500, text_tokens: 2000 };
    Arc::new(Analyzer::new(manifest, tokenizer, batcher, bounds))
}

/// Texts that repeat, empty ones, foreign ones, one that is too long, and rows that could not be read.
fn rows() -> Vec<Result<Row, BadRow>> {
    let text = |n: u64| match n % 10 {
        0 => String::new(),
        3 => "thank you".to_owned(),
        5 => "Ich warte seit Wochen auf eine Antwort und bin sehr verärgert.".to_owned(),
        8 if n == 58 => "too long ".repeat(200),
        9 => "my parcel is late again ".repeat(n as usize % 40),
        _ => format!("=order {} is late, \"again\"", n % 30),
    };
    let row = |n: u64| match n {
        17 | 18 | 90 => {
            Err(BadRow { number: n, place: n + 1, reason: "has 9 cells, not 2".into(), ends: false })
        }
        _ => Ok(row(n, &[&format!("{n:03}"), &text(n)])),
    };
    (1..=ROWS).map(row).collect()
}

fn job(output: &Path, format: Format, rows: Vec<Result<Row, BadRow>>) -> Job {
    let table = Table {
        form: "a test".into(),
        columns: columns(&["id", "comment"]),
        layout: layout(&[1]),
        rows: Box::new(rows.into_iter()),
    };
    Job {
        table,
        paths: Paths::new(output),
        format,
        language: None,
        started: "2026-01-01T00:00:00Z".into(),
        batch_tokens: 128,
        checkpoint_every: Duration::ZERO,
        restart: false,
        identity: Identity::new(),
        disk: Box::new(plain),
    }
}

/// Counts, and adds up in floating point, in the order of the rows.
#[derive(Debug, Clone, Default, PartialEq)]
struct Sum {
    rows: u64,
    bad: u64,
    score: f64,
}

impl Observer for Sum {
    fn wants_evidence(&self) -> bool {
        true
    }

    fn row(&mut self, row: &ScoredRow) {
        self.rows += 1;
        let sentiment = row.texts[0].outcome.as_ref().ok().and_then(|a| a.sentiment.as_ref());
        let logit = sentiment.map_or(0.0, |s| s.evidence[0].evidence.logit);
        self.score += sentiment.map_or(0.0, |s| (logit + s.score()) / row.row.number as f64);
    }

    fn bad(&mut self, _: &BadRow) {
        self.bad += 1;
    }

    fn state(&self) -> Value {
        json!([self.rows, self.bad, self.score])
    }

    fn restore(&mut self, state: Value) -> Result<(), Error> {
        let (rows, bad, score) = serde_json::from_value(state).map_err(Error::internal)?;
        *self = Self { rows, bad, score };
        Ok(())
    }
}

/// Runs a job; `stop_at` asks for an end after so many rows.
async fn run(job: Job, analyzer: &Arc<Analyzer>, sum: &mut Sum, stop_at: u64) -> Result<Finished, Error> {
    let stop = CancellationToken::new();
    let mut progress = |totals: &Totals, _| {
        if totals.read >= stop_at {
            stop.cancel();
        }
    };
    job.run_in(SMALL, Company { analyzer, observer: sum, progress: &mut progress, stop: &stop }).await
}

/// Output, quarantine and sum of a run that nothing interrupts.
async fn whole(directory: &Path, format: Format, analyzer: &Arc<Analyzer>) -> (Vec<u8>, Vec<u8>, Sum) {
    let output = directory.join("whole");
    let mut sum = Sum::default();
    let done = run(job(&output, format, rows()), analyzer, &mut sum, u64::MAX).await.unwrap();
    assert_eq!(done.totals.read, done.totals.written + done.totals.quarantined);
    done.clean().unwrap();
    let quarantine = std::fs::read(&Paths::new(&output).quarantine).unwrap();
    (std::fs::read(&output).unwrap(), quarantine, sum)
}

/// What is in a directory, sorted.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const CSV: Format = Format::Csv { byte_order_mark: true, escape_formulas: true };

#[tokio::test(flavor = "multi_thread")]
async fn one_row_out_per_row_in_in_their_order_and_the_totals_add_up() {
    let (directory, analyzer) = (tempfile::tempdir().unwrap(), analyzer());
    let output = directory.path().join("out.csv");
    let mut sum = Sum::default();
    let done = run(job(&output, CSV, rows()), &analyzer, &mut sum, u64::MAX).await.unwrap();
    let totals = done.totals;
    assert_eq!((totals.read, totals.written, totals.quarantined), (ROWS, ROWS - 3, 3));
    assert_eq!(totals.scored + totals.empty + totals.unsupported + totals.refused, totals.written);
    assert_eq!((totals.empty, totals.refused, sum.rows, sum.bad), (11, 1, ROWS - 3, 3));
    // 24 orders (some of them unreadable once, never always), six lengths of late parcels, four of other kinds.
    assert!(totals.distinct < 50, "{totals:?}");
    done.clean().unwrap();
    assert_eq!(names(directory.path()), ["out.csv", "out.csv.quarantine.csv"]);
    let text = std::fs::read_to_string(&output).unwrap();
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let status = reader.headers().unwrap().iter().position(|name| name == "status").unwrap();
    let mut expected = rows().into_iter().filter_map(Result::ok);
    for found in reader.records() {
        let (found, expected) = (found.unwrap(), expected.next().unwrap());
        assert_eq!(&found[0], expected.cells[0]);
        assert_eq!(found[1].trim_start_matches('\''), expected.cells[1]);
        let wanted = match expected.number {
            58 => "error: the text has 1800 bytes",
            n if n % 10 == 0 => "empty",
            n if n % 10 == 5 => "unsupported_language",
            _ => "ok",
        };
        assert!(found[status].starts_with(wanted), "{}", &found[status]);
    }
    assert!(expected.next().is_none());
    let quarantine = std::fs::read_to_string(Paths::new(&output).quarantine).unwrap();
    let reason = "\"has 9 cells, not 2\"";
    assert_eq!(quarantine, format!("row,place,reason\n17,18,{reason}\n18,19,{reason}\n90,91,{reason}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_stopped_again_and_again_writes_the_same_bytes() {
    let (directory, analyzer) = (tempfile::tempdir().unwrap(), analyzer());
    for format in [CSV, Format::Jsonl, Format::Parquet] {
        let expected = whole(tempfile::tempdir().unwrap().path(), format, &analyzer).await;
        for step in [1, 13, 40] {
            let output = directory.path().join(format!("{step}.{}", format.name()));
            let mut stops = 0;
            let (done, sum) = loop {
                let mut fresh = Sum::default();
                let stop_at = (stops + 1) * step;
                match run(job(&output, format, rows()), &analyzer, &mut fresh, stop_at).await {
                    Ok(done) => break (done, fresh),
                    Err(e) => assert_eq!(e.kind(), ErrorKind::Cancelled, "{e}"),
                }
                assert!(!output.exists() && Paths::new(&output).checkpoint.exists());
                stops += 1;
            };
            assert!(stops > 0 && done.resumed_from > 0, "{step}");
            done.clean().unwrap();
            let quarantine = std::fs::read(&Paths::new(&output).quarantine).unwrap();
            assert!(std::fs::read(&output).unwrap() == expected.0, "{format:?} {step}");
            assert_eq!((quarantine, sum), (expected.1.clone(), expected.2.clone()));
        }
    }
}

/// A disk that is full after some bytes of all its files together.
struct Small {
    file: std::fs::File,
    left: Arc<AtomicU64>,
}

impl Disk for Small {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let left = self.left.load(Ordering::SeqCst);
        let fits = bytes.len().min(usize::try_from(left).unwrap());
        self.left.store(left - fits as u64, Ordering::SeqCst);
        // Like a real one: some of it is written.
        self.file.append(&bytes[..fits])?;
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_run_with_a_sentence_and_the_next_run_goes_on() {
    let (directory, analyzer) = (tempfile::tempdir().unwrap(), analyzer());
    let expected = whole(tempfile::tempdir().unwrap().path(), CSV, &analyzer).await;
    let (mut failed, mut room) = (0, 0);
    let most = expected.0.len() as u64 * 2;
    while room < most {
        let output = directory.path().join(format!("{room}.csv"));
        let left = Arc::new(AtomicU64::new(room));
        let disk = move |file| -> Box<dyn Disk> { Box::new(Small { file, left: Arc::clone(&left) }) };
        let small = Job { disk: Box::new(disk), ..job(&output, CSV, rows()) };
        if let Err(error) = run(small, &analyzer, &mut Sum::default(), u64::MAX).await {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.public().contains("make room, then run the same command again"), "{error}");
            assert!(!output.exists());
            failed += 1;
        }
        let mut sum = Sum::default();
        let done = run(job(&output, CSV, rows()), &analyzer, &mut sum, u64::MAX).await.unwrap();
        done.clean().unwrap();
        assert!(std::fs::read(&output).unwrap() == expected.0, "{room}");
        assert_eq!(sum, expected.2);
        room += most / 9;
    }
    assert!(failed > 3, "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_input_or_option_is_refused_and_a_restart_begins_again() {
    let (directory, analyzer) = (tempfile::tempdir().unwrap(), analyzer());
    let output = directory.path().join("out.csv");
    let begin = || job(&output, CSV, rows());
    let mut sum = Sum::default();
    run(begin(), &analyzer, &mut sum, 30).await.err().unwrap();
    let german = Job { language: Some("de".into()), ..begin() };
    let mut changed = rows();
    changed[0].as_mut().unwrap().cells[1].push('!');
    for (other, message) in [
        (german, "the language was not given and is de"),
        (job(&output, Format::Jsonl, rows()), "the format was csv with a byte order mark and is jsonl"),
        (job(&output, CSV, changed.clone()), "rows of the input are not those"),
    ] {
        let error = run(other, &analyzer, &mut Sum::default(), u64::MAX).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Precondition);
        assert!(error.public().contains(message) && error.public().contains("--restart"), "{error}");
    }
    let restart = Job { restart: true, ..job(&output, CSV, changed) };
    let mut sum = Sum::default();
    let done = run(restart, &analyzer, &mut sum, u64::MAX).await.unwrap();
    assert_eq!((done.resumed_from, sum.rows), (0, ROWS - 3));
    done.clean().unwrap();
    let error = run(begin(), &analyzer, &mut Sum::default(), u64::MAX).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_not_replaced_by_a_file_whether_anew_or_not() {
    let (directory, analyzer) = (tempfile::tempdir().unwrap(), analyzer());
    let output = directory.path().join("out.csv");
    std::os::unix::fs::symlink("/dev/null", &output).unwrap();
    for restart in [false, true] {
        let job = Job { restart, ..job(&output, CSV, rows()) };
        let error = run(job, &analyzer, &mut Sum::default(), u64::MAX).await.err().unwrap();
        assert!(error.kind() == ErrorKind::InvalidInput && error.public().contains("device"), "{error}");
    }
    assert_eq!(names(directory.path()), ["out.csv"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_do_not_write_the_same_output_and_a_dead_one_blocks_nobody() {
    let (directory, analyzer) = (tempfile::tempdir().unwrap(), analyzer());
    let output = directory.path().join("out.csv");
    let part = std::fs::File::create(Paths::new(&output).part).unwrap();
    part.lock().unwrap();
    let begin = || job(&output, CSV, rows());
    let error = run(begin(), &analyzer, &mut Sum::default(), u64::MAX).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.public().contains("another run is writing it"), "{error}");
    drop(part);
    run(begin(), &analyzer, &mut Sum::default(), u64::MAX).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_died_between_its_last_row_and_its_report_is_only_tidied_up() {
    let analyzer = analyzer();
    for (format, published) in [(CSV, true), (Format::Parquet, true), (CSV, false), (Format::Parquet, false)]
    {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("out");
        let paths = Paths::new(&output);
        let mut sum = Sum::default();
        run(job(&output, format, rows()), &analyzer, &mut sum, u64::MAX).await.unwrap();
        let bytes = std::fs::read(&output).unwrap();
        if !published && format == CSV {
            std::fs::rename(&output, &paths.part).unwrap();
        } else if !published {
            std::fs::remove_file(&output).unwrap();
        }
        let mut restored = Sum::default();
        let again = run(job(&output, format, Vec::new()), &analyzer, &mut restored, u64::MAX).await.unwrap();
        assert_eq!((again.totals.read, again.distinct, &restored), (ROWS, 0, &sum));
        again.clean().unwrap();
        assert!(std::fs::read(&output).unwrap() == bytes);
        assert_eq!(names(directory.path()), ["out", "out.quarantine.csv"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_dies_does_not_end_the_table() {
    let (directory, analyzer) = (tempfile::tempdir().unwrap(), analyzer());
    let output = directory.path().join("out.csv");
    let torn = rows().into_iter().inspect(|row| assert!(row.as_ref().is_ok_and(|r| r.number < 15), "torn"));
    let mut dying = job(&output, CSV, Vec::new());
    dying.table.rows = Box::new(torn);
    let error = run(dying, &analyzer, &mut Sum::default(), u64::MAX).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(!output.exists());
}
