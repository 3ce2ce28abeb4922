//! Conversations that are followed live, over streams that break.

use attune::api::grpc::v1;
use attune::inference::fake::{FakeFactory, Gate};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use v1::ParticipantRole as Role;
use v1::monitor_conversation_request::Action;
use v1::monitor_conversation_response::Outcome;

use crate::support::{TestServer, customer, steered, turn};

/// A MonitorConversation call, one request and one answer at a time or many.
pub(crate) struct Line {
    requests: mpsc::Sender<v1::MonitorConversationRequest>,
    answers: tonic::Streaming<v1::MonitorConversationResponse>,
}

impl Line {
    pub(crate) async fn begin(server: &TestServer) -> Self {
        let (requests, inbound) = mpsc::channel(64);
        let call = server.conversations().await.monitor_conversation(ReceiverStream::new(inbound)).await;
        Self { requests, answers: call.unwrap().into_inner() }
    }

    async fn send(&self, id: &str, action: Action) {
        let request = v1::MonitorConversationRequest { conversation_id: id.into(), action: Some(action) };
        self.requests.send(request).await.unwrap();
    }

    async fn answer(&mut self) -> (String, Outcome) {
        let answer = self.answers.next().await.unwrap().unwrap();
        (answer.conversation_id, answer.outcome.unwrap())
    }

    async fn ask(&mut self, id: &str, action: Action) -> Outcome {
        self.send(id, action).await;
        let (of, outcome) = self.answer().await;
        assert_eq!(of, id);
        outcome
    }

    pub(crate) async fn open(&mut self, id: &str, open: v1::OpenConversation) -> v1::ConversationOpened {
        match self.ask(id, Action::Open(open)).await {
            Outcome::Opened(opened) => opened,
            other => panic!("{id} was not opened: {other:?}"),
        }
    }

    pub(crate) async fn say(&mut self, id: &str, number: u64, turn: v1::Turn) -> v1::TurnUpdate {
        match self.ask(id, said(number, turn)).await {
            Outcome::Update(update) => update,
            other => panic!("{id} {number} was not heard: {other:?}"),
        }
    }

    async fn refused(&mut self, id: &str, action: Action) -> v1::ItemError {
        match self.ask(id, action).await {
            Outcome::Error(error) => error,
            other => panic!("{id} was not refused: {other:?}"),
        }
    }
}

fn said(number: u64, turn: v1::Turn) -> Action {
    Action::Turn(v1::MonitoredTurn { number, turn: Some(turn) })
}

fn close() -> Action {
    Action::Close(v1::CloseConversation {})
}

/// In English, after the event of that number.
fn english(last_event: u64) -> v1::OpenConversation {
    let context = v1::ConversationContext { language: "en".into(), ..Default::default() };
    v1::OpenConversation { context: Some(context), last_event, ..Default::default() }
}

fn sequences(events: &[v1::AlertEvent]) -> Vec<u64> {
    events.iter().map(|event| event.sequence).collect()
}

