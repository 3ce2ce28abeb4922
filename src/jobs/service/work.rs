//! One job from its places to its places: fetch what is to be read, run the runner, put the results where they were wanted.
//!
//! Every step can be done again after a crash: a download is there as a whole or not at all, the runner goes on from its
//! checkpoint, and what was published before is known to be the job's own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use object_store::ObjectStore;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::buckets::Buckets;
use super::desk::Desk;
use super::directories::{Allowed, Places, occupied};
use super::pin::Pinned;
use super::place::{Object, Place};
use super::publish;
use super::record::Record;
use super::transfer::{self, Patience};
use super::worded::Names;
use crate::error::{Error, ErrorKind};
use crate::jobs::checkpoint::Totals;
use crate::jobs::plan::{self, Plan, ReportPlan, Rules};
use crate::jobs::{Company, Finished, Job, Paths, Table, Watching};
use crate::telemetry::metrics;

/// Lines about how an input was read that are kept, and the bytes of one; there may be one about the model before them.
const NOTES: (usize, usize) = (63, 1024);
/// The bytes of a name that a download keeps: its ending tells the form.
const NAME_BYTES: usize = 100;
/// What the room for downloads is counted in.
const MEBIBYTE: u64 = 1 << 20;

/// What every run needs.
pub(super) struct Means {
    pub(super) allowed: Allowed,
    pub(super) buckets: Arc<dyn Buckets>,
    pub(super) rules: Rules,
    pub(super) patience: Patience,
    pub(super) spool: Spool,
}

/// The room for downloads of all jobs together.
pub(super) struct Spool {
    mebibytes: u32,
    free: Arc<Semaphore>,
}

impl Spool {
    pub(super) fn new(bytes: u64) -> Self {
        let mebibytes = u32::try_from(bytes / MEBIBYTE).unwrap_or(u32::MAX);
        Self { mebibytes, free: Arc::new(Semaphore::new(mebibytes as usize)) }
    }

    /// Waits for room. Errors: `InvalidInput` for what will never fit.
    async fn room(&self, object: &Object, bytes: u64) -> Result<OwnedSemaphorePermit, Error> {
        let wanted = u32::try_from(bytes.div_ceil(MEBIBYTE)).unwrap_or(u32::MAX);
        if wanted > self.mebibytes {
            let problem = format!(
                "{object} has {bytes} bytes, more than jobs.spool_bytes leaves room for ({})",
                u64::from(self.mebibytes) * MEBIBYTE
            );
            return Err(Error::invalid("spec.input", problem));
        }
        Arc::clone(&self.free).acquire_many_owned(wanted).await.map_err(Error::internal)
    }
}

/// A job that is run.
pub(super) struct Work {
    pub(super) means: Arc<Means>,
    pub(super) desk: Arc<Desk>,
    pub(super) pinned: Pinned,
    pub(super) job: Arc<Record>,
    pub(super) stop: CancellationToken,
}

/// The job's own files.
struct Own {
    input: PathBuf,
    output: PathBuf,
    report: PathBuf,
}

impl Work {
    /// Runs the job until its results are where they were wanted. Errors: `Cancelled` after a stop; any other in the words
    /// of the request.
    pub(super) async fn run(&self) -> Result<(), Error> {
        let places = self.places().await?;
        let directory = self.desk.folder.make_work(&self.job.id)?;
        let (input, _room) = self.fetch(&places.input, &directory).await?;
        let own = Own { input, output: directory.join("output"), report: directory.join("report.html") };
        let names = own.names(&self.job, &places);
        let word = |error| names.word(error);
        let finished = self.score(&own, &places, &names).await.map_err(word)?;
        self.desk.update(&self.job.id, |job| {
            job.publishing = true;
            job.bytes_read = job.bytes_total;
        });
        self.desk.save(&self.job.id).await?;
        self.publish(&own, &places, &finished.totals).await.map_err(word)
    }

    /// Resolves the places again, and sees that nothing would be written over.
    async fn places(&self) -> Result<Places, Error> {
        let (means, job) = (Arc::clone(&self.means), Arc::clone(&self.job));
        let resolve = move || {
            let places = means.allowed.places(&job.spec)?;
            if !job.publishing {
                Allowed::check_free(&places)?;
            }
            Ok::<_, Error>(places)
        };
        let places: Places = tokio::task::spawn_blocking(resolve).await.map_err(Error::internal)??;
        for (field, place) in places.targets() {
            let Place::Object(object) = place else { continue };
            if !self.job.publishing && self.size(object).await?.1.is_some() {
                return Err(occupied(field, place));
            }
        }
        Ok(places)
    }

