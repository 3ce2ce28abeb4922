//! `attune eval`, `calibrate` and `diff` with the real model: their numbers, their files, and their errors by row.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::{run, succeeds};

/// Right and wrong labels, a mixed one, an empty text, a row without its label.
const SENTIMENT: &str = "\
text,sentiment
\"Thank you so much, everything works perfectly now!\",positive
\"This is the worst service I have ever had, I am furious.\",negative
\"Thank you so much, you were wonderful!\",negative
\"The product is great, but the support was awful.\",mixed
,neutral
no label at all
What are your opening hours on Monday?,neutral
";

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, content: &str) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }
}

/// Sixty short messages, labelled by their cue, for a fit.
fn messages() -> String {
    let mut lines = String::new();
    for day in ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] {
        for (text, cues) in [
            (
                format!("I want to speak to your manager, I was promised a call on {day}."),
                "supervisor_request",
            ),
            (format!("Put me through to a supervisor by {day}, please."), "supervisor_request"),
            (format!("The parcel came on {day}, thank you."), ""),
            (format!("Can I change the delivery to {day}?"), ""),
            (format!("My manager told me to order by {day}."), ""),
        ] {
            lines += &format!("{text}\t{cues}\n");
        }
    }
    lines
}

#[test]
fn an_evaluation_counts_every_row_and_writes_json_and_a_diagram() {
    let files = Files::new();
    let data = files.write("mine.csv", SENTIMENT);
    let (json, diagram) = (files.path("out.json"), files.path("out.svg"));
    let common = ["eval", "--data", &data, "--task", "sentiment", "--resamples", "50"];
    let text = succeeds(&[&common[..], &["--json", &json, "--diagram", &diagram]].concat());
    for expected in [
        "4 of 7 rows scored",
        "1 row: labelled mixed (4)",
        "1 row: empty text (5)",
        "1 row: unreadable row (6); the first: has 1 cells; column 2 is missing",
        "true \\ predicted",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!text.contains("opening hours"), "{text}");
    let found = files.json("out.json");
    assert_eq!((&found["rows"]["read"], &found["rows"]["scored"]), (&Value::from(7), &Value::from(4)));
    assert_eq!(found["mixed"]["labelled"], 1);
    // Three right, and the one with the wrong label.
    assert_eq!(found["metrics"]["accuracy"], 0.75, "{found}");
    assert_eq!(found["confusion"]["counts"][0], serde_json::json!([1, 0, 1]), "{found}");
    let interval = &found["intervals"]["accuracy"];
    assert!(interval[0].as_f64().unwrap() < 0.75 && interval[1].as_f64().unwrap() >= 0.75, "{interval}");
    assert!(files.read("out.svg").starts_with("<svg"));
    let alone = succeeds(&[&common[..], &["--metric", "accuracy"]].concat());
    assert_eq!(alone, "0.75\n");
}

#[test]
fn a_mapping_and_a_file_of_labels_read_public_data_sets() {
    let files = Files::new();
    let texts = files.write("texts.txt", "This is wonderful, I love it!\nI am so angry about this.\n");
    let labels = files.write("labels.txt", "1\n0\n");
    let mappings = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/mappings");
    let mapping = |name: &str| mappings.join(name).to_str().unwrap().to_owned();
    let json = files.path("out.json");
    let emotion = mapping("tweeteval-emotion.toml");
    let from = ["eval", "--task", "emotion", "--resamples", "0", "--json", &json, "--mapping"];
    succeeds(&[&from[..], &[&emotion, "--data", &texts, "--labels", &labels]].concat());
    let found = files.json("out.json");
    assert_eq!(found["metrics"]["accuracy"], 1.0, "{found}");
    assert_eq!(found["labels"].as_array().unwrap().len(), 4);
    // GoEmotions: no header, ids, several of them in a cell.
    let table = files.write("test.tsv", "Thank you, \"mate!\t15\tx1\nI am furious, and sad.\t2,25\tx2\n");
    let go = mapping("goemotions.toml");
    let columns = ["--no-header", "--text-column", "1", "--label-column", "2"];
    succeeds(&[&from[..], &[&go, "--data", &table], &columns[..]].concat());
    let found = files.json("out.json");
    let support = |label: &str| {
        let labels = found["labels"].as_array().unwrap();
        labels.iter().find(|row| row["label"] == label).unwrap()["support"].as_u64().unwrap()
    };
    assert_eq!((support("gratitude"), support("anger"), support("sadness"), support("joy")), (1, 1, 1, 0));
}

