//! The texts: public ones when they are beside the repository, else the repository's own golden texts.

use std::path::Path;

use attune::inference::TextTokenizer;
use attune::model::ModelBundle;

/// Texts of a corpus that are used, evenly spread: every measurement then sees all of them several times.
const TEXTS: usize = 1000;

/// Texts of one kind.
pub(crate) struct Corpus {
    pub(crate) name: &'static str,
    pub(crate) texts: Vec<String>,
    pub(crate) tokens: Vec<Vec<u32>>,
    pub(crate) mean_tokens: f64,
    pub(crate) p99_tokens: usize,
}

const PUBLIC: &str = "../shared/data/bench";
const OWN: &str = "tests/fixtures/golden/attune-en-small.jsonl";

/// The short and the mixed corpus.
pub(crate) fn all() -> Vec<Corpus> {
    let read = |name: &str| {
        let path = Path::new(PUBLIC).join(format!("{name}.txt"));
        std::fs::read_to_string(path).ok().map(|text| text.lines().map(str::to_owned).collect())
    };
    let (short, mixed) = match (read("short"), read("mixed")) {
        (Some(short), Some(mixed)) => (short, mixed),
        _ => own(),
    };
    vec![of("short", short), of("mixed", mixed)]
}

/// Sentences of the golden texts, and mixtures of them: 70 % one, 20 % three, 10 % ten.
fn own() -> (Vec<String>, Vec<String>) {
    let text = std::fs::read_to_string(OWN).expect("the golden texts are part of the repository");
    let texts: Vec<String> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["text"].as_str().unwrap().to_owned()
        })
        .collect();
    let short: Vec<String> = texts.iter().filter(|t| t.split_whitespace().count() <= 30).cloned().collect();
    let mixed = (0..short.len() * 4)
        .map(|n| {
            let parts = [1, 1, 1, 1, 1, 1, 1, 3, 3, 10][n % 10];
            (0..parts).map(|k| short[(n * 7 + k * 13) % short.len()].as_str()).collect::<Vec<_>>().join(" ")
        })
        .collect();
    (short, mixed)
}

/// What an engine needs to know of texts.
pub(crate) fn of(name: &'static str, texts: Vec<String>) -> Corpus {
    let bundle = ModelBundle::load_embedded().unwrap();
    let tokenizer = TextTokenizer::parse(&bundle.tokenizer).unwrap();
    let every = (texts.len() / TEXTS).max(1);
    // Whatever the service does not read as English has no share in its work.
    let texts: Vec<String> = texts
        .into_iter()
        .step_by(every)
        .filter(|t| {
            let found = attune::inference::language::identify(t);
            attune::inference::language::is_supported(found.tag, &bundle.manifest.languages)
        })
        .collect();
    let tokens: Vec<Vec<u32>> = texts.iter().map(|t| tokenizer.tokenize(t).unwrap().ids).collect();
    let mut lengths: Vec<usize> = tokens.iter().map(Vec::len).collect();
    lengths.sort_unstable();
    let mean_tokens = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
    Corpus { name, p99_tokens: lengths[lengths.len() * 99 / 100], texts, tokens, mean_tokens }
}
