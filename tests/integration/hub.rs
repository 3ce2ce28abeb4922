//! Models fetched from a hub: what comes, what is asked of whom, and what each trouble leaves behind.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use attune::error::{Error, ErrorKind};
use attune::hub::{Endpoint, Patience, Progress, PullSettings, Pulled, Reference, Source, Token, pull};

use crate::hub_server::{Entry, Hub, MODEL, Turn, sha256};

/// Long enough that it comes in several pieces.
fn weights() -> Vec<u8> {
    (0..300_000u32).flat_map(|n| n.to_le_bytes()).collect()
}

async fn hub() -> Hub {
    Hub::start(&[
        ("config.json", b"{}", false),
        ("tokenizer.json", b"{ \"model\": 1 }", false),
        ("README.md", b"# Mood", false),
        ("onnx/model.onnx", &weights(), true),
        ("pytorch_model.bin", b"not wanted", true),
    ])
    .await
}

/// A directory for models, and the settings of a pull into `mood` in it.
struct Desk {
    root: tempfile::TempDir,
    settings: PullSettings,
}

impl Desk {
    fn new(hub: &Hub) -> Self {
        let root = tempfile::tempdir().unwrap();
        let settings = PullSettings {
            endpoint: Endpoint::parse(&hub.url()).unwrap(),
            token: None,
            reference: Reference::parse(&format!("hf://{MODEL}")).unwrap(),
            directory: root.path().join("mood"),
            files: Vec::new(),
            most_bytes: 2 << 30,
            patience: Patience { attempts: 3, first: Duration::from_millis(1) },
        };
        Self { root, settings }
    }

    fn directory(&self) -> &Path {
        &self.settings.directory
    }

    /// Files of the unfinished directory.
    fn unfinished(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.root.path().join("mood.part"));
        entries.map_or(Vec::new(), |entries| entries.map(|entry| entry.unwrap().path()).collect())
    }

    async fn pull(&self) -> Result<Pulled, Error> {
        pull(&self.settings, &|_| ()).await
    }

    /// Pulls, and tells the hub when the first bytes of the weights have come.
    async fn pull_telling(&self, hub: &Hub) -> Result<Pulled, Error> {
        let tell = |at: Progress<'_>| {
            if at.file.ends_with(".onnx") && at.done > 1000 {
                hub.went_on.notify_one();
            }
        };
        pull(&self.settings, &tell).await
    }
}

fn turns(hub: &Hub, turns: &[Turn]) {
    hub.with(|shelf| shelf.turns.extend(turns.iter().cloned()));
}

/// Passes over what is not the large file: the small ones come before it, by name.
fn before_weights() -> [Turn; 2] {
    [Turn::Whole, Turn::Whole]
}

#[tokio::test]
async fn a_model_comes_whole_checked_and_pinned_to_the_commit_that_its_revision_stands_for() {
    let hub = hub().await;
    let desk = Desk::new(&hub);
    let last = AtomicU64::new(0);
    let note =
        |at: Progress<'_>| assert!(last.swap(at.done, Ordering::Relaxed) <= at.done && at.done <= at.total);
    let pulled = pull(&desk.settings, &note).await.unwrap();
    assert!(!pulled.was_there && !pulled.is_attune_model());
    assert_eq!(std::fs::read(desk.directory().join("onnx/model.onnx")).unwrap(), weights());
    assert_eq!(std::fs::read(desk.directory().join("README.md")).unwrap(), b"# Mood");
    assert!(!desk.directory().join("pytorch_model.bin").exists() && desk.unfinished().is_empty());
    let source = Source::read(desk.directory()).unwrap();
    assert_eq!(source, pulled.source);
    assert_eq!((source.commit, source.revision.as_str()), ("c0".repeat(20), "main"));
    let names: Vec<&str> = source.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["README.md", "config.json", "onnx/model.onnx", "tokenizer.json"]);
    assert_eq!(source.files[2].sha256, sha256(&weights()));
    assert_eq!(last.load(Ordering::Relaxed), source.files.iter().map(|file| file.bytes).sum::<u64>());
    // What moves the branch meanwhile changes nothing: files are asked for by commit.
    let resolved = hub.seen().into_iter().filter(|seen| seen.home && !seen.path.starts_with("/api/"));
    for seen in resolved {
        assert!(seen.path.starts_with(&format!("/{MODEL}/resolve/{}/", "c0".repeat(20))), "{seen:?}");
    }
}

