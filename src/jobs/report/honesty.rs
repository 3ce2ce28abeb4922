//! What was read and what was not: rows, texts, languages, coverage, and how the file was understood.

use super::compared::of_whole;
use super::counts::Counts;
use super::format::{count, many, percent};
use super::page::{Block, Cell, Facts, Panel, Table, figure, heads, words};
use super::tally::Tally;

/// Says that rows are missing, when the source has more than were read.
pub(super) fn partial(tally: &Tally, facts: &Facts) -> Option<String> {
    let seen = tally.coverage.rows + tally.coverage.bad.total();
    let rows = facts.rows.filter(|rows| *rows > seen)?;
    Some(format!(
        "This report covers {} of {}: the run has not read the rest.",
        count(seen),
        many(rows, "row")
    ))
}

/// The panel; it is always there.
pub(super) fn panel(tally: &Tally, facts: &Facts) -> Panel {
    let coverage = &tally.coverage;
    let read = coverage.read().map(|share| {
        format!(
            "The model read {} of the tokens of the texts that it scored; {} only in part. {} longer than one window, \
             and read in several.",
            percent(share),
            was(coverage.partial, "text"),
            were(coverage.windowed, "text")
        )
    });
    let mut lead: Vec<String> = read.into_iter().collect();
    lead.push(kept(tally.options.redact).into());
    lead.extend((!facts.notes.is_empty()).then(|| "How the file was understood:".to_owned()));
    let mut blocks = vec![
        rows(tally),
        texts(tally),
        listed("Languages of the scored texts", "Language", &coverage.languages),
    ];
    blocks.extend(some(
        "Texts in a language the model was not trained for",
        "Language",
        &coverage.unsupported,
    ));
    blocks.extend(some("Rows that were quarantined", "Reason", &coverage.bad));
    blocks.extend(some("Texts that could not be scored", "Reason", &coverage.failed));
    Panel { notes: facts.notes.clone(), ..Panel::new("coverage", "Coverage and honesty", lead, blocks) }
}

fn kept(redacted: bool) -> &'static str {
    if redacted {
        "What identifies a person by its shape is taken out of comments, ids and words; names and postal addresses \
         are not found. Treat this file as personal data."
    } else {
        "Comments are shown as they were written, without redaction. Treat this file as personal data."
    }
}

fn was(value: u64, one: &str) -> String {
    format!("{} {}", many(value, one), if value == 1 { "was read" } else { "were read" })
}

fn were(value: u64, one: &str) -> String {
    format!("{} {}", many(value, one), if value == 1 { "was" } else { "were" })
}

fn rows(tally: &Tally) -> Block {
    let (read, bad) = (tally.coverage.rows, tally.coverage.bad.total());
    let mut rows =
        vec![line("read", read, read + bad), line("quarantined: could not be read", bad, read + bad)];
    let times =
        tally.series.iter().flat_map(|s| [("without a time", s.missing), ("time not read", s.unreadable())]);
    let scores =
        tally.scores.iter().flat_map(|s| [("without a score", s.missing), ("score not read", s.unreadable)]);
    rows.extend(times.chain(scores).map(|(name, n)| line(name, n, read)));
    table("What became of the rows", heads(["Rows", "Count", "Share"]), rows)
}

fn texts(tally: &Tally) -> Block {
    let (coverage, all) = (&tally.coverage, tally.coverage.texts());
    let rows = vec![
        line("scored", coverage.scored, all),
        line("empty", coverage.empty, all),
        line("language not supported", coverage.unsupported.total(), all),
        line("failed", coverage.failed.total(), all),
    ];
    table("What became of the texts", heads(["Texts", "Count", "Share"]), rows)
}

fn line(name: &str, part: u64, whole: u64) -> Vec<Cell> {
    std::iter::once(words(name)).chain(of_whole(part, whole)).collect()
}

fn some(caption: &str, head: &'static str, counts: &Counts) -> Option<Block> {
    (counts.total() > 0).then(|| listed(caption, head, counts))
}

fn listed(caption: &str, head: &'static str, counts: &Counts) -> Block {
    let rows = counts.ranked().into_iter().map(|(name, n)| vec![words(name), figure(count(n))]).collect();
    table(caption, heads([head, "Count"]), rows)
}

fn table(caption: &str, head: Vec<Cell>, rows: Vec<Vec<Cell>>) -> Block {
    Block { drawing: None, table: Table { caption: caption.into(), head, rows } }
}
