//! NATS JetStream: the streams, the durable consumer that workers share, and answers.
//!
//! Three streams, because what is kept how long differs. Interactions are a work queue: what is acknowledged is gone from
//! it, and with it the customer's text. Assessments and signals stay a day for whoever listens. Dead letters stay a month
//! for whoever mends them. A stream that is there already, made by whoever runs NATS, is used as it is.
//!
//! The consumer gives a message out for ever: the worker counts, since an outage is not the message's fault, and a message
//! at the server's own limit would lie in the queue without anybody hearing of it.

use std::fmt;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::{Batch, Config as ConsumerConfig};
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer};
use async_nats::jetstream::context::{ContextBuilder, GetStreamByNameErrorKind, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config as StreamConfig, RetentionPolicy};
use async_nats::jetstream::{AckKind, Context};
use async_nats::{ConnectOptions, connection::State};
use async_trait::async_trait;
use futures_util::StreamExt;
use parking_lot::Mutex;

use super::transport::{Answer, Lag, Message, Outgoing, Transport};
use super::worker::BATCHES;
use crate::error::{Error, ErrorKind};

/// Time for a connection, and for one question.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A pull waits so long for the first message; it bounds what a stop waits for.
const IDLE: Duration = Duration::from_secs(1);
/// What a pull may take beyond that before it counts as lost.
const GRACE: Duration = Duration::from_secs(2);
/// Bytes of one pull: with `BATCHES` of them, what a worker may hold. More where one message may be larger.
const PULL_BYTES: usize = 32 << 20;
/// Workers of one consumer that are all kept busy; more share what the consumer gives out.
const WORKERS: usize = 32;
/// Most messages that a consumer has given out at a time: the server remembers each.
const UNANSWERED: usize = 100_000;
/// Published at a time without an answer.
const PUBLISHING: usize = 512;
/// How long events stay for whoever listens (at a million interactions an hour a day of them is 45 GB), and dead letters for
/// whoever mends them.
const KEEP: [Duration; 2] = [Duration::from_secs(86_400), Duration::from_secs(30 * 86_400)];
/// A stream knows an id again for so long: longer than an outage that a batch in hand waits for.
const DUPLICATES: Duration = Duration::from_secs(600);

/// How the worker says who it is.
#[derive(Clone, Default)]
pub enum Login {
    /// Not at all.
    #[default]
    Nobody,
    /// By a token.
    Token(String),
    /// By a name and a password.
    User(String, String),
}

impl fmt::Debug for Login {
    /// Leaves secrets out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::Token(_) => "Token",
            Self::User(..) => "User",
        })
    }
}

/// Settings of the stream.
#[derive(Debug, Clone)]
pub struct NatsSettings {
    /// Servers, with commas between them.
    pub url: String,
    /// Who connects.
    pub login: Login,
    /// The stream of interactions; those of events and dead letters have `_EVENTS` and `_DEAD` behind it.
    pub stream: String,
    /// What subjects begin with.
    pub subject_prefix: String,
    /// Name of the durable consumer.
    pub durable: String,
    /// Messages of a batch.
    pub batch: usize,
    /// Time until an unanswered message is given to somebody else.
    pub ack_wait: Duration,
}

/// A connection to JetStream; it comes back by itself when it is lost.
pub struct JetStream {
    settings: NatsSettings,
    context: Context,
    consumer: Mutex<Option<PullConsumer>>,
}

