//! NATS JetStream: an event is published under `<prefix>.signals.<tenant>.<kind>` or `<prefix>.assessments.<tenant>`, with
//! its id as `Nats-Msg-Id`, by which the stream drops what it has had within its window; and it counts as delivered when
//! the stream has said that it has it. Streams are not made here: how long what is kept is not the sender's to say.

use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::connection::State;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, Context};
use async_trait::async_trait;
use tokio::sync::OnceCell;
use url::Url;

use super::{Failure, Secret, Sink};
use crate::error::Error;
use crate::events;
use crate::runtime::tls;
use crate::storage::Delivery;

/// Time for the connection, within the time of the delivery that needs it first.
const CONNECT: Duration = Duration::from_secs(5);

/// Settings of a NATS sink.
#[derive(Debug, Clone)]
pub struct NatsSettings {
    /// Servers, with commas between them.
    pub url: String,
    /// What subjects begin with.
    pub subject_prefix: String,
    /// Who publishes.
    pub login: Login,
    /// Longest time of one delivery.
    pub timeout: Duration,
}

/// How attune says who it is.
#[derive(Debug, Clone)]
pub enum Login {
    /// Not at all.
    Nobody,
    /// By a token.
    Token(Secret),
    /// By a name and a password.
    User(String, Secret),
}

/// A sink of NATS JetStream. It connects with the first event, and again by itself when the connection is lost.
#[derive(Debug)]
pub struct Nats {
    settings: NatsSettings,
    servers: Vec<Url>,
    context: OnceCell<Context>,
}

impl Nats {
    /// Checks the settings. Error: `InvalidInput` with the setting.
    pub fn build(settings: NatsSettings) -> Result<Self, Error> {
        let servers: Vec<Url> = settings.url.split(',').map(server).collect::<Result<_, _>>()?;
        Ok(Self { settings, servers, context: OnceCell::new() })
    }

    async fn connect(&self) -> Result<Context, Failure> {
        tls::install();
        let options =
            ConnectOptions::new().name("attune").connection_timeout(CONNECT.min(self.settings.timeout));
        let secret = async |secret: &Secret| secret.read().await.map_err(|e| Failure::retry(e.public()));
        let options = match &self.settings.login {
            Login::Nobody => options,
            Login::Token(token) => options.token(secret(token).await?),
            Login::User(name, password) => options.user_and_password(name.clone(), secret(password).await?),
        };
        let servers: Vec<String> = self.servers.iter().map(Url::to_string).collect();
        let connected = options.connect(servers).await;
        let client = connected.map_err(|e| Failure::retry(format!("no connection to NATS: {}", e.kind())))?;
        let mut context = jetstream::new(client);
        context.set_timeout(self.settings.timeout);
        Ok(context)
    }
}

/// One server's URL, without a password in it.
fn server(text: &str) -> Result<Url, Error> {
    let wrong = |problem| Error::invalid("url", problem);
    let url: Url = text.trim().parse().map_err(|_| wrong("is not a URL such as nats://127.0.0.1:4222"))?;
    match url.scheme() {
        "nats" | "tls" if !url.username().is_empty() || url.password().is_some() => {
            Err(wrong("holds a user or a password; use `user` and `password`, or `token`"))
        }
        "nats" | "tls" => Ok(url),
        _ => Err(wrong("begins with neither nats:// nor tls://")),
    }
}

#[async_trait]
impl Sink for Nats {
    async fn send(&self, delivery: &Delivery) -> Result<(), Failure> {
        let context = self.context.get_or_try_init(|| self.connect()).await?;
        // What is sent without a connection would wait in the client's memory and leave when nobody expects it.
        if context.client().connection_state() != State::Connected {
            return Err(Failure::retry("the connection to NATS is lost"));
        }
        let event = &delivery.event;
        let subject = events::subject(&self.settings.subject_prefix, &delivery.tenant, &event.kind);
        let message = PublishMessage::build()
            .message_id(&event.id)
            .header("content-type", "application/cloudevents+json")
            .payload(event.body.clone().into());
        let answer = context.send_publish(subject, message).await.map_err(|e| failure(&e))?;
        answer.await.map(|_| ()).map_err(|e| failure(&e))
    }
}

/// An event that is too large stays so; all else may go better another time.
fn failure(error: &PublishError) -> Failure {
    match error.kind() {
        PublishErrorKind::MaxPayloadExceeded => Failure::permanent("larger than NATS takes (max_payload)"),
        PublishErrorKind::StreamNotFound => Failure::retry("no stream of JetStream listens to the subject"),
        PublishErrorKind::TimedOut => Failure::retry("JetStream did not say in time that it has the event"),
        kind => Failure::retry(format!("JetStream: {kind}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(url: &str) -> Result<Nats, Error> {
        Nats::build(NatsSettings {
            url: url.to_owned(),
            subject_prefix: "attune".to_owned(),
            login: Login::Nobody,
            timeout: Duration::from_secs(1),
        })
    }

    #[test]
    fn servers_are_checked_before_anything_connects() {
        assert_eq!(build("nats://a:4222, tls://b:4222").unwrap().servers.len(), 2);
        for (url, problem) in [
            ("here", "is not a URL"),
            ("https://a", "begins with neither"),
            ("nats://user:canary@a", "holds a user or a password"),
        ] {
            let error = build(url).unwrap_err();
            assert!(error.public().contains(problem) && !error.public().contains("canary"), "{error}");
        }
    }
}
