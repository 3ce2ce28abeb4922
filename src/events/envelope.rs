//! The CloudEvents 1.0 envelope, and the event ready for the outbox.
//!
//! Types are named `attune.…` and not by a reversed domain name, as the specification suggests: a self-hosted program
//! has no domain that it could claim to own. The trailing `v1` changes when a field is taken away or means something
//! else; new fields may come at any time.

use serde::Serialize;

use super::subject::token;
use crate::error::Error;
use crate::storage::OutboxEvent;

/// The latest time that RFC 3339 can say with four digits of year, in milliseconds since 1970.
const LATEST_MS: i64 = 253_402_207_199_999;

/// An event, not yet on its way to any sink.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// The same however often the event is made.
    pub id: String,
    /// One of [`super::kinds`].
    pub kind: &'static str,
    /// When that happened, in milliseconds since 1970.
    pub at_ms: i64,
    /// The envelope in JSON.
    pub body: String,
}

impl Event {
    /// The event on its way to each of these sinks.
    pub fn to_sinks<'a>(&self, sinks: impl IntoIterator<Item = &'a str>) -> Vec<OutboxEvent> {
        let to = |sink: &str| OutboxEvent {
            id: self.id.clone(),
            sink: sink.to_owned(),
            kind: self.kind.to_owned(),
            at_ms: self.at_ms,
            body: self.body.clone(),
        };
        sinks.into_iter().map(to).collect()
    }
}

impl std::fmt::Debug for Event {
    /// Leaves the body out: it names the customer.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What an envelope is made of, beside its data.
pub(super) struct Head<'a> {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) event_type: String,
    /// The configured `events.source`.
    pub(super) source: &'a str,
    pub(super) tenant: &'a str,
    pub(super) customer: &'a str,
    pub(super) at_ms: i64,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    r#type: &'a str,
    subject: &'a str,
    time: String,
    datacontenttype: &'static str,
    data: T,
}

/// Puts data into its envelope.
pub(super) fn wrap(head: Head<'_>, data: impl Serialize) -> Result<Event, Error> {
    let envelope = Envelope {
        specversion: "1.0",
        id: &head.id,
        source: source(head.source, head.tenant),
        r#type: &head.event_type,
        subject: head.customer,
        time: rfc3339(head.at_ms),
        datacontenttype: "application/json",
        data,
    };
    let body = serde_json::to_string(&envelope).map_err(Error::internal)?;
    Ok(Event { id: head.id, kind: head.kind, at_ms: head.at_ms, body })
}

/// The configured source, with the tenant as a segment of its path: an id is looked for within its source.
fn source(source: &str, tenant: &str) -> String {
    match tenant {
        "" => source.to_owned(),
        tenant => format!("{source}/{}", token(tenant)),
    }
}

/// A time in RFC 3339, UTC; what lies outside of 1970 to 9999 is brought to its border.
pub(super) fn rfc3339(at_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(at_ms.clamp(0, LATEST_MS));
    time.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}