impl fmt::Debug for JetStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JetStream").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl JetStream {
    /// Connects. Errors: `InvalidInput` for a URL that is none or holds a password, `Unavailable`.
    pub async fn connect(settings: NatsSettings) -> Result<Self, Error> {
        let servers: Vec<String> = settings.url.split(',').map(server).collect::<Result<_, _>>()?;
        let options = ConnectOptions::new().name("attune worker").connection_timeout(TIMEOUT);
        let options = match settings.login.clone() {
            Login::Nobody => options,
            Login::Token(token) => options.token(token),
            Login::User(name, password) => options.user_and_password(name, password),
        };
        let client = options.connect(servers).await.map_err(|e| {
            let message = format!("no connection to NATS at worker.nats: {}", e.kind());
            Error::new(ErrorKind::Unavailable, message).with_source(e)
        })?;
        let context = ContextBuilder::new()
            .timeout(TIMEOUT)
            .ack_timeout(TIMEOUT)
            .max_ack_inflight(2 * PUBLISHING)
            .backpressure_on_inflight(true)
            .build(client);
        Ok(Self { settings, context, consumer: Mutex::new(None) })
    }

    /// The stream that listens to these subjects; made for those of them that nobody listens to.
    async fn stream(&self, suffix: &str, kinds: &[&str], retention: Retention) -> Result<String, Error> {
        let (mut found, mut subjects) = (String::new(), Vec::new());
        for kind in kinds {
            let subject = format!("{}.{kind}", self.settings.subject_prefix);
            match self.context.stream_by_subject(format!("{subject}.x")).await {
                Ok(name) => found = name,
                Err(e) if e.kind() == GetStreamByNameErrorKind::NotFound => {
                    subjects.push(format!("{subject}.>"))
                }
                Err(e) => return Err(away("JetStream does not say which streams there are").with_source(e)),
            }
        }
        if subjects.is_empty() {
            return Ok(found);
        }
        let (retention, max_age, duplicate_window) = retention;
        let name = format!("{}{suffix}", self.settings.stream);
        let listens = subjects.clone();
        let config =
            StreamConfig { name, subjects, retention, max_age, duplicate_window, ..StreamConfig::default() };
        self.make(config, &listens).await
    }

    async fn make(&self, config: StreamConfig, subjects: &[String]) -> Result<String, Error> {
        let stream = self.context.get_or_create_stream(config).await.map_err(|e| {
            let message = format!("can't make the stream of {}", subjects.join(", "));
            Error::new(ErrorKind::Unavailable, message).with_source(e)
        })?;
        let found = &stream.cached_info().config;
        if !subjects.iter().all(|subject| found.subjects.contains(subject)) {
            let (name, wanted) = (&found.name, subjects.join(", "));
            let message = format!("the stream {name} has other subjects: add {wanted}, or set worker.stream");
            return Err(Error::new(ErrorKind::Precondition, message));
        }
        Ok(found.name.clone())
    }

    /// What is sent without a connection would wait in memory and leave when nobody expects it: a pull's messages would come
    /// to nobody.
    fn connected(&self) -> Result<(), Error> {
        match self.context.client().connection_state() {
            State::Connected => Ok(()),
            State::Pending | State::Disconnected => Err(away("the connection to NATS is lost")),
        }
    }

    async fn consumer(&self, stream: &str) -> Result<PullConsumer, Error> {
        let settings = &self.settings;
        let each = settings.batch.saturating_mul(BATCHES);
        let config = ConsumerConfig {
            durable_name: Some(settings.durable.clone()),
            filter_subject: format!("{}.interactions.>", settings.subject_prefix),
            ack_policy: AckPolicy::Explicit,
            ack_wait: settings.ack_wait,
            max_deliver: -1,
            max_ack_pending: each.saturating_mul(WORKERS).min(UNANSWERED).max(each) as i64,
            ..ConsumerConfig::default()
        };
        self.context.create_consumer_on_stream(config, stream).await.map_err(|e| {
            let message = format!("can't make the consumer {} of the stream {stream}", settings.durable);
            Error::new(ErrorKind::Unavailable, message).with_source(e)
        })
    }

    async fn next(&self, batch: &mut Batch, most: Duration) -> Result<Option<Message>, Error> {
        match tokio::time::timeout(most, batch.next()).await {
            Ok(Some(Ok(message))) => self.message(message).map(Some),
            Ok(Some(Err(e))) => Err(away("JetStream gave nothing out").with_source(e)),
            // What the server says in time is lost with a connection.
            Ok(None) | Err(_) => Ok(None),
        }
    }

    fn message(&self, message: async_nats::jetstream::Message) -> Result<Message, Error> {
        let info =
            message.info().map_err(|e| away("a message without a place in a stream").with_source(e))?;
        let (sequence, deliveries) = (info.stream_sequence, u64::try_from(info.delivered).unwrap_or(1));
        let message = message.message;
        Ok(Message {
            subject: message.subject.to_string(),
            payload: message.payload.into(),
            deliveries,
            sequence,
            reply: message.reply.map(|reply| reply.to_string()).unwrap_or_default(),
        })
    }

    async fn publish_one(&self, message: Outgoing) -> Result<(), Error> {
        let mut built = PublishMessage::build().message_id(&message.id).payload(message.payload.into());
        for (name, value) in &message.headers {
            built = built.header(*name, value.as_str());
        }
        let failed = |e: async_nats::jetstream::context::PublishError| match e.kind() {
            PublishErrorKind::MaxPayloadExceeded => {
                Error::invalid("payload", "is larger than NATS takes (max_payload)")
            }
            _ => away("JetStream did not take what was published").with_source(e),
        };
        self.connected()?;
        let sent = self.context.send_publish(message.subject, built).await.map_err(failed)?;
        sent.await.map(drop).map_err(failed)
    }

    async fn say(&self, reply: &str, kind: AckKind) {
        if let Err(error) = self.context.client().publish(reply.to_owned(), kind.into()).await {
            tracing::debug!(%error, "an answer was not sent");
        }
    }
}

