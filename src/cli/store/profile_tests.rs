//! A customer as people see them.

use super::*;
use crate::lifecycle::{Observation, SignalKind, Stage};
use crate::storage::CustomerKey;

fn bare(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn message(id: &str, at_ms: i64, score: f64) -> Observation {
    Observation {
        id: id.into(),
        at_ms,
        channel: "email".into(),
        score: Some(score),
        cues: vec![("churn_intent".into(), 0.9)],
        nps: Some(3),
        csat: None,
        escalation: 0.0,
        recovered: false,
    }
}

fn customer() -> Customer {
    let account = Account {
        tier: Some("gold\u{1b}[2J".into()),
        renewal_ms: Some(1_711_843_200_000),
        ..Account::default()
    };
    let heard = [message("int_1", 1_700_000_000_000, -0.9), message("int_2", 1_700_000_100_000, -0.8)];
    Customer {
        key: CustomerKey::new("eu", "ann@example.com"),
        profile: Profile::of(&heard, &account),
        account,
        active: vec![SignalKind::ChurnRiskRaised],
        updated_ms: 0,
    }
}

#[test]
fn a_customer_is_shown_with_reasons_that_add_up() {
    let held = customer();
    let shown = bare(&text(&held, &held.profile));
    let churn = held.profile.churn.as_ref().unwrap();
    for part in [
        "ann@example.com  tenant eu\n",
        "  as of       2023-11-14T22:15:00Z; 2 interactions are taken into account",
        "  stage       retention  for cue.churn_intent\n",
        "  signals     churn_risk_raised\n",
        "  nps         3 detractor, of 2023-11-14T22:15:00Z",
        "renewal 2024-03-31T00:00:00Z",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    let printed: Vec<f64> = shown
        .lines()
        .filter(|line| line.starts_with("      ") && line.contains('█'))
        .map(|line| line.split_whitespace().next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(printed.len(), churn.reasons.len());
    let sum = churn.base + printed.iter().sum::<f64>();
    assert!((sum - churn.log_odds).abs() < 0.005 * (printed.len() + 1) as f64, "{sum}\n{shown}");
}

#[test]
fn a_level_leans_to_its_side_and_every_bar_is_as_long() {
    for (level, expected) in [
        (-1.0, "████████│░░░░░░░░"),
        (-0.5, "░░░░████│░░░░░░░░"),
        (0.0, "░░░░░░░░│░░░░░░░░"),
        (0.25, "░░░░░░░░│██░░░░░░"),
        (7.0, "░░░░░░░░│████████"),
    ] {
        assert_eq!(bare(&level_bar(level)), expected, "{level}");
    }
}

#[test]
fn a_customer_of_the_crm_alone_says_that_nothing_was_heard() {
    let account = Account { stage: Some(Stage::Growth), ..Account::default() };
    let profile = Profile::of(&[], &account);
    let key = CustomerKey::new("", "b");
    let held = Customer { key, account, profile, active: Vec::new(), updated_ms: 0 };
    let shown = bare(&text(&held, &held.profile));
    assert!(
        shown.starts_with("b\n  as of       no interaction yet\n  stage       growth  for crm.stage\n"),
        "{shown}"
    );
    assert!(shown.contains("signals     none\n") && shown.contains("account     stage growth"), "{shown}");
    assert!(bare(&line(&held)).contains("growth"), "{}", line(&held));
}
