//! `attune migrate`, `outbox` and `audit`.

use attune::storage::Outcome;
use sqlx::{Connection, Executor};

use super::{HELPDESK, Place};

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_checked_made_and_named() {
    for place in Place::all().await {
        let told = place.fails(70, &["migrate", "--check"]);
        assert!(told.contains("attune migrate"), "{told}");
        if place.database.is_none() {
            assert!(!place.path("attune.db").exists(), "a check makes nothing");
            let told = place.fails(70, &["customers", "list"]);
            assert!(told.contains("no database file: run `attune migrate`"), "{told}");
        }
        for arguments in [&["migrate"][..], &["migrate"], &["migrate", "--check"]] {
            let told = place.succeeds(arguments);
            let (kind, end) = match place.database {
                None => ("SQLite ", ": tables of version 1\n"),
                Some(_) => ("PostgreSQL 127.0.0.1:", ": tables of version 2\n"),
            };
            assert!(told.starts_with(kind) && told.ends_with(end), "{told}");
        }
        let version = if place.database.is_none() { 1 } else { 2 };
        let line = &place.json(&["migrate", "--check"])[0];
        assert_eq!((&line["version"], &line["checked"]), (&version.into(), &true.into()));
        place.close().await;
    }
    let passing = crate::command::run(&["customers", "list", "--set", "storage.url=memory:"]);
    assert_eq!(passing.status.code(), Some(70));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_were_given_up_are_listed_shown_and_sent_again() {
    for place in Place::all().await {
        let sink = format!(
            "[[sinks]]\nname = \"archive\"\nkind = \"file\"\nevents = [\"*\"]\npath = {:?}\n",
            place.path("events.jsonl")
        );
        let (config, input) = (place.file("attune.toml", &sink), place.file("crm.csv", HELPDESK));
        place.succeeds(&["migrate"]);
        assert!(place.succeeds(&["outbox", "status"]).contains("nothing waits"));
        let done = &place.json(&[super::enrich(&input), vec!["--deliver", "--config", &config]].concat())[0];
        let signals = done["signals"].as_u64().unwrap();
        assert!(signals >= 3, "{done}");
        let store = place.store().await;
        let taken = store.claim("archive", 2, i64::MAX / 4, i64::MAX / 2).await.unwrap();
        let dead = |error: &str| Outcome::Dead { error: error.to_owned() };
        let outcomes: Vec<_> = taken.iter().map(|d| (d.sequence, dead("410 Gone"))).collect();
        store.settle(&outcomes, 1_760_000_000_000).await.unwrap();
        let status = &place.json(&["outbox", "status"])[0];
        assert_eq!((&status["waiting"], &status["given_up"]), (&(signals - 2).into(), &2.into()));

        let listed = place.json(&["outbox", "list", "--sink", "archive"]);
        assert_eq!((listed.len(), &listed[0]["error"]), (2, &"410 Gone".into()));
        assert_eq!(listed[0]["customer"], serde_json::Value::Null);
        let text = place.succeeds(&["outbox", "list"]);
        assert!(text.contains("1 attempts: 410 Gone") && !text.contains(&taken[0].customer), "{text}");
        assert!(place.succeeds(&["outbox", "list", "--show-customer"]).contains(&taken[0].customer));
        let sequence = taken[0].sequence.to_string();
        let shown = place.succeeds(&["outbox", "show", &sequence]);
        let event: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(event["id"], taken[0].event.id.as_str());
        place.fails(66, &["outbox", "show", "999999"]);

        let told = place.fails(65, &["outbox", "replay"]);
        assert!(told.contains("--sink NAME, --sequence SEQUENCE, or --all"), "{told}");
        let told = place.succeeds(&["outbox", "replay", "--sequence", &sequence]);
        assert_eq!(told, "1 events wait again (audit row 1)\n");
        let again = &place.json(&["outbox", "replay", "--sink", "archive", "--actor", "ops"])[0];
        assert_eq!((&again["events"], &again["audit_sequence"]), (&1.into(), &2.into()));
        assert!(place.json(&["outbox", "list"]).is_empty());
        assert_eq!(place.json(&["outbox", "replay", "--all"])[0]["events"], 0);
        let audit = place.json(&["audit", "list", "--after", "1", "--limit", "1"]);
        assert_eq!((&audit[0]["action"], &audit[0]["subject"]), (&"replay".into(), &"archive".into()));
        place.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_the_audit_log_that_was_changed_is_named_with_the_check_that_fails() {
    for place in Place::all().await {
        place.succeeds(&["migrate"]);
        let empty = place.succeeds(&["audit", "verify"]);
        assert!(empty.starts_with("0 rows, the chain holds\n"), "{empty}");
        let mut hashes = Vec::new();
        for customer in ["a", "b", "c", "d"] {
            let receipt = &place.json(&["customers", "erase", customer, "--actor", "dpo"])[0];
            hashes.push(receipt["audit_hash"].as_str().unwrap().to_owned());
        }
        let told = place.succeeds(&["audit", "verify", "--expect", &hashes[1]]);
        let expected = format!("4 rows, the chain holds\nfirst {}\nlast  {}\n", hashes[0], hashes[3]);
        assert!(told.starts_with(&expected), "{told}");
        assert!(told.ends_with("is that of row 2; 2 rows have come since\n"), "{told}");
        let told = place.fails(65, &["audit", "verify", "--expect", "ab12"]);
        assert!(told.contains("no row has the expected hash"), "{told}");

        change(&place, "UPDATE audit SET actor = 'nobody' WHERE sequence = 3").await;
        let told = place.fails(65, &["audit", "verify"]);
        assert!(told.contains("broken at row 3, check `hash`"), "{told}");
        change(&place, "DELETE FROM audit WHERE sequence = 3").await;
        let told = place.fails(65, &["audit", "verify"]);
        assert!(told.contains("broken at row 4, check `sequence`"), "{told}");
        // Rows that are missing at the end show only to whoever has kept a hash.
        change(&place, "DELETE FROM audit WHERE sequence > 2").await;
        place.succeeds(&["audit", "verify"]);
        place.fails(65, &["audit", "verify", "--expect", &hashes[3]]);
        place.close().await;
    }
}

async fn change(place: &Place, statement: &'static str) {
    match place.url.strip_prefix("sqlite:") {
        Some(path) => {
            let mut connection = sqlx::SqliteConnection::connect(path).await.unwrap();
            connection.execute(statement).await.unwrap();
        }
        None => {
            let mut connection = sqlx::PgConnection::connect(&place.url).await.unwrap();
            connection.execute(statement).await.unwrap();
        }
    }
}
