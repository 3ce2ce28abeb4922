//! Which columns are what: by the tool's own conventions, then by names, and always by what stands in the sample.
//!
//! Every finding has a reason, which is printed, so that an analyst sees a wrong one and names the right column instead.

use super::contents::Contents;
use super::header::{Field, Header, TIMESTAMPS, Tool};
use super::names::{has, has_beginning, listed, normal, plain, shown};
use super::{ReadOptions, hints, overrule};
use crate::error::Error;
use crate::jobs::{Layout, Row, ScoreKind};

/// Fewest answers below a label of SurveyMonkey's that tell free text from a row of a matrix.
const LABELLED: usize = 4;

/// What a column holds. Of several ids, scores and times the lowest rank counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Id(usize),
    Score(ScoreKind),
    Language,
    Time(usize),
    /// Not to be read as text, whatever it holds.
    Passed,
}

/// A column, as the rules see it.
pub(super) struct Seen<'a> {
    pub(super) field: &'a Field,
    /// Its name in normal form.
    name: String,
    /// Its name and question in normal form.
    words: String,
    /// Whether a cell is the very label below the question, as with choices that were ticked.
    ticked: bool,
    pub(super) contents: Contents,
}

/// Finds the columns, and puts those that were asked for in their place.
///
/// Errors: `InvalidInput` for a column that is not there, one asked for as a score that has no number, and when no column
/// of a table with rows holds free text.
pub(super) fn layout(
    file: &str,
    header: &Header,
    rows: &[&Row],
    options: &ReadOptions,
) -> Result<Layout, Error> {
    let columns: Vec<Seen> =
        header.fields.iter().enumerate().map(|(at, field)| seen(at, field, rows)).collect();
    let mut layout = Layout { source: header.tool.name().to_owned(), ..Layout::default() };
    if options.detect {
        detect(&mut layout, header, &columns, rows);
    }
    if header.null {
        layout.notes.push("cells that hold only `null` are empty answers".into());
    }
    overrule::apply(file, &mut layout, &columns, options)?;
    if layout.text.is_empty() && columns.len() == 1 {
        layout.text.push(0);
        layout.notes.push(note(0, &columns, "free text, for there is no other"));
    }
    if layout.text.is_empty() && !(rows.is_empty() && options.detect) {
        let problem = format!("{file}: no column looks like free text; name one with --text-column");
        return Err(Error::invalid("text-column", format!("{problem}. It has {}", listed(&header.fields))));
    }
    Ok(layout)
}

fn seen<'a>(at: usize, field: &'a Field, rows: &[&Row]) -> Seen<'a> {
    let name = normal(&plain(&field.name));
    let words = format!("{name} {}", normal(field.question.as_deref().unwrap_or_default()));
    let cells = || rows.iter().filter_map(|row| row.cells.get(at).map(String::as_str));
    let ticked = field.label.as_deref().is_some_and(|label| cells().any(|cell| plain(cell) == label));
    Seen { field, name, words, ticked, contents: Contents::of(cells()) }
}

/// A line for people about a column.
pub(super) fn note(at: usize, columns: &[Seen], what: &str) -> String {
    format!("column {} {}: {what}", at + 1, shown(&columns[at].field.name))
}

fn detect(layout: &mut Layout, header: &Header, columns: &[Seen], rows: &[&Row]) {
    let judged = columns.iter().enumerate().map(|(at, column)| judge(header.tool, at, column));
    let found: Vec<Option<(Kind, &str)>> = judged.collect();
    let best = |rank: &dyn Fn(Kind) -> Option<usize>| {
        let ranked = found.iter().enumerate().filter_map(|(at, found)| Some((rank((*found)?.0)?, at)));
        ranked.min().map(|(_, at)| at)
    };
    let kinds = |at: usize| found[at].map(|(kind, _)| kind);
    layout.id = best(&|kind| if let Kind::Id(rank) = kind { Some(rank) } else { None });
    layout.time = best(&|kind| if let Kind::Time(rank) = kind { Some(rank) } else { None });
    layout.language = best(&|kind| (kind == Kind::Language).then_some(0));
    let score = best(&|kind| match kind {
        Kind::Score(ScoreKind::Nps) => Some(0),
        Kind::Score(ScoreKind::Csat(_)) => Some(1),
        _ => None,
    });
    layout.score = score.and_then(|at| match kinds(at) {
        Some(Kind::Score(kind)) => Some((at, surveyed(header.tool, columns, rows).unwrap_or(kind))),
        _ => None,
    });
    layout.text = (0..columns.len()).filter(|at| kinds(*at) == Some(Kind::Text)).collect();
    for (at, found) in found.iter().enumerate() {
        let Some((kind, reason)) = found else { continue };
        if let Some(what) = described(*kind, at, layout) {
            layout.notes.push(note(at, columns, &format!("{what}, {reason}")));
        }
    }
}

