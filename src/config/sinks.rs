//! `[[sinks]]`: where events go. Each is a table of its own, so the layers of other settings don't apply: sinks come from
//! the file as a whole. Secrets are named here, by file or variable, and read by whoever builds the sinks.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use toml::{Table, Value};

use super::ConfigError;
use super::layers::nearest;

/// Most sinks: each has a loop, a series of each metric, and a copy of each event it gets.
const SINKS: usize = 32;
/// Most secrets that sign a webhook: one, and the next one during rotation, twice over.
const SECRETS: usize = 4;
/// Most headers of a webhook.
const HEADERS: usize = 16;
/// Headers whose value is a secret whatever else it is.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-api-key"];
/// Longest time of one delivery: what is taken is kept from others for a small multiple of it.
const TIMEOUT_MS: u64 = 120_000;
/// Keys that every kind of sink has.
const COMMON: [&str; 6] = ["name", "kind", "events", "timeout_ms", "max_attempts", "concurrency"];

/// One of `[[sinks]]`.
#[derive(Debug, Clone)]
pub struct Sink {
    /// What it is called in logs, metrics and the outbox; letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Kinds of events, with `*` for a part of a name.
    pub events: Vec<String>,
    /// Longest time of one delivery.
    pub timeout: Duration,
    /// Failures until an event is given up.
    pub max_attempts: u32,
    /// Customers whose events are on their way at the same time.
    pub concurrency: usize,
    /// Where it leads.
    pub target: Target,
}

/// What kind of sink it is, with the settings of that kind.
#[derive(Debug, Clone)]
pub enum Target {
    /// `kind = "webhook"`
    Webhook(Webhook),
    /// `kind = "nats"`
    Nats(Nats),
    /// `kind = "file"`
    File(JsonLines),
}

#[derive(Deserialize)]
struct Common {
    name: String,
    kind: String,
    events: Vec<String>,
    #[serde(default = "timeout_ms")]
    timeout_ms: u64,
    #[serde(default = "max_attempts")]
    max_attempts: u32,
    #[serde(default = "concurrency")]
    concurrency: usize,
}

/// A sink that is called over HTTP.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where to.
    pub url: String,
    /// By which method.
    #[serde(default)]
    pub method: Method,
    /// What signs: each gives a signature, in this order.
    #[serde(default)]
    pub secrets: Vec<Secret>,
    /// Sent along.
    #[serde(default)]
    pub headers: BTreeMap<String, Header>,
    /// A preset's name or the path of a template; `None` sends the event as it is.
    #[serde(default)]
    pub mapping: Option<String>,
    /// Whether plain HTTP is allowed.
    #[serde(default)]
    pub allow_insecure: bool,
    /// Networks that are not public and yet allowed, such as `10.0.0.0/8`.
    #[serde(default)]
    pub allow_private: Vec<String>,
}

/// The method of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `POST`
    #[default]
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
}

/// A header's value: as it stands here, or a secret.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Header {
    /// As it stands here.
    Plain(String),
    /// From elsewhere.
    Secret(Secret),
}

/// A sink of NATS JetStream.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nats {
    /// Servers, as `nats://host:4222` or `tls://host:4222`; several are separated by commas.
    pub url: String,
    /// What subjects begin with.
    #[serde(default = "subject_prefix")]
    pub subject_prefix: String,
    /// Who publishes; with a password.
    #[serde(default)]
    pub user: Option<String>,
    /// The user's password.
    #[serde(default)]
    pub password: Option<Secret>,
    /// A token in place of user and password.
    #[serde(default)]
    pub token: Option<Secret>,
}

/// A file of JSON lines.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonLines {
    /// The file; its folder must be there.
    pub path: PathBuf,
    /// When what is written is brought to the disk.
    #[serde(default)]
    pub sync: Sync,
    /// A file that would grow beyond this is put aside and a new one begun, in megabytes.
    #[serde(default = "rotate_mb")]
    pub rotate_mb: u64,
    /// How many files that were put aside are kept; 0 for all.
    #[serde(default)]
    pub keep_files: usize,
}

/// When what is written is brought to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sync {
    /// After each event, before it counts as delivered.
    #[default]
    Always,
    /// When the system does: a power cut may lose events that count as delivered.
    Never,
}

