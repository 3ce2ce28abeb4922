//! What mappings may say, and what they make of a row's labels.

use super::*;
use crate::model::ModelBundle;

fn vocabulary(task: Task, mapping: Option<&str>) -> Result<Vocabulary, Error> {
    let manifest = ModelBundle::load_embedded().unwrap().manifest;
    let mapping = mapping.map(|text| Mapping::parse(text, "mine.toml")).transpose()?;
    Vocabulary::try_new(mapping.as_ref(), task, task.head(&manifest).unwrap())
}

fn truth(vocabulary: &Vocabulary, labels: &[&str]) -> Result<Truth, String> {
    let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
    vocabulary.truth(&labels).map_err(str::to_owned)
}

#[test]
fn sentiment_takes_one_class_and_sets_mixed_aside() {
    let own = vocabulary(Task::Sentiment, None).unwrap();
    for (labels, expected) in [
        (&["neutral"][..], Ok(Truth::Labels(vec![false, true, false]))),
        (&["mixed"], Ok(Truth::Mixed)),
        (&[], Ok(Truth::Unlabelled)),
        (&["negative", "positive"], Ok(Truth::Several)),
        (&["mixed", "positive"], Ok(Truth::Several)),
        (&["angry"], Err("angry".to_owned())),
    ] {
        assert_eq!(truth(&own, labels), expected, "{labels:?}");
    }
    assert!(own.exclusive && own.measured.len() == 3);
}

#[test]
fn a_mapping_renames_joins_and_leaves_out_and_only_its_labels_are_measured() {
    let text = "[labels]\n3 = \"anger\"\nmad = [\"anger\", \"annoyance\"]\nnoise = \"\"";
    let mapped = vocabulary(Task::Emotion, Some(text)).unwrap();
    assert_eq!(mapped.measured.len(), 2);
    let on = |truth: Result<Truth, String>| match truth {
        Ok(Truth::Labels(holds)) => holds.iter().filter(|holds| **holds).count(),
        other => panic!("{other:?}"),
    };
    assert_eq!(on(truth(&mapped, &["mad", "3"])), 2);
    assert_eq!(on(truth(&mapped, &["3", "noise"])), 1);
    assert_eq!(on(truth(&mapped, &[])), 0);
    assert_eq!(truth(&mapped, &["noise"]), Ok(Truth::LeftOut));
    assert_eq!(truth(&mapped, &["joy"]), Err("joy".to_owned()));
}

#[test]
fn where_exactly_one_group_holds_a_row_with_none_or_several_is_left_out() {
    let text = "exclusive = true\n[labels]\na = \"anger\"\nb = \"annoyance\"\nj = \"joy\"\nf = \"fear\"\n\
        [groups]\nbad = [\"anger\", \"annoyance\", \"anger\"]\ngood = [\"joy\"]";
    let mapped = vocabulary(Task::Emotion, Some(text)).unwrap();
    assert_eq!(mapped.groups[0].members.len(), 2);
    assert_eq!(truth(&mapped, &[]), Ok(Truth::Unlabelled));
    assert_eq!(truth(&mapped, &["f"]), Ok(Truth::LeftOut));
    assert_eq!(truth(&mapped, &["a", "j"]), Ok(Truth::Several));
    assert!(matches!(truth(&mapped, &["a", "b"]), Ok(Truth::Labels(_))));
}

#[test]
fn mistakes_in_a_mapping_name_their_place() {
    for (task, text, field, message) in [
        (Task::Emotion, "[labels]\nx = \"furious\"", "mapping.labels.\"x\"", "no label \"furious\""),
        (Task::Emotion, "[groups]\ng = [\"rage\"]", "mapping.groups.\"g\"", "no label \"rage\""),
        (Task::Emotion, "[labels]\nx = \"\"", "mapping.labels", "names no label of the model"),
        (Task::Emotion, "[groups]\ng = []", "mapping.groups.\"g\"", "at least one label"),
        (
            Task::Sentiment,
            "[labels]\nx = [\"negative\", \"mixed\"]",
            "mapping.labels.\"x\"",
            "takes one label",
        ),
        (Task::Cues, "[label]", "mapping", "mine.toml: "),
    ] {
        let error = vocabulary(task, Some(text)).unwrap_err();
        assert_eq!(error.field(), Some(field), "{error}");
        assert!(error.public().contains(message), "{error}");
    }
}

#[test]
fn unknown_labels_are_listed_with_their_first_rows_and_texts_are_not_quoted() {
    let mut unknown = Unknown::default();
    assert!(unknown.check("a.csv").is_ok());
    for (label, row) in [("rage", 3), ("rage", 4), ("my parcel has not come at all", 9)] {
        unknown.note(label, row);
    }
    let error = unknown.check("a.csv").unwrap_err();
    assert!(error.public().contains("a.csv: 3 rows"), "{error}");
    assert!(error.public().contains("row 3: \"rage\", row 9: (a cell of"), "{error}");
}

#[test]
fn the_mappings_that_are_shipped_fit_the_embedded_model() {
    for (task, text, measured, groups, exclusive) in [
        (Task::Emotion, include_str!("../../examples/mappings/goemotions.toml"), 28, 0, false),
        (Task::Emotion, include_str!("../../examples/mappings/goemotions-ekman.toml"), 28, 7, false),
        (Task::Sentiment, include_str!("../../examples/mappings/tweeteval-sentiment.toml"), 3, 0, true),
        (Task::Emotion, include_str!("../../examples/mappings/tweeteval-emotion.toml"), 4, 4, true),
    ] {
        let v = vocabulary(task, Some(text)).unwrap();
        assert_eq!((v.measured.len(), v.groups.len(), v.exclusive), (measured, groups, exclusive), "{text}");
    }
}
