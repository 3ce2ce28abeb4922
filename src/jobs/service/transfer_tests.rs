//! Objects in and out over a store in memory that fails now and then.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, PutMultipartOptions,
    PutOptions, PutPayload, PutResult,
};

use super::*;

/// A store whose first requests fail.
#[derive(Debug)]
struct Flaky {
    inner: InMemory,
    failures: AtomicU32,
    requests: AtomicU32,
}

impl Flaky {
    fn new(failures: u32) -> Arc<Self> {
        Arc::new(Self { inner: InMemory::new(), failures: failures.into(), requests: 0.into() })
    }

    fn may(&self) -> object_store::Result<()> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let left =
            self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match left {
            Ok(_) => Err(object_store::Error::Generic { store: "flaky", source: "not now".into() }),
            Err(_) => Ok(()),
        }
    }
}

impl std::fmt::Display for Flaky {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("flaky")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Flaky {
    async fn put_opts(
        &self,
        at: &Key,
        bytes: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.may()?;
        self.inner.put_opts(at, bytes, options).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Key,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.may()?;
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &Key, options: GetOptions) -> object_store::Result<GetResult> {
        self.may()?;
        self.inner.get_opts(at, options).await
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, object_store::Result<Key>>,
    ) -> BoxStream<'static, object_store::Result<Key>> {
        self.inner.delete_stream(keys)
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Key>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Key, to: &Key, options: CopyOptions) -> object_store::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

fn object(key: &str) -> Object {
    Object { bucket: "exports".into(), key: key.into() }
}

const PATIENCE: Patience = Patience { attempts: 3, first: Duration::ZERO };

#[tokio::test]
async fn a_file_goes_up_and_comes_down_in_one_part_or_in_many() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    for length in [0, 10, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 77] {
        let bytes: Vec<u8> = (0..length).map(|n| (n * 7 % 251) as u8).collect();
        std::fs::write(at("up"), &bytes).unwrap();
        let object = object(&format!("a/b {length}.csv"));
        upload(&store, &at("up"), &object).await.unwrap();
        assert_eq!(size(&store, &object).await.unwrap(), Some(length));
        download(&store, &object, &at("down"), length).await.unwrap();
        assert!(std::fs::read(at("down")).unwrap() == bytes, "{length}");
    }
}

#[tokio::test]
async fn a_download_is_there_as_a_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("down.csv");
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    assert_eq!(size(&store, &object("none")).await.unwrap(), None);
    let error = download(&store, &object("none"), &to, 9).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.public().contains("s3://exports/none"), "{error}");
    store.put(&"long".into(), vec![1; 10].into()).await.unwrap();
    let error = download(&store, &object("long"), &to, 9).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!to.exists());
}

#[tokio::test]
async fn what_fails_is_tried_again_and_not_for_ever() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("up");
    std::fs::write(&file, "rows").unwrap();
    let stop = CancellationToken::new();
    for (failures, works, requests) in [(0, true, 1), (2, true, 3), (3, false, 3)] {
        let flaky = Flaky::new(failures);
        let store: Arc<dyn ObjectStore> = flaky.clone();
        let object = object("out.csv");
        let result = PATIENCE.keep_trying(&stop, || upload(&store, &file, &object)).await;
        assert_eq!(result.is_ok(), works, "{failures}");
        assert_eq!(flaky.requests.load(Ordering::Relaxed), requests, "{failures}");
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(!error.public().contains("not now") && error.causes().contains("not now"), "{error}");
        }
    }
    // What no repetition mends is said at once; a stop ends the waiting.
    let flaky = Flaky::new(0);
    let store: Arc<dyn ObjectStore> = flaky.clone();
    let (none, down) = (object("none"), directory.path().join("down"));
    let result = PATIENCE.keep_trying(&stop, || download(&store, &none, &down, 1)).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(flaky.requests.load(Ordering::Relaxed), 1);
    stop.cancel();
    let long = Patience { attempts: 9, first: Duration::from_secs(3600) };
    let result = long.keep_trying(&stop, || size(&store, &none)).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn waits_double_up_to_a_bound_and_are_never_shorter_than_half() {
    let patience = Patience { attempts: 99, first: Duration::from_secs(2) };
    for (attempts, longest) in [(1, 2), (2, 4), (3, 8), (4, 16), (5, 30), (70, 30)] {
        let wait = patience.wait(attempts);
        let longest = Duration::from_secs(longest);
        assert!(wait <= longest && wait >= longest / 2, "{attempts}: {wait:?}");
    }
}
