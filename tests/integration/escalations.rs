//! The list of open alerts, its watchers, and notes on it.

use std::time::{SystemTime, UNIX_EPOCH};

use attune::api::grpc::v1;
use tokio_stream::StreamExt;
use tonic::Code;

use crate::monitor::Line;
use crate::support::{TestServer, customer, steered};

const THREAT: &str = "my lawyer will write";
const ANGRY: &str = "furious again";

/// Opens a conversation of a tenant and channel, and says its turns.
async fn follow(line: &mut Line, id: &str, tenant: &str, channel: v1::Channel, turns: &[&str]) {
    let context = v1::ConversationContext {
        tenant: tenant.into(),
        channel: channel.into(),
        customer_id: format!("customer of {id}"),
        language: "en".into(),
        ..Default::default()
    };
    line.open(id, v1::OpenConversation { context: Some(context), ..Default::default() }).await;
    for (text, number) in turns.iter().zip(1..) {
        line.say(id, number, customer(text)).await;
    }
}

/// Three urgent alerts and one that is elevated, and a conversation without any.
async fn alerts(server: &TestServer) -> Line {
    let mut line = Line::begin(server).await;
    follow(&mut line, "a", "acme", v1::Channel::Chat, &[THREAT]).await;
    follow(&mut line, "b", "acme", v1::Channel::Email, &["hello there", THREAT]).await;
    follow(&mut line, "c", "", v1::Channel::Chat, &[ANGRY, ANGRY]).await;
    follow(&mut line, "d", "other", v1::Channel::Sms, &[THREAT]).await;
    follow(&mut line, "e", "acme", v1::Channel::Chat, &["hello there"]).await;
    line
}

async fn list(
    server: &TestServer,
    call: v1::ListEscalationsRequest,
) -> Result<v1::ListEscalationsResponse, tonic::Status> {
    Ok(server.conversations().await.list_escalations(call).await?.into_inner())
}

