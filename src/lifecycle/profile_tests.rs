//! The laws of a profile.

use super::*;
use crate::lifecycle::churn::{BASE, WEIGHTS};
use crate::lifecycle::samples_tests::{DAY, account, observation, observations, on};
use crate::lifecycle::voiced::TOPICS;
use proptest::prelude::*;

fn of(observations: &[Observation]) -> Profile {
    Profile::of(observations, &Account::default())
}

fn log_odds(profile: &Profile) -> f64 {
    profile.churn.as_ref().unwrap().log_odds
}

/// With ids that differ.
fn apart(mut observations: Vec<Observation>) -> Vec<Observation> {
    observations.iter_mut().enumerate().for_each(|(n, o)| o.id = format!("i{n}"));
    observations
}

#[track_caller]
fn bounded(profile: &Profile) {
    let inside =
        |value: f64, low: f64, high: f64| assert!((low..=high).contains(&value), "{value}: {profile:?}");
    profile.level.into_iter().for_each(|level| inside(level, -1.0, 1.0));
    inside(profile.confidence, 0.0, 1.0);
    inside(profile.momentum, -2.0, 2.0);
    assert!(profile.weight >= 0.0 && profile.weight.is_finite());
    assert!(profile.channels.len() <= 7);
    profile.channels.iter().for_each(|channel| inside(channel.level, -1.0, 1.0));
    if let Some(consistency) = &profile.consistency {
        inside(consistency.value, 0.0, 1.0);
        assert!(consistency.worst.level <= consistency.best.level);
    }
    profile.nps.iter().for_each(|nps| inside(nps.conflict, 0.0, 1.0));
    if let Some(churn) = &profile.churn {
        inside(churn.probability, 0.0, 1.0);
        let heaviest: f64 = WEIGHTS.iter().map(|(_, weight)| weight.abs()).sum();
        inside(churn.log_odds, BASE - heaviest, BASE + heaviest);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_profile_is_a_function_of_the_set_whatever_the_order_and_the_repetitions(
        (all, shuffled) in observations(40).prop_flat_map(|all| {
            let twice = [all.clone(), all.iter().take(10).cloned().collect()].concat();
            (Just(all), Just(twice).prop_shuffle())
        }),
        account in account(),
    ) {
        prop_assert_eq!(Profile::of(&all, &account), Profile::of(&shuffled, &account));
    }

    #[test]
    fn every_value_is_bounded_at_every_time(all in observations(40), account in account(), later in 0..4000i64) {
        let profile = Profile::of(&all, &account);
        bounded(&profile);
        bounded(&profile.at(later * DAY));
        bounded(&profile.at(i64::MAX));
    }

    #[test]
    fn the_base_and_the_contributions_add_up_to_the_log_odds_exactly(
        all in observations(40), account in account(), later in 0..1000i64,
    ) {
        if let Some(churn) = Profile::of(&all, &account).at(later * DAY).churn {
            let sum = churn.reasons.iter().fold(churn.base, |sum, reason| sum + reason.contribution);
            prop_assert_eq!(sum, churn.log_odds);
            prop_assert!(churn.reasons.is_sorted_by(|a, b| a.contribution.abs() >= b.contribution.abs()));
            for reason in &churn.reasons {
                let (_, weight) = WEIGHTS.iter().find(|(code, _)| *code == reason.code).unwrap();
                prop_assert!(reason.contribution * weight > 0.0, "{reason:?}");
                prop_assert!(reason.observations.len() <= 3);
            }
        }
    }

    #[test]
    fn an_older_interaction_moves_the_level_less(
        all in observations(20), score in -1.0..=1.0f64, ages in (1..700i64, 1..700i64),
    ) {
        let all = [apart(all), vec![on(800.0, "chat", 0.0)]].concat();
        // Recoveries bind interactions together; here is none.
        let all: Vec<_> = all.iter().cloned().map(|o| Observation { recovered: false, ..o }).collect();
        let before = of(&all).level.unwrap();
        let with = |age: i64| {
            let added = Observation { id: "new".into(), ..on((800 - age) as f64, "chat", score) };
            of(&[all.clone(), vec![added]].concat()).level.unwrap()
        };
        let (young, old) = (ages.0.min(ages.1), ages.0.max(ages.1));
        prop_assert!((with(old) - before).abs() <= (with(young) - before).abs() + 1e-12);
    }

    #[test]
    fn with_time_everything_goes_to_what_is_known_of_nobody(all in observations(30)) {
        let profile = of(&all);
        let mut before = f64::INFINITY;
        for halves in 0..60 {
            let later = profile.at(profile.as_of_ms + halves * 30 * DAY);
            if let Some(level) = later.level {
                prop_assert!(level.abs() <= before + 1e-12);
                before = level.abs();
            }
        }
        let end = profile.at(profile.as_of_ms + 20_000 * DAY);
        prop_assert!(end.level.is_none_or(|level| level.abs() < 1e-9) && end.momentum.abs() < 1e-9);
        prop_assert!(end.consistency.is_none() && end.confidence < 1e-9);
        prop_assert!(end.churn.is_none_or(|churn| (churn.log_odds - BASE).abs() < 1e-9));
    }

    #[test]
    fn reading_twice_is_reading_once_and_never_before_the_newest_interaction(
        all in observations(20), account in account(), (one, two) in (-100..2000i64, -100..2000i64),
    ) {
        let profile = Profile::of(&all, &account);
        prop_assert_eq!(profile.at(one * DAY).at(two * DAY), profile.at(two * DAY));
        prop_assert_eq!(profile.at(profile.as_of_ms), profile.clone());
        prop_assert_eq!(profile.at(i64::MIN), profile);
    }

    #[test]
    fn reading_later_is_what_an_interaction_without_a_word_would_show(
        all in observations(20), account in account(), later in 0..400i64,
    ) {
        let profile = Profile::of(&all, &account);
        prop_assume!(profile.observations > 0);
        let at_ms = profile.as_of_ms + later * DAY;
        let silent = Observation { id: "silent".into(), at_ms, score: None, ..on(0.0, "chat", 0.0) };
        let (shown, read) = (Profile::of(&[all, vec![silent]].concat(), &account), profile.at(at_ms));
        prop_assert!((shown.level.unwrap_or_default() - read.level.unwrap_or_default()).abs() < 1e-9);
        prop_assert!((log_odds(&shown) - log_odds(&read)).abs() < 1e-9);
        prop_assert_eq!(shown.consistency.is_some(), read.consistency.is_some());
    }

    #[test]
    fn a_stronger_cue_weighs_more_in_its_own_direction_and_moves_no_other(
        all in observations(20), at in any::<prop::sample::Index>(), topic in 0..10usize,
        (weak, strong) in (0.0..=1.0f64, 0.0..=1.0f64),
    ) {
        let all = apart(all);
        prop_assume!(!all.is_empty());
        let code = TOPICS[topic].code;
        let with = |strength: f64| {
            let mut all = all.clone();
            let at = at.index(all.len());
            let said = &mut all[at].cues;
            said.retain(|(name, _)| *name != code["cue.".len()..]);
            said.push((code["cue.".len()..].to_owned(), strength));
            log_odds(&of(&all))
        };
        let weight = WEIGHTS.iter().find(|(name, _)| *name == code).map_or(0.0, |(_, weight)| *weight);
        let change = with(strong.max(weak)) - with(weak.min(strong));
        prop_assert!(change * weight.signum() >= -1e-12 && (weight != 0.0 || change == 0.0));
    }

    #[test]
    fn a_lower_newest_score_a_worse_answer_or_a_nearer_renewal_never_lowers_the_risk(
        all in observations(20), (low, high) in (-1.0..=1.0f64, -1.0..=1.0f64), (worse, better) in (0u8..=10, 0u8..=10),
        (near, far) in (0..200i64, 0..200i64),
    ) {
        let risk = |score: f64, nps: u8, renewal: i64| {
            let newest = Observation { id: "new".into(), nps: Some(nps), ..on(800.0, "chat", score) };
            let account = Account { renewal_ms: Some((800 + renewal) * DAY), ..Account::default() };
            log_odds(&Profile::of(&[apart(all.clone()), vec![newest]].concat(), &account))
        };
        let (low, high) = (low.min(high), low.max(high));
        prop_assert!(risk(low, 7, 50) >= risk(high, 7, 50) - 1e-12);
        prop_assert!(risk(0.0, worse.min(better), 50) >= risk(0.0, worse.max(better), 50));
        prop_assert!(risk(0.0, 7, near.min(far)) >= risk(0.0, 7, near.max(far)));
    }

    #[test]
    fn a_recovery_never_lowers_a_level(all in observations(20), at in any::<prop::sample::Index>()) {
        let mut all = apart(all);
        prop_assume!(!all.is_empty());
        let at = at.index(all.len());
        all[at].recovered = false;
        let before = of(&all).level;
        all[at].recovered = true;
        prop_assert!(of(&all).level >= before.map(|level| level - 1e-12));
    }

    #[test]
    fn a_profile_survives_being_written_down_and_stays_small(
        all in prop::collection::vec(observation(), 0..400), account in account(),
    ) {
        let profile = Profile::of(&all, &account);
        let json = serde_json::to_string(&profile).unwrap();
        prop_assert!(json.len() < 16 * 1024, "{} bytes", json.len());
        prop_assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile);
    }
}

