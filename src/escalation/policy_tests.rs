//! What a policy file may say, what is laid over what, and which words are quiet.

use super::*;
use crate::domain::{
    Assessment, Evidence, EvidenceSpan, HeadAssessment, LabelAssessment, Probability, Sentiment, Spans,
    Status,
};
use crate::error::ErrorKind;
use crate::escalation::features::Feature;
use crate::escalation::samples_tests::rules;
use crate::escalation::signals::TurnSignals;

#[test]
fn the_policy_that_comes_along_loads_and_measures_as_a_program_assumes() {
    let policies = Policies::embedded().unwrap();
    assert_eq!(policies.rules(None, Channel::Unknown).measures, Measures::default());
    assert!(!policies.version().is_empty());
}

#[test]
fn the_policy_for_models_without_an_escalation_head_is_in_order_and_asks_for_none() {
    let cues = include_str!("../../examples/policies/cues.toml");
    let policies = Policies::parse(cues).unwrap();
    assert_eq!(policies.rules(None, Channel::Unknown).measures, Measures::default());
    assert!(!cues.contains("turn.step_in"), "it would be 0 there");
    assert!(DEFAULT.contains("turn.step_in"), "else the default would do for them");
}

#[test]
fn a_policy_weighs_what_its_file_says() {
    let policies = Policies::explicit();
    let rules = policies.rules(None, Channel::Unknown);
    assert_eq!((policies.version(), &*rules.version), ("explicit-1", "explicit-1"));
    assert_eq!(rules.detection.features[&Feature::of_name("cue.legal_threat").unwrap()], 2.0);
    assert_eq!(rules.tiers.map(|tier| tier.raise), [0.5, 0.7, 0.5]);
}

#[track_caller]
fn check(file: &str, field: &str, message: &str) {
    let error = Policies::parse(file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.field(), Some(field), "{error}");
    assert!(error.public().contains(message), "{field}: {error}");
}

/// The policy that comes along with one thing changed.
#[track_caller]
fn changed(from: &str, to: &str) -> String {
    assert!(EXPLICIT.contains(from), "{from:?} is not in the policy");
    EXPLICIT.replacen(from, to, 1)
}

#[test]
fn a_wrong_number_or_name_is_refused_with_its_key_and_what_was_expected() {
    let rows = [
        ("first_turn = 0.4", "first_turn = 0.4\nmood = 1", "policy", "unknown field `mood`"),
        ("first_turn = 0.4", "", "policy", "missing field `first_turn`"),
        ("first_turn = 0.4", "first_turn = \"much\"", "policy", "expected f64"),
        ("first_turn = 0.4", "first_turn = 4", "measures.first_turn", "is 4: expected 0 to 1"),
        ("half_life_turns = 2.0", "half_life_turns = 0", "measures.half_life_turns", "expected 0.1 to 100"),
        ("chat = 180", "chatt = 180", "measures.usual_wait_s.chatt", "one of unknown, chat, email"),
        ("chat = 180", "chat = 0", "measures.usual_wait_s.chat", "expected 1 to"),
        ("base = -9.0", "base = -inf", "detection.base", "is -inf"),
        (
            "\"cue.legal_threat\" = 2.0",
            "\"cue.legal_thread\" = 2.0",
            "detection.weights.\"cue.legal_thread\"",
            "no such feature; did you mean \"cue.legal_threat\"?",
        ),
        (
            "\"cue.legal_threat\" = 2.0",
            "\"cue.legal_threat\" = -2.0",
            "detection.weights.\"cue.legal_threat\"",
            "is a risk: expected 0 or more",
        ),
        (
            "\"tone.positive\" = -2.0",
            "\"tone.positive\" = 2.0",
            "forecast.weights.\"tone.positive\"",
            "is protective: expected 0 or less",
        ),
        ("\"run.failing\" = 3.0", "\"run.failing\" = nan", "forecast.weights.\"run.failing\"", "is NaN"),
        ("\"run.failing\" = 3.0", "\"account.vip\" = 51", "forecast.weights.\"account.vip\"", "-50 to 50"),
        ("raise = 0.5, clear = 0.3", "raise = 0.5, clear = 0.6", "tiers.watch.clear", "at most raise"),
        ("raise = 0.7", "raise = nan", "tiers.elevated.raise", "is NaN: expected 0 to 1"),
        ("raise_turns = 1", "raise_turns = 0", "tiers.watch.raise_turns", "is 0: expected 1 to 100"),
        ("clear_turns = 3", "clear_turns = 0", "tiers.urgent.clear_turns", "is 0: expected 1 to 100"),
        ("clear_turns = 3", "clear_turns = -1", "policy", "invalid value"),
        ("source = \"detection\"", "source = \"both\"", "policy", "unknown variant `both`"),
        ("capacity = 20", "capacity = 0", "tiers.capacity", "is 0: expected 1 to 10000"),
        ("cool_down_turns = 2", "cool_down_turns = 1001", "tiers.cool_down_turns", "expected 0 to 1000"),
        ("peak = -0.6", "peak = -4", "recovery.peak", "is -4: expected -1 to 1"),
        ("cue = \"safety_risk\"", "cue = \"safety\"", "quiet[0].cue", "no such cue"),
        ("\"dead letter\"", "\" \"", "quiet[0].words", "1 to 1000"),
        ("version = \"explicit-1\"", "version = \" \"", "version", "1 to 64 bytes"),
        ("version = \"explicit-1\"", "", "policy", "missing field `version`"),
        ("[tiers]", "[tiers", "policy", "TOML parse error"),
    ];
    for (from, to, field, message) in rows {
        check(&changed(from, to), field, message);
    }
    check(
        &changed("version = \"explicit-1\"", &format!("version = {:?}", "v".repeat(65))),
        "version",
        "64 bytes",
    );
}

