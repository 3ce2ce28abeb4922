//! Mappings: presets against what CRMs take, and templates that try to get out.

use serde_json::Value;

use super::*;
use crate::events::{kinds, samples};

const SCHEMAS: [(&str, &str); 4] = [
    ("hubspot", include_str!("../../tests/fixtures/crm/hubspot.schema.json")),
    ("salesforce", include_str!("../../tests/fixtures/crm/salesforce.schema.json")),
    ("segment", include_str!("../../tests/fixtures/crm/segment.schema.json")),
    ("zendesk", include_str!("../../tests/fixtures/crm/zendesk.schema.json")),
];

fn render(template: &str, envelope: &str) -> Result<String, Error> {
    Mapping::parse(template).and_then(|mapping| mapping.render(envelope))
}

fn signals() -> impl Iterator<Item = &'static str> {
    kinds().filter(|kind| *kind != events::ASSESSMENT)
}

#[test]
fn every_preset_makes_what_its_crm_takes_out_of_every_signal() {
    for (name, schema) in SCHEMAS {
        let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
        let mapping = Mapping::load(name).unwrap();
        mapping.check(signals()).unwrap();
        for sample in signals().flat_map(|kind| samples(kind).unwrap()) {
            let made: Value = serde_json::from_str(&mapping.render(&sample.body).unwrap()).unwrap();
            let problems: Vec<String> = schema.iter_errors(&made).map(|e| e.to_string()).collect();
            assert!(problems.is_empty(), "{name}: {problems:?} {made}");
            let event: Value = serde_json::from_str(&sample.body).unwrap();
            assert!(made.to_string().contains(&event["data"]["customer"].to_string()), "{name}: {made}");
            assert!(made.to_string().contains(&sample.id), "{name}: {made}");
        }
    }
    assert_eq!(SCHEMAS.map(|(name, _)| name), PRESETS.map(|(name, _)| name));
}

#[test]
fn presets_are_made_for_signals_and_say_so_of_an_assessment() {
    for (name, _) in PRESETS {
        let error = Mapping::load(name).unwrap().check([events::ASSESSMENT]).unwrap_err();
        assert!(error.public().starts_with("with a assessment: line"), "{error}");
    }
}

#[test]
fn a_customer_can_not_break_out_of_a_value() {
    let envelope = r#"{"data": {"customer": "\", \"admin\": true, \"x\": \"", "key": "a\\"}}"#;
    for template in [
        r#"{"id": {{ data.customer }}}"#,
        r#"{"id": {% autoescape false %}{{ data.customer }}{% endautoescape %}}"#,
        r#"{"id": {% autoescape "none" %}{{ data.customer }}{% endautoescape %}}"#,
        r#"{"id": {{ data.customer ~ data.key }}}"#,
        r#"{ {{ data.customer }}: 1 }"#,
    ] {
        match render(template, envelope) {
            Ok(made) => {
                let made: Value = serde_json::from_str(&made).unwrap();
                assert_eq!(made.as_object().unwrap().len(), 1, "{template}: {made}");
            }
            Err(error) => assert!(template.contains("none"), "{template}: {error}"),
        }
    }
    for template in [r#"{"id": "{{ data.customer }}"}"#, r#"{"id": "{{ data.customer | safe }}"}"#] {
        assert!(render(template, envelope).is_err(), "{template}");
    }
}

#[test]
fn what_is_wrong_with_a_template_is_said_with_its_line_and_without_the_event() {
    let envelope = r#"{"data": {"customer": "canary", "list": [1, 2]}}"#;
    for (template, problem) in [
        ("{\n\"a\": {{ data.nobody }}}", "line 2: undefined value"),
        ("{\n\"a\": {{ data.customer.x.y }}}", "line 2: undefined value"),
        ("{\"a\": {{ }}", "line 1: syntax error"),
        ("{% include \"/etc/passwd\" %}", "syntax error"),
        ("{\"a\": \"{{ data.customer }}\"}", "the output is no JSON"),
        ("{{ data.customer | safe }}", "unknown filter"),
        ("{{ data.customer + 1 }}", "invalid operation"),
        ("", "the output is no JSON"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}1", "out of fuel"),
        ("[{% for a in range(9999) %}{{ data.long }},{% endfor %}1]", "undefined"),
        ("{{ env.HOME }}", "undefined value"),
        ("{{ namespace() }}", "unknown function"),
    ] {
        let error = render(template, envelope).unwrap_err();
        assert!(error.public().contains(problem), "{template}: {error}");
        assert!(!format!("{error:?}").contains("canary"), "{template}: {error:?}");
    }
}

#[test]
fn the_output_is_bounded() {
    let envelope = format!(r#"{{"data": {{"long": "{}"}}}}"#, "x".repeat(10_000));
    let error = render("[{% for a in range(200) %}{{ data.long }},{% endfor %}1]", &envelope).unwrap_err();
    assert!(error.public().contains("write"), "{error}");
}

#[test]
fn a_template_of_ones_own_is_read_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.json.jinja");
    std::fs::write(&path, "{\"risk\": {{ data.churn_risk }}, \"all\": {{ event }}}").unwrap();
    let mapping = Mapping::load(path.to_str().unwrap()).unwrap();
    mapping.check(kinds().filter(|kind| *kind == "nps_conflict")).unwrap();
    std::fs::write(&path, vec![b' '; TEMPLATE_BYTES as usize + 1]).unwrap();
    assert!(Mapping::load(path.to_str().unwrap()).unwrap_err().public().contains("is larger than"));
    let missing = Mapping::load("hubspott").unwrap_err();
    assert!(missing.public().contains("the presets are hubspot, salesforce"), "{missing}");
}
