//! Customers over gRPC: what is recorded, what follows from it, and how it is read; in memory and in a file.

use attune::api::grpc::v1;
use attune::api::grpc::v1::customer_service_client::CustomerServiceClient;
use attune::api::grpc::v1::interaction::Content;
use attune::api::grpc::v1::recorded_interaction::Reading;
use attune::api::grpc::v1::{Channel, SignalKind, Stage};
use attune::inference::fake::FakeFactory;
use attune::pipeline::monitor::now_ms;

use crate::support::{TestServer, config_from, customer as says, steered, turn};

pub(crate) type Client = CustomerServiceClient<tonic::transport::Channel>;

const DAY: i64 = 86_400_000;

/// Where a test keeps its customers.
pub(crate) struct Place(Option<tempfile::TempDir>);

impl Place {
    /// In memory, and in a file.
    pub(crate) fn all() -> [Self; 2] {
        [Self(None), Self::file()]
    }

    pub(crate) fn file() -> Self {
        Self(Some(tempfile::tempdir().unwrap()))
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.as_ref().unwrap().path().join(name)
    }

    pub(crate) async fn serve(&self, more: &[(&str, &str)]) -> TestServer {
        self.serve_with(more, steered()).await
    }

    pub(crate) fn is_file(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) async fn serve_with(&self, more: &[(&str, &str)], factory: FakeFactory) -> TestServer {
        self.serve_from(None, more, factory).await
    }

    /// Over the text of a configuration file.
    pub(crate) async fn serve_from(
        &self,
        file: Option<&str>,
        more: &[(&str, &str)],
        factory: FakeFactory,
    ) -> TestServer {
        let url = match &self.0 {
            None => "memory:".to_owned(),
            Some(_) => format!("sqlite:{}", self.path("attune.db").display()),
        };
        let mut settings = vec![("storage.url", url.as_str())];
        settings.extend(more);
        TestServer::start_from(config_from(file, &settings), factory, None).await
    }
}

/// A chat message of so many days ago.
pub(crate) fn message(customer: &str, id: &str, days_ago: i64, text: &str) -> v1::Interaction {
    v1::Interaction {
        customer: customer.into(),
        source: "desk".into(),
        external_id: id.into(),
        at_ms: now_ms() - days_ago * DAY,
        channel: Channel::Chat.into(),
        language: "en".into(),
        content: Some(Content::Message(v1::MessageContent { text: text.into() })),
        ..Default::default()
    }
}

fn survey(id: &str, nps: u32, text: &str) -> v1::Interaction {
    let content = Some(Content::Survey(v1::SurveyContent { text: text.into() }));
    v1::Interaction { nps: Some(nps), content, ..message("ann", id, 0, "") }
}

pub(crate) fn talk(customer: &str, id: &str, turns: Vec<v1::Turn>) -> v1::Interaction {
    let content = Some(Content::Conversation(v1::ConversationContent { turns }));
    v1::Interaction { content, ..message(customer, id, 0, "") }
}

pub(crate) async fn record(client: &mut Client, one: v1::Interaction) -> v1::RecordedInteraction {
    let request = v1::RecordInteractionRequest { interaction: Some(one) };
    client.record_interaction(request).await.unwrap().into_inner().recorded.unwrap()
}

pub(crate) async fn batch(client: &mut Client, all: Vec<v1::Interaction>) -> Vec<v1::InteractionResult> {
    let request = v1::BatchRecordInteractionsRequest { interactions: all };
    client.batch_record_interactions(request).await.unwrap().into_inner().results
}

pub(crate) async fn get(client: &mut Client, customer: &str) -> v1::Customer {
    let request = v1::GetCustomerRequest { customer: customer.into(), ..Default::default() };
    client.get_customer(request).await.unwrap().into_inner().customer.unwrap()
}

async fn list(client: &mut Client, request: v1::ListCustomersRequest) -> Vec<String> {
    let (mut names, mut request) = (Vec::new(), request);
    loop {
        let page = client.list_customers(request.clone()).await.unwrap().into_inner();
        assert!(page.customers.len() <= request.page_size.max(20) as usize);
        names.extend(page.customers.into_iter().map(|c| c.customer));
        if page.next_page_token.is_empty() {
            return names;
        }
        request.page_token = page.next_page_token;
    }
}

