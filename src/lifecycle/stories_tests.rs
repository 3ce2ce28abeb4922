//! Customers as one would tell of them, and what a CRM hears.

use crate::lifecycle::account::Account;
use crate::lifecycle::channel::{Medium, baseline};
use crate::lifecycle::churn::WEIGHTS;
use crate::lifecycle::hysteresis::Border;
use crate::lifecycle::observation::Observation;
use crate::lifecycle::rules::STATES;
use crate::lifecycle::samples_tests::{DAY, Followed, on};
use crate::lifecycle::signal::{Signal, SignalKind};
use crate::lifecycle::voiced::TOPICS;

#[track_caller]
fn story(account: Account, told: &[Observation], expected: &[&str]) -> Followed {
    let mut customer = Followed { account, ..Followed::default() };
    let heard = customer.live(told);
    let (profile, track) = (customer.profile(), &customer.memory.tracks);
    assert_eq!(heard, expected, "{:?} {:?} {track:?}", profile.levels(), profile.churn);
    customer
}

fn first(customer: &Followed, kind: SignalKind) -> &Signal {
    customer.told.iter().find(|signal| signal.kind == kind).unwrap()
}

fn codes(signal: &Signal) -> Vec<&str> {
    signal.reasons.iter().map(|reason| reason.code.as_str()).collect()
}

#[test]
fn the_calm_leaver_is_heard_without_a_bad_word() {
    let customer = story(
        Account::default(),
        &[on(0.0, "email", 0.1), on(40.0, "email", 0.0), on(80.0, "email", 0.05).cue("churn_intent", 0.85)],
        &["80 churn_risk_raised"],
    );
    let raised = first(&customer, SignalKind::ChurnRiskRaised);
    assert_eq!((codes(raised), raised.cause.as_str()), (vec!["cue.churn_intent"], "email-80"));
}

#[test]
fn the_angry_one_who_was_won_back_is_one_drop_one_risk_and_their_ends() {
    let customer = story(
        Account::default(),
        &[
            on(0.0, "chat", 0.5),
            on(30.0, "chat", 0.4),
            on(60.0, "chat", 0.5),
            on(90.0, "phone", -0.9).escalated(1.0).cue("unresolved_issue", 0.9).cue("churn_intent", 0.7),
            on(91.0, "phone", -0.8).cue("unresolved_issue", 0.9).cue("repeat_contact", 0.9),
            on(94.0, "phone", 0.1).cue("resolution_confirmed", 1.0).better(),
            on(110.0, "chat", 0.7),
            on(130.0, "chat", 0.6),
        ],
        &[
            "90 sentiment_drop",
            "90 churn_risk_raised",
            "90 escalation_raised",
            "94 escalation_recovered",
            "110 sentiment_recovered",
            "130 churn_risk_cleared",
        ],
    );
    let recovered = first(&customer, SignalKind::SentimentRecovered);
    assert!(codes(recovered).contains(&"service.recovery"), "{recovered:?}");
    assert_eq!(customer.memory.active(), []);
}

#[test]
fn the_promoter_with_an_angry_comment_is_a_question_once_per_answer() {
    let customer = story(
        Account::default(),
        &[
            on(0.0, "survey", 0.6).nps(9),
            on(90.0, "survey", -0.9).nps(9),
            on(91.0, "chat", -0.1),
            on(180.0, "survey", -0.8).nps(10),
            on(270.0, "survey", 0.9).nps(2),
            on(271.0, "email", 0.0),
        ],
        &["90 nps_conflict", "180 nps_conflict", "270 nps_conflict"],
    );
    let last = customer.told.last().unwrap();
    assert_eq!((codes(last), last.ordinal), (vec!["nps.detractor"], 3));
}

#[test]
fn trouble_getting_started_is_told_once_while_it_lasts() {
    let start = |day: f64, strength: f64| on(day, "chat", -0.3).cue("onboarding_difficulty", strength);
    let account = Account { since_ms: Some(0), ..Account::default() };
    let customer = story(
        account,
        &[start(1.0, 0.5), start(3.0, 0.8), start(6.0, 0.9), start(10.0, 0.7), on(20.0, "chat", 0.5)],
        &["3 onboarding_friction"],
    );
    assert_eq!(customer.profile().stage.map(|s| s.name()), Some("onboarding"));
    assert_eq!(first(&customer, SignalKind::OnboardingFriction).reasons[0].observations.len(), 2);
}

#[test]
fn hesitation_near_a_renewal_is_a_risk_and_far_from_one_it_is_not_yet() {
    let hesitates = [on(0.0, "email", 0.1), on(30.0, "email", -0.2).cue("renewal_hesitation", 0.75)];
    let renewal = |day: i64| Account { renewal_ms: Some(day * DAY), ..Account::default() };
    story(renewal(400), &hesitates, &[]);
    let customer = story(renewal(50), &hesitates, &["30 renewal_risk"]);
    assert_eq!(codes(first(&customer, SignalKind::RenewalRisk))[0], "cue.renewal_hesitation");
    assert_eq!(customer.profile().stage.map(|s| s.name()), Some("retention"));
}

#[test]
fn who_is_kind_on_the_phone_and_bitter_in_public_sounds_torn() {
    let customer = story(
        Account::default(),
        &[
            on(0.0, "phone", 0.7),
            on(5.0, "social", -0.9),
            on(10.0, "phone", 0.6),
            on(15.0, "social", -0.95),
            on(20.0, "phone", 0.8),
            on(25.0, "social", -0.9),
            on(26.0, "phone", 0.7),
        ],
        &["15 channel_inconsistency"],
    );
    let torn = first(&customer, SignalKind::ChannelInconsistency);
    let mut codes = codes(torn);
    codes.sort_unstable();
    assert_eq!(codes, ["channel.phone", "channel.social"]);
}

