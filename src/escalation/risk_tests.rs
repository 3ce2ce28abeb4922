//! Risk adds up, and its reasons say why.

use super::*;
use crate::domain::Channel;
use crate::escalation::features::Sign;
use crate::escalation::samples_tests::{Said, feature, history, said};
use proptest::prelude::*;

prop_compose! {
    fn weights()(
        base in -50.0..=50.0f64,
        features in prop::collection::btree_map(feature(), 0.0..=50.0f64, 0..20),
        account in prop::collection::btree_map("[a-d]", -50.0..=50.0f64, 0..4),
    ) -> Weights {
        let signed = |(feature, weight): (Feature, f64)| match feature.sign() {
            Sign::Risk => (feature, weight),
            Sign::Protective => (feature, -weight),
        };
        Weights { base, features: features.into_iter().map(signed).collect(), account }
    }
}

proptest! {
    #[test]
    fn the_base_and_the_contributions_add_up_to_the_log_odds_exactly(
        weights in weights(),
        (history, measures) in history(),
        account in prop::collection::btree_map("[a-d]", -1e12..=1e12f64, 0..4),
    ) {
        let risk = weights.evaluate(&history, &measures, &account);
        let sum = risk.reasons.iter().fold(risk.base, |sum, reason| sum + reason.contribution);
        prop_assert_eq!(sum, risk.log_odds);
        prop_assert!(risk.reasons.is_sorted_by(|a, b| a.contribution.abs() >= b.contribution.abs()));
        for reason in &risk.reasons {
            let weight = match reason.code.strip_prefix(ACCOUNT) {
                Some(name) => weights.account[name],
                None => weights.features[&of_code(&reason.code)],
            };
            prop_assert_eq!(reason.contribution, weight * reason.value);
            prop_assert!(reason.contribution != 0.0);
        }
    }
}

/// The feature of a reason's code, which may name the cue behind it.
fn of_code(code: &str) -> Feature {
    let behind_a_cue = || code.rsplit_once('.').and_then(|(name, _)| Feature::of_name(name));
    Feature::of_name(code).or_else(behind_a_cue).unwrap()
}

#[test]
fn a_reason_that_any_of_several_cues_may_give_names_the_one_that_did() {
    let weights = Weights { features: [(Feature::ExplicitCue, 8.0)].into(), ..Weights::default() };
    let code = |turn: Said<'_>| {
        let mut history = History::default();
        history.customer(0, None, said(turn), Channel::Chat, &Measures::default());
        let risk = weights.evaluate(&history, &Measures::default(), &Account::default());
        risk.reasons.into_iter().map(|reason| reason.code).collect::<Vec<_>>()
    };
    assert_eq!(code(&[("legal_threat", 0.9), ("churn_intent", 0.6)]), ["joint.explicit_cue.legal_threat"]);
    assert_eq!(code(&[("legal_threat", 0.3)]), ["joint.explicit_cue"]);
    assert!(code(&[("urgency", 0.9)]).is_empty());
}

#[test]
fn the_account_weighs_by_its_names_and_what_is_not_known_weighs_nothing() {
    let map = |pairs: &[(&str, f64)]| pairs.iter().map(|(name, v)| ((*name).to_owned(), *v)).collect();
    let weights =
        Weights { base: -1.0, account: map(&[("vip", 2.0), ("years", -0.1)]), ..Weights::default() };
    let rows: [(Said, Said); 4] = [
        (&[], &[]),
        (&[("vip", 1.0)], &[("account.vip", 2.0)]),
        (&[("vip", 1.0), ("years", 30.0)], &[("account.years", -3.0), ("account.vip", 2.0)]),
        (&[("vip", 0.0), ("age", 30.0)], &[]),
    ];
    for (account, expected) in rows {
        let risk = weights.evaluate(&History::default(), &Measures::default(), &map(account));
        let found: Vec<_> = risk.reasons.iter().map(|r| (r.code.as_str(), r.contribution)).collect();
        assert_eq!(found, expected, "{account:?}");
    }
}

#[test]
fn the_heaviest_reason_comes_first_whichever_way_it_pulls() {
    let mut history = History::default();
    let turn = said(&[("legal_threat", 0.5), ("resolution_confirmed", 1.0), ("urgency", 1.0)]);
    history.customer(0, None, turn, Channel::Chat, &Measures::default());
    let features = [("cue.legal_threat", 6.0), ("cue.resolution_confirmed", -4.0), ("cue.urgency", 1.0)];
    let features = features.map(|(name, weight)| (Feature::of_name(name).unwrap(), weight)).into();
    let weights = Weights { base: -2.0, features, ..Weights::default() };
    let risk = weights.evaluate(&history, &Measures::default(), &Account::new());
    let codes: Vec<_> = risk.reasons.iter().map(|r| r.code.as_str()).collect();
    assert_eq!(codes, ["cue.resolution_confirmed", "cue.legal_threat", "cue.urgency"]);
    assert_eq!((risk.log_odds, risk.probability()), (-2.0, Probability::of_logit(-2.0)));
}
