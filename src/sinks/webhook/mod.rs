//! A webhook after Standard Webhooks (<https://www.standardwebhooks.com>): the event is posted with its id, a time and a
//! signature for each secret, so that the receiver can tell who sent it, when, and whether it was sent before.
//!
//! Redirects are not followed and no proxy of the environment is used: both would lead elsewhere than where the check of
//! the address was made (`target.rs`).

mod answer;
mod headers;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
pub use reqwest::Method;
use reqwest::header::HeaderMap;
use reqwest::{Client, Response, redirect};
use url::Url;

use super::mapping::Mapping;
use super::secret::Secret;
use super::target::{Resolver, Targets};
use super::{Failure, Sink};
use crate::error::Error;
use crate::runtime::tls;
use crate::storage::Delivery;

/// Time for a connection, within the time of the whole delivery.
const CONNECT: Duration = Duration::from_secs(5);
/// How much of an answer is read, so that its connection can be used again; a longer one costs the connection.
const ANSWER_BYTES: usize = 16 << 10;
/// How long that may take: the event has arrived, or has not, whatever comes behind the status.
const ANSWER_TIME: Duration = Duration::from_millis(250);
/// Connections that are kept open at rest: at most one for each customer at the same time is of use.
const IDLE: usize = 16;
/// What attune calls itself.
const AGENT: &str = concat!("attune/", env!("CARGO_PKG_VERSION"));

/// Settings of a webhook.
#[derive(Clone)]
pub struct WebhookSettings {
    /// Where to.
    pub url: String,
    /// By which method.
    pub method: Method,
    /// Which targets are allowed.
    pub targets: Targets,
    /// What signs; none for a receiver that goes by a header.
    pub secrets: Vec<Secret>,
    /// Sent along, by name.
    pub headers: Vec<(String, Secret)>,
    /// `None` sends the event as it is.
    pub mapping: Option<Arc<Mapping>>,
    /// Longest time of one delivery.
    pub timeout: Duration,
}

/// A sink that is called over HTTP.
pub struct Webhook {
    client: Client,
    url: Url,
    settings: WebhookSettings,
}

impl std::fmt::Debug for Webhook {
    /// Leaves out the path, in which some receivers want a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

impl Webhook {
    /// Checks the settings; reads every secret once, so that a missing one is said at start. Errors: `InvalidInput` with the
    /// setting, and those of [`Secret::read`].
    pub async fn build(settings: WebhookSettings) -> Result<Self, Error> {
        let url = settings.targets.url(&settings.url)?;
        headers::check(&settings).await?;
        tls::install();
        let client = Client::builder()
            .user_agent(AGENT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .dns_resolver(Arc::new(Resolver::new(settings.targets.clone())))
            .connect_timeout(CONNECT.min(settings.timeout))
            .timeout(settings.timeout)
            .pool_max_idle_per_host(IDLE)
            .build()
            .map_err(Error::internal)?;
        Ok(Self { client, url, settings })
    }

    fn body(&self, delivery: &Delivery) -> Result<String, Failure> {
        match &self.settings.mapping {
            Some(mapping) => mapping.render(&delivery.event.body).map_err(|e| Failure::permanent(e.public())),
            None => Ok(delivery.event.body.clone()),
        }
    }

    async fn post(&self, headers: HeaderMap, body: String) -> Result<(), Failure> {
        let request = self.client.request(self.settings.method.clone(), self.url.clone());
        let answer = request.headers(headers).body(body).send().await.map_err(|e| self.unsent(&e))?;
        let verdict = answer::verdict(answer.status(), answer.headers());
        // A connection whose rest does not come soon is closed.
        let _rest = tokio::time::timeout(ANSWER_TIME, drain(answer)).await;
        verdict
    }

    /// What kept the request from being answered, without the URL, which may hold a secret.
    fn unsent(&self, error: &reqwest::Error) -> Failure {
        let host = self.url.host_str().unwrap_or_default();
        Failure::retry(match root(error) {
            _ if error.is_timeout() => {
                format!("{host} did not answer within {} ms", self.settings.timeout.as_millis())
            }
            cause if error.is_connect() => format!("no connection to {host}: {cause}"),
            cause => format!("{host} broke off: {cause}"),
        })
    }
}

#[async_trait]
impl Sink for Webhook {
    async fn send(&self, delivery: &Delivery) -> Result<(), Failure> {
        let body = self.body(delivery)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let headers = headers::of(&self.settings, &delivery.event.id, now as i64, &body).await;
        // A secret that is being replaced may be there a moment later.
        let headers = headers.map_err(|e| Failure::retry(e.public()))?;
        self.post(headers, body).await
    }
}

/// Reads the rest of a short answer, so that its connection can be used again; nothing in it matters.
async fn drain(mut answer: Response) {
    let mut read = 0;
    while let Ok(Some(piece)) = answer.chunk().await {
        read += piece.len();
        if read > ANSWER_BYTES {
            return;
        }
    }
}

/// The innermost cause: the outer ones name the URL, or say that something went wrong.
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
