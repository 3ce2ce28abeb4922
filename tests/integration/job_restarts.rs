//! Jobs over the ends of services: stopped in the middle, killed at the last step, and one directory for two.

use std::time::Duration;

use attune::api::grpc::v1::{self, JobState};
use attune::error::ErrorKind;
use attune::inference::fake::{FakeFactory, Gate, RunLog};

use crate::jobs::{Place, create, directly, ended, until};
use crate::support::factory;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stops_in_the_middle_goes_on_at_its_next_start() {
    let place = Place::new();
    place.export("data/in.csv", 4000);
    let [output, quarantine, _] = directly(&place, "data/in.csv", false).await;
    let (gate, slow) = (Gate::closed(), Duration::from_micros(100));
    gate.open();
    let slowly = FakeFactory { time_per_token: slow, gate: Some(gate.clone()), ..factory() };
    let server = place.serve(&[], slowly).await;
    let mut client = server.jobs().await;
    let running = create(&mut client, place.spec("data/in.csv", "data/out.csv")).await.unwrap();
    let waiting = create(&mut client, place.spec("data/in.csv", "data/later.csv")).await.unwrap();
    let seen = until(&mut client, &running.id, |job| job.totals.unwrap().read > 0).await;
    gate.shut();
    assert_eq!(seen.state(), JobState::Running, "{seen:?}");
    server.stop.cancel();
    gate.open();
    server.served.await.unwrap().unwrap();
    assert_eq!(place.names("data"), ["in.csv"]);
    // A damaged state is set aside, and holds nobody up.
    std::fs::write(place.path("jobs/state/7.json"), "{").unwrap();

    let again = RunLog::default();
    let server = place.serve(&[], FakeFactory { log: again.clone(), ..factory() }).await;
    let mut client = server.jobs().await;
    for (job, name) in [(&running, "data/out.csv"), (&waiting, "data/later.csv")] {
        let done = ended(&mut client, &job.id).await;
        assert_eq!(done.state(), JobState::Succeeded, "{done:?}");
        assert_eq!(done.totals.unwrap().read, 4000);
        assert!(std::fs::read(place.path(name)).unwrap() == output, "{name}");
        assert!(std::fs::read(place.path(&format!("{name}.quarantine.csv"))).unwrap() == quarantine);
    }
    // Had the first one begun again, twice the file would have gone to the network, and what the warm-up takes.
    let texts = done_texts(&output);
    assert!(again.windows() < 2 * texts, "{} windows for {texts} texts", again.windows());
    assert_eq!(place.names("jobs/state").iter().filter(|name| name.ends_with(".damaged")).count(), 1);
    server.stop().await;
}

fn done_texts(output: &[u8]) -> usize {
    String::from_utf8_lossy(output).lines().filter(|line| line.contains("parcel")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_putting_its_output_in_place_takes_it_for_its_own_after_a_kill() {
    let place = Place::new();
    place.export("data/in.csv", 100);
    let server = place.serve(&[], factory()).await;
    let mut client = server.jobs().await;
    let job = create(&mut client, place.spec("data/in.csv", "data/out.csv")).await.unwrap();
    ended(&mut client, &job.id).await;
    let output = std::fs::read(place.path("data/out.csv")).unwrap();
    server.stop().await;
    // As if the end had not been noted any more.
    let state = place.path(&format!("jobs/state/{}.json", job.id));
    let mut record: serde_json::Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    assert_eq!(record["publishing"], true);
    record["state"] = "running".into();
    record["finished_ms"] = serde_json::Value::Null;
    std::fs::write(&state, record.to_string()).unwrap();
    let server = place.serve(&[], factory()).await;
    let done = ended(&mut server.jobs().await, &job.id).await;
    assert_eq!(done.state(), JobState::Succeeded, "{done:?}");
    assert!(std::fs::read(place.path("data/out.csv")).unwrap() == output);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_services_do_not_share_a_directory() {
    let place = Place::new();
    let server = place.serve(&[], factory()).await;
    // The first one has it as soon as it answers.
    server.jobs().await.list_jobs(v1::ListJobsRequest::default()).await.unwrap();
    let second = place.serve(&[], factory()).await;
    let error = second.served.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.public().contains("jobs.directory"), "{error}");
    server.stop().await;
}