/// A threat, an answer, and calm turns that end its alert with the last one.
fn turns() -> Vec<v1::Turn> {
    let calm = ["one thing more", "my number is four", "on the left side", "until Friday", "and that was it"];
    let mut turns = vec![customer("my lawyer will write"), turn(Role::Agent, "I am sorry")];
    turns.extend(calm.map(customer));
    turns
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_answered_one_by_one_and_the_stream_goes_on() {
    let server = TestServer::start(&[("limits.text_bytes", "1000")], steered()).await;
    let mut line = Line::begin(&server).await;
    let error = line.refused("c1", said(1, customer("too early"))).await;
    assert_eq!(error.code, Code::FailedPrecondition as i32);
    assert!(error.message.contains("send open first"), "{}", error.message);
    let error = line.refused("c1", close()).await;
    assert_eq!(error.code, Code::FailedPrecondition as i32, "a close says of what tenant by its opening");
    line.open("c1", english(0)).await;
    let wrong_context = v1::ConversationContext { channel: 9, ..Default::default() };
    let wrong_open = v1::OpenConversation { context: Some(wrong_context), ..Default::default() };
    let nothing_said = Action::Turn(v1::MonitoredTurn { number: 1, turn: None });
    for (action, field, message) in [
        (said(0, customer("a")), "turn.number", "counted from 1"),
        (said(2, customer("a")), "turn.number", "is 2, expected 1"),
        (said(1, turn(Role::Unspecified, "a")), "turn.turn.role", "expected 1 to 5"),
        (said(1, customer(&"x".repeat(1001))), "turn.turn.text", "has 1001 bytes"),
        (nothing_said, "turn.turn", "expected a turn"),
        (Action::Open(wrong_open), "open.context.channel", "is not a Channel"),
    ] {
        let error = line.refused("c1", action).await;
        assert_eq!((error.code, error.field.as_str()), (Code::InvalidArgument as i32, field));
        assert!(error.message.contains(message), "{}", error.message);
    }
    let error = line.refused("", Action::Open(english(0))).await;
    assert_eq!(error.field, "conversation_id");
    let nothing = v1::MonitorConversationRequest { conversation_id: "c1".into(), action: None };
    line.requests.send(nothing).await.unwrap();
    assert!(matches!(line.answer().await.1, Outcome::Error(error) if error.field == "action"));
    // Nothing of that was heard.
    let update = line.say("c1", 1, customer("my lawyer will write")).await;
    assert_eq!((update.repeated, sequences(&update.events)), (false, vec![1]));
    drop(line);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_conversation_ends_as_the_whole_one_does() {
    let server = TestServer::start(&[], steered()).await;
    let call = v1::AnalyzeConversationRequest {
        conversation_id: "c1".into(),
        context: english(0).context,
        turns: turns(),
        ..Default::default()
    };
    let whole = server.conversations().await.analyze_conversation(call).await.unwrap().into_inner();
    let mut line = Line::begin(&server).await;
    line.open("c1", v1::OpenConversation { assessments: true, ..english(0) }).await;
    let (mut events, mut state) = (Vec::new(), None);
    for (turn, (number, result)) in turns().into_iter().zip((1..).zip(&whole.turns)) {
        let update = line.say("c1", number, turn).await;
        assert_eq!((update.number, update.repeated), (number, false));
        assert_eq!(update.assessment, result.assessment);
        let now = update.state.unwrap();
        assert_eq!((now.tier, now.detection.as_ref().unwrap().probability), (result.tier, result.detection));
        events.extend(update.events);
        state = Some(now);
    }
    assert_eq!((&state, &events), (&whole.state, &whole.events));
    let changes: Vec<_> = events.iter().map(v1::AlertEvent::change).collect();
    assert_eq!(changes, [v1::AlertChange::Raised, v1::AlertChange::Cleared]);
    drop(line);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_stream_carries_conversations_that_know_nothing_of_each_other() {
    let server = TestServer::start(&[], steered()).await;
    let mut line = Line::begin(&server).await;
    line.open("loud", english(0)).await;
    line.open("calm", english(0)).await;
    let loud = line.say("loud", 1, customer("my lawyer will write")).await;
    let calm = line.say("calm", 1, customer("a question about my parcel")).await;
    assert_eq!((loud.state.unwrap().tier(), loud.events.len()), (v1::Tier::Urgent, 1));
    assert_eq!((calm.state.unwrap().tier(), calm.events.len()), (v1::Tier::None, 0));
    assert!(matches!(line.ask("loud", close()).await, Outcome::Closed(_)));
    let error = line.refused("loud", said(2, customer("still there?"))).await;
    assert_eq!(error.code, Code::FailedPrecondition as i32);
    let calm = line.say("calm", 2, customer("my lawyer will write")).await;
    assert_eq!(sequences(&calm.events), [1], "each has numbers of its own");
    drop(line);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_gets_what_was_missed_once_and_goes_on() {
    let server = TestServer::start(&[], steered()).await;
    let mut first = Line::begin(&server).await;
    first.open("c1", english(0)).await;
    let raised = first.say("c1", 1, turns()[0].clone()).await.events;
    drop(first);
    let mut second = Line::begin(&server).await;
    let opened = second.open("c1", english(0)).await;
    assert_eq!((opened.last_turn, &opened.missed), (1, &raised), "the answer may have been lost");
    assert_eq!(opened.state.unwrap().tier(), v1::Tier::Urgent);
    let again = second.say("c1", 1, turns()[0].clone()).await;
    assert_eq!((again.repeated, again.events.len()), (true, 0));
    drop(second);
    let mut third = Line::begin(&server).await;
    let opened = third.open("c1", english(1)).await;
    assert!(opened.missed.is_empty());
    let mut told = Vec::new();
    for (turn, number) in turns().into_iter().zip(1..).skip(1) {
        told.extend(sequences(&third.say("c1", number, turn).await.events));
    }
    assert_eq!(told, [2]);
    drop(third);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_opening_says_how_a_conversation_is_read() {
    let server = TestServer::start(&[], steered()).await;
    let mut line = Line::begin(&server).await;
    line.open("c1", english(0)).await;
    drop(line);
    let mut line = Line::begin(&server).await;
    line.open("c1", v1::OpenConversation { assessments: true, ..Default::default() }).await;
    let german = "Guten Tag, meine Bestellung ist leider immer noch nicht angekommen, was ist denn da los?";
    let update = line.say("c1", 1, customer(german)).await;
    let assessment = update.assessment.unwrap();
    assert_eq!((assessment.language.as_str(), assessment.status()), ("en", v1::Status::Ok));
    drop(line);
    server.stop().await;
}

/// A factory whose runs stand still while the gate is shut.
fn gated() -> (FakeFactory, Gate) {
    let gate = Gate::closed();
    gate.open();
    (FakeFactory { gate: Some(gate.clone()), ..steered() }, gate)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_dies_in_a_stream_loses_no_turn_and_no_event() {
    let (factory, gate) = gated();
    let server = TestServer::start(&[], factory).await;
    let mut line = Line::begin(&server).await;
    line.open("c1", english(0)).await;
    line.say("c1", 1, turns()[0].clone()).await;
    gate.shut();
    for (turn, number) in turns().into_iter().zip(1..).skip(1) {
        line.send("c1", said(number, turn)).await;
    }
    drop(line);
    gate.open();
    let mut line = Line::begin(&server).await;
    let opened = line.open("c1", english(1)).await;
    assert!(opened.last_turn >= 1);
    let mut told = sequences(&opened.missed);
    let mut state = opened.state;
    for (turn, number) in turns().into_iter().zip(1..).skip(opened.last_turn as usize) {
        let update = line.say("c1", number, turn).await;
        told.extend(sequences(&update.events));
        state = update.state;
    }
    assert_eq!((told, state.unwrap().tier()), (vec![2], v1::Tier::None));
    drop(line);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_is_closed_and_opened_anew_in_one_breath_is_heard_from_its_first_turn() {
    let (factory, gate) = gated();
    let server = TestServer::start(&[], factory).await;
    let mut line = Line::begin(&server).await;
    line.open("c1", english(0)).await;
    line.say("c1", 1, customer("a first matter")).await;
    gate.shut();
    // The second turn holds up the telling of all that follows it, while the first turn of the new one is looked at.
    line.send("c1", said(2, customer("that takes a while"))).await;
    line.send("c1", close()).await;
    line.send("c1", Action::Open(english(0))).await;
    line.send("c1", said(1, customer("my lawyer will write"))).await;
    let mut other = server.models().await;
    for _ in 0..50 {
        other.list_models(v1::ListModelsRequest {}).await.unwrap();
    }
    gate.open();
    assert!(matches!(line.answer().await.1, Outcome::Update(update) if !update.repeated));
    assert!(matches!(line.answer().await.1, Outcome::Closed(_)));
    assert!(matches!(line.answer().await.1, Outcome::Opened(opened) if opened.last_turn == 0));
    let (_, outcome) = line.answer().await;
    let Outcome::Update(update) = outcome else { panic!("{outcome:?}") };
    assert_eq!((update.repeated, sequences(&update.events)), (false, vec![1]));
    drop(line);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_are_followed_than_the_settings_say() {
    let server = TestServer::start(&[("conversations.maximum", "1")], steered()).await;
    let mut line = Line::begin(&server).await;
    line.open("c1", english(0)).await;
    let error = line.refused("c2", Action::Open(english(0))).await;
    assert_eq!(error.code, Code::ResourceExhausted as i32);
    assert!(error.message.contains("conversations.maximum"), "{}", error.message);
    line.ask("c1", close()).await;
    line.open("c2", english(0)).await;
    drop(line);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_streams_end_with_unavailable_when_the_service_stops_and_do_not_hold_the_drain() {
    let server = TestServer::start(&[("server.drain_ms", "600000")], steered()).await;
    let mut line = Line::begin(&server).await;
    line.open("one", v1::OpenConversation::default()).await;
    let watch = v1::WatchEscalationsRequest::default();
    let mut watch = server.conversations().await.watch_escalations(watch).await.unwrap().into_inner();
    server.stop.cancel();
    let ends = [line.answers.next().await.unwrap().unwrap_err(), watch.next().await.unwrap().unwrap_err()];
    assert_eq!(ends.map(|status| status.code()), [Code::Unavailable; 2]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_has_forgotten_tells_what_is_new_and_nothing_twice_also_after_notes() {
    let before = TestServer::start(&[], steered()).await;
    let mut line = Line::begin(&before).await;
    line.open("c1", english(0)).await;
    let raised = line.say("c1", 1, turns()[0].clone()).await.events.remove(0);
    let alert_id = raised.alert.unwrap().id;
    let note = v1::AcknowledgeAlertRequest {
        conversation_id: "c1".into(),
        alert_id: alert_id.clone(),
        by: "ada".into(),
        ..Default::default()
    };
    let noted =
        before.conversations().await.acknowledge_alert(note).await.unwrap().into_inner().event.unwrap();
    assert_eq!(noted.sequence, 2);
    drop(line);
    before.stop().await;
    let after = TestServer::start(&[], steered()).await;
    let mut line = Line::begin(&after).await;
    let open = v1::OpenConversation { last_event: noted.sequence, last_turn: 1, ..english(0) };
    assert_eq!(line.open("c1", open).await.last_turn, 0);
    assert!(line.say("c1", 1, turns()[0].clone()).await.events.is_empty(), "the caller has it");
    let mut told = Vec::new();
    for (turn, number) in turns().into_iter().zip(1..).skip(1) {
        told.extend(line.say("c1", number, turn).await.events);
    }
    let ids: Vec<String> = told.into_iter().map(|event| event.alert.unwrap().id).collect();
    assert_eq!(ids, [alert_id], "the change that came after the note");
    drop(line);
    after.stop().await;
}
