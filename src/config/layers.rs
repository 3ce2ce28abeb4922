//! How the sources of settings are laid over each other.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// Names of the environment variables begin with this.
const PREFIX: &str = "ATTUNE_";
/// Tables whose keys are names that the user gives.
const OWN_KEYS: [&str; 1] = ["models.aliases"];
/// The only key at the top level that is no section but a list of tables.
const SINKS: &str = "sinks";
/// Largest number that a variable or a flag may give: bytes of a disk.
const LARGEST: i64 = 1 << 40;
/// Names this close to a known key are suggested, by Jaro-Winkler similarity.
const SIMILAR: f64 = 0.7;

/// Where settings come from, later ones winning.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Name and text of the configuration file.
    pub file: Option<(String, String)>,
    /// The process's environment.
    pub environment: Vec<(String, String)>,
    /// Dotted keys and values from flags.
    pub flags: Vec<(String, String)>,
}

/// What is wrong with a setting, and in which source.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not TOML.
    #[error("{origin}: {source}")]
    Syntax {
        /// The file.
        origin: String,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// No such key.
    #[error("{origin}: there is no setting `{key}`{suggestion}")]
    UnknownKey {
        /// The file, variable or flag.
        origin: String,
        /// The key as given.
        key: String,
        /// "; did you mean …?" or nothing.
        suggestion: String,
    },
    /// The value has the wrong type.
    #[error("{origin}: `{key}` takes {expected}, not {found}")]
    Type {
        /// The file, variable or flag.
        origin: String,
        /// The key.
        key: String,
        /// What it takes.
        expected: &'static str,
        /// What was there.
        found: String,
    },
    /// The value breaks a rule.
    #[error("`{key}`: {problem}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
}

impl From<ConfigError> for crate::error::Error {
    fn from(error: ConfigError) -> Self {
        Self::new(crate::error::ErrorKind::InvalidInput, format!("configuration: {error}"))
    }
}

/// Lays the sources over `defaults`, whose keys are all the keys there are.
pub(super) fn merge<T: DeserializeOwned>(defaults: &str, sources: &Sources) -> Result<T, ConfigError> {
    let syntax = |origin: &str| {
        let origin = origin.to_owned();
        move |source| ConfigError::Syntax { origin, source: Box::new(source) }
    };
    let mut merged: Table = toml::from_str(defaults).map_err(syntax("defaults"))?;
    if let Some((name, text)) = &sources.file {
        let mut file: Table = toml::from_str(text).map_err(syntax(name))?;
        // The sinks are parsed by themselves.
        file.remove(SINKS);
        for (key, value) in leaves("", &file) {
            set(&mut merged, name, &key, value)?;
        }
    }
    for (name, text) in &sources.environment {
        if let Some(key) = name.strip_prefix(PREFIX).filter(|key| is_setting(key, &merged)) {
            let key = key.to_ascii_lowercase().replace("__", ".");
            set(&mut merged, name, &key, Value::String(text.clone()))?;
        }
    }
    for (key, text) in &sources.flags {
        set(&mut merged, "command line", key, Value::String(text.clone()))?;
    }
    Value::Table(merged).try_into().map_err(|e: toml::de::Error| ConfigError::Value {
        key: "settings".into(),
        problem: e.message().to_owned(),
    })
}

/// The `[[sinks]]` of the file.
pub(super) fn sinks(sources: &Sources) -> Result<Vec<super::Sink>, ConfigError> {
    let Some((name, text)) = &sources.file else { return Ok(Vec::new()) };
    let file: Table = toml::from_str(text)
        .map_err(|source| ConfigError::Syntax { origin: name.clone(), source: Box::new(source) })?;
    file.get(SINKS).map_or(Ok(Vec::new()), |value| super::sinks::parse(name, value.clone()))
}

/// Whether a variable means a setting: it has a section and a name, or begins like a section and was mistyped. Others with
/// the prefix are somebody else's: ATTUNE_CONFIG, or what Kubernetes sets for a service called attune.
fn is_setting(key: &str, known: &Table) -> bool {
    let section = key.split('_').next().unwrap_or_default().to_ascii_lowercase();
    key.contains("__") || known.contains_key(&section)
}

/// Every value of a table with its dotted key.
fn leaves(prefix: &str, table: &Table) -> Vec<(String, Value)> {
    table
        .iter()
        .flat_map(|(key, value)| {
            let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            match value {
                Value::Table(inner) => leaves(&key, inner),
                other => vec![(key, other.clone())],
            }
        })
        .collect()
}

fn set(merged: &mut Table, origin: &str, key: &str, value: Value) -> Result<(), ConfigError> {
    let unknown = |merged: &Table| {
        let known = leaves("", merged);
        let nearest = nearest(key, known.iter().map(|(known, _)| known.as_str()));
        ConfigError::UnknownKey {
            origin: origin.into(),
            key: key.into(),
            suggestion: nearest.map(|known| format!("; did you mean `{known}`?")).unwrap_or_default(),
        }
    };
    match slot(merged, key) {
        Some(old) => {
            *old = typed(old, value, origin, key)?;
            Ok(())
        }
        None => set_own(merged, origin, key, value).ok_or_else(|| unknown(merged))?,
    }
}