/// What a note calls a column; `None` for one that another was preferred to.
fn described(kind: Kind, at: usize, layout: &Layout) -> Option<String> {
    let used = match kind {
        Kind::Id(_) => layout.id == Some(at),
        Kind::Time(_) => layout.time == Some(at),
        Kind::Language => layout.language == Some(at),
        Kind::Text | Kind::Passed | Kind::Score(_) => true,
    };
    let what = match kind {
        Kind::Text => "free text".to_owned(),
        Kind::Id(_) => "the row's id".to_owned(),
        Kind::Time(_) => "the time of the answer".to_owned(),
        Kind::Language => "the language of the answer".to_owned(),
        Kind::Passed => "not read as text".to_owned(),
        Kind::Score(kind) => match layout.score.filter(|(score, _)| *score == at) {
            Some((_, kind)) => measured(kind),
            None => format!("{}, not used", measured(kind)),
        },
    };
    used.then_some(what)
}

/// A kind of score, for people.
pub(super) fn measured(kind: ScoreKind) -> String {
    match kind {
        ScoreKind::Nps => "a score from 0 to 10 (NPS)".to_owned(),
        ScoreKind::Csat(most) => format!("a score from 1 to {most} (satisfaction)"),
    }
}

fn judge(tool: Tool, at: usize, column: &Seen) -> Option<(Kind, &'static str)> {
    let contents = &column.contents;
    if is_enrichment(column) {
        return Some((Kind::Passed, "for its name is that of an earlier enrichment"));
    }
    if hints::PERSON.contains(&column.name.as_str()) {
        return Some((Kind::Passed, "for its name is that of data about a person"));
    }
    if contents.addresses > 0.5 {
        return Some((Kind::Passed, "for it holds addresses or phone numbers"));
    }
    let own = match tool {
        Tool::Qualtrics => qualtrics(column),
        Tool::SurveyMonkey => survey_monkey(column),
        Tool::Typeform if column.field.name == "#" => Some((Kind::Id(0), "for Typeform calls it #")),
        Tool::GoogleForms if at == 0 && TIMESTAMPS.contains(&column.name.as_str()) => {
            Some((Kind::Time(0), "for it is the first column of Google Forms"))
        }
        _ => None,
    };
    own.or_else(|| by_name(column)).or_else(|| scored(column)).or_else(|| text(tool, column))
}

fn is_enrichment(column: &Seen) -> bool {
    let behind = |name: &str| {
        let (_, rest) = name.rsplit_once(" - ")?;
        let rest = normal(rest);
        hints::ENRICHMENT.iter().any(|word| rest.starts_with(word)).then_some(())
    };
    behind(&column.field.name).is_some() || hints::OWN.iter().any(|own| column.name.starts_with(own))
}

fn qualtrics(column: &Seen) -> Option<(Kind, &'static str)> {
    let id = column.field.import_id.as_deref()?;
    match id {
        "_recordId" => Some((Kind::Id(0), "for its ImportId is _recordId")),
        "recordedDate" => Some((Kind::Time(0), "for its ImportId is recordedDate")),
        "endDate" => Some((Kind::Time(1), "for its ImportId is endDate")),
        "startDate" => Some((Kind::Time(2), "for its ImportId is startDate")),
        "userLanguage" => Some((Kind::Language, "for its ImportId is userLanguage")),
        _ if id.ends_with("_TEXT") => Some((Kind::Text, "for its ImportId ends in _TEXT")),
        _ => None,
    }
}

fn survey_monkey(column: &Seen) -> Option<(Kind, &'static str)> {
    let label = normal(column.field.label.as_deref()?);
    hints::TEXT_LABELS
        .contains(&label.as_str())
        .then_some((Kind::Text, "for SurveyMonkey's label below the question says so"))
}

