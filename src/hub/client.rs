//! Requests to a hub, and where it sends them.
//!
//! Redirects are followed here and not by the HTTP client, because of the token: it goes to the hub's own scheme, host and port,
//! and nowhere else, however often a request is sent on. From https, none is followed to plain http.

use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, ETAG, HeaderMap, LOCATION, RANGE};
use reqwest::{Method, Response, redirect};
use url::Url;

use super::answer::{self, Asked, Trouble};
use super::digest::Digest;
use super::endpoint::Endpoint;
use super::listing::Listing;
use super::reference::Reference;
use super::token::Token;
use crate::error::{Error, ErrorKind};
use crate::runtime::tls;

/// Time for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long nothing may come.
const STALL: Duration = Duration::from_secs(60);
/// Most redirects of one request: a renamed repository and a store make two.
const REDIRECTS: usize = 5;
/// Largest list of files: a repository of a hundred thousand would have as much.
const LISTING_BYTES: usize = 16 << 20;
/// What attune calls itself.
const AGENT: &str = concat!("attune/", env!("CARGO_PKG_VERSION"));
/// The hub's own words for a file that lies elsewhere.
const LINKED_ETAG: &str = "x-linked-etag";
const LINKED_SIZE: &str = "x-linked-size";

/// Speaks with one hub about one model.
pub(super) struct Client {
    http: reqwest::Client,
    endpoint: Endpoint,
    token: Option<Token>,
    reference: Reference,
    repository: String,
}

/// What is asked for.
struct Request<'a> {
    method: Method,
    url: Url,
    /// The file, for messages.
    file: Option<&'a str>,
    /// First byte that is wanted.
    from: u64,
}

impl Client {
    /// Error: `InvalidInput` for a token that would travel where others can read it.
    pub(super) fn build(
        endpoint: Endpoint,
        token: Option<Token>,
        reference: Reference,
    ) -> Result<Self, Error> {
        if token.is_some() && endpoint.is_open() {
            let problem = format!(
                "{} is plain http: the token would travel where others can read it. Use https, or set HF_TOKEN to nothing",
                endpoint.shown()
            );
            return Err(Error::invalid(Endpoint::VARIABLE, problem));
        }
        tls::install();
        let builder = reqwest::Client::builder()
            .user_agent(AGENT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT)
            .read_timeout(STALL);
        // A proxy of the environment is how many get out of their network; this machine is not out there.
        let builder = if endpoint.is_loopback() { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(Error::internal)?;
        let repository = reference.repository();
        Ok(Self { http, endpoint, token, reference, repository })
    }

    /// The commit that the revision stands for, and its files.
    pub(super) async fn listing(&self) -> Result<Listing, Trouble> {
        let url = self.endpoint.listing(&self.reference);
        let mut answer = self.ask(Request { method: Method::GET, url, file: None, from: 0 }).await?;
        let strange = |problem: &str| {
            let problem = format!("{} does not answer as a hub does: {problem}", self.endpoint.shown());
            Trouble::lasting(Error::new(ErrorKind::Unavailable, problem))
        };
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|e| self.broken(&e))? {
            if body.len() + piece.len() > LISTING_BYTES {
                return Err(strange("its list of files has no end"));
            }
            body.extend_from_slice(&piece);
        }
        Listing::parse(&body).map_err(strange)
    }

    /// Length and checksum of a file, as far as the hub gives them.
    pub(super) async fn about(
        &self,
        commit: &str,
        file: &str,
    ) -> Result<(Option<u64>, Option<Digest>), Trouble> {
        let url = self.endpoint.file(&self.reference, commit, file);
        let answer = self.ask(Request { method: Method::HEAD, url, file: Some(file), from: 0 }).await?;
        let headers = answer.headers();
        let number = |name: &str| text(headers, name).and_then(|text| text.parse().ok());
        let bytes = number(LINKED_SIZE).or_else(|| number(CONTENT_LENGTH.as_str()));
        let etag = text(headers, LINKED_ETAG).or_else(|| text(headers, ETAG.as_str()));
        Ok((bytes, etag.and_then(Digest::parse)))
    }

    /// A file's content from a byte on, if the other side does as it is asked: `Response::status` says.
    pub(super) async fn content(&self, commit: &str, file: &str, from: u64) -> Result<Response, Trouble> {
        let url = self.endpoint.file(&self.reference, commit, file);
        self.ask(Request { method: Method::GET, url, file: Some(file), from }).await
    }

    /// Asks, and follows redirects; for the head of a file only as far as the hub itself goes, since it says there what it
    /// knows of a file that lies elsewhere.
    async fn ask(&self, request: Request<'_>) -> Result<Response, Trouble> {
        let mut url = request.url.clone();
        for _ in 0..=REDIRECTS {
            let home = self.endpoint.is_home(&url);
            let answer = self.send(&request, url.clone(), home).await?;
            let status = answer.status();
            if status.is_redirection() {
                if request.method == Method::HEAD && answer.headers().contains_key(LINKED_ETAG) {
                    return Ok(answer);
                }
                url = self.next(&url, answer.headers())?;
                continue;
            }
            // What was asked for from a byte on that it does not have is the caller's to judge.
            if status.is_success() || status == reqwest::StatusCode::RANGE_NOT_SATISFIABLE {
                return Ok(answer);
            }
            return Err(answer::refusal(status, answer.headers(), self.asked(request.file), home));
        }
        Err(self.astray("sends a request round and round"))
    }

    async fn send(&self, request: &Request<'_>, url: Url, home: bool) -> Result<Response, Trouble> {
        // Lengths and places are those of the file, not of a packed form of it.
        let mut builder = self.http.request(request.method.clone(), url).header(ACCEPT_ENCODING, "identity");
        if let Some(token) = self.token.as_ref().filter(|_| home) {
            builder = builder.header(AUTHORIZATION, token.header());
        }
        if request.from > 0 {
            builder = builder.header(RANGE, format!("bytes={}-", request.from));
        }
        builder.send().await.map_err(|e| self.broken(&e))
    }

    fn next(&self, from: &Url, headers: &HeaderMap) -> Result<Url, Trouble> {
        let place = text(headers, LOCATION.as_str()).and_then(|place| from.join(place).ok());
        let place = place.ok_or_else(|| self.astray("sends a request on and does not say where to"))?;
        match (from.scheme(), place.scheme()) {
            (_, "https") | ("http", "http") => Ok(place),
            _ => Err(self.astray("sends a request on to a place that is not https")),
        }
    }

    fn asked<'a>(&'a self, file: Option<&'a str>) -> Asked<'a> {
        Asked {
            host: self.endpoint.host(),
            repository: &self.repository,
            revision: self.reference.revision(),
            file,
            known: self.token.is_some(),
        }
    }

    fn astray(&self, problem: &str) -> Trouble {
        Trouble::lasting(Error::new(ErrorKind::Unavailable, format!("{} {problem}", self.endpoint.host())))
    }

    /// A connection that was not made, or was lost. The innermost cause is told; the others name URLs, and that of a store
    /// may hold a signature.
    pub(super) fn broken(&self, error: &reqwest::Error) -> Trouble {
        let host = self.endpoint.host();
        let problem = match root(error) {
            _ if error.is_timeout() => format!("nothing came from {host} for {} s", STALL.as_secs()),
            cause if error.is_connect() => {
                format!("no connection to {host}, or to where it sent us: {cause}")
            }
            cause => format!("the connection to {host}, or to where it sent us, was lost: {cause}"),
        };
        Trouble::passing(Error::new(ErrorKind::Unavailable, problem))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