#[test]
fn a_wrong_override_is_refused_by_its_number_or_by_what_it_is_for() {
    let rows = [
        ("channel = \"fax\"", "override[0].channel", "is no channel; expected one of unknown, chat"),
        ("tenant = 7", "override[0].tenant", "expected a name"),
        ("tenant = \"\"", "override[0].tenant", "expected a name"),
        ("measures = { first_turn = 0.5 }", "override[0]", "an override for all is the base"),
        ("tenant = \"acme\"\nversion = \"2\"", "override[0]", "belongs to the whole policy"),
        (
            "tenant = \"acme\"\n[[override]]\ntenant = \"acme\"",
            "override[1]",
            "one for this tenant and channel already",
        ),
        ("channel = \"sms\"\ntenant = \"acme\"\nmood = 1", "policy", "override for acme, sms: "),
        (
            "tenant = \"acme\"\nmeasures = { first_turn = 2 }",
            "measures.first_turn",
            "override for acme: is 2",
        ),
        // Each is right by itself, and the two together are not.
        (
            "tenant = \"acme\"\ntiers = { watch = { raise = 0.35 } }\n[[override]]\nchannel = \"sms\"\n\
          tiers = { watch = { clear = 0.4 } }",
            "tiers.watch.clear",
            "a tenant and a channel together: ",
        ),
    ];
    for (text, field, message) in rows {
        check(&format!("{EXPLICIT}\n[[override]]\n{text}\n"), field, message);
    }
    check(&changed("[measures]", "override = 3\n[measures]"), "override", "[[override]] tables");
    let many: String = (0..1001).map(|n| format!("[[override]]\ntenant = \"t{n}\"\n")).collect();
    check(&format!("{EXPLICIT}\n{many}"), "override", "at most 1000");
}

#[test]
fn the_narrower_override_is_laid_over_the_wider_and_the_tenant_over_the_channel() {
    let text = format!(
        "{EXPLICIT}
        [[override]]
        tenant = \"acme\"
        channel = \"email\"
        tiers = {{ capacity = 3 }}
        [[override]]
        tenant = \"acme\"
        tiers = {{ capacity = 2, cool_down_turns = 7 }}
        [[override]]
        channel = \"email\"
        measures = {{ usual_turns = 3.0 }}
        tiers = {{ capacity = 1, cool_down_turns = 5 }}
        [[override]]
        channel = \"sms\"
        measures = {{ usual_turns = 6.0 }}
        tiers = {{ cool_down_turns = 9 }}
        [[override]]
        tenant = \"other\"
        channel = \"phone\"
        measures = {{ usual_turns = 9.0 }}
        quiet = []"
    );
    let policies = Policies::parse(&text).unwrap();
    // Capacity, cool-down, usual turns.
    let rows = [
        (None, Channel::Chat, (20, 2, 4.0)),
        (None, Channel::Email, (1, 5, 3.0)),
        (Some("acme"), Channel::Chat, (2, 7, 4.0)),
        (Some("acme"), Channel::Email, (3, 7, 3.0)),
        (Some("acme"), Channel::Sms, (2, 7, 6.0)),
        (Some("other"), Channel::Email, (1, 5, 3.0)),
        (Some("other"), Channel::Phone, (20, 2, 9.0)),
        (Some("other"), Channel::Chat, (20, 2, 4.0)),
        (Some("Acme"), Channel::Chat, (20, 2, 4.0)),
    ];
    for (tenant, channel, expected) in rows {
        let rules = policies.rules(tenant, channel);
        let found = (rules.capacity, rules.cool_down_turns, rules.measures.usual_turns);
        assert_eq!(found, expected, "{tenant:?} {channel:?}");
        assert_eq!(rules.version, "explicit-1");
        // Tables are merged, lists replaced.
        assert_eq!(rules.quiet.is_empty(), channel == Channel::Phone, "{tenant:?} {channel:?}");
    }
}