fn by_name(column: &Seen) -> Option<(Kind, &'static str)> {
    let (name, contents) = (column.name.as_str(), &column.contents);
    let place = |names: &[&str]| names.iter().position(|there| *there == name);
    if let Some(rank) = place(hints::ID).filter(|_| contents.is_distinct()) {
        return Some((Kind::Id(1 + rank), "for its name and no two alike"));
    }
    if let Some(rank) = place(hints::LESSER_ID).filter(|_| contents.is_distinct() && contents.words < 2.0) {
        return Some((Kind::Id(100 + rank), "for its name and no two alike"));
    }
    if place(hints::LANGUAGE).is_some() && contents.words < 2.0 {
        return Some((Kind::Language, "for its name"));
    }
    let time = place(hints::TIME).filter(|_| contents.filled == 0 || contents.numeric > 0.5);
    time.map(|rank| (Kind::Time(3 + rank), "for its name"))
}

fn scored(column: &Seen) -> Option<(Kind, &'static str)> {
    // A group of NPS is a code, and a comment about a score has words.
    if has(&column.words, &["group"]) {
        return None;
    }
    let range = match (column.contents.scores, column.contents.filled) {
        (Some(range), _) => Some(range),
        (None, 0) => None,
        (None, _) => return None,
    };
    let recommend = has(&column.words, hints::NPS) || has_beginning(&column.words, hints::RECOMMEND);
    let satisfied = has_beginning(&column.words, hints::CSAT);
    match range {
        Some((_, high)) if recommend && high <= 10 => {
            Some((Kind::Score(ScoreKind::Nps), "for its name and numbers"))
        }
        Some((low, high)) if satisfied && low >= 1 && high <= 10 => {
            Some((Kind::Score(ScoreKind::Csat(scale(high))), "for its name and numbers"))
        }
        Some(range) if column.name == "score" || column.name == "score 0 10" => {
            unnamed(range).map(|kind| (Kind::Score(kind), "for its name and numbers"))
        }
        None if has(&column.name, hints::NPS) => Some((Kind::Score(ScoreKind::Nps), "for its name")),
        _ => None,
    }
}

/// The end of a scale of which `high` is the highest answer.
fn scale(high: u8) -> u8 {
    match high {
        0..=5 => 5,
        6..=7 => 7,
        _ => 10,
    }
}

/// The kind of a column that names and numbers show to be a score.
pub(super) fn score_kind(column: &Seen) -> Option<ScoreKind> {
    match scored(column) {
        Some((Kind::Score(kind), _)) => Some(kind),
        _ => None,
    }
}

/// What numbers measure whose name does not say it: from 1 to 5 satisfaction, else NPS up to 10.
pub(super) fn unnamed((low, high): (u8, u8)) -> Option<ScoreKind> {
    match (low, high) {
        (1.., ..=5) => Some(ScoreKind::Csat(5)),
        (_, ..=10) => Some(ScoreKind::Nps),
        _ => None,
    }
}

/// What Delighted's survey type says of its score, when all rows of the sample have the same.
fn surveyed(tool: Tool, columns: &[Seen], rows: &[&Row]) -> Option<ScoreKind> {
    if tool != Tool::Delighted {
        return None;
    }
    let at = columns.iter().position(|column| column.name == "survey type")?;
    let mut kinds = rows.iter().filter_map(|row| match normal(row.cells.get(at)?).as_str() {
        "nps" => Some(ScoreKind::Nps),
        "csat" => Some(ScoreKind::Csat(5)),
        "csat3" => Some(ScoreKind::Csat(3)),
        "ces" => Some(ScoreKind::Csat(5)),
        "ces7" => Some(ScoreKind::Csat(7)),
        _ => None,
    });
    let first = kinds.next()?;
    kinds.all(|kind| kind == first).then_some(first)
}

fn text(tool: Tool, column: &Seen) -> Option<(Kind, &'static str)> {
    let contents = &column.contents;
    let question = column.field.import_id.as_deref().is_some_and(|id| id.starts_with("QID"));
    // These two say which answers are free; the labels of choices have words, too.
    if tool == Tool::Qualtrics && question {
        return None;
    }
    let labelled = tool == Tool::SurveyMonkey && column.field.label.is_some();
    // Whoever made the survey may have given "Other (please specify)" words of their own.
    if labelled && (column.ticked || contents.filled < LABELLED) {
        return None;
    }
    if contents.numeric > 0.5 || contents.is_code() {
        return None;
    }
    if !labelled
        && has_beginning(&column.words, hints::TEXT)
        && (contents.filled == 0 || contents.wordy > 0.0)
    {
        return Some((Kind::Text, "for its name and words"));
    }
    let long = contents.words >= 4.0 && contents.wordy >= 0.4 && !contents.is_choice();
    long.then_some((Kind::Text, "for its cells have many words and are seldom alike"))
}

#[cfg(test)]
#[path = "recognise_tests.rs"]
mod tests;