    async fn size(&self, object: &Object) -> Result<(Arc<dyn ObjectStore>, Option<u64>), Error> {
        let store = self.means.buckets.open(&object.bucket)?;
        let patience = self.means.patience;
        let size = patience.keep_trying(&self.stop, || transfer::size(&store, object)).await?;
        Ok((store, size))
    }

    /// The input as a file, and the room that it takes.
    async fn fetch(
        &self,
        input: &Place,
        work: &Path,
    ) -> Result<(PathBuf, Option<OwnedSemaphorePermit>), Error> {
        let object = match input {
            Place::File(path) => return Ok((path.clone(), None)),
            Place::Object(object) => object,
        };
        let path = work.join(format!("input-{}", ending(&input.name())));
        let (store, size) = self.size(object).await?;
        let there = std::fs::metadata(&path).ok().map(|found| found.len());
        let size = size.or(there).ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("spec.input: {object} is not there, or its bucket is not"),
            )
        })?;
        let room = tokio::select! {
            () = self.stop.cancelled() => return Err(Error::new(ErrorKind::Cancelled, "stopped while it waited for room")),
            room = self.means.spool.room(object, there.unwrap_or(size)) => room?,
        };
        if there.is_none() {
            let fetch = || transfer::download(&store, object, &path, size);
            self.means.patience.keep_trying(&self.stop, fetch).await?;
        }
        Ok((path, Some(room)))
    }

    /// Runs the runner. What another model or other limits have left is thrown away, for nobody has seen it yet.
    async fn score(&self, own: &Own, places: &Places, names: &Names<'_>) -> Result<Finished, Error> {
        let mut plan = self.plan(own, places)?;
        let begun = Paths::new(&own.output).checkpoint.exists();
        match self.attempt(&plan, begun, names).await {
            Err(error) if begun && error.kind() == ErrorKind::Precondition => {
                tracing::warn!(job = self.job.id, error = %error, "what was done of a job can't be used; it begins again");
                plan.restart = true;
                self.attempt(&plan, false, names).await
            }
            result => result,
        }
    }

    fn plan(&self, own: &Own, places: &Places) -> Result<Plan, Error> {
        let spec = &self.job.spec;
        let report = spec.report.as_ref().map(|report| ReportPlan {
            path: own.report.clone(),
            by: report.by_column.clone(),
            redact: !report.no_redact,
            source: places.input.name(),
        });
        Ok(Plan {
            input: Some(own.input.clone()),
            output: own.output.clone(),
            format: spec.format()?,
            read: spec.read(),
            language: spec.language.clone(),
            scored_at: spec.scored_at.clone(),
            report,
            restart: false,
        })
    }

    async fn attempt(&self, plan: &Plan, begun: bool, names: &Names<'_>) -> Result<Finished, Error> {
        let count = Arc::<AtomicU64>::default();
        let (plan, rules, counted) = (plan.clone(), self.means.rules.clone(), Arc::clone(&count));
        let open = move || open(&plan, &rules, &counted);
        let opened = tokio::task::spawn_blocking(open).await.map_err(Error::internal)?;
        let (job, mut watching, notes, bytes) = opened?;
        self.desk.update(&self.job.id, |job| {
            let all = self.pinned.note.iter().cloned().chain(notes.iter().map(|note| names.text(note)));
            job.notes = all.collect();
            job.bytes_total = bytes;
        });
        let mut before = (!begun).then_some(0);
        let mut show = |totals: &Totals, _| {
            metrics::job_rows(totals.read - *before.get_or_insert(totals.read));
            before = Some(totals.read);
            let bytes_read = count.load(Ordering::Relaxed).min(bytes);
            self.desk.update(&self.job.id, |job| (job.totals, job.bytes_read) = (*totals, bytes_read));
        };
        let company = Company {
            analyzer: &self.pinned.analyzer,
            observer: watching.observer(),
            progress: &mut show,
            stop: &self.stop,
        };
        let finished = job.run(company).await?;
        self.desk.update(&self.job.id, |job| job.totals = finished.totals);
        tokio::task::block_in_place(|| watching.finish(&finished))?;
        Ok(finished)
    }

    /// The output comes last: who waits for it finds everything else there.
    async fn publish(&self, own: &Own, places: &Places, totals: &Totals) -> Result<(), Error> {
        let quarantine = Paths::new(&own.output).quarantine;
        if totals.quarantined > 0 {
            self.put(&quarantine, &places.quarantine).await?;
        }
        if let Some(report) = &places.report {
            self.put(&own.report, report).await?;
        }
        self.put(&own.output, &places.output).await
    }

    async fn put(&self, from: &Path, to: &Place) -> Result<(), Error> {
        match to {
            Place::File(to) => {
                let (from, to, job) = (from.to_owned(), to.clone(), Arc::clone(&self.job));
                let put = move || publish::put(&from, &to, &job.id, job.publishing);
                tokio::task::spawn_blocking(put).await.map_err(Error::internal)?
            }
            Place::Object(object) => {
                let store = self.means.buckets.open(&object.bucket)?;
                let put = || transfer::upload(&store, from, object);
                self.means.patience.keep_trying(&self.stop, put).await
            }
        }
    }
}

