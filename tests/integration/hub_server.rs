//! A hub on port 0, and a store on another, as Hugging Face's work together: lists with sizes and checksums, files by commit,
//! redirects to the store for the large ones, ranges, a token; and what goes wrong between them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use tokio::sync::Notify;

/// The model that there is.
pub(crate) const MODEL: &str = "acme/mood";

/// A file of it.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
    /// Kept in the store.
    pub(crate) large: bool,
}

/// What becomes of the next request for a file's content, wherever it is kept.
#[derive(Clone)]
pub(crate) enum Turn {
    /// The connection is lost after so many bytes, once `Hub::went_on` says that they have come.
    Cut(usize),
    /// The answer ends after so many bytes, as if that were all.
    Short(usize),
    /// Other bytes come, as many as there should be.
    Spoilt,
    /// One byte more comes than there should.
    Longer,
    /// The whole file comes, whatever range was asked for.
    Whole,
    /// A status.
    Status(u16),
}

/// A request that was made.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// At the hub; else at the store.
    pub(crate) home: bool,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) range: Option<String>,
}

#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) commit: String,
    pub(crate) files: Vec<Entry>,
    /// Whether the list has sizes and checksums.
    pub(crate) brief: bool,
    /// The token that is wanted.
    pub(crate) token: Option<String>,
    pub(crate) turns: VecDeque<Turn>,
    /// Status, headers of the next answers to requests for the list.
    pub(crate) refusals: VecDeque<(u16, Vec<(&'static str, String)>)>,
    pub(crate) seen: Vec<Seen>,
}

/// Both servers.
#[derive(Clone)]
pub(crate) struct Hub {
    pub(crate) address: SocketAddr,
    pub(crate) store: SocketAddr,
    pub(crate) shelf: Arc<Mutex<Shelf>>,
    pub(crate) went_on: Arc<Notify>,
}

impl Hub {
    pub(crate) async fn start(files: &[(&str, &[u8], bool)]) -> Self {
        let listen = || tokio::net::TcpListener::bind("127.0.0.1:0");
        let (hub, store) = (listen().await.unwrap(), listen().await.unwrap());
        let entry = |(name, content, large): &(&str, &[u8], bool)| Entry {
            name: (*name).into(),
            content: content.to_vec(),
            large: *large,
        };
        let shelf =
            Shelf { commit: "c0".repeat(20), files: files.iter().map(entry).collect(), ..Shelf::default() };
        let found = Self {
            address: hub.local_addr().unwrap(),
            store: store.local_addr().unwrap(),
            shelf: Arc::new(Mutex::new(shelf)),
            went_on: Arc::default(),
        };
        for (listener, router) in [
            (hub, Router::new().fallback(any(at_hub)).with_state(found.clone())),
            (store, Router::new().fallback(any(at_store)).with_state(found.clone())),
        ] {
            tokio::spawn(async move { axum::serve(listener, router).await });
        }
        found
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Shelf) -> T) -> T {
        change(&mut self.shelf.lock().unwrap())
    }

    /// What was asked since the last time.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.with(|shelf| std::mem::take(&mut shelf.seen))
    }

    fn note(&self, home: bool, request: &Request) {
        let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let seen = Seen {
            home,
            method: request.method().clone(),
            path: request.uri().to_string(),
            authorization: text(header::AUTHORIZATION),
            range: text(header::RANGE),
        };
        self.with(|shelf| shelf.seen.push(seen));
    }
}

