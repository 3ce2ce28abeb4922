//! `[[sinks]]` as people write it: defaults, examples, mistakes.

use super::super::{Config, Sources};
use super::*;

fn load(file: &str) -> Result<Vec<Sink>, String> {
    let sources = Sources { file: Some(("attune.toml".into(), file.into())), ..Sources::default() };
    Config::load(&sources).map(|config| config.sinks).map_err(|e| e.to_string())
}

fn webhook(more: &str) -> String {
    format!(
        "[[sinks]]\nname = \"crm\"\nkind = \"webhook\"\nevents = [\"*\"]\nurl = \"https://x.example/\"\n\
         secrets = [{{ env = \"S\" }}]\n{more}"
    )
}

#[test]
fn a_sink_needs_only_what_has_no_default() {
    let sinks = load(&webhook("")).unwrap();
    let [sink] = sinks.as_slice() else { panic!("{sinks:?}") };
    assert_eq!((sink.name.as_str(), sink.max_attempts, sink.concurrency), ("crm", 20, 8));
    assert_eq!(sink.timeout, Duration::from_secs(10));
    let Target::Webhook(webhook) = &sink.target else { panic!("{sink:?}") };
    assert_eq!(webhook.secrets, [Secret::Env("S".into())]);
    assert!(!webhook.allow_insecure && webhook.allow_private.is_empty());
    assert!(load("").unwrap().is_empty());
}

#[test]
fn the_examples_in_the_comments_of_the_defaults_are_valid() {
    let lines = super::super::DEFAULTS.lines().skip_while(|line| !line.starts_with("# [[sinks]]"));
    let text: Vec<&str> =
        lines.take_while(|line| line.starts_with('#')).map(|line| line[1..].trim_start()).collect();
    let sinks = load(&text.join("\n")).unwrap();
    assert_eq!(sinks.iter().map(|sink| sink.name.as_str()).collect::<Vec<_>>(), ["crm", "bus", "archive"]);
}

#[test]
fn mistakes_are_named_with_their_sink_and_the_nearest_key() {
    let twice = format!("{}{}", webhook(""), webhook(""));
    let unsigned = "[[sinks]]\nname = \"a\"\nkind = \"webhook\"\nevents = [\"*\"]\nurl = \"https://x/\"\n";
    let file = "[[sinks]]\nname = \"f\"\nkind = \"file\"\nevents = [\"*\"]\n";
    let nats = "[[sinks]]\nname = \"n\"\nkind = \"nats\"\nevents = [\"*\"]\nurl = \"nats://x\"\n";
    for (text, message) in [
        (webhook("urll = 3"), "attune.toml: sinks.crm`: unknown field `urll`"),
        (webhook("urll = 3"), "did you mean `url`?"),
        (webhook("max_atempts = 3"), "did you mean `max_attempts`?"),
        (webhook("path = \"x\""), "unknown field `path`"),
        (webhook("timeout_ms = 1"), "`timeout_ms`: expected 100 to 120000"),
        (webhook("max_attempts = 0"), "`max_attempts`: expected 1 to 100"),
        (webhook("concurrency = 0"), "`concurrency`: expected 1 to 64"),
        (webhook("method = \"GET\""), "unknown variant `GET`"),
        (webhook("headers = { A = { env = \"A\", file = \"b\" } }"), "sinks.crm"),
        (webhook("headers = { AUTHORIZATION = \"Bearer x\" }"), "`headers.AUTHORIZATION` is a secret"),
        (twice, "another sink has the same name"),
        (unsigned.to_owned(), "the receiver can't tell who has called"),
        (unsigned.replace("webhook", "pigeon"), "`kind` is \"webhook\", \"nats\" or \"file\""),
        (unsigned.replace("\"a\"", "\"a b\""), "sinks[0]`: `name` takes"),
        (file.to_owned(), "missing field `path`"),
        (format!("{file}path = \"x\"\nrotate_mb = 0"), "`rotate_mb`: expected at least 1"),
        (format!("{nats}user = \"u\""), "`user` and `password` go together"),
        (format!("{nats}subject_prefix = \"a.*\""), "`subject_prefix` takes letters"),
        (format!("{nats}token = {{ file = \"a\", env = \"b\" }}"), "a secret is { file"),
        ("sinks = 3".to_owned(), "each under [[sinks]]"),
        ("[events]\nsource = \"a b\"".to_owned(), "`events.source`: expected 1 to 200 characters"),
    ] {
        let error = load(&text).unwrap_err();
        assert!(error.contains(message), "{text}\n{error}");
    }
}