impl Own {
    fn names<'a>(&'a self, job: &Record, places: &Places) -> Names<'a> {
        let mut files = vec![
            (self.output.as_path(), places.output.to_string()),
            (self.report.as_path(), places.report.as_ref().map(ToString::to_string).unwrap_or_default()),
        ];
        if places.input.path().is_none() {
            files.push((self.input.as_path(), places.input.to_string()));
        }
        Names { files, hide_columns: job.spec.no_detect }
    }
}

type Opened = (Job, Watching, Vec<String>, u64);

/// The job, who looks on, what was recognised, and the bytes of the input.
fn open(plan: &Plan, rules: &Rules, count: &Arc<AtomicU64>) -> Result<Opened, Error> {
    let table = plan.open(count)?;
    let bytes =
        plan.input.as_ref().and_then(|input| std::fs::metadata(input).ok()).map_or(0, |found| found.len());
    let (watching, notes) = (Watching::begin(plan.report.as_ref(), &table)?, notes(&table));
    let job = plan.job(table, plan::started(plan.scored_at.as_deref())?, rules)?;
    Ok((job, watching, notes, bytes))
}

fn notes(table: &Table) -> Vec<String> {
    let first = format!("{} ({})", table.layout.source, table.form);
    let lines = std::iter::once(first).chain(table.layout.notes.iter().cloned());
    let short = |mut line: String| {
        line.truncate(line.floor_char_boundary(NOTES.1));
        line
    };
    lines.take(NOTES.0).map(short).collect()
}

/// The end of a name, as far as it may stand in any file system.
fn ending(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let name: String = name.chars().map(plain).collect();
    name[name.len().saturating_sub(NAME_BYTES)..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::samples::{columns, layout};

    #[test]
    fn a_download_keeps_what_tells_its_form_and_nothing_that_a_file_system_minds() {
        let long = format!("{}.csv.gz", "ä".repeat(300));
        for (name, expected) in [("in.csv", "in.csv"), ("a b:c.XLSX", "a_b_c.XLSX"), ("", "")] {
            assert_eq!(ending(name), expected);
        }
        assert!(ending(&long).len() == NAME_BYTES && ending(&long).ends_with(".csv.gz"));
    }

    #[test]
    fn notes_are_bounded_in_number_and_length() {
        let mut layout = layout(&[0]);
        layout.notes = vec!["ä".repeat(NOTES.1); 100];
        let rows = Box::new(std::iter::empty());
        let notes = notes(&Table { form: "CSV".into(), columns: columns(&["a"]), layout, rows });
        assert_eq!((notes.len(), notes[0].as_str()), (NOTES.0, "table (CSV)"));
        assert!(notes.iter().all(|note| note.len() <= NOTES.1));
    }

    #[tokio::test]
    async fn downloads_wait_for_room_and_one_that_never_fits_is_refused() {
        let spool = Spool::new(3 * MEBIBYTE);
        let object = Object { bucket: "b".into(), key: "k".into() };
        let first = spool.room(&object, 2 * MEBIBYTE + 1).await.unwrap();
        let mut second = std::pin::pin!(spool.room(&object, 1));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        drop(second.await.unwrap());
        let error = spool.room(&object, 3 * MEBIBYTE + 1).await.err().unwrap();
        assert!(
            error.kind() == ErrorKind::InvalidInput && error.public().contains("jobs.spool_bytes"),
            "{error}"
        );
    }
}
