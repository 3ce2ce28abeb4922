//! Swaps in the middle of calls, streams, conversations and jobs: nothing fails, and everything says who has read it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use attune::api::grpc::v1::{self, JobState};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::jobs::{Place, ended};
use crate::model_root::Root;
use crate::support::{TestServer, assessment, customer, factory, item, request, steered};

/// A default, and when it was asked for and set.
struct Swap {
    version: String,
    asked: Instant,
    set: Instant,
}

async fn point(server: &TestServer, model: &str) -> Swap {
    let asked = Instant::now();
    let request = v1::SetAliasRequest { alias: "default".into(), model: model.into() };
    let answer = server.models().await.set_alias(request).await.unwrap().into_inner();
    let version = answer.current.split('@').nth(1).unwrap().to_owned();
    Swap { version, asked, set: Instant::now() }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_while_models_are_swapped_and_each_is_read_by_one_that_was_the_default() {
    let root = Root::with(&["1", "2"]);
    let server = Arc::new(root.serve_plainly(&[("models.load", "1")]).await);
    let mut swaps = vec![point(&server, "support@1").await];
    let (over, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let (server, over, seen) = (Arc::clone(&server), Arc::clone(&over), Arc::clone(&seen));
            tokio::spawn(async move {
                let mut client = server.analysis().await;
                for n in 0.. {
                    let at = Instant::now();
                    let answer = client.analyze_text(request(&format!("parcel {caller} {n}"))).await;
                    let read = answer.unwrap().into_inner().assessment.unwrap().model.unwrap().version;
                    seen.lock().unwrap().push((at, Instant::now(), read));
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                }
            })
        })
        .collect();
    let mut client = server.models().await;
    for n in 0..8 {
        let (old, new) = if n % 2 == 0 { ("1", "2") } else { ("2", "1") };
        client.load_model(v1::LoadModelRequest { name: new.into() }).await.unwrap();
        swaps.push(point(&server, &format!("support@{new}")).await);
        client.unload_model(v1::UnloadModelRequest { model: format!("support@{old}") }).await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert!(seen.len() > 8 && ["1", "2"].iter().all(|v| seen.iter().any(|(.., read)| read == v)));
    for (began, done, read) in &seen {
        let held = swaps.iter().enumerate().any(|(n, swap)| {
            let until = swaps.get(n + 1).map(|next| next.set);
            swap.version == *read && swap.asked <= *done && until.is_none_or(|until| *began <= until)
        });
        assert!(held, "{read} had read a call at whose time it was not the default");
    }
    Arc::into_inner(server).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_follows_an_alias_from_one_item_to_the_next() {
    let root = Root::with(&["1", "2"]);
    let server = root.serve_plainly(&[("models.load", "1,2")]).await;
    point(&server, "support@1").await;
    let (send, receive) = mpsc::channel(4);
    let one = |text: &str, model: &str| v1::StreamAnalyzeTextRequest {
        item: Some(item("", text)),
        model: model.into(),
        ..Default::default()
    };
    let mut client = server.analysis().await;
    send.send(one("a parcel", "")).await.unwrap();
    let mut answers = client.stream_analyze_text(ReceiverStream::new(receive)).await.unwrap().into_inner();
    let mut next = async || {
        let answer = answers.message().await?.unwrap();
        Ok::<_, tonic::Status>(assessment(&answer.result.unwrap()).model.clone().unwrap().version)
    };
    assert_eq!(next().await.unwrap(), "1");
    point(&server, "support@2").await;
    // The idle stream does not keep the old one.
    let unload = v1::UnloadModelRequest { model: "support@1".into() };
    server.models().await.unload_model(unload).await.unwrap();
    send.send(one("another parcel", "")).await.unwrap();
    assert_eq!(next().await.unwrap(), "2");
    send.send(one("a third parcel", "support@1")).await.unwrap();
    assert_eq!(next().await.unwrap_err().code(), tonic::Code::NotFound);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_follows_an_alias_from_one_turn_to_the_next() {
    use v1::monitor_conversation_request::Action;
    use v1::monitor_conversation_response::Outcome;
    let root = Root::with(&["1", "2"]);
    let server = root.serve_plainly(&[("models.load", "1,2")]).await;
    point(&server, "support@1").await;
    let (send, receive) = mpsc::channel(4);
    let say = |action| v1::MonitorConversationRequest { conversation_id: "c".into(), action: Some(action) };
    let turn = |number| Action::Turn(v1::MonitoredTurn { number, turn: Some(customer("my parcel is late")) });
    let open = |model: &str| {
        Action::Open(v1::OpenConversation { assessments: true, model: model.into(), ..Default::default() })
    };
    send.send(say(open("nobody"))).await.unwrap();
    let mut client = server.conversations().await;
    let mut answers = client.monitor_conversation(ReceiverStream::new(receive)).await.unwrap().into_inner();
    let Outcome::Error(error) = answers.message().await.unwrap().unwrap().outcome.unwrap() else { panic!() };
    assert_eq!(error.code, i32::from(tonic::Code::NotFound));
    send.send(say(open(""))).await.unwrap();
    answers.message().await.unwrap();
    for (number, version) in [(1, "1"), (2, "2")] {
        point(&server, &format!("support@{version}")).await;
        send.send(say(turn(number))).await.unwrap();
        let Outcome::Update(update) = answers.message().await.unwrap().unwrap().outcome.unwrap() else {
            panic!()
        };
        assert_eq!(update.assessment.unwrap().model.unwrap().version, version);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_reports_known_differences_and_ends_when_it_is_told_to() {
    let root = Root::with(&["1", "2"]);
    // The candidate hears nothing in any word.
    let backend = |version: &str| {
        if version == "2" {
            attune::inference::fake::FakeFactory {
                steering: Some(attune::inference::fake::Steering { floor: -8.0, words: Vec::new() }),
                ..factory()
            }
        } else {
            steered()
        }
    };
    let server = root.serve(&[("models.load", "1,2")], backend).await;
    point(&server, "support@1").await;
    let mut client = server.models().await;
    let set = v1::SetShadowRequest { candidate: "support@2".into(), share: 1.0, ..Default::default() };
    client.set_shadow(set).await.unwrap();
    let mut analysis = server.analysis().await;
    for text in ["furious about my lawyer", "the parcel is here", "a wonderful day"] {
        analysis.analyze_text(request(text)).await.unwrap();
    }
    let report = loop {
        let answer = client.get_shadow_report(v1::GetShadowReportRequest::default()).await.unwrap();
        let report = answer.into_inner().report.unwrap();
        if report.compared == 3 {
            break report;
        }
    };
    assert_eq!(
        (report.model.as_str(), report.candidate.as_str(), report.dropped),
        ("support@1", "support@2", 0)
    );
    let head = |name: &str| report.heads.iter().find(|head| head.name == name).unwrap();
    // Of equal classes the first counts, which is the negative one: once for the model, three times for the candidate.
    let confusion = &head("sentiment").confusion;
    assert_eq!((confusion.iter().sum::<u64>(), head("sentiment").agreed), (3, 2), "{confusion:?}");
    let lost: Vec<&str> = head("cue").labels.iter().filter(|l| l.lost > 0).map(|l| l.name.as_str()).collect();
    assert_eq!(lost, ["legal_threat"]);
    assert!(report.candidate_seconds_per_text > 0.0 && head("cue").largest_difference > 0.9);
    let stop = v1::StopShadowRequest { model: "support@1".into() };
    assert_eq!(client.stop_shadow(stop.clone()).await.unwrap().into_inner().report.unwrap().compared, 3);
    assert_eq!(client.stop_shadow(stop).await.unwrap_err().code(), tonic::Code::NotFound);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_keeps_the_version_it_was_begun_with_and_says_when_that_is_gone() {
    let place = Place::new();
    place.export("data/in.csv", 50);
    let server = place.serve(&[], factory()).await;
    let mut client = server.jobs().await;
    let create = |model: &str, output: &str| v1::CreateJobRequest {
        spec: Some(v1::JobSpec { model: model.into(), ..place.spec("data/in.csv", output) }),
        ..Default::default()
    };
    let unknown = client.create_job(create("nobody", "data/x.csv")).await.unwrap_err();
    assert_eq!(unknown.code(), tonic::Code::NotFound);
    let mut jobs = Vec::new();
    for (model, output) in [("default", "data/named.csv"), ("", "data/plain.csv")] {
        let job = client.create_job(create(model, output)).await.unwrap().into_inner().job.unwrap();
        let done = ended(&mut client, &job.id).await;
        assert!(done.model.starts_with("attune-en-small@"), "{done:?}");
        jobs.push(job.id);
    }
    server.stop().await;
    // As if both had been running, begun with a version that nobody has any more.
    for (id, output) in jobs.iter().zip(["data/named.csv", "data/plain.csv"]) {
        for name in [output.to_owned(), format!("{output}.quarantine.csv")] {
            let _there_or_not = std::fs::remove_file(place.path(&name));
        }
        let state = place.path(&format!("jobs/state/{id}.json"));
        let mut record: serde_json::Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
        record["state"] = "running".into();
        record["publishing"] = false.into();
        record["finished_ms"] = serde_json::Value::Null;
        record["model"] = "attune-en-small@0.0.1".into();
        std::fs::write(&state, record.to_string()).unwrap();
    }
    let server = place.serve(&[], factory()).await;
    let mut client = server.jobs().await;
    let named = ended(&mut client, &jobs[0]).await;
    assert_eq!(named.state(), JobState::Failed);
    let error = named.error.unwrap();
    assert!(
        error.message.contains("begun with attune-en-small@0.0.1, which is no longer loaded"),
        "{}",
        error.message
    );
    let plain = ended(&mut client, &jobs[1]).await;
    assert_eq!(plain.state(), JobState::Succeeded, "{plain:?}");
    assert!(plain.notes[0].contains("begun again with attune-en-small@"), "{:?}", plain.notes);
    server.stop().await;
}