fn ids(list: &v1::ListEscalationsResponse) -> Vec<&str> {
    let mut ids: Vec<&str> = list.escalations.iter().map(|e| e.conversation_id.as_str()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn open_alerts_are_listed_by_tier_and_filtered_by_tenant_channel_and_tier() {
    let server = TestServer::start(&[], steered()).await;
    let line = alerts(&server).await;
    let every = v1::ListEscalationsRequest::default;
    let rows = [
        (every(), vec!["a", "b", "c", "d"]),
        (v1::ListEscalationsRequest { tenant: "acme".into(), ..every() }, vec!["a", "b"]),
        (v1::ListEscalationsRequest { channel: v1::Channel::Chat.into(), ..every() }, vec!["a", "c"]),
        (
            v1::ListEscalationsRequest { minimum_tier: v1::Tier::Urgent.into(), ..every() },
            vec!["a", "b", "d"],
        ),
        (
            v1::ListEscalationsRequest { minimum_tier: v1::Tier::Elevated.into(), ..every() },
            vec!["a", "b", "c", "d"],
        ),
        (
            v1::ListEscalationsRequest {
                tenant: "acme".into(),
                channel: v1::Channel::Email.into(),
                ..every()
            },
            vec!["b"],
        ),
        (v1::ListEscalationsRequest { tenant: "nobody".into(), ..every() }, vec![]),
    ];
    for (call, expected) in rows {
        let found = list(&server, call.clone()).await.unwrap();
        assert_eq!(ids(&found), expected, "{call:?}");
        assert!(found.next_page_token.is_empty());
    }
    let listed = list(&server, every()).await.unwrap().escalations;
    let last = listed.last().unwrap();
    assert_eq!((last.conversation_id.as_str(), last.customer_id.as_str()), ("c", "customer of c"));
    assert_eq!(last.state.as_ref().unwrap().alert.as_ref().unwrap().tier(), v1::Tier::Elevated);
    assert!(last.within_capacity && last.updated_ms > 1_600_000_000_000);
    drop(line);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_each_alert_once_and_wrong_ones_are_refused() {
    let server = TestServer::start(&[], steered()).await;
    let mut line = Line::begin(&server).await;
    for n in 0..7 {
        follow(&mut line, &n.to_string(), "acme", v1::Channel::Chat, &[THREAT]).await;
    }
    let mut call = v1::ListEscalationsRequest { page_size: 3, ..Default::default() };
    let (mut sizes, mut seen) = (Vec::new(), std::collections::BTreeSet::new());
    loop {
        let page = list(&server, call.clone()).await.unwrap();
        sizes.push(page.escalations.len());
        seen.extend(page.escalations.into_iter().map(|e| e.conversation_id));
        if page.next_page_token.is_empty() {
            break;
        }
        call.page_token = page.next_page_token;
    }
    assert_eq!((sizes, seen.len()), (vec![3, 3, 1], 7));
    let wrong = [
        v1::ListEscalationsRequest { page_token: "next".into(), ..Default::default() },
        v1::ListEscalationsRequest { page_token: "urgent.zz.a".into(), ..Default::default() },
        v1::ListEscalationsRequest { page_size: 1001, ..Default::default() },
        v1::ListEscalationsRequest { minimum_tier: v1::Tier::None.into(), ..Default::default() },
        v1::ListEscalationsRequest { channel: 77, ..Default::default() },
    ];
    for call in wrong {
        assert_eq!(list(&server, call.clone()).await.unwrap_err().code(), Code::InvalidArgument, "{call:?}");
    }
    drop(line);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_alerts_are_marked_as_a_tenants_people_can_take() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    let policy = include_str!("../../examples/policies/explicit.toml");
    let policy = format!("{policy}\n[[override]]\ntenant = \"acme\"\ntiers = {{ capacity = 1 }}\n");
    std::fs::write(&path, policy).unwrap();
    let server = TestServer::start(&[("conversations.policy", path.to_str().unwrap())], steered()).await;
    let line = alerts(&server).await;
    let listed = list(&server, v1::ListEscalationsRequest::default()).await.unwrap().escalations;
    let marked = |tenant: &str| -> Vec<bool> {
        listed.iter().filter(|e| e.tenant == tenant).map(|e| e.within_capacity).collect()
    };
    assert_eq!((marked("acme"), marked("other"), marked("")), (vec![true, false], vec![true], vec![true]));
    drop(line);
    server.stop().await;
}

fn in_an_hour() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64 + 3_600_000
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_is_put_off_is_hidden_and_one_that_is_taken_says_by_whom() {
    let server = TestServer::start(&[], steered()).await;
    let line = alerts(&server).await;
    let mut client = server.conversations().await;
    let acme = v1::ListEscalationsRequest { tenant: "acme".into(), ..Default::default() };
    let listed = list(&server, acme.clone()).await.unwrap();
    let id = |of: &str| {
        let found = listed.escalations.iter().find(|e| e.conversation_id == of).unwrap();
        found.state.clone().unwrap().alert.unwrap().id
    };
    let snooze = v1::SnoozeAlertRequest {
        conversation_id: "a".into(),
        tenant: "acme".into(),
        alert_id: id("a"),
        until_ms: in_an_hour(),
    };
    let event = client.snooze_alert(snooze.clone()).await.unwrap().into_inner().event.unwrap();
    assert_eq!((event.change(), event.sequence), (v1::AlertChange::Snoozed, 2));
    assert_eq!(ids(&list(&server, acme.clone()).await.unwrap()), ["b"]);
    let all = v1::ListEscalationsRequest { include_snoozed: true, ..acme.clone() };
    assert_eq!(ids(&list(&server, all).await.unwrap()), ["a", "b"]);

    let take = v1::AcknowledgeAlertRequest {
        conversation_id: "b".into(),
        tenant: "acme".into(),
        alert_id: id("b"),
        by: "maria".into(),
    };
    let event = client.acknowledge_alert(take.clone()).await.unwrap().into_inner().event.unwrap();
    assert_eq!((event.change(), event.sequence), (v1::AlertChange::Acknowledged, 2));
    let state = list(&server, acme).await.unwrap().escalations.remove(0).state.unwrap();
    assert_eq!(state.alert.unwrap().acknowledged_by, "maria");

    let refused = client.snooze_alert(v1::SnoozeAlertRequest { until_ms: 1, ..snooze.clone() }).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument, "in the past");
    let refused = client.snooze_alert(v1::SnoozeAlertRequest { tenant: "other".into(), ..snooze }).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound, "another tenant's");
    let refused =
        client.acknowledge_alert(v1::AcknowledgeAlertRequest { by: String::new(), ..take.clone() }).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument, "by nobody");
    let refused = client.acknowledge_alert(v1::AcknowledgeAlertRequest { alert_id: id("a"), ..take }).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound, "of another conversation");
    drop(line);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_gets_the_open_alerts_then_each_change_that_concerns_it() {
    let server = TestServer::start(&[], steered()).await;
    let mut line = alerts(&server).await;
    let watch = v1::WatchEscalationsRequest {
        tenant: "acme".into(),
        minimum_tier: v1::Tier::Urgent.into(),
        ..Default::default()
    };
    let mut client = server.conversations().await;
    let mut changes = client.watch_escalations(watch).await.unwrap().into_inner();
    let mut open = Vec::new();
    for _ in 0..2 {
        let told = changes.next().await.unwrap().unwrap();
        assert_eq!(told.event, None);
        open.push(told.escalation.unwrap().conversation_id);
    }
    open.sort();
    assert_eq!(open, ["a", "b"]);

    follow(&mut line, "elsewhere", "other", v1::Channel::Chat, &[THREAT]).await;
    follow(&mut line, "milder", "acme", v1::Channel::Chat, &[ANGRY, ANGRY]).await;
    let calm = ["one thing more", "my number is four", "on the left side", "until Friday", "that was it"];
    follow(&mut line, "f", "acme", v1::Channel::Phone, &[&[THREAT][..], &calm].concat()).await;
    let raised = changes.next().await.unwrap().unwrap();
    let (escalation, event) = (raised.escalation.unwrap(), raised.event.unwrap());
    assert_eq!((escalation.conversation_id.as_str(), event.change()), ("f", v1::AlertChange::Raised));
    assert_eq!(escalation.state.unwrap().alert, event.alert);
    let cleared = changes.next().await.unwrap().unwrap();
    let (escalation, event) = (cleared.escalation.unwrap(), cleared.event.unwrap());
    assert_eq!((escalation.conversation_id.as_str(), event.change()), ("f", v1::AlertChange::Cleared));
    assert_eq!((event.tier_before(), escalation.state.unwrap().alert), (v1::Tier::Urgent, None));
    drop((line, changes));
    server.stop().await;
}