#[test]
fn who_wants_more_and_recommends_is_an_opportunity_and_no_risk() {
    let account = Account { since_ms: Some(0), ..Account::default() };
    let customer = story(
        account,
        &[
            on(100.0, "email", 0.6),
            on(130.0, "email", 0.7).cue("expansion_interest", 0.8),
            on(150.0, "survey", 0.9).nps(10).cue("advocacy", 0.9),
            on(151.0, "email", 0.8).cue("expansion_interest", 0.9).cue("advocacy", 0.8),
        ],
        &["130 expansion_interest", "150 advocacy_candidate"],
    );
    let profile = customer.profile();
    assert_eq!(profile.stage.map(|s| s.name()), Some("advocacy"));
    assert!(profile.churn.unwrap().probability < 0.05);
}

#[test]
fn who_stays_unhappy_has_not_recovered_though_they_are_used_to_it() {
    let good = (0..6).map(|n| on(f64::from(n) * 10.0, "chat", 0.6));
    let bad = (0..20).map(|n| on(60.0 + f64::from(n) * 5.0, "chat", -0.6));
    let customer = story(Account::default(), &good.chain(bad).collect::<Vec<_>>(), &["65 sentiment_drop"]);
    let levels = customer.profile().levels().unwrap();
    assert!(levels.used.unwrap() - levels.fast < 0.2, "{levels:?}: the habit has followed");
}

#[test]
fn nobody_asks_for_more_who_is_about_to_leave() {
    let leaving = on(10.0, "chat", -0.7).cue("churn_intent", 1.0).cue("expansion_interest", 0.8);
    story(Account::default(), &[leaving.cue("advocacy", 0.8)], &["10 churn_risk_raised"]);
}

#[test]
fn a_year_of_history_at_once_tells_how_the_customer_stands_and_not_how_it_came_about() {
    let mut customer = Followed::default();
    let year: Vec<_> = (0..50)
        .map(|week| {
            on(f64::from(week) * 7.0, "chat", if week % 4 == 0 { -0.9 } else { 0.6 })
                .escalated(f64::from(u8::from(week % 4 == 0)))
        })
        .chain([on(351.0, "chat", -0.5).cue("churn_intent", 1.0)])
        .collect();
    let told = customer.add(&year);
    let kinds: Vec<_> = told.iter().map(|s| s.kind.name()).collect();
    assert_eq!(kinds, ["churn_risk_raised"]);
}

#[test]
fn what_comes_a_year_later_is_news_again() {
    let leaves = |day: f64| on(day, "chat", -0.2).cue("churn_intent", 0.95);
    story(
        Account::default(),
        &[leaves(0.0), leaves(365.0)],
        &["0 churn_risk_raised", "365 churn_risk_raised"],
    );
}

#[test]
fn the_example_of_the_document_is_what_the_code_says() {
    let all = [
        on(0.0, "email", 0.3),
        on(14.0, "phone", 0.2),
        on(29.0, "chat", -0.7).cue("churn_intent", 0.8).cue("unresolved_issue", 0.7).escalated(2.0 / 3.0),
    ];
    let account = Account { renewal_ms: Some(89 * DAY), ..Account::default() };
    let mut customer = Followed { account, ..Followed::default() };
    assert_eq!(customer.live(&all), ["29 sentiment_drop", "29 churn_risk_raised", "29 escalation_raised"]);
    let profile = customer.profile();
    let (levels, churn) = (profile.levels().unwrap(), profile.churn.clone().unwrap());
    let found = [levels.level, profile.confidence, levels.slow, levels.fast, profile.momentum];
    assert_eq!(found.map(thousandths), [-93, 689, -38, -275, -237]);
    let found = [levels.used.unwrap(), customer.told[0].value, churn.log_odds, churn.probability];
    assert_eq!(found.map(thousandths), [186, 462, 1020, 735]);
    let shares: Vec<_> = churn.reasons.iter().map(|r| thousandths(r.contribution)).collect();
    assert_eq!(shares, [2353, 552, 493, 237, 200, 185]);
    let later = [59, 89].map(|day| thousandths(profile.at(day * DAY).churn.unwrap().probability));
    assert_eq!(later, [369, 214]);
}

fn thousandths(value: f64) -> i64 {
    (value * 1000.0).round() as i64
}

#[test]
fn the_document_names_every_border_weight_and_half_life() {
    let document = include_str!("../../docs/lifecycle.md");
    let has = |name: &str, cells: &str| {
        let row = |line: &str| line.starts_with(&format!("| `{name}`")) && line.contains(cells);
        assert!(document.lines().any(row), "{name}: {cells}");
    };
    for state in STATES {
        let Border { raise, clear, hold_days, cool_days, lapse_days, .. } = state;
        let cells = format!("| {raise:.2} | {clear:.2} | {hold_days} | {cool_days} | {lapse_days} |");
        has(state.kind.name(), &cells);
    }
    WEIGHTS.iter().for_each(|(code, weight)| has(code, &format!("| {weight:+.1} |").replace('-', "−")));
    TOPICS.iter().for_each(|topic| has(topic.code, &format!("| {} |", topic.half_life_days)));
    SignalKind::ALL.iter().for_each(|kind| assert!(document.contains(kind.name()), "{kind:?}"));
    Medium::all().filter(|medium| medium.name() != "unknown").for_each(|channel| {
        let cells = format!("| {:.2} |", baseline(channel)).replace('-', "−");
        let row = |line: &str| line.contains(&format!("`{}`", channel.name())) && line.contains(&cells);
        assert!(document.lines().any(row), "{channel:?}: {cells}");
    });
}