#[tokio::test]
async fn the_token_goes_to_the_hub_and_not_to_where_it_sends_us() {
    let hub = hub().await;
    hub.with(|shelf| (shelf.token, shelf.brief) = (Some("hf_canary".into()), true));
    let mut desk = Desk::new(&hub);
    desk.settings.token = Some(Token::parse("hf_canary").unwrap());
    desk.pull().await.unwrap();
    let seen = hub.seen();
    assert!(seen.iter().any(|seen| !seen.home) && seen.iter().any(|seen| seen.home));
    for seen in seen {
        let expected = seen.home.then(|| "Bearer hf_canary".to_owned());
        assert_eq!(seen.authorization, expected, "{seen:?}");
    }
}

#[tokio::test]
async fn a_list_without_sizes_and_checksums_is_completed_by_asking_the_hub_alone() {
    let hub = hub().await;
    hub.with(|shelf| shelf.brief = true);
    let desk = Desk::new(&hub);
    desk.pull().await.unwrap();
    let heads = hub.seen().into_iter().filter(|seen| seen.method == "HEAD");
    let heads: Vec<bool> = heads.map(|seen| seen.home).collect();
    assert_eq!(heads, [true; 4]);
    assert_eq!(std::fs::read(desk.directory().join("onnx/model.onnx")).unwrap(), weights());
}

#[tokio::test]
async fn a_connection_that_is_lost_is_made_again_and_goes_on_where_it_stopped() {
    for brief in [false, true] {
        let hub = hub().await;
        hub.with(|shelf| shelf.brief = brief);
        let desk = Desk::new(&hub);
        turns(&hub, &before_weights());
        if brief {
            // The heads of the small files take a turn each, too.
            turns(&hub, &[Turn::Whole, Turn::Whole, Turn::Whole]);
        }
        turns(&hub, &[Turn::Cut(500_000), Turn::Short(200_000)]);
        desk.pull_telling(&hub).await.unwrap();
        assert_eq!(std::fs::read(desk.directory().join("onnx/model.onnx")).unwrap(), weights());
        let ranges = hub.seen().into_iter().filter(|seen| !seen.home).map(|seen| seen.range);
        let ranges: Vec<Option<String>> = ranges.collect();
        assert_eq!(ranges.len(), 3, "{ranges:?}");
        assert_eq!(ranges[0], None);
        let from =
            |at: usize| ranges[at].as_ref().unwrap()[6..].trim_end_matches('-').parse::<u64>().unwrap();
        assert!(from(1) > 0 && from(2) == from(1) + 200_000, "{ranges:?}");
    }
}

#[tokio::test]
async fn what_one_pull_leaves_unfinished_the_next_one_finishes() {
    let hub = hub().await;
    let mut desk = Desk::new(&hub);
    desk.settings.patience.attempts = 1;
    turns(&hub, &before_weights());
    turns(&hub, &[Turn::Cut(500_000)]);
    let error = desk.pull_telling(&hub).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.public().contains("was lost") && !error.public().contains("canary"), "{error}");
    assert!(!desk.directory().exists() && desk.unfinished().len() > 1);
    hub.seen();
    desk.pull().await.unwrap();
    assert!(desk.unfinished().is_empty());
    let seen = hub.seen();
    let asked: Vec<&str> =
        seen.iter().filter(|seen| !seen.home).filter_map(|seen| seen.range.as_deref()).collect();
    assert_eq!(asked.len(), 1, "{seen:?}");
    assert!(
        !seen.iter().any(|seen| seen.path.ends_with("config.json")),
        "what was finished is fetched again"
    );
    assert_eq!(std::fs::read(desk.directory().join("onnx/model.onnx")).unwrap(), weights());
}

#[tokio::test]
async fn a_file_that_has_changed_since_begins_anew() {
    let hub = hub().await;
    let mut desk = Desk::new(&hub);
    desk.settings.patience.attempts = 1;
    turns(&hub, &before_weights());
    turns(&hub, &[Turn::Cut(500_000)]);
    desk.pull_telling(&hub).await.unwrap_err();
    let newer: Vec<u8> = weights().into_iter().rev().collect();
    hub.with(|shelf| {
        shelf.commit = "d1".repeat(20);
        shelf.files[3].content.clone_from(&newer);
    });
    hub.seen();
    let pulled = desk.pull().await.unwrap();
    assert_eq!(pulled.source.commit, "d1".repeat(20));
    assert!(hub.seen().iter().all(|seen| seen.range.is_none()));
    assert_eq!(std::fs::read(desk.directory().join("onnx/model.onnx")).unwrap(), newer);
    let names: Vec<_> =
        std::fs::read_dir(desk.directory()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().ends_with(".part")), "{names:?}");
}