/// What is kept, how long, and for how long ids are known again.
type Retention = (RetentionPolicy, Duration, Duration);

#[async_trait]
impl Transport for JetStream {
    async fn prepare(&self) -> Result<(), Error> {
        self.connected()?;
        let queue = (RetentionPolicy::WorkQueue, Duration::ZERO, DUPLICATES);
        let stream = self.stream("", &["interactions"], queue).await?;
        let kept = |n: usize| (RetentionPolicy::Limits, KEEP[n], DUPLICATES);
        self.stream("_EVENTS", &["assessments", "signals"], kept(0)).await?;
        self.stream("_DEAD", &["dead"], kept(1)).await?;
        let consumer = self.consumer(&stream).await?;
        *self.consumer.lock() = Some(consumer);
        Ok(())
    }

    async fn pull(&self, most: usize) -> Result<Vec<Message>, Error> {
        self.connected()?;
        let consumer = self.consumer.lock().clone().ok_or_else(|| away("there is no consumer yet"))?;
        let bytes = PULL_BYTES.max(2 * self.context.client().server_info().max_payload);
        let failed =
            |e: async_nats::jetstream::consumer::pull::BatchError| away("can't ask JetStream").with_source(e);
        let mut messages = Vec::new();
        // What is there already; only when there is nothing, a wait for the first.
        let mut batch =
            consumer.fetch().max_messages(most).max_bytes(bytes).messages().await.map_err(failed)?;
        while let Ok(Some(message)) = self.next(&mut batch, GRACE).await {
            messages.push(message);
        }
        if messages.is_empty() {
            let batch = consumer.batch().max_messages(1).expires(IDLE).messages();
            let mut batch = batch.await.map_err(failed)?;
            messages.extend(self.next(&mut batch, IDLE + GRACE).await?);
        }
        Ok(messages)
    }

    async fn publish(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Error>> {
        let sent: Vec<_> = messages.into_iter().map(|message| self.publish_one(message)).collect();
        futures_util::stream::iter(sent).buffered(PUBLISHING).collect().await
    }

    async fn answer(&self, message: &Message, answer: Answer) {
        let kind = match answer {
            Answer::Ack => AckKind::Ack,
            Answer::Nak(pause) => AckKind::Nak(Some(pause)),
            Answer::Term => AckKind::Term,
        };
        self.say(&message.reply, kind).await;
    }

    async fn progress(&self, reply: &str) {
        self.say(reply, AckKind::Progress).await;
    }

    async fn lag(&self) -> Result<Lag, Error> {
        let consumer = self.consumer.lock().clone().ok_or_else(|| away("there is no consumer yet"))?;
        let info =
            consumer.get_info().await.map_err(|e| away("the consumer does not answer").with_source(e))?;
        Ok(Lag { waiting: info.num_pending, unanswered: info.num_ack_pending as u64 })
    }

    async fn flush(&self) {
        let _late = tokio::time::timeout(TIMEOUT, self.context.client().flush()).await;
    }
}

fn away(message: &str) -> Error {
    Error::new(ErrorKind::Unavailable, message)
}

/// One server's URL, without a password in it: a URL is shown.
fn server(text: &str) -> Result<String, Error> {
    let (text, wrong) = (text.trim(), |problem| Error::invalid("worker.nats", problem));
    let address = ["nats://", "tls://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    match address {
        None | Some("") => Err(wrong("is no URL such as nats://127.0.0.1:4222")),
        Some(address) if address.contains('@') => Err(wrong(
            "holds a user or a password; use worker.user and worker.password_file, or worker.token_file",
        )),
        Some(_) => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_checked_before_anything_connects() {
        assert!(server(" nats://a:4222").is_ok() && server("tls://b").is_ok());
        for (url, problem) in [
            ("here", "is no URL"),
            ("nats://", "is no URL"),
            ("https://a", "is no URL"),
            ("nats://user:canary@a", "holds a user or a password"),
        ] {
            let error = server(url).unwrap_err();
            assert!(error.public().contains(problem) && !error.public().contains("canary"), "{error}");
        }
    }
}