/// Sets a key that is the user's own, below one of the tables that hold such; `None` elsewhere.
fn set_own(merged: &mut Table, origin: &str, key: &str, value: Value) -> Option<Result<(), ConfigError>> {
    let (table, own) =
        OWN_KEYS.iter().find_map(|table| Some((*table, key.strip_prefix(table)?.strip_prefix('.')?)))?;
    let table = slot(merged, table)?.as_table_mut()?;
    let text = typed(&Value::String(String::new()), value, origin, key);
    Some(text.map(|text| drop(table.insert(own.to_owned(), text))))
}

/// The value that a dotted key names: in a section, or in a table of one.
fn slot<'a>(merged: &'a mut Table, key: &str) -> Option<&'a mut Value> {
    let (section, mut name) = key.split_once('.')?;
    let mut table = merged.get_mut(section)?.as_table_mut()?;
    while let Some((outer, inner)) = name.split_once('.') {
        (table, name) = (table.get_mut(outer)?.as_table_mut()?, inner);
    }
    table.get_mut(name)
}

/// The known name that is closest to `key`, if one is close.
pub(super) fn nearest<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|known| (strsim::jaro_winkler(known, key), known));
    scored
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(similarity, _)| *similarity > SIMILAR)
        .map(|best| best.1)
}