#[tokio::test]
async fn a_store_that_knows_no_ranges_sends_the_whole_file_again() {
    let hub = hub().await;
    let desk = Desk::new(&hub);
    turns(&hub, &before_weights());
    turns(&hub, &[Turn::Cut(500_000), Turn::Whole]);
    desk.pull_telling(&hub).await.unwrap();
    assert_eq!(std::fs::read(desk.directory().join("onnx/model.onnx")).unwrap(), weights());
}

#[tokio::test]
async fn content_that_is_not_what_the_hub_says_is_thrown_away_and_told() {
    for (name, turn, message) in [
        ("onnx/model.onnx", Turn::Spoilt, "onnx/model.onnx does not have the checksum that the hub gives"),
        ("onnx/model.onnx", Turn::Longer, "more comes than the 1200000 bytes that the hub says"),
        ("README.md", Turn::Spoilt, "README.md does not have the checksum"),
    ] {
        let hub = hub().await;
        let desk = Desk::new(&hub);
        if name == "onnx/model.onnx" {
            turns(&hub, &before_weights());
        }
        turns(&hub, &[turn]);
        let error = desk.pull().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Precondition, "{name}: {error}");
        assert!(error.public().contains(message), "{error}");
        assert!(!desk.directory().exists());
        // The next one is not misled by what has come.
        desk.pull().await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_ends_early_each_time_is_given_up_after_some_tries() {
    let hub = hub().await;
    let desk = Desk::new(&hub);
    turns(&hub, &before_weights());
    turns(&hub, &[Turn::Short(10), Turn::Short(10), Turn::Short(10)]);
    let error = desk.pull().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.public(), "onnx/model.onnx: the answer ended after 30 of 1200000 bytes");
}

#[tokio::test]
async fn a_link_that_has_run_out_is_asked_for_again() {
    let hub = hub().await;
    let desk = Desk::new(&hub);
    turns(&hub, &before_weights());
    turns(&hub, &[Turn::Status(403), Turn::Status(500)]);
    desk.pull().await.unwrap();
    let links = hub.seen().iter().filter(|seen| seen.home && seen.path.ends_with("model.onnx")).count();
    assert_eq!(links, 3);
}

#[tokio::test]
async fn a_second_pull_asks_once_and_fetches_nothing() {
    let hub = hub().await;
    let desk = Desk::new(&hub);
    let first = desk.pull().await.unwrap();
    hub.seen();
    let second = desk.pull().await.unwrap();
    assert!(second.was_there && second.source == first.source);
    let seen = hub.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(desk.unfinished().is_empty());
}

#[tokio::test]
async fn a_directory_that_holds_anything_else_is_left_alone() {
    let hub = hub().await;
    let desk = Desk::new(&hub);
    std::fs::create_dir(desk.directory()).unwrap();
    std::fs::write(desk.directory().join("mine"), "x").unwrap();
    let refused = async |message: &str| {
        let error = desk.pull().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
        assert!(error.public().contains(message), "{error}");
    };
    refused("holds something else").await;
    std::fs::remove_file(desk.directory().join("mine")).unwrap();
    desk.pull().await.unwrap();
    std::fs::write(desk.directory().join("config.json"), "{ }").unwrap();
    refused("config.json is missing in").await;
    hub.with(|shelf| shelf.commit = "d1".repeat(20));
    refused(&format!("holds acme/mood at commit {}", "c0".repeat(20))).await;
    assert_eq!(std::fs::read(desk.directory().join("config.json")).unwrap(), b"{ }");
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_never_written() {
    let hub = hub().await;
    let evil = |name: &str| Entry { name: name.into(), content: b"evil".to_vec(), large: false };
    hub.with(|shelf| {
        shelf.files.extend(["../evil.json", "/tmp/evil.json", "a/../../evil.json", "source.toml"].map(evil));
    });
    let mut desk = Desk::new(&hub);
    desk.pull().await.unwrap();
    assert!(!desk.root.path().join("evil.json").exists());
    desk.settings.directory = desk.root.path().join("other");
    for name in ["../evil.json", "/tmp/evil.json", "a/../../evil.json", "source.toml"] {
        desk.settings.files = vec![name.to_owned()];
        let error = desk.pull().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}: {error}");
        assert!(!desk.root.path().join("evil.json").exists() && !desk.directory().exists());
    }
}

