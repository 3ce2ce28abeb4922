//! The laws of what is told.

use super::*;
use crate::lifecycle::rules::REASONS;
use crate::lifecycle::samples_tests::{DAY, Followed, account, observations, on};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Kinds whose states have an end that is told.
const PAIRS: [(SignalKind, SignalKind); 2] = [
    (SignalKind::SentimentDrop, SignalKind::SentimentRecovered),
    (SignalKind::ChurnRiskRaised, SignalKind::ChurnRiskCleared),
];

/// Batches of one customer: each interaction once, in any order of time.
fn batches() -> impl Strategy<Value = Vec<Vec<Observation>>> {
    (observations(60), prop::collection::vec(1usize..6, 60)).prop_map(|(mut all, sizes)| {
        all.iter_mut().enumerate().for_each(|(n, o)| o.id = format!("i{n}"));
        let mut rest = all.into_iter();
        sizes
            .into_iter()
            .map(|size| rest.by_ref().take(size).collect())
            .filter(|b: &Vec<_>| !b.is_empty())
            .collect()
    })
}

fn escalation(kind: SignalKind) -> bool {
    kind >= SignalKind::EscalationRaised
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_batch_tells_each_kind_once_in_rising_ordinals_with_bounded_reasons(
        batches in batches(), account in account(),
    ) {
        let mut customer = Followed { account, ..Followed::default() };
        let (mut ordinals, mut last_ms) = (BTreeMap::<SignalKind, u32>::new(), i64::MIN);
        for batch in batches {
            let told = customer.add(&batch);
            let states = told.iter().filter(|s| !escalation(s.kind));
            let kinds: Vec<_> = states.map(|s| s.kind).collect();
            prop_assert_eq!(kinds.len(), kinds.iter().collect::<BTreeSet<_>>().len());
            for (raised, cleared) in PAIRS {
                prop_assert!(!(kinds.contains(&raised) && kinds.contains(&cleared)));
            }
            for signal in told {
                let ordinal = ordinals.entry(signal.kind).or_default();
                *ordinal += 1;
                prop_assert_eq!(signal.ordinal, *ordinal);
                prop_assert!(signal.at_ms >= last_ms && signal.at_ms == customer.profile().as_of_ms);
                last_ms = signal.at_ms;
                prop_assert!(signal.value.is_finite() && !signal.reasons.is_empty() && signal.reasons.len() <= REASONS);
                prop_assert!(signal.reasons.iter().all(|r| r.observations.len() <= 3));
                prop_assert!(batch.iter().any(|o| o.id == signal.cause), "the cause is what was added");
                let of_churn = PAIRS[1] == (signal.kind, PAIRS[1].1) || PAIRS[1].1 == signal.kind;
                let sum: f64 = signal.reasons.iter().map(|r| r.contribution).sum();
                prop_assert!(of_churn || (sum - signal.value).abs() < 1e-9, "{signal:?}");
            }
        }
    }

    #[test]
    fn nothing_new_tells_nothing_and_changes_nothing(batches in batches(), account in account()) {
        let mut customer = Followed { account, ..Followed::default() };
        for batch in batches {
            customer.add(&batch);
            let profile = customer.profile();
            let again = follow(&customer.memory, &profile, &customer.account, &batch);
            prop_assert_eq!(again, (customer.memory.clone(), Vec::new()));
            let none = follow(&customer.memory, &profile.at(i64::MAX), &customer.account, &[]);
            prop_assert_eq!(none, (customer.memory.clone(), Vec::new()));
        }
    }

    #[test]
    fn what_is_late_never_changes_what_was_told_after_it(
        batches in batches(), late in observations(20), account in account(),
    ) {
        let mut customer = Followed { account, ..Followed::default() };
        batches.iter().for_each(|batch| drop(customer.add(batch)));
        for (n, late) in late.into_iter().enumerate() {
            let late = Observation { id: format!("late{n}"), ..late };
            let before = customer.memory.tracks.clone();
            let signals = customer.add(std::slice::from_ref(&late));
            for border in STATES {
                let told_ms = before.get(&border.kind).and_then(|track| track.told_ms);
                if told_ms.is_some_and(|told_ms| late.at_ms <= told_ms) {
                    let of_it = |s: &Signal| s.kind == border.kind || Some(s.kind) == border.end;
                    prop_assert!(!signals.iter().any(of_it), "{signals:?}");
                    prop_assert_eq!(before.get(&border.kind), customer.memory.tracks.get(&border.kind));
                }
            }
        }
    }

    #[test]
    fn a_state_is_told_to_end_only_when_it_was_told_to_begin(batches in batches(), account in account()) {
        let mut customer = Followed { account, ..Followed::default() };
        batches.iter().for_each(|batch| drop(customer.add(batch)));
        for (raised, cleared) in PAIRS {
            let of_pair: Vec<_> = customer.told.iter().filter(|s| [raised, cleared].contains(&s.kind)).collect();
            for (n, signal) in of_pair.iter().enumerate() {
                let before = n.checked_sub(1).map(|n| of_pair[n]);
                if signal.kind == cleared {
                    prop_assert!(before.is_some_and(|b| b.kind == raised && b.at_ms < signal.at_ms));
                } else if let Some(before) = before {
                    prop_assert!(signal.at_ms - before.at_ms >= 7 * DAY);
                }
            }
        }
    }

    #[test]
    fn memory_stays_small_for_ever_and_survives_being_written_down(batches in batches(), account in account()) {
        let mut customer = Followed { account, ..Followed::default() };
        for batch in batches {
            customer.add(&batch);
            let json = serde_json::to_string(&customer.memory).unwrap();
            prop_assert!(json.len() < 4096, "{} bytes", json.len());
            prop_assert_eq!(serde_json::from_str::<Memory>(&json).unwrap(), customer.memory.clone());
        }
        for signal in customer.told {
            let json = serde_json::to_string(&signal).unwrap();
            prop_assert_eq!(serde_json::from_str::<Signal>(&json).unwrap(), signal);
        }
        let active = customer.memory.active();
        prop_assert!(active.is_sorted() && active.iter().collect::<BTreeSet<_>>().len() == active.len());
    }
}