/// Evidence whose core are these words; the span around them is the whole text.
fn evidence_of(text: &str, words: &str) -> EvidenceSpan {
    let at = text.find(words).unwrap();
    EvidenceSpan { span: Spans::new(text).of(0..text.len()), core: (at, at + words.len()), contribution: 2.0 }
}

#[test]
fn a_cue_is_quiet_when_all_its_words_are() {
    let rules = rules();
    // Evidence is given as the words that carry it.
    let rows: [(&str, &str, &[&str], bool); 12] = [
        ("Use the Kill Switch, please", "safety_risk", &["Kill Switch"], true),
        ("Use the kill switch, please", "safety_risk", &["the kill"], true),
        ("Use the kill switch, please", "safety_risk", &["please"], false),
        ("Use the kill switch or I burn", "safety_risk", &["kill switch", "I burn"], false),
        ("Use the kill switch, please", "legal_threat", &["kill switch"], false),
        ("Use the kill switch, please", "safety_risk", &[], false),
        ("A dead letter after a fire drill", "safety_risk", &["fire drill", "dead"], true),
        // What calls for somebody to step in is quiet by any cue's words.
        ("Use the kill switch, please", "step_in", &["kill switch"], true),
        ("Use the kill switch or I burn", "step_in", &["kill switch", "I burn"], false),
        // A letter whose small form is longer or shorter moves no word.
        ("İİ, the KILL SWITCH", "safety_risk", &["KILL SWITCH"], true),
        ("İİ, the kill switch, I burn", "safety_risk", &["I burn"], false),
        ("İ \u{212a} kill switch", "safety_risk", &["\u{212a}"], false),
    ];
    for (text, cue, evidence, quiet) in rows {
        let spans: Vec<EvidenceSpan> = evidence.iter().map(|words| evidence_of(text, words)).collect();
        assert_eq!(rules.is_quiet(text, cue, &spans), quiet, "{text:?} {cue} {evidence:?}");
    }
}

fn cue(text: &str, name: &str, words: &str) -> LabelAssessment {
    let (high, low) = (Probability::try_new(0.95).unwrap(), Probability::try_new(0.5).unwrap());
    let spans = vec![evidence_of(text, words)];
    let evidence = Some(Evidence { logit: 3.0, bias: 1.0, spans, remainder: 0.0 });
    LabelAssessment { label: name.into(), probability: high, threshold: low, predicted: true, evidence }
}

#[test]
fn a_quiet_cue_is_not_heard_and_another_one_in_the_same_text_is() {
    let text = "Your kill switch failed, my lawyer will call";
    let third = Probability::try_new(1.0 / 3.0).unwrap();
    let assessment = Assessment {
        status: Status::Ok,
        language: None,
        language_confidence: 0.0,
        coverage: 1.0,
        token_count: 9,
        window_count: 1,
        evidence: None,
        sentiment: Some(Sentiment::new(third, third, third)),
        emotions: Vec::new(),
        emotion_groups: Vec::new(),
        cues: vec![
            cue(text, "safety_risk", "kill switch"),
            cue(text, "legal_threat", "kill switch failed, my lawyer"),
        ],
        other_heads: vec![
            HeadAssessment { head: "topic".into(), labels: vec![cue(text, "step_in", "failed")] },
            HeadAssessment { head: "escalation".into(), labels: vec![cue(text, "step_in", "kill switch")] },
        ],
        sentences: Vec::new(),
        model_id: String::new(),
        model_version: String::new(),
    };
    let rules = rules();
    let signals = TurnSignals::of(text, &assessment, |cue, spans| rules.is_quiet(text, cue, spans)).unwrap();
    assert_eq!(signals.cue("safety_risk"), 0.0);
    assert!(signals.cue("legal_threat") > 0.8);
    assert_eq!((signals.step_in, signals.spans.len()), (0.0, 1));
    let loud = TurnSignals::of(text, &assessment, |_, _| false).unwrap();
    assert!(loud.cue("safety_risk") > 0.8 && loud.spans.len() == 3);
    assert!((0.6..0.8).contains(&loud.step_in), "the escalation head's label, half as steep as a strength");
    assert_eq!(
        TurnSignals::of(text, &Assessment { status: Status::Empty, ..assessment }, |_, _| false),
        None
    );
}
