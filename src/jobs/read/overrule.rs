//! Columns that were asked for, in the place of those that were found.

use super::ReadOptions;
use super::header::Field;
use super::names::{find, shown};
use super::recognise::{Seen, measured, note, score_kind, unnamed};
use crate::error::Error;
use crate::jobs::{Layout, ScoreKind};

/// Puts the columns that were asked for in the place of those that were found. Errors as `recognise::layout`.
pub(super) fn apply(
    file: &str,
    layout: &mut Layout,
    columns: &[Seen],
    options: &ReadOptions,
) -> Result<(), Error> {
    let fields: Vec<Field> = columns.iter().map(|column| column.field.clone()).collect();
    let one = |flag: &str, given: &Option<String>| {
        given.as_deref().map(|given| find(file, &fields, flag, given)).transpose()
    };
    let (id, time) = (one("id-column", &options.id_column)?, one("time-column", &options.time_column)?);
    let language = one("language-column", &options.language_column)?;
    let score = one("score-column", &options.score_column)?;
    let found = options.text_columns.iter().map(|given| find(file, &fields, "text-column", given));
    let mut text: Vec<usize> = found.collect::<Result<_, _>>()?;
    text.sort_unstable();
    text.dedup();
    layout.text.retain(|at| ![id, time, language, score].contains(&Some(*at)));
    let mut note = |at: usize, what: &str| {
        layout.notes.push(note(at, columns, &format!("{what}, as asked for")));
    };
    id.inspect(|at| note(*at, "the row's id"));
    time.inspect(|at| note(*at, "the time of the answer"));
    language.inspect(|at| note(*at, "the language of the answer"));
    text.iter().for_each(|at| note(*at, "free text"));
    let score = score.map(|at| kind_of(file, &columns[at]).map(|kind| (at, kind))).transpose()?;
    score.inspect(|(at, kind)| note(*at, &measured(*kind)));
    (layout.id, layout.time) = (id.or(layout.id), time.or(layout.time));
    (layout.language, layout.score) = (language.or(layout.language), score.or(layout.score));
    if !text.is_empty() {
        layout.text = text;
    }
    Ok(())
}

fn kind_of(file: &str, column: &Seen) -> Result<ScoreKind, Error> {
    if let Some(kind) = score_kind(column) {
        return Ok(kind);
    }
    let kind = column.contents.scores.map_or(Some(ScoreKind::Nps), unnamed);
    kind.filter(|_| column.contents.filled == 0 || column.contents.scores.is_some()).ok_or_else(|| {
        let problem =
            format!("{file}: column {} holds more than numbers from 0 to 10", shown(&column.field.name));
        Error::invalid("score-column", problem)
    })
}