#[test]
fn a_customer_of_whom_nothing_is_known_has_no_level_and_no_risk() {
    assert_eq!(of(&[]), Profile::default());
    assert_eq!(serde_json::from_str::<Profile>("{}").unwrap(), Profile::default());
    let known = Account { stage: Some(Stage::Growth), ..Account::default() };
    assert_eq!(Profile::of(&[], &known).stage, Some(Stage::Growth));
}

#[test]
fn of_two_readings_with_one_id_the_newer_counts_and_of_equally_new_ones_always_the_same() {
    let (one, two) = (on(5.0, "chat", 0.9), on(5.0, "chat", -0.9));
    assert_eq!(of(&[one.clone(), two.clone()]), of(&[two.clone(), one.clone()]));
    let newer = Observation { at_ms: two.at_ms + 1, ..two };
    assert_eq!(of(&[newer.clone(), one]), of(&[newer]));
}

#[test]
fn a_renewal_weighs_until_its_day_and_not_after_it() {
    let near = |day: i64| {
        let account = Account { renewal_ms: Some(day * DAY), ..Account::default() };
        Profile::of(&[on(100.0, "chat", 0.0)], &account).renewal_near()
    };
    assert_eq!([near(190), near(145), near(100), near(99)], [0.0, 0.5, 1.0, 0.0]);
}

