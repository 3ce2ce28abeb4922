//! `attune customers`: shown, taken over, handed out, and taken away.

use super::{HELPDESK, Place, stderr};

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_shown_with_level_stage_risk_and_why() {
    for place in Place::all().await {
        place.filled();
        let shown = place.succeeds(&["customers", "get", "borealis"]);
        for part in [
            "borealis\n  as of ",
            "; 4 interactions are taken into account, the last of 2025-09-25T17:30:00Z",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
        for part in [
            "\n  level       ",
            "│",
            "\n  stage       retention  for ",
            "\n  churn risk  ",
            "cue.churn_intent",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
        let held = &place.json(&["customers", "get", "borealis"])[0];
        assert_eq!(held["customer"], "borealis");
        assert_eq!(held["profile"]["sums"], serde_json::Value::Null);
        let churn = &held["profile"]["churn"];
        let reasons =
            churn["reasons"].as_array().unwrap().iter().map(|r| r["contribution"].as_f64().unwrap());
        let sum = reasons.fold(churn["base"].as_f64().unwrap(), |sum, part| sum + part);
        assert!((sum - churn["log_odds"].as_f64().unwrap()).abs() < 1e-9, "{churn}");
        let nobody = place.fails(66, &["customers", "get", "borealis", "--tenant", "other"]);
        assert!(nobody.contains("is the tenant right?"), "{nobody}");
        place.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_listed_by_risk_and_filtered_and_their_timelines_begin_with_the_newest() {
    for place in Place::all().await {
        place.filled();
        let all = place.json(&["customers", "list", "--limit", "100"]);
        assert_eq!(all.len(), 17);
        let risks: Vec<f64> =
            all.iter().map(|c| c["profile"]["churn"]["probability"].as_f64().unwrap()).collect();
        assert!(risks.is_sorted_by(|a, b| a >= b), "{risks:?}");
        assert_eq!(all[0]["customer"], "borealis");
        let few = place.json(&["customers", "list", "--churn-at-least", "0.3", "--stage", "retention"]);
        assert!(!few.is_empty() && few.len() < 17, "{few:?}");
        let low = place.json(&["customers", "list", "--level-at-most", "-0.1"]);
        assert!(low.iter().all(|c| c["profile"]["level"].as_f64().unwrap() <= -0.1), "{low:?}");
        let shown = place.succeeds(&["customers", "list", "--signal", "churn_risk_raised"]);
        assert!(shown.lines().any(|line| line.contains("borealis")), "{shown}");
        assert!(place.fails(65, &["customers", "list", "--signal", "x"]).contains("sentiment_drop"));
        let timeline = place.json(&["customers", "timeline", "acme-ltd", "--limit", "3"]);
        let times: Vec<&str> = timeline.iter().map(|e| e["occurred_at"].as_str().unwrap()).collect();
        assert_eq!(times, ["2025-10-23T09:00:00Z", "2025-10-21T14:00:00Z", "2025-10-01T08:30:00Z"]);
        let shown = place.succeeds(&["customers", "timeline", "acme-ltd"]);
        assert!(shown.contains("Exports are fast again.") && shown.contains("helpdesk 10045"), "{shown}");
        let signals = place.json(&["customers", "signals", "borealis"]);
        assert!(signals.iter().any(|s| s["signal"]["kind"] == "churn_risk_raised"), "{signals:?}");
        assert!(place.json(&["customers", "signals"]).len() > signals.len());
        place.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crm_says_is_taken_over_row_by_row() {
    for place in Place::all().await {
        place.filled();
        let accounts = place.file("accounts.csv", include_str!("../../fixtures/crm/accounts.csv"));
        let output = place.run(&["customers", "import", &accounts]);
        assert_eq!(output.status.code(), Some(65), "{}", stderr(&output));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "7 rows read: 4 imported, 3 refused\n");
        let told = stderr(&output);
        for said in [
            "row 4 (line 5): stage: expected one of awareness",
            "row 5 (line 6): renewal_date: expected a time",
            "row 6 (line 7): customer: is required",
            "3 of 7 rows were refused",
        ] {
            assert!(told.contains(said), "{said}\n{told}");
        }
        assert!(!told.contains("prospect") && !told.contains("end of the year"), "{told}");
        let acme = &place.json(&["customers", "get", "acme-ltd"])[0];
        assert_eq!(
            (&acme["account"]["tier"], &acme["profile"]["stage"]),
            (&"business".into(), &"growth".into())
        );
        place.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_everything_for_its_owner_alone_and_is_written_down() {
    use std::os::unix::fs::PermissionsExt;
    for place in Place::all().await {
        place.filled();
        let path = place.path("borealis.jsonl");
        let file = path.display().to_string();
        let told = place.succeeds(&["customers", "export", "borealis", "-o", &file, "--actor", "dpo"]);
        assert!(told.contains("audit row 1, hash "), "{told}");
        let text = std::fs::read_to_string(&path).unwrap();
        let rows: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |table: &str| rows.iter().filter(|row| row["table"] == table).count();
        assert_eq!((of("customers"), of("interactions"), of("assessments")), (1, 4, 4));
        assert!(of("signals") > 0 && text.contains("Your competitor can connect us next week."), "{text}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(place.fails(73, &["customers", "export", "borealis", "-o", &file]).contains("already there"));
        let none = place.path("none.jsonl").display().to_string();
        place.fails(66, &["customers", "export", "nobody", "-o", &none]);
        assert!(!place.path("none.jsonl").exists() && !place.path("none.jsonl.part").exists());
        let audit = &place.json(&["audit", "list"]);
        assert_eq!(
            (audit.len(), &audit[0]["actor"], &audit[0]["action"]),
            (1, &"dpo".into(), &"export".into())
        );
        place.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_customer_is_gone_from_the_store_and_its_files_and_stays_gone() {
    for place in Place::all().await {
        place.filled();
        let told = place.succeeds(&["customers", "erase", "borealis", "--actor", "dpo", "--rewrite"]);
        assert!(
            told.contains("  interactions          4\n") && told.contains("audit row 1, hash "),
            "{told}"
        );
        place.fails(66, &["customers", "get", "borealis"]);
        if place.database.is_none() {
            for file in std::fs::read_dir(place.directory.path()).unwrap() {
                let path = file.unwrap().path();
                if path.to_string_lossy().contains("attune.db") {
                    let bytes = std::fs::read(&path).unwrap();
                    for words in ["borealis", "Your competitor can connect us", "explained the same problem"]
                    {
                        let found = bytes.windows(words.len()).any(|window| window == words.as_bytes());
                        assert!(!found, "{words} is still in {}", path.display());
                    }
                }
            }
        }
        // The export that it came from does not bring it back.
        let input = place.file("crm.csv", HELPDESK);
        let again = &place.json(&super::enrich(&input))[0];
        assert_eq!(again["recorded"], 0, "{again}");
        let list = place.json(&["customers", "list", "--limit", "100"]);
        assert!(list.iter().all(|customer| customer["customer"] != "borealis"), "{list:?}");
        let twice = &place.json(&["customers", "erase", "borealis", "--actor", "dpo"])[0];
        assert_eq!((&twice["rows"]["interactions"], &twice["audit_sequence"]), (&0.into(), &2.into()));
        place.close().await;
    }
}