#[tokio::test]
async fn what_the_hub_refuses_is_told_with_what_to_do() {
    let code = |code: &str| vec![("x-error-code", code.to_owned())];
    for (model, refusal, kind, message) in [
        ("hf://acme/mood@v9", None, ErrorKind::NotFound, "acme/mood has no revision v9"),
        ("hf://acme/nothing", None, ErrorKind::NotFound, "there is no model acme/nothing"),
        ("hf://acme/mood", Some((401, code("GatedRepo"))), ErrorKind::Unauthenticated, "set HF_TOKEN"),
        (
            "hf://acme/mood",
            Some((401, code("RepoNotFound"))),
            ErrorKind::Unauthenticated,
            "HF_TOKEN is needed",
        ),
        ("hf://acme/mood", Some((403, vec![])), ErrorKind::Forbidden, "HF_TOKEN"),
        ("hf://acme/mood", Some((418, vec![])), ErrorKind::Unavailable, "is HF_ENDPOINT right?"),
    ] {
        let hub = hub().await;
        hub.with(|shelf| shelf.refusals.extend(refusal.clone()));
        let mut desk = Desk::new(&hub);
        desk.settings.reference = Reference::parse(model).unwrap();
        let error = desk.pull().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.public().contains(message), "{error}");
        assert_eq!(hub.seen().len(), 1, "{model}: what does not pass is not tried again");
    }
}

#[tokio::test]
async fn a_token_without_access_is_told_apart_from_none() {
    let hub = hub().await;
    hub.with(|shelf| shelf.token = Some("right".into()));
    let mut desk = Desk::new(&hub);
    let error = desk.pull().await.unwrap_err();
    assert!(error.public().contains("acme/mood is gated") && error.public().contains("HF_TOKEN"), "{error}");
    desk.settings.token = Some(Token::parse("canary").unwrap());
    let error = desk.pull().await.unwrap_err();
    assert!(error.public().contains("has no access yet") && !error.public().contains("canary"), "{error}");
}

#[tokio::test]
async fn a_hub_that_wants_fewer_requests_is_asked_again_a_few_times_and_not_for_ever() {
    let hub = hub().await;
    let desk = Desk::new(&hub);
    let busy = (429, vec![("retry-after", "0".to_owned())]);
    hub.with(|shelf| shelf.refusals.extend([busy.clone(), (503, vec![])]));
    desk.pull().await.unwrap();
    std::fs::remove_dir_all(desk.directory()).unwrap();
    hub.with(|shelf| shelf.refusals.extend(vec![busy; 3]));
    hub.seen();
    let error = desk.pull().await.unwrap_err();
    assert_eq!((error.kind(), hub.seen().len()), (ErrorKind::Overloaded, 3));
    // One that asks for an hour gets no second request.
    hub.with(|shelf| shelf.refusals.push_back((429, vec![("retry-after", "3600".to_owned())])));
    let error = desk.pull().await.unwrap_err();
    assert_eq!((error.kind(), hub.seen().len()), (ErrorKind::Overloaded, 1));
    assert!(error.public().contains("try again in 3600 s"), "{error}");
}

#[tokio::test]
async fn files_that_are_larger_together_than_was_allowed_are_not_begun() {
    let hub = hub().await;
    let mut desk = Desk::new(&hub);
    desk.settings.most_bytes = 1_200_000;
    let error = desk.pull().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition);
    assert!(
        error.public().contains("raise --max-bytes") && error.public().contains("onnx/model.onnx 1200000"),
        "{error}"
    );
    assert!(hub.seen().iter().all(|seen| seen.path.starts_with("/api/")));
}

#[tokio::test]
async fn a_hub_that_is_not_there_is_told_and_so_is_one_that_sends_round_and_round() {
    let hub = hub().await;
    let mut desk = Desk::new(&hub);
    let place = vec![("location", format!("/api/models/{MODEL}/revision/main"))];
    hub.with(|shelf| shelf.refusals.extend(vec![(307, place); 6]));
    let error = desk.pull().await.unwrap_err();
    assert!(error.public().contains("round and round"), "{error}");
    assert_eq!(hub.seen().len(), 6);
    // Nobody listens on a port that was given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    desk.settings.endpoint = Endpoint::parse(&format!("http://{port}")).unwrap();
    let error = desk.pull().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.public().starts_with("no connection to 127.0.0.1"), "{error}");
    desk.settings.endpoint = Endpoint::parse("http://hub.test").unwrap();
    desk.settings.token = Some(Token::parse("canary").unwrap());
    let error = desk.pull().await.unwrap_err();
    assert!(error.told().contains("HF_ENDPOINT: http://hub.test is plain http"), "{}", error.told());
}