/// Where a secret is to be found. The secret itself never stands in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SecretFields")]
pub enum Secret {
    /// In this file, without the line end.
    File(PathBuf),
    /// In this variable of the environment.
    Env(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretFields {
    file: Option<PathBuf>,
    env: Option<String>,
}

impl TryFrom<SecretFields> for Secret {
    type Error = &'static str;

    fn try_from(fields: SecretFields) -> Result<Self, Self::Error> {
        match (fields.file, fields.env) {
            (Some(file), None) => Ok(Self::File(file)),
            (None, Some(name)) => Ok(Self::Env(name)),
            _ => Err("a secret is { file = \"…\" } or { env = \"NAME\" }"),
        }
    }
}

fn timeout_ms() -> u64 {
    10_000
}

fn max_attempts() -> u32 {
    20
}

fn concurrency() -> usize {
    8
}

fn rotate_mb() -> u64 {
    100
}

fn subject_prefix() -> String {
    "attune".to_owned()
}

/// The sinks of a file that is called `origin`.
pub(super) fn parse(origin: &str, value: Value) -> Result<Vec<Sink>, ConfigError> {
    let wrong =
        |key: String, problem: String| ConfigError::Value { key: format!("{origin}: {key}"), problem };
    let Value::Array(tables) = value else {
        return Err(wrong("sinks".into(), "expected tables, each under [[sinks]]".into()));
    };
    if tables.len() > SINKS {
        return Err(wrong("sinks".into(), format!("expected at most {SINKS}")));
    }
    let mut sinks: Vec<Sink> = Vec::new();
    for (at, value) in tables.into_iter().enumerate() {
        let place = place(at, &value);
        let sink = sink(value).and_then(check).map_err(|problem| wrong(place.clone(), problem))?;
        if sinks.iter().any(|other| other.name == sink.name) {
            return Err(wrong(place, "another sink has the same name".into()));
        }
        sinks.push(sink);
    }
    Ok(sinks)
}

/// `sinks[0]`, or `sinks.crm` where there is a name.
fn place(at: usize, value: &Value) -> String {
    let name = value.get("name").and_then(Value::as_str).filter(|name| is_name(name));
    name.map_or_else(|| format!("sinks[{at}]"), |name| format!("sinks.{name}"))
}

fn sink(value: Value) -> Result<Sink, String> {
    let Value::Table(table) = value else { return Err("expected a table".into()) };
    let (common, rest): (Table, Table) = table.into_iter().partition(|(key, _)| COMMON.contains(&&**key));
    let common: Common = read(common)?;
    let target = match common.kind.as_str() {
        "webhook" => Target::Webhook(read(rest)?),
        "nats" => Target::Nats(read(rest)?),
        "file" => Target::File(read(rest)?),
        _ => return Err("`kind` is \"webhook\", \"nats\" or \"file\"".into()),
    };
    Ok(Sink {
        name: common.name,
        events: common.events,
        timeout: Duration::from_millis(common.timeout_ms),
        max_attempts: common.max_attempts,
        concurrency: common.concurrency,
        target,
    })
}

fn read<T: serde::de::DeserializeOwned>(table: Table) -> Result<T, String> {
    let keys: Vec<String> = table.keys().cloned().collect();
    Value::Table(table).try_into().map_err(|e: toml::de::Error| {
        let message = e.message().to_owned();
        let key = keys.iter().find(|key| message.starts_with(&format!("unknown field `{key}`")));
        let known = message.split('`').skip(3).step_by(2).chain(COMMON);
        let suggestion = key.and_then(|key| nearest(key, known));
        suggestion.map_or(message.clone(), |name| format!("{message}; did you mean `{name}`?"))
    })
}

fn check(sink: Sink) -> Result<Sink, String> {
    let timeout = u64::try_from(sink.timeout.as_millis()).unwrap_or(u64::MAX);
    let problem = match &sink.target {
        _ if !is_name(&sink.name) => "`name` takes 1 to 64 letters, digits, `-`, `_` and `.`".to_owned(),
        _ if sink.events.is_empty() => "`events` names no event; [\"*\"] means every signal".to_owned(),
        _ if !(100..=TIMEOUT_MS).contains(&timeout) => format!("`timeout_ms`: expected 100 to {TIMEOUT_MS}"),
        _ if !(1..=100).contains(&sink.max_attempts) => "`max_attempts`: expected 1 to 100".to_owned(),
        _ if !(1..=64).contains(&sink.concurrency) => "`concurrency`: expected 1 to 64".to_owned(),
        Target::Webhook(webhook) => return check_webhook(webhook).map_or(Ok(sink.clone()), Err),
        Target::Nats(nats) => return check_nats(nats).map_or(Ok(sink.clone()), Err),
        Target::File(file) if file.rotate_mb == 0 => "`rotate_mb`: expected at least 1".to_owned(),
        Target::File(_) => return Ok(sink),
    };
    Err(problem)
}

fn check_webhook(webhook: &Webhook) -> Option<String> {
    let unsigned = webhook.secrets.is_empty() && webhook.mapping.is_none();
    let open = |(name, value): &(&String, &Header)| {
        matches!(value, Header::Plain(_)) && SECRET_HEADERS.iter().any(|s| s.eq_ignore_ascii_case(name))
    };
    if let Some((name, _)) = webhook.headers.iter().find(open) {
        return Some(format!("`headers.{name}` is a secret: {{ file = \"…\" }} or {{ env = \"NAME\" }}"));
    }
    match webhook {
        w if w.secrets.len() > SECRETS => Some(format!("`secrets`: expected at most {SECRETS}")),
        w if w.headers.len() > HEADERS => Some(format!("`headers`: expected at most {HEADERS}")),
        _ if unsigned => Some(
            "`secrets`: without one the receiver can't tell who has called; only a mapping goes without"
                .into(),
        ),
        _ => None,
    }
}

fn check_nats(nats: &Nats) -> Option<String> {
    let token = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    match nats {
        n if !n.subject_prefix.split('.').all(token) => {
            Some("`subject_prefix` takes letters, digits, `-` and `_`, in parts between dots".into())
        }
        n if n.user.is_some() != n.password.is_some() => Some("`user` and `password` go together".into()),
        n if n.user.is_some() && n.token.is_some() => Some("`token` goes without `user`".into()),
        _ => None,
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
#[path = "sinks_tests.rs"]
mod tests;