#[test]
fn what_is_no_number_says_nothing() {
    let odd = Observation { csat: Some(f64::NAN), escalation: f64::NAN, ..on(1.0, "chat", f64::INFINITY) };
    let odd = odd.cue("churn_intent", f64::NAN).cue("advocacy", f64::INFINITY).nps(200);
    let profile = of(&[odd]);
    assert_eq!((profile.level, &profile.nps), (None, &None));
    bounded(&profile);
}

#[test]
fn one_interaction_is_half_the_customer_and_half_the_prior() {
    let profile = of(&[on(1.0, "chat", 1.0)]);
    assert_eq!((profile.level, profile.confidence, profile.weight), (Some(0.5), 0.5, 1.0));
    assert_eq!((profile.consistency, profile.momentum), (None, 0.25));
    let silent = Observation { score: None, csat: Some(1.0), ..on(1.0, "chat", 0.0) };
    assert_eq!(of(&[silent]).weight, 0.5, "a number says less than words");
}

#[test]
fn the_same_words_weigh_less_where_people_are_harsher() {
    let level = |channel: &str| of(&[on(1.0, channel, -0.3)]).level.unwrap();
    assert_eq!(level("social"), 0.0);
    assert!(level("survey") > level("chat") && level("chat") > level("phone"));
    assert_eq!(level("chat"), level("carrier pigeon"));
}

#[test]
fn a_channel_is_compared_when_it_has_said_enough_and_not_when_one_is_merely_busier() {
    let say = |channel: &'static str, score: f64, times: i32| {
        (0..times).map(move |n| on(f64::from(n) / 10.0, channel, score))
    };
    let consistency = |all: Vec<Observation>| of(&all).consistency;
    assert_eq!(consistency(say("chat", 0.8, 5).chain(say("email", -0.8, 1)).collect()), None);
    let torn = consistency(say("chat", 0.8, 3).chain(say("email", -0.8, 3)).collect()).unwrap();
    assert_eq!((torn.worst.channel.as_str(), torn.best.channel.as_str()), ("email", "chat"));
    assert!(torn.value < 0.5, "{torn:?}");
    // As unhappy everywhere, against what is usual there.
    let (chat, email) = (-0.55, -0.575);
    let alike = consistency(say("chat", chat, 20).chain(say("email", email, 2)).collect()).unwrap();
    assert!(alike.value > 0.95, "{alike:?}");
}

#[test]
fn the_newest_answer_counts_and_a_comment_on_the_other_side_contradicts_it() {
    use crate::lifecycle::nps::Band;
    let rows = [
        (9, Some(-0.9), Band::Promoter, true),
        (9, Some(0.9), Band::Promoter, false),
        (10, None, Band::Promoter, false),
        (8, Some(-0.9), Band::Passive, false),
        (2, Some(0.9), Band::Detractor, true),
        (6, Some(-0.9), Band::Detractor, false),
    ];
    for (answer, score, band, conflict) in rows {
        let newest = Observation { score, ..on(5.0, "survey", 0.0) }.nps(answer);
        let all = [on(1.0, "survey", 0.0).nps(0), newest, on(6.0, "chat", 0.0)];
        let nps = of(&all).nps.unwrap();
        assert_eq!((nps.answer, nps.band, nps.id.as_str()), (answer, band, "survey-5"));
        assert_eq!(nps.conflict > 0.4, conflict, "{nps:?}");
        assert_eq!(nps.promotes() > 0.0, band == Band::Promoter && !conflict, "{nps:?}");
    }
}

