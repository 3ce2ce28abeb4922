//! Jobs over an object storage in memory.

use std::collections::HashMap;
use std::sync::Arc;

use attune::api::grpc::v1::{self, JobState};
use attune::error::{Error, ErrorKind};
use attune::jobs::service::Buckets;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use tonic::Code;

use crate::jobs::{Place, create, directly, ended, export};
use crate::support::factory;

/// Buckets in memory.
#[derive(Default)]
struct Memory(HashMap<String, Arc<dyn ObjectStore>>);

impl Memory {
    fn new(bucket: &str) -> (Arc<Self>, Arc<dyn ObjectStore>) {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        (Arc::new(Self(HashMap::from([(bucket.to_owned(), Arc::clone(&store))]))), store)
    }
}

impl Buckets for Memory {
    fn open(&self, bucket: &str) -> Result<Arc<dyn ObjectStore>, Error> {
        let found = self.0.get(bucket).cloned();
        found.ok_or_else(|| Error::new(ErrorKind::Precondition, "there is no such bucket"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_fetched_scored_and_put_back() {
    let place = Place::new();
    place.export("data/in.csv", 300);
    let [output, quarantine, report] = directly(&place, "data/in.csv", true).await;
    let (buckets, store) = Memory::new("exports");
    store.put(&"2026/in.csv".into(), export(300).into_bytes().into()).await.unwrap();
    let settings = [("jobs.spool_bytes", "1048576")];
    let server = place.serve_with(&settings, factory(), Some(buckets)).await;
    let mut client = server.jobs().await;
    let spec = v1::JobSpec {
        input: "s3://exports/2026/in.csv".into(),
        output: "s3://exports/2026/out.csv".into(),
        report: Some(v1::JobReport {
            uri: "s3://exports/report.html".into(),
            by_column: "region".into(),
            no_redact: false,
        }),
        ..place.spec("data/in.csv", "data/out.csv")
    };
    let job = create(&mut client, spec.clone()).await.unwrap();
    let done = ended(&mut client, &job.id).await;
    assert_eq!(done.state(), JobState::Succeeded, "{done:?}");
    for (key, expected) in
        [("2026/out.csv", &output), ("2026/out.csv.quarantine.csv", &quarantine), ("report.html", &report)]
    {
        let bytes = store.get(&key.into()).await.unwrap().bytes().await.unwrap();
        assert!(bytes == expected[..], "{key}");
    }
    assert_eq!(place.names("jobs/work"), [""; 0]);
    // An object that is there is not written over; one that is not there, or too large, is said.
    let large = "x".repeat((1 << 20) + 1);
    store.put(&"large.csv".into(), large.into_bytes().into()).await.unwrap();
    let other = |input: &str, output: &str| v1::JobSpec {
        input: input.into(),
        output: output.into(),
        report: None,
        ..spec.clone()
    };
    for (spec, code, part) in [
        (other(&spec.input, &spec.output), Code::AlreadyExists, "2026/out.csv"),
        (other("s3://exports/none.csv", "s3://exports/new.csv"), Code::NotFound, "none.csv"),
        (other("s3://exports/large.csv", "s3://exports/new.csv"), Code::InvalidArgument, "jobs.spool_bytes"),
    ] {
        let job = create(&mut client, spec).await.unwrap();
        let error = ended(&mut client, &job.id).await.error.unwrap();
        assert_eq!(error.code, code as i32, "{error:?}");
        assert!(error.message.contains(part), "{error:?}");
    }
    server.stop().await;
}