#[test]
fn an_overlay_is_fitted_written_loaded_and_compared() {
    let files = Files::new();
    let data = files.write("mine.tsv", &messages());
    let overlay = files.path("overlay.toml");
    let rows = ["--data", &data, "--no-header"];
    let fitted = succeeds(&[&["calibrate", "--task", "cues", "-o", &overlay], &rows[..]].concat());
    assert!(fitted.contains("5-fold cross-validation") && fitted.contains("keeps what it has"), "{fitted}");
    let written: toml::Table = files.read("overlay.toml").parse().unwrap();
    let head = written["heads"].as_table().unwrap().values().next().unwrap().as_table().unwrap();
    assert_eq!(head.keys().collect::<Vec<_>>(), ["supervisor_request"]);
    let threshold = head["supervisor_request"]["threshold"].as_float().unwrap();
    let labels = succeeds(&["models", "--labels", "--overlay", &overlay]);
    let shown = labels.lines().find(|line| line.contains("supervisor_request")).unwrap();
    assert!(shown.contains(&format!("threshold {threshold:.2}")), "{shown} {threshold}");
    // The same as a setting; a fit to these very rows finds all of them.
    let set = format!("model.overlay={overlay}");
    let evaluate = ["eval", "--task", "cues", "--metric", "supervisor_request.f1", "--set", &set];
    let f1: f64 = succeeds(&[&evaluate[..], &rows[..]].concat()).trim().parse().unwrap();
    assert!(f1 > 0.9, "{f1}");
    // A threshold of 1 takes the label away everywhere, and moves no probability.
    let [id, version] = ["model", "version"].map(|key| written[key].as_str().unwrap().to_owned());
    let never = files.write(
        "never.toml",
        &format!(
            "schema = 1\nmodel = \"{id}\"\nversion = \"{version}\"\n\
             [heads.cue.supervisor_request]\nthreshold = 1.0\n"
        ),
    );
    let json = files.path("diff.json");
    let text = succeeds(&[&["diff", "--with", &never, "--json", &json], &rows[..]].concat());
    assert!(!text.contains("manager"), "{text}");
    let found = files.json("diff.json");
    let change = found["labels"].as_array().unwrap();
    let change = change.iter().find(|label| label["label"] == "cue.supervisor_request").unwrap();
    assert!(change["disappears"].as_u64().unwrap() >= 8 && change["after"] == 0, "{change}");
    assert_eq!((&change["appears"], &change["mean_difference"]), (&Value::from(0), &Value::from(0.0)));
    assert_eq!(found["rows"], 30);
    let moved = succeeds(&[&["diff", "--with", &overlay, "--show-text"], &rows[..]].concat());
    assert!(moved.contains("the rows that move most"), "{moved}");
}

#[test]
fn mistakes_are_named_with_their_file_row_and_key() {
    let files = Files::new();
    let data = files.write("mine.csv", "text,label\nfine,neutral\nhello,furious\nbye,furious\n");
    let few = files.write("few.csv", "text,label\nfine,neutral\nbad,negative\n");
    let groups = files.write("groups.toml", "[groups]\nbad = [\"anger\"]\n");
    let other = files.write("other.toml", "schema = 1\nmodel = \"other\"\nversion = \"9\"\n[heads]\n");
    let emotion = ["--data", &few, "--task", "emotion"];
    let sentiment = ["eval", "--data", &data, "--task", "sentiment"];
    let out = files.path("never-written.toml");
    let cases: [(Vec<&str>, i32, &str); 8] = [
        (sentiment.to_vec(), 65, "row 2: \"furious\""),
        (
            [&sentiment[..], &["--text-column", "body"]].concat(),
            65,
            "no column body; the header has \"text\"",
        ),
        ([&sentiment[..], &["--metric", "f1"]].concat(), 65, "metric: there is no f1; there are accuracy"),
        ([&["calibrate", "-o", &out, "--mapping", &groups], &emotion[..]].concat(), 65, "take [groups]"),
        (vec!["calibrate", "-o", &out, "--data", &few, "--task", "sentiment"], 65, "nothing can be fitted"),
        (vec!["eval", "--data", "/nonexistent.csv", "--task", "cues"], 66, "/nonexistent.csv"),
        (
            vec!["analyze", "hi", "--overlay", &other],
            65,
            "other.toml: is for other 9, and the model is attune-en",
        ),
        (vec!["diff", "--data", &few, "--with", "/nonexistent.toml"], 66, "/nonexistent.toml"),
    ];
    for (arguments, code, message) in cases {
        let output = run(&arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(message), "{arguments:?}: {error}");
    }
    assert!(!PathBuf::from(out).exists());
}