pub(crate) async fn timeline(client: &mut Client, customer: &str, size: u32) -> Vec<v1::TimelineEntry> {
    let mut request =
        v1::GetTimelineRequest { customer: customer.into(), page_size: size, ..Default::default() };
    let mut entries = Vec::new();
    loop {
        let page = client.get_timeline(request.clone()).await.unwrap().into_inner();
        entries.extend(page.entries);
        if page.next_page_token.is_empty() {
            return entries;
        }
        request.page_token = page.next_page_token;
    }
}

pub(crate) fn kinds(signals: &[v1::Signal]) -> Vec<SignalKind> {
    signals.iter().map(v1::Signal::kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_says_is_read_kept_and_told_with_reasons_that_add_up() {
    for place in Place::all() {
        let server = place.serve(&[]).await;
        let mut client = server.customers().await;
        record(&mut client, message("ann", "1", 9, "all is wonderful here")).await;
        let told = record(&mut client, message("ann", "2", 0, "we are leaving")).await;
        assert!(told.interaction_id.starts_with("int_") && !told.already_recorded);
        let Some(Reading::Assessment(read)) = &told.reading else { panic!("{told:?}") };
        assert!(read.cues.iter().any(|cue| cue.label == "churn_intent" && cue.predicted), "{read:?}");
        assert_eq!(kinds(&told.signals), [SignalKind::ChurnRiskRaised]);
        let signal = &told.signals[0];
        assert_eq!((signal.customer.as_str(), &signal.interaction_id), ("ann", &told.interaction_id));
        assert!(signal.id.starts_with("sig_") && signal.ordinal == 1);
        assert_eq!(signal.reasons[0].code, "cue.churn_intent");
        let ann = get(&mut client, "ann").await;
        assert_eq!(ann.interaction_count, 2);
        assert_eq!(ann.active_signals().collect::<Vec<_>>(), [SignalKind::ChurnRiskRaised]);
        assert_eq!(
            (ann.stage(), ann.stage_reason.unwrap().code.as_str()),
            (Stage::Retention, "cue.churn_intent")
        );
        assert!(ann.read_at_ms >= ann.as_of_ms && ann.confidence > 0.0 && ann.level.is_some());
        let churn = ann.churn.unwrap();
        let sum = churn.reasons.iter().fold(churn.base, |sum, reason| sum + reason.contribution);
        assert_eq!(sum, churn.log_odds);
        assert!((churn.probability - 1.0 / (1.0 + (-sum).exp())).abs() < 1e-12 && churn.probability > 0.3);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_interaction_sent_again_is_known_and_changes_nothing() {
    for place in Place::all() {
        let server = place.serve(&[]).await;
        let mut client = server.customers().await;
        let sent = message("ann", "1", 3, "we are leaving");
        let first = record(&mut client, sent.clone()).await;
        let before = get(&mut client, "ann").await;
        let again = record(&mut client, sent.clone()).await;
        assert!(again.already_recorded && again.signals.is_empty());
        assert_eq!((&again.interaction_id, &again.reading), (&first.interaction_id, &first.reading));
        let other = v1::Interaction { external_id: "2".into(), ..sent.clone() };
        let results = batch(&mut client, vec![sent.clone(), other.clone(), other]).await;
        let known: Vec<bool> = results.iter().map(|r| recorded(r).already_recorded).collect();
        assert_eq!(known, [true, false, true], "also within one batch");
        let after = get(&mut client, "ann").await;
        assert_eq!((before.interaction_count, after.interaction_count), (1, 2));
        // Another tenant's is another interaction.
        let theirs = record(&mut client, v1::Interaction { tenant: "acme".into(), ..sent }).await;
        assert!(!theirs.already_recorded && theirs.interaction_id != first.interaction_id);
        server.stop().await;
    }
}

pub(crate) fn recorded(result: &v1::InteractionResult) -> &v1::RecordedInteraction {
    match &result.outcome {
        Some(v1::interaction_result::Outcome::Recorded(recorded)) => recorded,
        other => panic!("{}: {other:?}", result.index),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_arrival_does_not_change_how_a_customer_stands() {
    let texts = ["wonderful", "again and again", "furious about this", "plain words", "leaving", "solved"];
    // The newest lies ahead, so that each is read as of it, whenever that is.
    let now = now_ms();
    let one = |(n, text): (usize, &&str)| v1::Interaction {
        at_ms: now + DAY - n as i64 * 4 * DAY,
        channel: [Channel::Chat, Channel::Email][n % 2].into(),
        ..message("ann", &n.to_string(), 0, text)
    };
    let all: Vec<_> = texts.iter().enumerate().map(one).collect();
    let mut seen = Vec::new();
    for (place, turned) in Place::all().into_iter().zip([false, true]) {
        let server = place.serve(&[]).await;
        let mut client = server.customers().await;
        let mut sent = all.clone();
        if turned {
            sent.reverse();
            for one in sent {
                record(&mut client, one).await;
            }
        } else {
            batch(&mut client, sent).await;
        }
        let ann = get(&mut client, "ann").await;
        assert_eq!((ann.interaction_count, ann.read_at_ms), (6, ann.as_of_ms));
        // What was told depends on when it was known.
        seen.push(v1::Customer { updated_ms: 0, active_signals: Vec::new(), ..ann });
        server.stop().await;
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].channels.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_summed_up_and_raises_an_escalation() {
    for place in Place::all() {
        let server = place.serve(&[]).await;
        let mut client = server.customers().await;
        let agent = |text: &str| turn(v1::ParticipantRole::Agent, text);
        let turns = vec![says("furious, I call my lawyer"), agent("sorry"), says("again nothing, my lawyer")];
        let told = record(&mut client, talk("ann", "t1", turns)).await;
        let Some(Reading::Conversation(summary)) = &told.reading else { panic!("{told:?}") };
        assert_eq!((summary.turn_count, summary.highest_tier()), (3, v1::Tier::Urgent));
        assert!(!summary.alerts.is_empty() && !summary.policy_version.is_empty() && summary.risk > 0.5);
        assert!(summary.level.unwrap() < 0.0);
        assert!(kinds(&told.signals).contains(&SignalKind::EscalationRaised), "{:?}", told.signals);
        let entries = timeline(&mut client, "ann", 0).await;
        assert_eq!((entries.len(), entries[0].kind()), (1, v1::InteractionKind::Conversation));
        assert_eq!(entries[0].conversation.as_ref(), Some(summary));
        assert_eq!(entries[0].text.as_deref().unwrap().lines().count(), 3);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_that_contradicts_its_score_is_told() {
    for place in Place::all() {
        let server = place.serve(&[]).await;
        let mut client = server.customers().await;
        let told = record(&mut client, survey("s1", 10, "furious with you")).await;
        assert!(kinds(&told.signals).contains(&SignalKind::NpsConflict), "{:?}", told.signals);
        let ann = get(&mut client, "ann").await;
        let nps = ann.nps.unwrap();
        assert_eq!((nps.answer, nps.band()), (10, v1::NetPromoterBand::Promoter));
        assert!(nps.conflict > 0.4 && nps.interaction_id == told.interaction_id);
        assert!(ann.channels[0].survey && ann.channels[0].channel() == Channel::Unspecified);
        // A score alone, without a word.
        let empty = record(&mut client, survey("s2", 9, "")).await;
        let Some(Reading::Assessment(read)) = &empty.reading else { panic!("{empty:?}") };
        assert_eq!(read.status(), v1::Status::Empty);
        let entries = timeline(&mut client, "ann", 0).await;
        assert!(
            entries.iter().any(|e| e.nps == Some(9) && e.status() == v1::Status::Empty && e.score.is_none())
        );
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_listed_page_by_page_by_their_risk_and_filtered() {
    for place in Place::all() {
        let server = place.serve(&[]).await;
        let mut client = server.customers().await;
        let texts = ["plain", "leaving", "wonderful", "again", "furious", "plain", "plain"];
        let all: Vec<_> = texts
            .iter()
            .enumerate()
            .map(|(n, text)| message(&format!("c.{n}"), &n.to_string(), 0, text))
            .chain([v1::Interaction { tenant: "acme".into(), ..message("c.9", "9", 0, "leaving") }])
            .collect();
        batch(&mut client, all).await;
        let whole = list(&mut client, v1::ListCustomersRequest::default()).await;
        assert_eq!(whole.len(), 7);
        assert_eq!(whole[0], "c.1", "likeliest to leave first");
        for page_size in [1, 2, 3] {
            let request = v1::ListCustomersRequest { page_size, ..Default::default() };
            assert_eq!(list(&mut client, request).await, whole, "{page_size}");
        }
        let rows: [(v1::ListCustomersRequest, &[&str]); 6] = [
            (v1::ListCustomersRequest { tenant: "acme".into(), ..Default::default() }, &["c.9"]),
            (
                v1::ListCustomersRequest { signal: SignalKind::ChurnRiskRaised.into(), ..Default::default() },
                &["c.1"],
            ),
            (v1::ListCustomersRequest { stage: Stage::Retention.into(), ..Default::default() }, &["c.1"]),
            (v1::ListCustomersRequest { churn_at_least: Some(0.3), ..Default::default() }, &["c.1"]),
            (v1::ListCustomersRequest { level_at_most: Some(-0.3), ..Default::default() }, &["c.4"]),
            (v1::ListCustomersRequest { tenant: "nobody".into(), ..Default::default() }, &[]),
        ];
        for (request, expected) in rows {
            assert_eq!(list(&mut client, request.clone()).await, expected, "{request:?}");
        }
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_goes_from_the_newest_to_the_oldest_whatever_the_pages() {
    for place in Place::all() {
        let server = place.serve(&[]).await;
        let mut client = server.customers().await;
        // Two and two at the same time.
        let now = now_ms();
        let one = |n: i64| v1::Interaction {
            at_ms: now - n / 2 * DAY,
            ..message("ann", &n.to_string(), 0, "wonderful, ann@example.com")
        };
        batch(&mut client, (0..9).map(one).collect()).await;
        batch(&mut client, vec![message("bob", "b", 0, "plain")]).await;
        let whole = timeline(&mut client, "ann", 0).await;
        let times: Vec<i64> = whole.iter().map(|entry| entry.at_ms).collect();
        assert!(whole.len() == 9 && times.is_sorted_by(|a, b| a >= b), "{times:?}");
        for size in [1, 2, 4, 200] {
            assert_eq!(timeline(&mut client, "ann", size).await, whole, "{size}");
        }
        let entry = &whole[0];
        assert_eq!(entry.text.as_deref(), Some("wonderful, [EMAIL]"));
        assert_eq!((entry.label(), entry.channel()), (v1::SentimentLabel::Positive, Channel::Chat));
        assert!(entry.text_hash.is_some() && entry.score.unwrap() > 0.5 && entry.scored_ms > 0);
        assert_eq!(entry.model.as_ref().unwrap().id, "attune-en-small");
        assert!(entry.assessment_json.contains("\"offsets\":\"redacted\""), "{}", entry.assessment_json);
        assert_eq!(timeline(&mut client, "nobody", 0).await, []);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_item_of_a_batch_that_cant_be_read_never_fails_the_others() {
    for place in Place::all() {
        let server = place.serve(&[("limits.text_bytes", "1000")]).await;
        let mut client = server.customers().await;
        // More than are kept together.
        let mut all: Vec<_> =
            (0..300).map(|n| message("ann", &n.to_string(), n % 50, "plain words")).collect();
        all[1].customer = String::new();
        all[299] = message("ann", "long", 0, &"x".repeat(1001));
        let results = batch(&mut client, all).await;
        let wrong: Vec<(usize, String)> = results
            .iter()
            .enumerate()
            .filter_map(|(n, result)| match result.outcome.as_ref().unwrap() {
                v1::interaction_result::Outcome::Error(error) => Some((n, error.field.clone())),
                v1::interaction_result::Outcome::Recorded(_) => None,
            })
            .collect();
        assert_eq!(wrong, [(1, "customer".to_owned()), (299, "message.text".to_owned())]);
        assert!(results.iter().zip(0..).all(|(result, n)| result.index == n));
        assert_eq!(timeline(&mut client, "ann", 200).await.len(), 298);
        server.stop().await;
    }
}
