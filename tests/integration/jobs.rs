//! Files that a service scores: from the request to the output, refused, cancelled, interrupted.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use attune::api::grpc::v1;
use attune::api::grpc::v1::JobState;
use attune::api::grpc::v1::job_service_client::JobServiceClient;
use attune::app::build_analyzer;
use attune::inference::fake::{FakeFactory, Gate};
use attune::jobs::plan::{Plan, ReportPlan, started};
use attune::jobs::service::Buckets;
use attune::jobs::{Company, FormatName, Watching, read::ReadOptions};
use attune::model::ModelBundle;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::transport::Channel;

use crate::support::{TestServer, config, factory};

const TIME: &str = "2026-01-01T00:00:00Z";

/// Directories of a test: what jobs may touch, and where they are kept.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(place.path("data")).unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        std::fs::canonicalize(self.0.path()).unwrap().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("jobs.directory", self.text("jobs")),
            ("jobs.directories", self.text("data")),
            ("jobs.buckets", "exports".into()),
            ("jobs.checkpoint_ms", "0".into()),
            ("batching.cache_mb", "0".into()),
        ]
    }

    pub(crate) async fn serve(&self, more: &[(&'static str, &str)], factory: FakeFactory) -> TestServer {
        self.serve_with(more, factory, None).await
    }

    pub(crate) async fn serve_with(
        &self,
        more: &[(&'static str, &str)],
        factory: FakeFactory,
        buckets: Option<Arc<dyn Buckets>>,
    ) -> TestServer {
        let mut settings = self.settings();
        settings.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
        let settings: Vec<(&str, &str)> =
            settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
        TestServer::start_with(&settings, factory, buckets).await
    }

    /// An export of so many rows, with texts that differ, empty ones, and rows that can't be read.
    pub(crate) fn export(&self, name: &str, rows: usize) {
        std::fs::write(self.path(name), export(rows)).unwrap();
    }

    pub(crate) fn spec(&self, input: &str, output: &str) -> v1::JobSpec {
        v1::JobSpec {
            input: self.text(input),
            output: self.text(output),
            text_columns: vec!["comment".into()],
            id_column: "id".into(),
            scored_at: TIME.into(),
            ..Default::default()
        }
    }

    pub(crate) fn names(&self, directory: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(directory)).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub(crate) fn export(rows: usize) -> String {
    let mut text = String::from("id,region,comment\n");
    for n in 0..rows {
        match n % 50 {
            13 => text.push_str("too,many,cells,here\n"),
            14 => text.push_str("nobody,north,\n"),
            _ => writeln!(text, "{n},{},my parcel {n} is late again", ["north", "south"][n % 2]).unwrap(),
        }
    }
    text
}

/// What the runner writes when nobody interrupts it: output, quarantine, report.
pub(crate) async fn directly(place: &Place, input: &str, report: bool) -> [Vec<u8>; 3] {
    let at = |name: &str| place.path(name);
    std::fs::create_dir_all(at("direct")).unwrap();
    let config = config(&[("batching.cache_mb", "0")]);
    let analyzer = build_analyzer(&config, &ModelBundle::load_embedded().unwrap(), &factory()).unwrap();
    let plan = Plan {
        input: Some(at(input)),
        output: at("direct/out.csv"),
        format: FormatName::Csv.format(false, true),
        read: ReadOptions {
            text_columns: vec!["comment".into()],
            id_column: Some("id".into()),
            ..ReadOptions::default()
        },
        language: None,
        scored_at: Some(TIME.into()),
        report: report.then(|| ReportPlan {
            path: at("direct/report.html"),
            by: Some("region".into()),
            redact: true,
            source: at(input).file_name().unwrap().to_str().unwrap().into(),
        }),
        restart: true,
    };
    let table = plan.open(&Arc::default()).unwrap();
    let mut watching = Watching::begin(plan.report.as_ref(), &table).unwrap();
    let job = plan.job(table, started(Some(TIME)).unwrap(), &attune::app::jobs::rules(&config)).unwrap();
    let finished = job
        .run(Company {
            analyzer: &Arc::new(analyzer),
            observer: watching.observer(),
            progress: &mut |_, _| {},
            stop: &CancellationToken::new(),
        })
        .await
        .unwrap();
    watching.finish(&finished).unwrap();
    let read = |name: &str| std::fs::read(at(name)).unwrap_or_default();
    [read("direct/out.csv"), read("direct/out.csv.quarantine.csv"), read("direct/report.html")]
}

pub(crate) type Client = JobServiceClient<Channel>;

pub(crate) async fn create(client: &mut Client, spec: v1::JobSpec) -> Result<v1::Job, tonic::Status> {
    let request = v1::CreateJobRequest { spec: Some(spec), idempotency_key: String::new() };
    Ok(client.create_job(request).await?.into_inner().job.unwrap())
}

/// Watches a job until something holds of it, or it has ended.
pub(crate) async fn until(client: &mut Client, id: &str, holds: impl Fn(&v1::Job) -> bool) -> v1::Job {
    let watch = v1::WatchJobRequest { id: id.into() };
    let mut states = client.watch_job(watch).await.unwrap().into_inner();
    let mut last = None;
    while let Some(answer) = states.message().await.unwrap() {
        let job = answer.job.unwrap();
        if holds(&job) {
            return job;
        }
        last = Some(job);
    }
    last.unwrap()
}

pub(crate) async fn ended(client: &mut Client, id: &str) -> v1::Job {
    until(client, id, |_| false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_writes_what_the_runner_writes_and_tells_how_far_it_is() {
    let place = Place::new();
    place.export("data/in.csv", 700);
    let [output, quarantine, report] = directly(&place, "data/in.csv", true).await;
    let server = place.serve(&[], factory()).await;
    let mut client = server.jobs().await;
    let by_region =
        v1::JobReport { uri: place.text("data/report.html"), by_column: "region".into(), no_redact: false };
    let spec = v1::JobSpec { report: Some(by_region), ..place.spec("data/in.csv", "data/out.csv") };
    let job = create(&mut client, spec.clone()).await.unwrap();
    assert_eq!(job.spec, Some(spec));
    let done = ended(&mut client, &job.id).await;
    assert_eq!(done.state(), JobState::Succeeded, "{done:?}");
    let t = done.totals.unwrap();
    assert_eq!((t.read, t.written, t.quarantined, t.empty), (700, 686, 14, 14));
    assert!(done.bytes_total > 0 && done.bytes_read == done.bytes_total);
    assert!(done.started_at_ms >= Some(done.created_at_ms) && done.finished_at_ms >= done.started_at_ms);
    assert!(done.notes.iter().any(|note| note.contains("comment")), "{:?}", done.notes);
    let read = |name: &str| std::fs::read(place.path(name)).unwrap();
    assert!(read("data/out.csv") == output && read("data/out.csv.quarantine.csv") == quarantine);
    assert!(read("data/report.html") == report);
    assert_eq!(place.names("data"), ["in.csv", "out.csv", "out.csv.quarantine.csv", "report.html"]);
    // A job that has ended leaves its state alone, and a watch of it ends at once.
    assert_eq!(place.names("jobs/work"), [""; 0]);
    assert_eq!(ended(&mut client, &job.id).await, done);
    let answer = client.get_job(v1::GetJobRequest { id: job.id.clone() }).await.unwrap().into_inner();
    assert_eq!(answer.job.unwrap(), done);
    server.stop().await;
    // It is still known after a restart.
    let server = place.serve(&[], factory()).await;
    let mut client = server.jobs().await;
    assert_eq!(ended(&mut client, &job.id).await, done);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_finds_the_same_job_also_after_a_restart() {
    let place = Place::new();
    place.export("data/in.csv", 20);
    let server = place.serve(&[], factory()).await;
    let mut client = server.jobs().await;
    let request = |spec| v1::CreateJobRequest { spec: Some(spec), idempotency_key: "monday".into() };
    let spec = place.spec("data/in.csv", "data/out.csv");
    let first = client.create_job(request(spec.clone())).await.unwrap().into_inner();
    assert!(first.created);
    let id = first.job.unwrap().id;
    ended(&mut client, &id).await;
    let again = client.create_job(request(spec.clone())).await.unwrap().into_inner();
    assert_eq!((again.created, again.job.unwrap().id), (false, id.clone()));
    let other = v1::JobSpec { language: "en".into(), ..spec.clone() };
    let status = client.create_job(request(other)).await.unwrap_err();
    assert_eq!(status.code(), Code::AlreadyExists);
    assert!(status.message().contains("idempotency_key") && status.message().contains("spec.language"));
    server.stop().await;
    let server = place.serve(&[], factory()).await;
    let again = server.jobs().await.create_job(request(spec)).await.unwrap().into_inner();
    assert_eq!((again.created, again.job.unwrap().id), (false, id));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_cancelled_while_it_waits_and_while_it_runs() {
    let place = Place::new();
    place.export("data/in.csv", 3000);
    let gate = Gate::closed();
    gate.open();
    let server = place.serve(&[], FakeFactory { gate: Some(gate.clone()), ..factory() }).await;
    let mut client = server.jobs().await;
    // What answers has been warmed up.
    client.list_jobs(v1::ListJobsRequest::default()).await.unwrap();
    gate.shut();
    let running = create(&mut client, place.spec("data/in.csv", "data/a.csv")).await.unwrap();
    let waiting = create(&mut client, place.spec("data/in.csv", "data/b.csv")).await.unwrap();
    until(&mut client, &running.id, |job| job.bytes_total > 0).await;
    let cancel = |id: &str| v1::CancelJobRequest { id: id.into() };
    let job = client.cancel_job(cancel(&waiting.id)).await.unwrap().into_inner().job.unwrap();
    assert_eq!(job.state(), JobState::Cancelled);
    let job = client.cancel_job(cancel(&running.id)).await.unwrap().into_inner().job.unwrap();
    assert!(job.cancelling, "{job:?}");
    gate.open();
    let job = ended(&mut client, &running.id).await;
    assert_eq!((job.state(), job.error.is_none()), (JobState::Cancelled, true));
    // What has ended stays as it is, and nothing is left of it.
    let again = client.cancel_job(cancel(&running.id)).await.unwrap().into_inner().job.unwrap();
    assert_eq!(again, job);
    assert_eq!((place.names("data"), place.names("jobs/work")), (vec!["in.csv".to_owned()], vec![]));
    let status = client.cancel_job(cancel("nobody")).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_with_a_retry_time_and_pages_list_what_there_is() {
    use tonic_types::StatusExt;
    let place = Place::new();
    place.export("data/in.csv", 600);
    let gate = Gate::closed();
    gate.open();
    let server =
        place.serve(&[("jobs.queued", "3")], FakeFactory { gate: Some(gate.clone()), ..factory() }).await;
    let mut client = server.jobs().await;
    // What answers has been warmed up.
    client.list_jobs(v1::ListJobsRequest::default()).await.unwrap();
    gate.shut();
    let mut ids = Vec::new();
    for n in 0..4 {
        let job = create(&mut client, place.spec("data/in.csv", &format!("data/{n}.csv"))).await.unwrap();
        until(&mut client, &job.id, |job| n > 0 || job.state() == JobState::Running).await;
        ids.insert(0, job.id);
    }
    let status = create(&mut client, place.spec("data/in.csv", "data/more.csv")).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.get_error_details().retry_info().is_some(), "{status:?}");
    let mut listed = Vec::new();
    let mut page_token = String::new();
    for expected in [3, 1] {
        let request = v1::ListJobsRequest { page_size: 3, page_token, ..Default::default() };
        let page = client.list_jobs(request).await.unwrap().into_inner();
        assert_eq!(page.jobs.len(), expected);
        listed.extend(page.jobs.into_iter().map(|job| job.id));
        page_token = page.next_page_token;
    }
    assert_eq!((listed, page_token.as_str()), (ids.clone(), ""));
    let queued = v1::ListJobsRequest { state: JobState::Queued.into(), ..Default::default() };
    assert_eq!(client.list_jobs(queued).await.unwrap().into_inner().jobs.len(), 3);
    for (wrong, field) in [
        (v1::ListJobsRequest { state: 9, ..Default::default() }, "state"),
        (v1::ListJobsRequest { page_size: 1001, ..Default::default() }, "page_size"),
        (v1::ListJobsRequest { page_token: "x".into(), ..Default::default() }, "page_token"),
    ] {
        let status = client.list_jobs(wrong).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with(field), "{}", status.message());
    }
    gate.open();
    for id in ids {
        assert_eq!(ended(&mut client, &id).await.state(), JobState::Succeeded);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_request_is_said_at_once() {
    let place = Place::new();
    place.export("data/in.csv", 5);
    std::fs::write(place.path("secret.csv"), "comment\nsecret\n").unwrap();
    std::os::unix::fs::symlink(place.path("secret.csv"), place.path("data/link.csv")).unwrap();
    let gate = Gate::closed();
    gate.open();
    let server = place.serve(&[], FakeFactory { gate: Some(gate.clone()), ..factory() }).await;
    let mut client = server.jobs().await;
    // What answers has been warmed up.
    client.list_jobs(v1::ListJobsRequest::default()).await.unwrap();
    gate.shut();
    let spec = || place.spec("data/in.csv", "data/out.csv");
    create(&mut client, place.spec("data/in.csv", "data/taken.csv")).await.unwrap();
    let input = |name: &str| v1::JobSpec { input: place.text(name), ..spec() };
    let output = |name: &str| v1::JobSpec { output: place.text(name), ..spec() };
    let rows = [
        (v1::JobSpec { input: String::new(), ..spec() }, Code::InvalidArgument, "spec.input"),
        (input("secret.csv"), Code::InvalidArgument, "spec.input"),
        (input("data/link.csv"), Code::InvalidArgument, "spec.input"),
        (input("data/../secret.csv"), Code::InvalidArgument, "spec.input"),
        (input("data/none.csv"), Code::NotFound, "spec.input"),
        (v1::JobSpec { input: "s3://others/in.csv".into(), ..spec() }, Code::InvalidArgument, "spec.input"),
        (output("data/in.csv"), Code::InvalidArgument, "spec.output"),
        (output("data/link.csv"), Code::AlreadyExists, "spec.output"),
        (output("data/taken.csv"), Code::FailedPrecondition, "spec.output"),
        (output("out.csv"), Code::InvalidArgument, "spec.output"),
        (output("data/none/out.csv"), Code::NotFound, "spec.output"),
        (output("data/out"), Code::InvalidArgument, "spec.output_format"),
        (v1::JobSpec { output_format: 7, ..spec() }, Code::InvalidArgument, "spec.output_format"),
        (v1::JobSpec { input_format: -1, ..spec() }, Code::InvalidArgument, "spec.input_format"),
        (v1::JobSpec { delimiter: "--".into(), ..spec() }, Code::InvalidArgument, "spec.delimiter"),
    ];
    for (wrong, code, field) in rows {
        let said = format!("{wrong:?}");
        let status = create(&mut client, wrong).await.unwrap_err();
        assert_eq!(status.code(), code, "{said}: {status:?}");
        assert!(status.message().starts_with(field), "{said}: {}", status.message());
    }
    let nothing = v1::CreateJobRequest::default();
    assert_eq!(client.create_job(nothing).await.unwrap_err().code(), Code::InvalidArgument);
    let long = v1::CreateJobRequest { spec: Some(spec()), idempotency_key: "k".repeat(257) };
    assert!(client.create_job(long).await.unwrap_err().message().starts_with("idempotency_key"));
    gate.open();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_jobs_says_what_to_set() {
    let place = Place::new();
    let server = TestServer::start(&[], factory()).await;
    let mut client = server.jobs().await;
    let status = create(&mut client, place.spec("data/in.csv", "data/out.csv")).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("jobs.directory"), "{}", status.message());
    server.stop().await;
    let server = place.serve(&[("jobs.directories", "")], factory()).await;
    let status =
        create(&mut server.jobs().await, place.spec("data/in.csv", "data/out.csv")).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("jobs.directories"), "{}", status.message());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_says_why_in_the_words_of_the_request_and_leaves_nothing() {
    const CANARY: &str = "zanzibarcanary";
    let place = Place::new();
    std::fs::write(place.path("data/in.csv"), format!("id,comment\n1,my {CANARY} is late\n")).unwrap();
    std::fs::write(place.path("data/cut.csv.gz"), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2]).unwrap();
    let server = place.serve(&[], factory()).await;
    let mut client = server.jobs().await;
    let spec = || place.spec("data/in.csv", "data/out.csv");
    let missing = v1::JobSpec { text_columns: vec!["answer".into()], ..spec() };
    let headless = v1::JobSpec { no_detect: true, id_column: "nr".into(), ..spec() };
    let damaged = place.spec("data/cut.csv.gz", "data/out.csv");
    for (spec, field) in
        [(missing, "spec.text_columns"), (headless, "spec.id_column"), (damaged, "spec.input")]
    {
        let job = create(&mut client, spec).await.unwrap();
        let failed = ended(&mut client, &job.id).await;
        let error = failed.error.clone().unwrap();
        assert_eq!(
            (failed.state(), error.code, error.field.as_str()),
            (JobState::Failed, 3, field),
            "{error:?}"
        );
        assert!(!error.message.contains("--") && !error.message.contains(CANARY), "{}", error.message);
        assert_eq!(place.names("jobs/work"), [""; 0]);
    }
    assert_eq!(place.names("data"), ["cut.csv.gz", "in.csv"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_leave_interactive_calls_their_turn_and_are_counted() {
    let place = Place::new();
    place.export("data/in.csv", 3000);
    let slow = Duration::from_micros(5);
    let server = place.serve(&[], FakeFactory { time_per_token: slow, ..factory() }).await;
    let mut client = server.jobs().await;
    let job = create(&mut client, place.spec("data/in.csv", "data/out.csv")).await.unwrap();
    until(&mut client, &job.id, |job| job.totals.unwrap().read > 0).await;
    let answer = server.analysis().await.analyze_text(crate::support::request("hello there")).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(ended(&mut client, &job.id).await.state(), JobState::Succeeded);
    let metrics = crate::support::metrics().render();
    for name in [
        "attune_jobs{state=\"succeeded\"}",
        "attune_jobs_ended_total{state=\"succeeded\"}",
        "attune_job_rows_total",
    ] {
        assert!(metrics.contains(name), "{name} is not in\n{metrics}");
    }
    server.stop().await;
}
