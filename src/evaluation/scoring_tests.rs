//! What becomes of assessments beside the labels of their rows.

use super::super::dataset::{Labels, Separator};
use super::*;
use crate::domain::{Probability, Sentiment};
use crate::model::{Manifest, ModelBundle};

fn manifest() -> Manifest {
    ModelBundle::load_embedded().unwrap().manifest
}

fn assessment(sentiment: Option<Sentiment>, emotions: &[(&str, f64, bool)]) -> Assessment {
    let emotions = emotions.iter().map(|(label, p, predicted)| LabelAssessment {
        label: (*label).to_owned(),
        probability: Probability::try_new(*p).unwrap(),
        threshold: Probability::ZERO,
        predicted: *predicted,
        evidence: None,
    });
    Assessment {
        status: Status::Ok,
        language: None,
        language_confidence: 1.0,
        coverage: 1.0,
        token_count: 1,
        window_count: 1,
        evidence: None,
        sentiment,
        emotions: emotions.collect(),
        emotion_groups: Vec::new(),
        cues: Vec::new(),
        other_heads: Vec::new(),
        sentences: Vec::new(),
        model_id: "tiny".into(),
        model_version: "1".into(),
    }
}

fn sentiment(negative: f64, neutral: f64, positive: f64, mixed: bool) -> Assessment {
    let [a, b, c] = [negative, neutral, positive].map(|p| Probability::try_new(p).unwrap());
    let mut sentiment = Sentiment::new(a, b, c);
    if mixed {
        sentiment.label = SentimentLabel::Mixed;
    }
    assessment(Some(sentiment), &[])
}

fn read(number: u64, label: &str, assessment: Assessment) -> Read {
    Read { number, labels: vec![label.to_owned()], outcome: Outcome::Read(Box::new(assessment)) }
}

fn source(data: &std::path::Path) -> Source {
    Source {
        data: data.to_owned(),
        format: None,
        header: true,
        text_column: None,
        labels: Labels::Column { given: None, usual: Task::Sentiment.column_names() },
        separator: Separator::Never,
    }
}

#[test]
fn rows_labelled_mixed_are_counted_beside_the_score_and_others_by_their_likeliest_class() {
    let manifest = manifest();
    let head = Task::Sentiment.head(&manifest).unwrap();
    let vocabulary = Vocabulary::try_new(None, Task::Sentiment, head).unwrap();
    let mut tally = Labelled::new(head, &vocabulary);
    tally.take(read(1, "positive", sentiment(0.1, 0.2, 0.7, false)));
    tally.take(read(2, "mixed", sentiment(0.5, 0.1, 0.4, true)));
    tally.take(read(3, "mixed", sentiment(0.5, 0.1, 0.4, false)));
    tally.take(read(4, "negative", sentiment(0.5, 0.1, 0.4, true)));
    let empty = Outcome::Unread(Reason::Empty, String::new());
    tally.take(Read { number: 5, labels: vec!["neutral".into()], outcome: empty });
    let scored = tally.finish(&source(std::path::Path::new("a.csv")), 1.0).unwrap();
    assert_eq!(scored.mixed, MixedRows { labelled: 2, found: 1, called: 1 });
    assert_eq!((scored.scores.len(), scored.left_out.count()), (2, 3));
    let guesses: Vec<_> = scored.scores.rows().map(|row| row.guesses.to_vec()).collect();
    assert_eq!(guesses, [[false, false, true], [true, false, false]]);
}

#[test]
fn a_groups_mapping_measures_the_groups_and_an_exclusive_one_takes_the_likeliest() {
    let manifest = manifest();
    let head = Task::Emotion.head(&manifest).unwrap();
    let text =
        "[labels]\nx = \"anger\"\ny = \"joy\"\n[groups]\nbad = [\"anger\", \"annoyance\"]\ngood = [\"joy\"]";
    for (exclusive, expected) in [(false, [true, true]), (true, [false, true])] {
        let mapping = Mapping::parse(&format!("exclusive = {exclusive}\n{text}"), "m.toml").unwrap();
        let vocabulary = Vocabulary::try_new(Some(&mapping), Task::Emotion, head).unwrap();
        let mut tally = Labelled::new(head, &vocabulary);
        let emotions = [("joy", 0.6, true), ("annoyance", 0.3, true), ("anger", 0.2, false)];
        tally.take(read(1, "x", assessment(None, &emotions)));
        let scored = tally.finish(&source(std::path::Path::new("a.csv")), 1.0).unwrap();
        let row = scored.scores.rows().next().unwrap();
        assert_eq!((row.guesses, row.truths), (&expected[..], &[true, false][..]));
        assert!((row.probabilities[0] - 0.44).abs() < 1e-12);
    }
}

#[test]
fn a_file_without_a_row_to_score_says_what_became_of_its_rows() {
    let manifest = manifest();
    let head = Task::Cues.head(&manifest).unwrap();
    let vocabulary = Vocabulary::try_new(None, Task::Cues, head).unwrap();
    let mut tally = Labelled::new(head, &vocabulary);
    let outcome = Outcome::Unread(Reason::Unreadable, "not UTF-8".into());
    tally.take(Read { number: 1, labels: Vec::new(), outcome });
    let error = tally.finish(&source(std::path::Path::new("a.csv")), 1.0).err().unwrap();
    assert_eq!(
        error.public(),
        "a.csv: no row can be scored; 1 row: unreadable row (1); the first: not UTF-8"
    );
}

#[test]
fn unknown_labels_are_found_before_any_text_is_scored() {
    let file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    std::fs::write(file.path(), "text,label\na,negative\nb,furious\n").unwrap();
    let manifest = manifest();
    let head = Task::Sentiment.head(&manifest).unwrap();
    let vocabulary = Vocabulary::try_new(None, Task::Sentiment, head).unwrap();
    let error = check_labels(&source(file.path()), &vocabulary).unwrap_err();
    assert!(error.public().contains("row 2: \"furious\""), "{error}");
}