#[test]
fn a_recovered_conversation_lifts_the_level_again_and_is_noted() {
    let bad = on(1.0, "phone", -0.9).escalated(1.0);
    let quiet = on(3.0, "phone", -0.2);
    let alone = of(&[bad.clone(), quiet.clone()]);
    let recovered = of(&[bad, quiet.better()]);
    assert!(recovered.level.unwrap() > alone.level.unwrap() + 0.2);
    assert_eq!(recovered.recovery.unwrap().escalated, "phone-1");
    assert_eq!(alone.recovery, None);
    assert!(log_odds(&of(&[on(1.0, "chat", 0.0)])) < log_odds(&alone));
    let late = of(&[on(1.0, "phone", -0.9).escalated(1.0), on(60.0, "phone", 0.2).better()]);
    assert_eq!(late.recovery, None, "another matter");
    // Both have a recovery on day 100; only what lies in its reach is settled.
    let settled = |day: f64| {
        let end = on(100.0, "phone", 0.2).escalated(1.0).better();
        let felt = Profile::of(&[on(day, "chat", -0.9), end], &Account::default()).sums.channels;
        felt.into_iter().find(|sums| sums.channel == "chat").unwrap()
    };
    let value = |sums: ChannelSums| consistency::levels_after(&[sums], 0.0)[0].clone();
    let (near, far) = (value(settled(71.0)), value(settled(69.0)));
    assert!(near.level > 0.6 * far.level && near.weight > far.weight, "{near:?} {far:?}");
}

#[test]
fn the_stage_is_the_crms_else_what_the_customer_says_loudest_else_their_age() {
    let plain = || on(400.0, "chat", 0.1);
    let since = |day: i64| Account { since_ms: Some(day * DAY), ..Account::default() };
    let crm = Account { stage: Some(Stage::Growth), ..since(399) };
    let renewal = Account { renewal_ms: Some(420 * DAY), ..since(1) };
    let rows = [
        ("the CRM wins", crm, plain().cue("churn_intent", 1.0), Stage::Growth, "crm.stage"),
        ("leaving", since(1), plain().cue("churn_intent", 0.7), Stage::Retention, "cue.churn_intent"),
        (
            "hesitating",
            since(1),
            plain().cue("renewal_hesitation", 0.7),
            Stage::Retention,
            "cue.renewal_hesitation",
        ),
        (
            "starting",
            since(1),
            plain().cue("onboarding_difficulty", 0.7),
            Stage::Onboarding,
            "cue.onboarding_difficulty",
        ),
        ("recommending", since(1), plain().cue("advocacy", 0.7), Stage::Advocacy, "cue.advocacy"),
        (
            "growing",
            since(1),
            plain().cue("expansion_interest", 0.7),
            Stage::Growth,
            "cue.expansion_interest",
        ),
        (
            "looking",
            Account::default(),
            plain().cue("purchase_interest", 0.7),
            Stage::Consideration,
            "cue.purchase_interest",
        ),
        (
            "buying",
            Account::default(),
            plain().cue("purchase_interest", 0.9),
            Stage::Acquisition,
            "cue.purchase_interest",
        ),
        (
            "the loudest",
            since(1),
            plain().cue("churn_intent", 0.6).cue("advocacy", 0.9),
            Stage::Advocacy,
            "cue.advocacy",
        ),
        ("new", since(380), plain(), Stage::Onboarding, "age.new"),
        ("young", since(200), plain(), Stage::Growth, "age.young"),
        ("old", since(1), plain(), Stage::Retention, "age.old"),
        ("renewing", renewal, plain(), Stage::Retention, "renewal.near"),
        ("a user", Account::default(), plain().nps(7), Stage::Growth, "age.young"),
        ("nobody knows", Account::default(), plain(), Stage::Awareness, "contact.first"),
    ];
    for (what, account, observation, stage, reason) in rows {
        let profile = Profile::of(&[observation], &account);
        let why = profile.stage_reason.map(|reason| reason.code);
        assert_eq!((profile.stage, why.as_deref()), (Some(stage), Some(reason)), "{what}");
    }
    let unhappy = on(400.0, "chat", -0.9).cue("advocacy", 1.0);
    assert_ne!(of(&[unhappy]).stage, Some(Stage::Advocacy), "nobody recommends in anger");
}
