//! Sentiment over time, by segment, and by question.

use super::charts::{Row, dots};
use super::figures::{Estimate, net, share};
use super::format::{count, many, percent, points, signed, signed_range};
use super::page::{Block, Cell, Panel, Table, figure, heads, words};
use super::score::Scale;
use super::split::Split;
use super::tally::Tally;
use super::timeline::{Point, timeline};
use super::{dates, segments as bounds, series};
use crate::error::Error;

/// A mean, or a dash.
fn mean_cells(split: &Split) -> [Cell; 3] {
    let mean = split.mean();
    let or_dash = |text: Option<String>| figure(text.unwrap_or_else(|| "–".into()));
    [
        or_dash(mean.as_ref().map(|mean| signed(mean.value))),
        or_dash(mean.as_ref().map(signed_range)),
        or_dash(split.negative().map(|negative| percent(negative.value))),
    ]
}

/// Change over time; `None` without a column of times, or when it is empty.
pub(super) fn time(tally: &Tally) -> Result<Option<Panel>, Error> {
    let Some(series) = &tally.series else { return Ok(None) };
    let shown = series.shown();
    let point = |(day, split): (&i32, &Split)| {
        Some(Point { day: *day, mean: split.mean()?, comments: split.count() })
    };
    let drawn: Vec<Point> = shown.points.iter().filter_map(point).collect();
    if drawn.is_empty() && series.unreadable() == 0 {
        return Ok(None);
    }
    let lead = vec![format!(
        "Mean sentiment by {}, with its 95\u{a0}% interval, and the number of comments. {} without a time, {} with one \
         that could not be read.",
        shown.grain,
        many(series.missing, "row"),
        count(series.unreadable())
    )];
    let mut blocks = Vec::new();
    if !drawn.is_empty() {
        blocks.push(Block { drawing: Some(timeline(&drawn, shown.grain)?), table: steps(&shown) });
    }
    Ok(Some(Panel::new("time", "Change over time", lead, blocks)))
}

fn steps(shown: &series::Shown) -> Table {
    let row = |(day, split): (&i32, &Split)| {
        let mut cells = vec![words(dates::date(*day).to_string()), figure(count(split.count()))];
        cells.extend(mean_cells(split));
        cells
    };
    Table {
        caption: format!("Comments by {}", shown.grain),
        head: heads(["From", "Comments", "Mean", "95\u{a0}% interval", "Negative"]),
        rows: shown.points.iter().map(row).collect(),
    }
}

/// Rows compared by the values of a column; `None` when none was asked for.
pub(super) fn segments(tally: &Tally) -> Result<Option<Panel>, Error> {
    let (Some(segments), Some(by)) = (&tally.segments, &tally.by) else { return Ok(None) };
    let nps = tally.scores.as_ref().is_some_and(|scores| scores.scale == Scale::Nps);
    let ranked = segments.ranked();
    let mut head = heads(["Value", "Rows", "Comments", "Mean", "95\u{a0}% interval", "Negative"]);
    head.extend(nps.then(|| words("NPS")));
    let row = |(name, segment): &(String, &bounds::Segment)| {
        let mut cells =
            vec![words(name.clone()), figure(count(segment.rows)), figure(count(segment.comments.count()))];
        cells.extend(mean_cells(&segment.comments));
        let score = net(&segment.bands).map_or_else(|| "–".into(), |net| points(net.value));
        cells.extend(nps.then(|| figure(score)));
        cells
    };
    let table = Table { caption: format!("Comments by {by}"), head, rows: ranked.iter().map(row).collect() };
    let drawn = ranked.iter().map(|(name, segment)| (name.clone(), &segment.comments));
    let lead = vec![format!(
        "Mean sentiment with its 95\u{a0}% interval, on a scale from −1 to +1 with 0 in the middle; most rows first. At most \
         {} values are kept apart.",
        bounds::MOST
    )];
    let blocks = vec![Block { drawing: Some(scale(drawn)?), table }];
    Ok(Some(Panel::new("segments", format!("By {by}"), lead, blocks)))
}

/// Comments by the question that they answer; `None` when there is only one.
pub(super) fn questions(tally: &Tally) -> Result<Option<Panel>, Error> {
    if tally.questions.len() < 2 {
        return Ok(None);
    }
    let row = |question: &super::tally::Question| {
        let mut cells = vec![words(question.asked.clone()), figure(count(question.comments.count()))];
        cells.extend(mean_cells(&question.comments));
        cells
    };
    let table = Table {
        caption: "Comments by question".into(),
        head: heads(["Question", "Comments", "Mean", "95\u{a0}% interval", "Negative"]),
        rows: tally.questions.iter().map(row).collect(),
    };
    let drawn = tally.questions.iter().map(|question| (question.asked.clone(), &question.comments));
    let lead = vec![
        "Mean sentiment with its 95\u{a0}% interval, on a scale from −1 to +1 with 0 in the middle.".into(),
    ];
    let blocks = vec![Block { drawing: Some(scale(drawn)?), table }];
    Ok(Some(Panel::new("questions", "By question", lead, blocks)))
}

fn scale<'s>(of: impl Iterator<Item = (String, &'s Split)>) -> Result<super::drawing::Drawing, Error> {
    let row = |(label, split): (String, &Split)| {
        let mean = split.mean();
        let figure = mean.map_or_else(|| "–".into(), |mean: Estimate| signed(mean.value));
        Row { label, figure, drawn: mean }
    };
    dots(&of.map(row).collect::<Vec<_>>())
}

/// How many of a whole, with the share.
pub(super) fn of_whole(part: u64, whole: u64) -> [Cell; 2] {
    [figure(count(part)), figure(share(part, whole).map_or_else(|| "–".into(), |share| percent(share.value)))]
}
