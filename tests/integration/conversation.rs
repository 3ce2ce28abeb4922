//! Whole conversations.

use attune::api::grpc::v1;
use tonic::Code;
use tonic_types::StatusExt;
use v1::ParticipantRole as Role;

use crate::support::{TestServer, customer, steered, turn};

/// A customer whose matter fails, an agent who is sorry, a program, and a threat.
fn turns() -> Vec<v1::Turn> {
    vec![
        customer("Hello, my parcel number is seven"),
        turn(Role::Agent, "Let me look it up for you"),
        customer("It is late again and I am furious"),
        turn(Role::Supervisor, "I am so sorry"),
        turn(Role::Bot, "Please hold the line, my lawyer is a program"),
        customer("Then my lawyer will write to you"),
    ]
}

fn call(turns: Vec<v1::Turn>) -> v1::AnalyzeConversationRequest {
    let context = v1::ConversationContext { language: "en".into(), ..Default::default() };
    v1::AnalyzeConversationRequest {
        conversation_id: "c1".into(),
        context: Some(context),
        turns,
        ..Default::default()
    }
}

/// The contributions add up to the log-odds, and these to the probability.
fn check_risk(risk: &v1::Risk) {
    let sum = risk.reasons.iter().fold(risk.base, |sum, reason| sum + reason.contribution);
    assert_eq!(sum, risk.log_odds);
    assert!((1.0 / (1.0 + (-sum).exp()) - risk.probability).abs() < 1e-12);
    assert!(risk.reasons.is_sorted_by(|a, b| a.contribution.abs() >= b.contribution.abs()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_read_turn_by_turn_with_reasons_that_add_up() {
    let server = TestServer::start(&[], steered()).await;
    let mut client = server.conversations().await;
    let answer = client.analyze_conversation(call(turns())).await.unwrap().into_inner();
    assert_eq!((answer.conversation_id.as_str(), answer.turns.len()), ("c1", 6));
    for (n, result) in answer.turns.iter().enumerate() {
        assert_eq!((result.index as usize, result.assessment.is_some()), (n, n != 4), "bots are not read");
    }
    let tiers: Vec<_> = answer.turns.iter().map(v1::TurnResult::tier).collect();
    assert_eq!((tiers[0], tiers[4], tiers[5]), (v1::Tier::None, tiers[2], v1::Tier::Urgent));

    let state = answer.state.unwrap();
    let (detection, forecast) = (state.detection.as_ref().unwrap(), state.forecast.as_ref().unwrap());
    check_risk(detection);
    check_risk(forecast);
    let last = &answer.turns[5];
    assert_eq!((last.detection, last.forecast), (detection.probability, forecast.probability));
    assert_eq!(state.policy_version, "explicit-1");
    let reason = &detection.reasons[0];
    assert_eq!(
        (reason.code.as_str(), reason.turns.as_slice()),
        ("joint.explicit_cue.legal_threat", &[5][..])
    );
    let span = reason.spans[0].span.unwrap();
    let said = &turns()[reason.spans[0].turn as usize].text;
    let words = &said[span.byte_start as usize..span.byte_end as usize];
    assert!(words.contains("lawyer"), "{words}");

    assert_eq!(answer.events.last().unwrap().alert, state.alert);
    assert!(answer.events.iter().zip(1..).all(|(event, n)| event.sequence == n));
    let trajectory = answer.trajectory.unwrap();
    let points: Vec<u32> = trajectory.points.iter().map(|p| p.turn).collect();
    assert_eq!((points, trajectory.lowest.unwrap().turn), (vec![0, 2, 5], 2));
    assert_eq!(trajectory.level, state.level);
    let empathy = answer.empathy.unwrap();
    assert_eq!((empathy.met_turns, empathy.missed_turns), (vec![2], vec![]));
    assert_eq!(answer.model.unwrap().id, "attune-en-small");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn participants_come_in_the_order_of_their_first_turn_and_only_customers_feel() {
    let server = TestServer::start(&[], steered()).await;
    let mut client = server.conversations().await;
    let named = |name: &str, turn: v1::Turn| v1::Turn { participant: name.into(), ..turn };
    let turns = vec![
        named("maria", customer("I am furious")),
        named("maria", turn(Role::Agent, "This is wonderful")),
        turn(Role::System, "A wonderful day: Tom joined"),
        named("tom", customer("It is wonderful")),
        named("maria", customer("")),
    ];
    let answer = client.analyze_conversation(call(turns)).await.unwrap().into_inner();
    let found: Vec<_> = answer
        .participants
        .iter()
        .map(|p| (p.participant.as_str(), p.role(), p.turn_count, p.level.is_some(), p.lowest_turn))
        .collect();
    assert_eq!(
        found,
        [
            ("maria", Role::Customer, 2, true, Some(0)),
            ("maria", Role::Agent, 1, false, None),
            ("system", Role::System, 1, false, None),
            ("tom", Role::Customer, 1, true, Some(3)),
        ]
    );
    let scores: Vec<_> = answer.participants.iter().filter_map(|p| p.mean).collect();
    assert!(scores[0] < -0.9 && scores[1] > 0.9, "{scores:?}");
    let empty = answer.turns[4].assessment.as_ref().unwrap();
    assert_eq!(empty.status(), v1::Status::Empty, "it is told, and says nothing");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_and_agents_alone_have_no_level_and_no_alert() {
    let server = TestServer::start(&[], steered()).await;
    let mut client = server.conversations().await;
    let answer = client.analyze_conversation(call(vec![])).await.unwrap().into_inner();
    assert_eq!((answer.state, answer.model, answer.turns.len()), (None, None, 0));
    let agents = vec![turn(Role::Agent, "I am furious, my lawyer writes"), turn(Role::Supervisor, "furious")];
    let answer = client.analyze_conversation(call(agents)).await.unwrap().into_inner();
    let state = answer.state.unwrap();
    assert_eq!((state.tier(), state.level, &state.alert), (v1::Tier::None, None, &None));
    let risk = state.detection.unwrap();
    assert_eq!((risk.log_odds, risk.reasons.len()), (risk.base, 0));
    assert_eq!((answer.events.len(), answer.trajectory.unwrap().points.len()), (0, 0));
    assert!(answer.turns.iter().all(|turn| turn.assessment.is_some()), "agents are read");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_name_the_field_at_fault() {
    let settings = [("limits.text_bytes", "1000"), ("limits.conversation_turns", "6")];
    let server = TestServer::start(&settings, steered()).await;
    let mut client = server.conversations().await;
    let changed = |change: fn(&mut v1::AnalyzeConversationRequest)| {
        let mut call = call(turns());
        change(&mut call);
        call
    };
    let context = |change: fn(&mut v1::ConversationContext)| {
        let mut call = call(turns());
        change(call.context.as_mut().unwrap());
        call
    };
    for (call, field) in [
        (changed(|c| c.turns.push(customer("one more"))), "turns"),
        (changed(|c| c.turns[1].role = 0), "turns[1].role"),
        (changed(|c| c.turns[1].role = 6), "turns[1].role"),
        (changed(|c| c.turns[3].text = "x".repeat(1001)), "turns[3].text"),
        (changed(|c| c.turns[2].participant = "x".repeat(257)), "turns[2].participant"),
        (changed(|c| c.conversation_id = "x".repeat(257)), "conversation_id"),
        (
            changed(|c| {
                c.options = Some(v1::AnalysisOptions { heads: vec!["mood".into()], ..Default::default() })
            }),
            "options.heads[0]",
        ),
        (context(|c| c.channel = 77), "context.channel"),
        (context(|c| c.tenant = "x".repeat(257)), "context.tenant"),
        (context(|c| c.language = "english please".into()), "context.language"),
        (context(|c| c.account = [("vip".to_owned(), f64::NAN)].into()), "context.account"),
        (context(|c| c.account = [("vip".to_owned(), 1e300)].into()), "context.account"),
    ] {
        let status = client.analyze_conversation(call).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, field);
    }
    client.analyze_conversation(call(turns())).await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn options_change_the_assessments_and_never_the_risk() {
    let server = TestServer::start(&[], steered()).await;
    let mut client = server.conversations().await;
    let plain = client.analyze_conversation(call(turns())).await.unwrap().into_inner();
    let deaf = v1::AnalysisOptions {
        heads: vec!["emotion".into()],
        thresholds: [("legal_threat".to_owned(), 1.0)].into(),
        evidence: Some(false),
        ..Default::default()
    };
    let chosen = v1::AnalyzeConversationRequest { options: Some(deaf), ..call(turns()) };
    let chosen = client.analyze_conversation(chosen).await.unwrap().into_inner();
    assert_eq!((&chosen.state, &chosen.events), (&plain.state, &plain.events));
    let assessment = chosen.turns[5].assessment.as_ref().unwrap();
    assert!(assessment.cues.is_empty() && assessment.sentiment.is_none());
    let cues = |answer: &v1::AnalyzeConversationResponse| {
        answer.turns[5]
            .assessment
            .as_ref()
            .map(|a| a.cues.iter().map(|c| c.label.clone()).collect::<Vec<_>>())
    };
    assert_eq!(cues(&plain), Some(vec!["legal_threat".to_owned()]), "what is predicted, and no more");
    let bare = v1::AnalyzeConversationRequest { omit_assessments: true, ..call(turns()) };
    let bare = client.analyze_conversation(bare).await.unwrap().into_inner();
    assert!(bare.turns.iter().all(|turn| turn.assessment.is_none()));
    assert_eq!((&bare.state, &bare.model), (&plain.state, &plain.model));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_conversation_is_read_in_its_order() {
    let server = TestServer::start(&[], steered()).await;
    let mut client = server.conversations().await;
    let turns: Vec<_> =
        (0..300).map(|n| customer(if n % 3 == 0 { "I am furious" } else { "It is wonderful" })).collect();
    let answer = client.analyze_conversation(call(turns)).await.unwrap().into_inner();
    let points = answer.trajectory.unwrap().points;
    assert_eq!(points.len(), 300);
    assert!(points.iter().zip(0..).all(|(p, n)| p.turn == n && (p.score < 0.0) == (n % 3 == 0)));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_in_force_is_shown_with_what_it_weighs() {
    let server = TestServer::start(&[], steered()).await;
    let mut client = server.conversations().await;
    let policy = client.get_policy(v1::GetPolicyRequest::default()).await.unwrap().into_inner();
    assert_eq!((policy.version.as_str(), policy.detection_base), ("explicit-1", -9.0));
    let legal = policy.features.iter().find(|f| f.code == "cue.legal_threat").unwrap();
    assert_eq!(
        (legal.detection_weight, legal.forecast_weight, legal.meaning.as_str()),
        (2.0, 0.0, "legal threat")
    );
    let wrong = v1::GetPolicyRequest { channel: 9, ..Default::default() };
    assert_eq!(client.get_policy(wrong).await.unwrap_err().code(), Code::InvalidArgument);
    server.stop().await;
}