pub(crate) fn sha256(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

fn git_blob(content: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", content.len()));
    hash.update(content);
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn at_hub(State(hub): State<Hub>, request: Request) -> Response {
    hub.note(true, &request);
    let wanted = hub.with(|shelf| shelf.token.clone());
    let given = request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    match (wanted, given) {
        (Some(_), None) => {
            return (StatusCode::UNAUTHORIZED, [("x-error-code", "GatedRepo")]).into_response();
        }
        (Some(wanted), Some(given)) if given != format!("Bearer {wanted}") => {
            return (StatusCode::FORBIDDEN, [("x-error-code", "GatedRepo")]).into_response();
        }
        _ => {}
    }
    let path = request.uri().path().to_owned();
    if let Some(revision) = path.strip_prefix(&format!("/api/models/{MODEL}/revision/")) {
        return list(&hub, revision);
    }
    let commit = hub.with(|shelf| shelf.commit.clone());
    let name = path.strip_prefix(&format!("/{MODEL}/resolve/{commit}/"));
    let entry = name.and_then(|name| hub.with(|shelf| shelf.files.iter().find(|e| e.name == name).cloned()));
    match entry {
        Some(entry) if entry.large => elsewhere(&hub, &entry, &commit),
        Some(entry) => content(&hub, entry.content, request.headers()),
        None => (StatusCode::NOT_FOUND, [("x-error-code", "RepoNotFound")]).into_response(),
    }
}

fn list(hub: &Hub, revision: &str) -> Response {
    if let Some((status, headers)) = hub.with(|shelf| shelf.refusals.pop_front()) {
        let mut answer = StatusCode::from_u16(status).unwrap().into_response();
        for (name, value) in headers {
            answer.headers_mut().insert(name, value.parse().unwrap());
        }
        return answer;
    }
    hub.with(|shelf| {
        if !["main", "refs%2Fpr%2F1", shelf.commit.as_str()].contains(&revision) {
            return (StatusCode::NOT_FOUND, [("x-error-code", "RevisionNotFound")]).into_response();
        }
        let files = shelf.files.iter().map(|entry| {
            let mut file = serde_json::json!({ "rfilename": entry.name });
            if !shelf.brief {
                file["size"] = entry.content.len().into();
                file["blobId"] = git_blob(&entry.content).into();
                if entry.large {
                    file["lfs"] =
                        serde_json::json!({ "sha256": sha256(&entry.content), "size": entry.content.len() });
                }
            }
            file
        });
        let files: Vec<serde_json::Value> = files.collect();
        serde_json::json!({ "id": MODEL, "sha": shelf.commit, "siblings": files }).to_string().into_response()
    })
}

fn elsewhere(hub: &Hub, entry: &Entry, commit: &str) -> Response {
    let place = format!("http://{}/{}?signature=canary", hub.store, entry.name);
    let headers = [
        ("location", place),
        ("x-repo-commit", commit.to_owned()),
        ("x-linked-size", entry.content.len().to_string()),
        ("x-linked-etag", format!("\"{}\"", sha256(&entry.content))),
    ];
    (StatusCode::FOUND, axum::response::AppendHeaders(headers)).into_response()
}

async fn at_store(State(hub): State<Hub>, request: Request) -> Response {
    hub.note(false, &request);
    let name = request.uri().path().trim_start_matches('/').to_owned();
    let entry = hub.with(|shelf| shelf.files.iter().find(|entry| entry.name == name).cloned());
    content(&hub, entry.unwrap().content, request.headers())
}

fn content(hub: &Hub, mut content: Vec<u8>, headers: &HeaderMap) -> Response {
    let turn = hub.with(|shelf| shelf.turns.pop_front());
    let (tag, length) = (format!("\"{}\"", git_blob(&content)), content.len());
    let range = headers.get(header::RANGE).map(|value| value.to_str().unwrap().to_owned());
    let from = range.map_or(0, |text| text["bytes=".len()..].trim_end_matches('-').parse().unwrap());
    let from = if matches!(turn, Some(Turn::Whole)) { 0 } else { from };
    match turn {
        Some(Turn::Status(status)) => return StatusCode::from_u16(status).unwrap().into_response(),
        Some(Turn::Spoilt) => content.iter_mut().for_each(|byte| *byte ^= 1),
        Some(Turn::Longer) => content.push(0),
        _ => {}
    }
    if from > length {
        return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    }
    let rest = content.split_off(from);
    let answer = Response::builder().header(header::ETAG, tag);
    let answer = match from {
        0 => answer.status(200),
        from => answer
            .status(206)
            .header(header::CONTENT_RANGE, format!("bytes {from}-{}/{length}", length.saturating_sub(1))),
    };
    match turn {
        Some(Turn::Cut(bytes)) => {
            let body = cut(rest[..bytes].to_vec(), Arc::clone(&hub.went_on));
            answer.header(header::CONTENT_LENGTH, rest.len()).body(body).unwrap()
        }
        Some(Turn::Short(bytes)) => {
            let piece = Ok::<_, std::io::Error>(Bytes::from(rest[..bytes].to_vec()));
            answer.body(Body::from_stream(futures_util::stream::iter([piece]))).unwrap()
        }
        _ => answer.header(header::CONTENT_LENGTH, rest.len()).body(Body::from(rest)).unwrap(),
    }
}

/// Some bytes, and then the end of the connection.
fn cut(bytes: Vec<u8>, came: Arc<Notify>) -> Body {
    let pieces = futures_util::stream::unfold(Some(bytes), move |left| {
        let came = Arc::clone(&came);
        async move {
            match left {
                Some(bytes) if !bytes.is_empty() => Some((Ok(Bytes::from(bytes)), Some(Vec::new()))),
                Some(_) => {
                    came.notified().await;
                    Some((Err(std::io::Error::other("cut")), None))
                }
                None => None,
            }
        }
    });
    Body::from_stream(pieces)
}