#[test]
fn a_memory_of_nothing_is_an_empty_object() {
    assert_eq!(serde_json::from_str::<Memory>("{}").unwrap(), Memory::default());
    let nobody = follow(&Memory::default(), &Profile::default(), &Account::default(), &[]);
    assert_eq!(nobody, (Memory::default(), Vec::new()));
}

#[test]
fn what_is_late_waits_for_the_next_newer_interaction() {
    let mut customer = Followed::default();
    let leaving = on(10.0, "chat", -0.6).cue("churn_intent", 1.0);
    assert_eq!(customer.live(&[leaving, on(16.0, "chat", 0.0)]), ["10 churn_risk_raised"]);
    // Arrives late, and outweighs the intent to leave.
    let stays = on(9.9, "phone", 1.0).cue("advocacy", 1.0).cue("resolution_confirmed", 1.0).better();
    let stays = stays.cue("expansion_interest", 1.0);
    let much: Vec<_> = (0..6).map(|n| Observation { id: format!("late{n}"), ..stays.clone() }).collect();
    let others = ["16 expansion_interest", "16 advocacy_candidate"];
    assert_eq!(customer.live(&much), others, "of these nothing newer was told");
    assert!(customer.memory.active().contains(&SignalKind::ChurnRiskRaised));
    let risk = customer.profile().churn.unwrap().probability;
    assert!(risk < 0.18, "{risk}: low enough, if it had not come late");
    assert_eq!(customer.live(&[on(17.0, "chat", 0.3)]), ["17 churn_risk_cleared"]);
}

#[test]
fn another_renewal_tells_of_the_renewal_alone_and_has_no_cause() {
    let mut customer = Followed::default();
    customer.live(&[on(10.0, "email", -0.1).cue("renewal_hesitation", 0.6)]);
    assert_eq!(customer.told, []);
    customer.account.renewal_ms = Some(20 * DAY);
    let told = customer.add(&[]);
    let kinds: Vec<_> = told.iter().map(|s| (s.kind, s.cause.as_str(), s.at_ms / DAY)).collect();
    assert_eq!(kinds, [(SignalKind::RenewalRisk, "", 10)]);
    assert_eq!(customer.add(&[]), []);
    customer.account.renewal_ms = None;
    assert_eq!(customer.add(&[]), []);
    assert_eq!(customer.memory.active(), [], "the CRM ends it at once, and nobody needs to be told");
}

#[test]
fn a_quiet_customer_leaves_nothing_to_remember() {
    let mut customer = Followed::default();
    customer.live(&[
        on(0.0, "chat", 0.1),
        on(30.0, "email", 0.2),
        on(60.0, "chat", -0.1),
        on(61.0, "chat", 0.0),
    ]);
    assert_eq!(customer.memory, Memory { at_ms: 61 * DAY, ..Memory::default() });
}

#[test]
fn the_word_of_the_crm_moves_nothing_but_what_depends_on_it() {
    let said = on(1.0, "chat", 0.0).cue("onboarding_difficulty", 1.0).cue("renewal_hesitation", 1.0);
    let account = Account { renewal_ms: Some(30 * DAY), ..Account::default() };
    let mut customer = Followed { all: vec![said], account, ..Followed::default() };
    let kinds: Vec<_> = customer.add(&[]).iter().map(|s| s.kind).collect();
    assert_eq!(kinds, [SignalKind::RenewalRisk]);
}
