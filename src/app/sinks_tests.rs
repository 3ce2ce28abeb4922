//! Sinks out of a configuration: what is built, and what is wrong with what is not.

use super::*;
use crate::app::Environment;
use crate::config::Sources;

fn config(file: &str) -> Config {
    let sources = Sources { file: Some(("attune.toml".into(), file.into())), ..Sources::default() };
    Config::load(&sources).unwrap()
}

fn surroundings() -> Surroundings {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let environment = Environment::new([("HOOK".into(), secret.into()), ("BAD".into(), "canary".into())]);
    Surroundings { environment, ..Surroundings::default() }
}

async fn built(more: &str) -> Result<(), Error> {
    let file = format!(
        "[[sinks]]\nname = \"crm\"\nkind = \"webhook\"\nevents = [\"churn_*\"]\nurl = \"https://x.example/\"\n{more}"
    );
    let config = config(&file);
    let sink = &config.sinks[0];
    build(sink, &routes(&config)?, &surroundings()).await.map(|_| ()).map_err(|e| placed(e, &sink.name))
}

#[tokio::test]
async fn a_sink_is_built_out_of_its_settings() {
    built("secrets = [{ env = \"HOOK\" }]\nheaders = { X-Team = \"cx\", Authorization = { env = \"BAD\" } }")
        .await
        .unwrap();
    for preset in ["hubspot", "salesforce", "segment", "zendesk"] {
        built(&format!("mapping = \"{preset}\"")).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_sink_is_said_with_its_name_and_never_with_its_secrets() {
    for (more, field, problem) in [
        ("secrets = [{ env = \"NONE\" }]", "", "the variable NONE, which is to hold a secret, is not set"),
        ("secrets = [{ file = \"/nowhere\" }]", "", "/nowhere"),
        ("secrets = [{ env = \"BAD\" }]", "sinks.crm.secrets", "expected whsec_ and 24 to 64 bytes"),
        ("mapping = \"nothing\"", "", "the presets are"),
        ("mapping = \"hubspot\"\nallow_private = [\"10\"]", "sinks.crm.allow_private", "is no network"),
        (
            "mapping = \"hubspot\"\nheaders = { webhook-id = \"x\" }",
            "sinks.crm.headers.webhook-id",
            "attune itself",
        ),
        ("mapping = \"hubspot\"\nheaders = { \"a b\" = \"x\" }", "sinks.crm.headers", "not one of HTTP"),
    ] {
        let error = built(more).await.unwrap_err();
        assert!(error.public().contains(problem), "{more}: {error}");
        assert_eq!(error.field().unwrap_or_default(), field, "{more}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    assert!(!format!("{:?}", surroundings()).contains("canary"));
}

#[test]
fn routes_come_from_the_configuration() {
    let file = "[[sinks]]\nname = \"a\"\nkind = \"file\"\npath = \"x\"\nevents = [\"nps_conflict\"]";
    let routes = routes(&config(file)).unwrap();
    assert_eq!(routes.events_for("nps_conflict").collect::<Vec<_>>(), ["a"]);
    assert_eq!(routes.events_for("sentiment_drop").count(), 0);
}
