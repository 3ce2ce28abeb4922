//! The escalation policy in force: read at start, and again when its file changes.
//!
//! The file is looked at every two seconds rather than watched: that also works on mounted volumes and through the
//! symbolic links by which orchestrators replace configuration. A file that is wrong is said in the log, once per
//! content, and the policy that was in force stays.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::escalation::Policies;
use crate::pipeline::conversation::PolicySource;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// Largest policy file, in bytes.
const POLICY_BYTES: u64 = 1 << 20;

/// The policy that the configuration names, or the embedded one. Errors: `NotFound`, or `InvalidInput` with the key at
/// fault.
pub fn load(config: &Config) -> Result<Policies, Error> {
    match &config.conversations.policy {
        Some(path) => parse(path, &read(path)?),
        None => Policies::embedded(),
    }
}

/// The policy in `text`, which was read from `path`. Errors: `InvalidInput` with the file and the key at fault.
pub fn parse(path: &Path, text: &str) -> Result<Policies, Error> {
    Policies::parse(text).map_err(|e| {
        let field = format!("{}: {}", path.display(), e.field().unwrap_or("policy"));
        Error::invalid(field, e.public().to_owned())
    })
}

/// The text of a policy file. Errors: `NotFound`, or `InvalidInput` for one that is too large.
pub fn read(path: &Path) -> Result<String, Error> {
    use std::io::Read;
    let fail = |e: std::io::Error| Error::new(ErrorKind::NotFound, format!("policy {}: {e}", path.display()));
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(fail)?;
    file.take(POLICY_BYTES + 1).read_to_string(&mut text).map_err(fail)?;
    if text.len() as u64 > POLICY_BYTES {
        let problem = format!("policy {}: is larger than {POLICY_BYTES} bytes", path.display());
        return Err(Error::new(ErrorKind::InvalidInput, problem));
    }
    Ok(text)
}

/// The policy in force, kept up to date in the background while anybody holds it.
pub(super) fn follow(config: &Config) -> Result<PolicySource, Error> {
    let Some(path) = config.conversations.policy.clone() else {
        return Ok(watch::channel(Arc::new(Policies::embedded()?)).1);
    };
    let text = read(&path)?;
    let (tell, source) = watch::channel(Arc::new(parse(&path, &text)?));
    tokio::spawn(keep_up(path, text, tell));
    Ok(source)
}

/// `text` is what is in force.
async fn keep_up(path: PathBuf, text: String, tell: watch::Sender<Arc<Policies>>) {
    let mut last = Some(text);
    let mut tick = tokio::time::interval(LOOK);
    while !tell.is_closed() {
        tick.tick().await;
        let file = path.clone();
        let before = last.clone();
        // Many overrides take seconds to check: not on a thread that others wait for.
        let look = move || match read(&file) {
            Ok(text) if before.as_ref() == Some(&text) => None,
            Ok(text) => {
                let found = parse(&file, &text);
                Some((Some(text), found))
            }
            Err(_) if before.is_none() => None,
            Err(error) => Some((None, Err(error))),
        };
        let Ok(looked) = tokio::task::spawn_blocking(look).await else { return };
        let Some((now, found)) = looked else { continue };
        last = now;
        match found {
            Ok(policies) => {
                tracing::info!(policy.version = policies.version(), "the escalation policy was read again");
                let _ = tell.send(Arc::new(policies));
            }
            Err(error) => tracing::warn!(
                error = %error,
                error.field = error.field().unwrap_or_default(),
                "the escalation policy has changed and can't be used; the former one stays in force"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;
    use crate::domain::Channel;
    use crate::escalation::policy::DEFAULT;

    fn config(policy: &Path) -> Config {
        let flags = vec![("conversations.policy".to_owned(), policy.display().to_string())];
        Config::load(&Sources { flags, ..Sources::default() }).unwrap()
    }

    #[test]
    fn a_missing_or_wrong_policy_names_its_file_and_key_before_anything_starts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy.toml");
        let error = load(&config(&path)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        std::fs::write(&path, DEFAULT.replace("first_turn = 0.4", "first_turn = 4")).unwrap();
        let error = load(&config(&path)).unwrap_err();
        let field = error.field().unwrap();
        assert!(field.ends_with("policy.toml: measures.first_turn"), "{field}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_policy_that_changes_comes_into_force_and_a_wrong_one_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy.toml");
        std::fs::write(&path, DEFAULT).unwrap();
        let mut source = follow(&config(&path)).unwrap();
        let version = |source: &PolicySource| source.borrow().rules(None, Channel::Chat).version.clone();
        let before = version(&source);
        std::fs::write(&path, "version = 3").unwrap();
        tokio::task::yield_now().await;
        std::fs::write(&path, DEFAULT.replace(&format!("\"{before}\""), "\"newer\"")).unwrap();
        source.changed().await.unwrap();
        assert_eq!(version(&source), "newer");
    }
}