/// The value in the type of the default; text from variables and flags is read in that type.
fn typed(old: &Value, value: Value, origin: &str, key: &str) -> Result<Value, ConfigError> {
    let fail = |expected: &'static str, found: String| ConfigError::Type {
        origin: origin.into(),
        key: key.into(),
        expected,
        found,
    };
    match (old, value) {
        (Value::Integer(_), Value::Integer(n)) if n >= 0 => Ok(Value::Integer(n)),
        (Value::Integer(_), Value::String(text)) => match text.parse::<i64>() {
            Ok(n) if (0..=LARGEST).contains(&n) => Ok(Value::Integer(n)),
            _ => Err(fail("a whole number from 0", format!("{text:?}"))),
        },
        (Value::Integer(_), other) => Err(fail("a whole number from 0", other.to_string())),
        (Value::Boolean(_), Value::String(text)) => match text.parse::<bool>() {
            Ok(yes) => Ok(Value::Boolean(yes)),
            Err(_) => Err(fail("true or false", format!("{text:?}"))),
        },
        (Value::Boolean(_), Value::Boolean(yes)) => Ok(Value::Boolean(yes)),
        (Value::Boolean(_), other) => Err(fail("true or false", other.to_string())),
        (Value::String(_), Value::String(text)) => Ok(Value::String(text)),
        (Value::String(_), other) => Err(fail("text in quotes", other.to_string())),
        (Value::Array(_), Value::String(text)) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
        (Value::Array(_), Value::Array(items)) if items.iter().all(Value::is_str) => Ok(Value::Array(items)),
        (Value::Array(_), other) => Err(fail("a list of texts in quotes", other.to_string())),
        (Value::Table(_), other) => Err(fail("a table of settings", other.to_string())),
        (_, other) => Ok(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn load(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let owned =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Config::load(&Sources {
            file: Some(("attune.toml".into(), file.into())),
            environment: owned(environment),
            flags: owned(flags),
        })
    }

    #[test]
    fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_defaults() {
        let file = "[batching]\ncache_mb = 1\nqueue_tokens = 2000\nbatch_tokens = 7";
        let environment = [
            ("ATTUNE_BATCHING__CACHE_MB", "2"),
            ("ATTUNE_BATCHING__QUEUE_TOKENS", "3000"),
            ("HOME", "/"),
            ("ATTUNE_SERVICE_HOST", "10.0.0.1"),
        ];
        let config = load(file, &environment, &[("batching.cache_mb", "3")]).unwrap();
        let b = config.batching;
        assert_eq!((b.cache_mb, b.queue_tokens, b.batch_tokens), (3, 3000, 7));
        assert_eq!(config.limits.batch_items, 10_000);
    }

    #[test]
    fn a_list_is_given_in_brackets_in_a_file_and_with_commas_elsewhere() {
        let file = "[jobs]\nbuckets = [\"exports\", \"surveys\"]";
        let flags = [("jobs.directories", "/srv/in, /srv/out"), ("jobs.spool_bytes", "20000000000")];
        let jobs = load(file, &[], &flags).unwrap().jobs;
        assert_eq!(jobs.buckets, ["exports", "surveys"]);
        assert_eq!(jobs.directories, ["/srv/in", "/srv/out"].map(std::path::PathBuf::from));
        assert_eq!(jobs.spool_bytes, 20_000_000_000);
        let none = load(file, &[("ATTUNE_JOBS__BUCKETS", "")], &[]).unwrap();
        assert!(none.jobs.buckets.is_empty());
    }

    #[test]
    fn aliases_have_names_of_their_own_in_every_source() {
        let file = "[models]\ndirectory = \"/srv\"\nload = [\"a\"]\naliases = { default = \"a@1\", canary = \"a@2\" }";
        let environment = [("ATTUNE_MODELS__ALLOW_CHANGES", "true"), ("ATTUNE_MODELS__ALIASES__CANARY", "b")];
        let models = load(file, &environment, &[("models.aliases.new", "c@1")]).unwrap().models;
        let aliases: Vec<(&str, &str)> =
            models.aliases.iter().map(|(a, m)| (a.as_str(), m.as_str())).collect();
        assert_eq!(aliases, [("canary", "b"), ("default", "a@1"), ("new", "c@1")]);
        assert!(models.allow_changes && models.load == ["a"]);
        assert_eq!(load("", &[], &[]).unwrap().models.aliases.len(), 0);
    }

    #[test]
    fn what_is_on_is_turned_off_in_every_layer() {
        assert!(load("", &[], &[]).unwrap().drift.enabled);
        let cases = [
            load("[drift]\nenabled = false", &[], &[]),
            load("", &[("ATTUNE_DRIFT__ENABLED", "false")], &[]),
            load("", &[], &[("drift.enabled", "false")]),
        ];
        assert!(cases.into_iter().all(|config| !config.unwrap().drift.enabled));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let flags = [("jobs.s3_access_key_id", "id"), ("jobs.s3_secret_access_key", "hidden")];
        let config = load("", &[], &flags).unwrap();
        assert_eq!(config.jobs.s3_secret_access_key.expose(), "hidden");
        assert!(!format!("{config:?}").contains("hidden"));
    }

    #[test]
    fn mistakes_are_named_with_their_source_and_the_nearest_key() {
        for (file, environment, message) in [
            (
                "[server]\ngrpc_adress = \"x\"",
                vec![],
                "attune.toml: there is no setting `server.grpc_adress`; did you mean `server.grpc_address`?",
            ),
            ("x = 1", vec![], "there is no setting `x`"),
            ("[log", vec![], "attune.toml: "),
            (
                "",
                vec![("ATTUNE_BATCHING__CACHE_MB", "much")],
                "ATTUNE_BATCHING__CACHE_MB: `batching.cache_mb` takes a whole number from 0, not \"much\"",
            ),
            (
                "",
                vec![("ATTUNE_BATCHING_CACHE_MB", "3")],
                "there is no setting `batching_cache_mb`; did you mean `batching.cache_mb`?",
            ),
            ("[batching]\ncache_mb = -1", vec![], "takes a whole number from 0, not -1"),
            ("", vec![("ATTUNE_DRIFT__ENABLED", "yes")], "`drift.enabled` takes true or false, not \"yes\""),
            ("[drift]\nenabled = 1", vec![], "`drift.enabled` takes true or false, not 1"),
            ("[drift]\nwindow_texts = 50", vec![], "`drift.window_texts`: expected 200 to 1000000"),
            ("[drift]\ntenants = 0", vec![], "`drift.tenants`: expected 1 to 10000"),
            ("[log]\nfilter = 3", vec![], "`log.filter` takes text in quotes"),
            ("[batching]\nqueue_tokens = 5", vec![], "`batching.queue_tokens`: expected at least 1024"),
            ("[server]\nio_threads = 257", vec![], "`server.io_threads`: expected at most 256"),
            ("[server]\ngrpc_address = \"here\"", vec![], "socket address"),
            (
                "[jobs]\ndirectories = \"/srv\"\nbuckets = [1]",
                vec![],
                "`jobs.buckets` takes a list of texts in quotes",
            ),
            ("[jobs]\nconcurrent = 0", vec![], "`jobs.concurrent`: expected 1 to 64"),
            ("[jobs]\ns3_access_key_id = \"x\"", vec![], "`jobs.s3_access_key_id`: an id and its secret"),
            ("[jobs]\nspool_bytes = 5", vec![], "`jobs.spool_bytes`: expected at least 1048576"),
            ("[log]\nformat = \"xml\"", vec![], "unknown variant `xml`"),
            ("[models]\naliases = \"x\"", vec![], "`models.aliases` takes a table of settings"),
            ("[models]\naliases = { a = 1 }", vec![], "`models.aliases.a` takes text in quotes"),
            ("[models]\nallow_changes = 1", vec![], "`models.allow_changes` takes true or false"),
            ("[models]\nload = [\"a\"]", vec![], "`models.load`: names models"),
            ("[models]\nmaximum = 0", vec![], "`models.maximum`: expected 1 to 64"),
        ] {
            let error = load(file, &environment, &[]).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn every_default_carries_a_comment() {
        let lines: Vec<&str> = super::super::DEFAULTS.lines().collect();
        for (above, line) in lines.iter().zip(&lines[1..]) {
            if line.contains(" = ") && !line.starts_with('#') {
                assert!(above.starts_with('#'), "{line}");
            }
        }
    }
}
