//! Sinks out of the configuration: which there are, who gets what, and the loops that deliver.

use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Surroundings;
use crate::config::{self, Config, Target};
use crate::error::{Error, ErrorKind};
use crate::events::Routes;
use crate::pipeline::monitor::now_ms;
use crate::sinks::dispatch;
use crate::sinks::file::{FileSettings, JsonLines};
use crate::sinks::mapping::Mapping;
use crate::sinks::nats::{Login, Nats, NatsSettings};
use crate::sinks::target::Targets;
use crate::sinks::webhook::{Method, Webhook, WebhookSettings};
use crate::sinks::{DispatchSettings, Dispatcher, Secret, Sink, Wake};
use crate::storage::Store;

/// Which sinks get which events. Error: `InvalidInput` for a pattern that names no event.
pub fn routes(config: &Config) -> Result<Routes, Error> {
    Routes::try_new(config.sinks.iter().map(|sink| (sink.name.as_str(), sink.events.as_slice())))
}

/// The loops that deliver, as long as somebody waits for them.
#[derive(Debug)]
pub struct Dispatchers {
    wake: Wake,
    tasks: Vec<JoinHandle<()>>,
}

impl Dispatchers {
    /// By which a writer says that there is something new.
    pub fn wake(&self) -> Wake {
        self.wake.clone()
    }

    /// Waits until every loop has ended, after `stop`: as long as a delivery may take at most.
    pub async fn join(self) {
        for task in self.tasks {
            // A loop that has panicked has said so; its events come back when its lease ends.
            let _ended = task.await;
        }
    }
}

/// Builds every sink and starts its loop. Errors: `InvalidInput` with the sink and its setting, `NotFound` for a file of a
/// secret or a mapping, `Precondition` for a file that another process writes.
pub async fn spawn_dispatchers(
    config: &Config,
    surroundings: &Surroundings,
    store: Arc<dyn Store>,
    stop: CancellationToken,
) -> Result<Dispatchers, Error> {
    let routes = routes(config)?;
    let mut dispatchers = Vec::new();
    for sink in &config.sinks {
        let built = build(sink, &routes, surroundings).await;
        let built = built.map_err(|error| placed(error, &sink.name))?;
        let settings = DispatchSettings {
            sink: sink.name.clone(),
            timeout: sink.timeout,
            max_attempts: sink.max_attempts,
            concurrency: sink.concurrency,
            seed: fastrand::u64(..),
        };
        dispatchers.push(Dispatcher::new(settings, built, Arc::clone(&store) as _, Arc::new(now_ms)));
    }
    let wake = Wake::of(&dispatchers);
    let names = config.sinks.iter().map(|sink| sink.name.clone()).collect();
    let mut tasks: Vec<JoinHandle<()>> =
        dispatchers.into_iter().map(|dispatcher| tokio::spawn(dispatcher.run(stop.clone()))).collect();
    if !tasks.is_empty() {
        tasks.push(tokio::spawn(dispatch::watch(store, names, stop)));
    }
    Ok(Dispatchers { wake, tasks })
}

/// Says which sink an error belongs to.
fn placed(error: Error, sink: &str) -> Error {
    let field =
        error.field().map_or_else(|| format!("sinks.{sink}"), |field| format!("sinks.{sink}.{field}"));
    match error.kind() {
        ErrorKind::InvalidInput => Error::invalid(field, error.public().to_owned()),
        kind => Error::new(kind, format!("{field}: {}", error.public())),
    }
}

async fn build(
    sink: &config::Sink,
    routes: &Routes,
    surroundings: &Surroundings,
) -> Result<Arc<dyn Sink>, Error> {
    Ok(match &sink.target {
        Target::Webhook(webhook) => {
            let kinds: Vec<&str> = routes.kinds_of(&sink.name).collect();
            let settings = webhook_settings(sink, webhook, &kinds, surroundings)?;
            Arc::new(Webhook::build(settings).await?)
        }
        Target::Nats(nats) => Arc::new(Nats::build(NatsSettings {
            url: nats.url.clone(),
            subject_prefix: nats.subject_prefix.clone(),
            login: login(nats, surroundings)?,
            timeout: sink.timeout,
        })?),
        Target::File(file) => Arc::new(JsonLines::open(FileSettings {
            path: file.path.clone(),
            sync: file.sync == config::Sync::Always,
            rotate_bytes: file.rotate_mb.saturating_mul(1 << 20),
            keep_files: file.keep_files,
        })?),
    })
}

fn webhook_settings(
    sink: &config::Sink,
    webhook: &config::Webhook,
    kinds: &[&str],
    surroundings: &Surroundings,
) -> Result<WebhookSettings, Error> {
    let mapping = webhook.mapping.as_deref().map(Mapping::load).transpose()?;
    if let Some(mapping) = &mapping {
        mapping.check(kinds.iter().copied())?;
    }
    let header = |(name, value): (&String, &config::Header)| {
        let value = match value {
            config::Header::Plain(text) => Secret::Value(text.clone()),
            config::Header::Secret(named) => secret(named, surroundings)?,
        };
        Ok((name.clone(), value))
    };
    Ok(WebhookSettings {
        url: webhook.url.clone(),
        method: match webhook.method {
            config::Method::Post => Method::POST,
            config::Method::Put => Method::PUT,
            config::Method::Patch => Method::PATCH,
        },
        targets: Targets::parse(webhook.allow_insecure, &webhook.allow_private)?,
        secrets: webhook.secrets.iter().map(|named| secret(named, surroundings)).collect::<Result<_, _>>()?,
        headers: webhook.headers.iter().map(header).collect::<Result<_, Error>>()?,
        mapping: mapping.map(Arc::new),
        timeout: sink.timeout,
    })
}

fn login(nats: &config::Nats, surroundings: &Surroundings) -> Result<Login, Error> {
    Ok(match (&nats.token, &nats.user, &nats.password) {
        (Some(token), ..) => Login::Token(secret(token, surroundings)?),
        (None, Some(user), Some(password)) => Login::User(user.clone(), secret(password, surroundings)?),
        _ => Login::Nobody,
    })
}

fn secret(named: &config::Secret, surroundings: &Surroundings) -> Result<Secret, Error> {
    match named {
        config::Secret::File(path) => Ok(Secret::File(Path::new(path).to_owned())),
        config::Secret::Env(name) => surroundings.environment.get(name).map(Secret::Value).ok_or_else(|| {
            let problem = format!("the variable {name}, which is to hold a secret, is not set");
            Error::new(ErrorKind::NotFound, problem)
        }),
    }
}

#[cfg(test)]
#[path = "sinks_tests.rs"]
mod tests;
