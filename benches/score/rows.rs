//! A survey export of any length, out of the repository's own written messages: repeated short answers, empty cells, and
//! texts of one to three sentences of which most are there once. The same number of rows gives the same file.

use std::io::{BufWriter, Write};
use std::path::Path;

const MESSAGES: &str = "models/training/data/written.jsonl";
/// Share of rows without an answer, and, above it, of those with one that many give; in percent.
const EMPTY: u64 = 10;
const COMMON: u64 = 40;
/// Answers that many give.
const COMMON_ANSWERS: usize = 3000;
/// Longest of them, in bytes.
const COMMON_BYTES: usize = 60;

/// A small generator of numbers (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// The first ones much more often than the last ones: the rank is spread evenly in its logarithm.
    fn rank(&mut self, bound: usize) -> usize {
        let share = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        ((bound as f64).powf(share) as usize).saturating_sub(1).min(bound - 1)
    }
}

fn sentences() -> Vec<String> {
    let text = std::fs::read_to_string(MESSAGES).expect("the written messages are part of the repository");
    let mut all: Vec<String> = Vec::new();
    for line in text.lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = message["text"].as_str().unwrap().replace('\n', " ");
        all.extend(
            text.split_inclusive(['.', '!', '?']).map(|s| s.trim().to_owned()).filter(|s| s.len() > 3),
        );
    }
    all
}

/// Writes a CSV file of so many rows: id, date, score and comment.
pub(crate) fn write(path: &Path, rows: usize) {
    let all = sentences();
    let common: Vec<&String> = all.iter().filter(|s| s.len() <= COMMON_BYTES).take(COMMON_ANSWERS).collect();
    let mut numbers = Numbers(rows as u64);
    let mut file = BufWriter::new(std::fs::File::create(path).unwrap());
    writeln!(file, "id,date,score,comment").unwrap();
    for row in 1..=rows {
        let comment = match numbers.next() % 100 {
            n if n < EMPTY => String::new(),
            n if n < EMPTY + COMMON => common[numbers.rank(common.len())].clone(),
            n => {
                let count = [1, 2, 2, 3, 3][n as usize % 5];
                (0..count).map(|_| all[numbers.below(all.len())].as_str()).collect::<Vec<_>>().join(" ")
            }
        };
        let (day, score) = (1 + numbers.below(28), numbers.below(11));
        writeln!(file, "{row:08},2026-01-{day:02},{score},\"{}\"", comment.replace('"', "\"\"")).unwrap();
    }
    file.flush().unwrap();
}

/// The distinct comments of a file, in the order of the file.
pub(crate) fn distinct(path: &Path) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let mut reader = csv::Reader::from_path(path).unwrap();
    let comments = reader.records().map(|row| row.unwrap()[3].to_owned());
    comments.filter(|text| !text.trim().is_empty() && seen.insert(text.clone())).collect()
}
