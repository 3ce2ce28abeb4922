//! Language identification on public development data, where it is beside the repository.

use std::path::Path;

use attune::inference::language::{identify, is_supported};

const PUBLIC: &str = "../shared/data";

fn share_refused(texts: &[String]) -> f64 {
    let english = ["en".to_owned()];
    let refused = texts.iter().filter(|t| !is_supported(identify(t).tag, &english)).count();
    refused as f64 / texts.len() as f64
}

fn column(path: &Path, column: usize, separator: char) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .skip(1)
        .filter_map(|l| l.split(separator).nth(column).map(|t| t.trim_matches('"').to_owned()))
        .filter(|t| t.split_whitespace().count() >= 5)
        .collect()
}

#[test]
fn english_is_almost_never_turned_away_and_other_languages_mostly_are() {
    let root = Path::new(PUBLIC);
    let own: Vec<String> = include_str!("../fixtures/golden/attune-en-small.jsonl")
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(share_refused(&own), 0.0);
    if !root.is_dir() {
        return;
    }
    let english = column(&root.join("goemotions/dev.tsv"), 0, '\t');
    assert!(share_refused(&english) < 0.002, "{}", share_refused(&english));
    for (file, at_least) in [("deu", 0.95), ("esp", 0.80)] {
        let foreign = column(&root.join(format!("brighter/track_a/train/{file}.csv")), 1, ',');
        assert!(share_refused(&foreign) > at_least, "{file}: {}", share_refused(&foreign));
    }
}
