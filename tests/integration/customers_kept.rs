//! Customers over time and after it: watches, restarts, imports, exports, erasure, and what stays of texts.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use attune::api::grpc::v1;
use attune::api::grpc::v1::export_customer_response::Part;
use attune::api::grpc::v1::{SignalKind, Stage};
use attune::pipeline::monitor::now_ms;
use tonic::Code;
use tonic_types::StatusExt;

use crate::customers::{Client, Place, batch, get, kinds, message, record, talk, timeline};
use crate::support::{customer as says, metrics, steered};

async fn watch(
    client: &mut Client,
    tenant: &str,
    cursor: &str,
) -> tonic::Streaming<v1::WatchSignalsResponse> {
    let request = v1::WatchSignalsRequest { tenant: tenant.into(), cursor: cursor.into() };
    client.watch_signals(request).await.unwrap().into_inner()
}

async fn next(watch: &mut tonic::Streaming<v1::WatchSignalsResponse>) -> v1::WatchSignalsResponse {
    let waited = tokio::time::timeout(Duration::from_secs(20), watch.message()).await;
    waited.unwrap().unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_goes_on_after_a_restart_without_a_lost_or_repeated_signal() {
    let place = Place::file();
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for round in 0..3 {
        let server = place.serve(&[]).await;
        let mut client = server.customers().await;
        let mut signals = watch(&mut client, "", &cursor).await;
        let begins = next(&mut signals).await;
        assert!(begins.signal.is_none() && (round == 0 || begins.cursor == cursor));
        for n in 0..3 {
            let name = format!("c{round}{n}");
            record(&mut client, message(&name, &name, 0, "we are leaving")).await;
        }
        // One is left for the next round.
        for _ in 0..if round == 2 { 5 } else { 2 } {
            let told = next(&mut signals).await;
            seen.push(told.signal.unwrap());
            cursor = told.cursor;
        }
        let stopping = tokio::spawn(async move {
            while signals.message().await?.is_some() {}
            Ok::<_, tonic::Status>(())
        });
        server.stop().await;
        let status = stopping.await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        assert!(status.get_error_details().retry_info().is_some());
    }
    let names: Vec<&str> = seen.iter().map(|signal| signal.customer.as_str()).collect();
    assert_eq!(names, ["c00", "c01", "c02", "c10", "c11", "c12", "c20", "c21", "c22"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_begins_now_or_at_the_beginning_and_keeps_to_its_tenant() {
    for place in Place::all() {
        let server = place.serve(&[]).await;
        let mut client = server.customers().await;
        let of = |tenant: &str, n: i64| v1::Interaction {
            tenant: tenant.into(),
            ..message(&format!("c{n}"), &n.to_string(), 0, "leaving")
        };
        // More than a page of them, so that a reader who waits holds one page and gets all.
        batch(&mut client, (0..600).map(|n| of(["acme", "umbrella"][n as usize % 2], n)).collect()).await;
        let mut from_now = watch(&mut client, "", "").await;
        let mut acme = watch(&mut client, "acme", "0").await;
        assert!(next(&mut from_now).await.signal.is_none());
        assert_eq!(next(&mut acme).await.cursor, "0");
        record(&mut client, of("acme", 600)).await;
        let told = next(&mut from_now).await.signal.unwrap();
        assert_eq!((told.tenant.as_str(), told.customer.as_str()), ("acme", "c600"));
        let (mut names, mut cursors) = (Vec::new(), vec![0]);
        for _ in 0..301 {
            let told = next(&mut acme).await;
            cursors.push(told.cursor.parse::<u64>().unwrap());
            let signal = told.signal.unwrap();
            assert_eq!((signal.tenant.as_str(), signal.kind()), ("acme", SignalKind::ChurnRiskRaised));
            names.push(signal.customer);
        }
        assert!(cursors.is_sorted_by(|a, b| a < b));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 301);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_over_the_same_file_is_heard() {
    let place = Place::file();
    let (here, there) = (place.serve(&[]).await, place.serve(&[]).await);
    let mut signals = watch(&mut here.customers().await, "", "").await;
    next(&mut signals).await;
    record(&mut there.customers().await, message("ann", "1", 0, "leaving")).await;
    assert_eq!(next(&mut signals).await.signal.unwrap().customer, "ann");
    there.stop().await;
    here.stop().await;
}

async fn import(client: &mut Client, customers: Vec<v1::CustomerImport>) -> Result<u32, tonic::Status> {
    let request = v1::ImportCustomersRequest { customers };
    client.import_customers(request).await.map(|answer| answer.into_inner().imported)
}

fn known(customer: &str, account: v1::CustomerAccount) -> v1::CustomerImport {
    v1::CustomerImport { customer: customer.into(), account: Some(account), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crm_says_is_taken_over_and_replaced() {
    for place in Place::all() {
        let server = place.serve(&[]).await;
        let mut client = server.customers().await;
        let account = v1::CustomerAccount {
            stage: Stage::Growth.into(),
            tier: "enterprise".into(),
            renewal_ms: Some(now_ms() + 30 * 86_400_000),
            owner: "maria".into(),
            since_ms: Some(0),
        };
        assert_eq!(import(&mut client, vec![known("ann", account.clone())]).await.unwrap(), 1);
        let ann = get(&mut client, "ann").await;
        assert_eq!(
            (ann.account.as_ref(), ann.stage(), ann.interaction_count),
            (Some(&account), Stage::Growth, 0)
        );
        assert!(ann.churn.is_none() && ann.level.is_none() && ann.as_of_ms == 0);
        record(&mut client, message("ann", "1", 0, "leaving")).await;
        let ann = get(&mut client, "ann").await;
        assert_eq!((ann.stage(), ann.stage_reason.unwrap().code.as_str()), (Stage::Growth, "crm.stage"));
        assert!(ann.churn.unwrap().reasons.iter().any(|reason| reason.code == "renewal.near"));
        // The last word counts, and what it leaves out is unknown.
        let twice = vec![known("ann", account.clone()), known("ann", v1::CustomerAccount::default())];
        assert_eq!(import(&mut client, twice).await.unwrap(), 2);
        let ann = get(&mut client, "ann").await;
        assert_eq!((ann.stage(), ann.account.unwrap()), (Stage::Retention, v1::CustomerAccount::default()));
        // All or nothing.
        let wrong = v1::CustomerAccount { stage: 8, ..Default::default() };
        let status = import(&mut client, vec![known("bob", account), known("eve", wrong)]).await.unwrap_err();
        assert!(status.message().starts_with("customers[1].account.stage: "), "{status:?}");
        let request = v1::GetCustomerRequest { customer: "bob".into(), ..Default::default() };
        assert_eq!(client.get_customer(request).await.unwrap_err().code(), Code::NotFound);
        server.stop().await;
    }
}

async fn export(client: &mut Client, customer: &str) -> Result<Vec<Part>, tonic::Status> {
    let request = v1::ExportCustomerRequest { customer: customer.into(), ..Default::default() };
    let mut parts = client.export_customer(request).await?.into_inner();
    let mut all = Vec::new();
    while let Some(part) = parts.message().await? {
        all.push(part.part.unwrap());
    }
    Ok(all)
}

/// The configuration of a sink beside the store.
fn sink(place: &Place) -> String {
    let path = place.path("events.jsonl");
    format!("[[sinks]]\nname = \"lake\"\nkind = \"file\"\nevents = [\"*\"]\npath = \"{}\"\n", path.display())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_everything_and_names_nobody_else() {
    for place in Place::all() {
        let server = place.serve(&[]).await;
        let mut client = server.customers().await;
        let mut all: Vec<_> = (0..40).map(|n| message("ann", &format!("a{n}"), 40 - n, "leaving")).collect();
        all.extend((0..3).map(|n| message("bob", &format!("b{n}"), 0, "leaving")));
        batch(&mut client, all).await;
        record(&mut client, talk("ann", "t", vec![says("furious, my lawyer")])).await;
        let parts = export(&mut client, "ann").await.unwrap();
        let Part::Customer(first) = &parts[0] else { panic!("{:?}", parts[0]) };
        assert_eq!((first.customer.as_str(), first.interaction_count), ("ann", 41));
        let interactions: Vec<_> = parts
            .iter()
            .filter_map(|part| if let Part::Interaction(i) = part { Some(i.clone()) } else { None })
            .collect();
        assert_eq!(interactions, timeline(&mut client, "ann", 7).await);
        let signals: Vec<_> = parts
            .iter()
            .filter_map(|part| if let Part::Signal(s) = part { Some(s.clone()) } else { None })
            .collect();
        assert!(kinds(&signals).contains(&SignalKind::ChurnRiskRaised), "{signals:?}");
        assert!(
            kinds(&signals).contains(&SignalKind::EscalationRaised)
                && signals.iter().all(|s| s.customer == "ann")
        );
        assert_eq!(parts.len(), 1 + 41 + signals.len());
        assert_eq!(export(&mut client, "nobody").await.unwrap_err().code(), Code::NotFound);
        server.stop().await;
    }
}

async fn erase(client: &mut Client, customer: &str) -> v1::EraseCustomerResponse {
    let request =
        v1::EraseCustomerRequest { customer: customer.into(), actor: "dpo".into(), ..Default::default() };
    client.erase_customer(request).await.unwrap().into_inner()
}

/// Whether any file of a directory holds these bytes.
fn held(place: &Place, bytes: &str) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(place.path("")).unwrap().map(|entry| entry.unwrap().path());
    let holds = |path: &std::path::PathBuf| {
        // SQLite takes away the files beside its own when it closes.
        let content = std::fs::read(path).unwrap_or_default();
        content.windows(bytes.len()).any(|window| window == bytes.as_bytes())
    };
    files.filter(holds).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_customer_leaves_nothing_but_a_receipt() {
    for place in Place::all() {
        let server = place.serve(&[("privacy.keep_text", "full")]).await;
        let mut client = server.customers().await;
        // Others in between, so that pages split and rows move.
        for round in 0..4 {
            let who =
                |n: usize| if n.is_multiple_of(5) { "zanzibarcanary".into() } else { format!("c{}", n % 37) };
            let text = |n: usize| {
                if n.is_multiple_of(5) {
                    format!("velvetparrot {n} leaving")
                } else {
                    format!("plain words {n} ").repeat(n % 30)
                }
            };
            let one =
                |n: usize| message(&who(n), &format!("{}-{round}-{n}", who(n)), (n % 60) as i64, &text(n));
            batch(&mut client, (0..250).map(one).collect()).await;
        }
        record(
            &mut client,
            talk("zanzibarcanary", "zanzibarcanary-t", vec![says("furious velvetparrot lawyer")]),
        )
        .await;
        if place.is_file() {
            assert!(!held(&place, "velvetparrot").is_empty() && !held(&place, "zanzibarcanary").is_empty());
        }
        let receipt = erase(&mut client, "zanzibarcanary").await;
        assert_eq!((receipt.audit_sequence, receipt.audit_hash.len()), (1, 64));
        let count = |table: &str| receipt.rows.iter().find(|row| row.table == table).unwrap().count;
        assert_eq!((count("interactions"), count("assessments"), count("customers")), (201, 201, 1));
        assert!(count("signals") > 0 && count("alerts") > 0 && count("conversations") == 1);
        let request = v1::GetCustomerRequest { customer: "zanzibarcanary".into(), ..Default::default() };
        let status = client.get_customer(request).await.unwrap_err();
        assert!(status.code() == Code::NotFound && !format!("{status:?}").contains("zanzibar"));
        assert!(timeline(&mut client, "zanzibarcanary", 0).await.is_empty());
        if place.is_file() {
            for word in ["velvetparrot", "zanzibarcanary"] {
                assert_eq!(held(&place, word), Vec::<std::path::PathBuf>::new(), "{word}, while it runs");
            }
        }
        // What took place before comes too late; what comes after is a new beginning.
        let late = message("zanzibarcanary", "late", 1, "leaving");
        assert!(record(&mut client, late).await.already_recorded);
        assert_eq!(erase(&mut client, "zanzibarcanary").await.audit_sequence, 2);
        server.stop().await;
        if place.is_file() {
            for word in ["velvetparrot", "zanzibarcanary"] {
                assert_eq!(held(&place, word), Vec::<std::path::PathBuf>::new(), "{word}, after the stop");
            }
        }
    }
}

/// Everything that the process logs, from the first call on.
fn logged() -> String {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    static LINES: OnceLock<Lines> = OnceLock::new();
    let lines = LINES.get_or_init(|| {
        let lines = Lines::default();
        let filter = tracing_subscriber::EnvFilter::new("attune=trace,sqlx=debug");
        let writer = lines.clone();
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || writer.clone());
        log.with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL).init();
        lines
    });
    String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_texts_kept_a_text_reaches_nothing_that_lasts() {
    const CANARY: &str = "quokkacanary";
    logged();
    for keep in ["none", "hash"] {
        let place = Place::file();
        let key = place.path("key");
        std::fs::write(&key, "a secret of thirty-two bytes, say").unwrap();
        let settings = [("privacy.keep_text", keep), ("privacy.key_file", key.to_str().unwrap())];
        let server = place.serve_from(Some(&sink(&place)), &settings, steered()).await;
        let mut client = server.customers().await;
        let leaving = format!("we are leaving, {CANARY}");
        let told = record(&mut client, message("ann", "1", 0, &leaving)).await;
        assert!(!told.signals.is_empty());
        let survey =
            v1::Interaction { nps: Some(10), ..message("ann", "2", 0, &format!("furious {CANARY}")) };
        record(&mut client, survey).await;
        record(&mut client, talk("ann", "3", vec![says(&format!("furious {CANARY} lawyer"))])).await;
        for wrong in [
            v1::Interaction { at_ms: -1, ..message("ann", "4", 0, &leaving) },
            v1::Interaction { language: "no tag".into(), ..message("ann", "5", 0, &leaving) },
            message("ann", "6", 0, &CANARY.repeat(100_000)),
            v1::Interaction { source: String::new(), ..talk("ann", "7", vec![says(CANARY)]) },
        ] {
            let request = v1::RecordInteractionRequest { interaction: Some(wrong) };
            let status = client.record_interaction(request).await.unwrap_err();
            assert!(status.code() == Code::InvalidArgument && !format!("{status:?}").contains(CANARY));
        }
        let parts = export(&mut client, "ann").await.unwrap();
        assert!(!format!("{parts:?}").contains(CANARY));
        assert!(
            parts.iter().any(|part| matches!(part, Part::Event(event) if event.sink == "lake")),
            "{parts:?}"
        );
        let entries = timeline(&mut client, "ann", 0).await;
        assert!(entries.iter().all(|e| e.text.is_none() && e.text_hash.is_some() == (keep == "hash")));
        // Wait for the sink.
        while std::fs::read(place.path("events.jsonl")).map_or(0, |events| events.len()) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(held(&place, CANARY), Vec::<std::path::PathBuf>::new(), "{keep}, while it runs");
        server.stop().await;
        assert_eq!(held(&place, CANARY), Vec::<std::path::PathBuf>::new(), "{keep}, after the stop");
        assert!(!metrics().render().contains(CANARY));
    }
    let logged = logged();
    assert!(logged.contains("RecordInteraction"), "the log is heard");
    assert!(!logged.contains(CANARY));
}
