//! The headers of a webhook: who, when, signed by whom, and what the receiver wants beside.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};

use super::WebhookSettings;
use crate::error::Error;
use crate::sinks::secret::Secret;

/// Headers that are not the configuration's to set: they are attune's, or belong to the connection.
const RESERVED: [&str; 8] = [
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "host",
    "content-length",
    "connection",
    "te",
    "expect",
];
/// How a secret of Standard Webhooks begins.
const PREFIX: &str = "whsec_";
/// Bytes of a key: fewer can be guessed, more are not in the specification (24 to 64).
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Reads all secrets and builds all headers once. Errors: `InvalidInput` with the setting, and those of [`Secret::read`].
pub(super) async fn check(settings: &WebhookSettings) -> Result<(), Error> {
    of(settings, "check", 0, "{}").await.map(|_| ())
}

/// The headers of one request; `now` in seconds since 1970.
pub(super) async fn of(
    settings: &WebhookSettings,
    id: &str,
    now: i64,
    body: &str,
) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(settings)));
    for (name, secret) in &settings.headers {
        let (name, value) = header(name, secret).await?;
        headers.insert(name, value);
    }
    headers.insert(HEADER_WEBHOOK_ID, plain(id)?);
    headers.insert(HEADER_WEBHOOK_TIMESTAMP, now.into());
    let mut signatures = Vec::new();
    for secret in &settings.secrets {
        let signature = signer(secret).await?.sign(id, now, body.as_bytes());
        signatures.push(signature.map_err(Error::internal)?);
    }
    if !signatures.is_empty() {
        headers.insert(HEADER_WEBHOOK_SIGNATURE, plain(&signatures.join(" "))?);
    }
    Ok(headers)
}

/// A CloudEvent says that it is one (structured mode of the HTTP binding); what a mapping makes is plain JSON.
fn content_type(settings: &WebhookSettings) -> &'static str {
    match settings.mapping {
        Some(_) => "application/json",
        None => "application/cloudevents+json; charset=utf-8",
    }
}

async fn header(name: &str, secret: &Secret) -> Result<(HeaderName, HeaderValue), Error> {
    let field = || format!("headers.{name}");
    let known: HeaderName =
        name.parse().map_err(|_| Error::invalid("headers", "a name is not one of HTTP"))?;
    if RESERVED.contains(&known.as_str()) {
        return Err(Error::invalid(field(), "is set by attune itself"));
    }
    let value = secret.read().await?;
    let mut value: HeaderValue =
        value.parse().map_err(|_| Error::invalid(field(), "holds characters that no header may hold"))?;
    value.set_sensitive(true);
    Ok((known, value))
}

fn plain(text: &str) -> Result<HeaderValue, Error> {
    text.parse().map_err(Error::internal)
}

/// A secret as a key: `whsec_` and base64 of 24 to 64 bytes.
async fn signer(secret: &Secret) -> Result<Webhook, Error> {
    let wrong = || Error::invalid("secrets", "expected whsec_ and 24 to 64 bytes in base64");
    let text = secret.read().await?;
    let key = text.strip_prefix(PREFIX).ok_or_else(wrong)?;
    let padding = key.bytes().rev().take_while(|byte| *byte == b'=').count();
    let bytes = (key.len() / 4 * 3).saturating_sub(padding);
    if !KEY_BYTES.contains(&bytes) {
        return Err(wrong());
    }
    Webhook::new(&text).map_err(|_| wrong())
}
