//! The charts: bars with intervals, stacked bars, bars to both sides, dots on a scale, and a line over time.
//!
//! Each row of a chart has its words and its figure on a line of their own, above what is drawn, so that long words have
//! room on a narrow screen.

use super::drawing::{Area, Drawing, Ink, Side, WIDTH, draw, fill, internal, line, short, whisker, write};
use super::figures::Estimate;
use crate::error::Error;

/// Height of a row with its words.
const ROW: i32 = 40;
/// Where the bar of a row begins and ends.
const BAR: (i32, i32) = (22, 34);
/// Height of a scale below the rows.
const SCALE: i32 = 22;
/// Characters that fit into a row beside its figure.
const LABEL_CHARS: usize = 40;

/// A row of words, a figure as it is written, and what is drawn.
#[derive(Debug, Clone)]
pub(super) struct Row<T> {
    pub(super) label: String,
    pub(super) figure: String,
    pub(super) drawn: T,
}

fn rows<T>(
    rows: &[Row<T>],
    below: i32,
    mut on: impl FnMut(&Area<'_>, i32, &T) -> Result<(), Error>,
) -> Result<Drawing, Error> {
    draw(ROW * rows.len().max(1) as i32 + below, |area| {
        for (row, top) in rows.iter().zip((0..).step_by(ROW as usize)) {
            write(area, &short(&row.label, LABEL_CHARS), (0, top + 10), Side::Left)?;
            write(area, &row.figure, (WIDTH, top + 10), Side::Right)?;
            on(area, top, &row.drawn)?;
        }
        Ok(())
    })
}

fn place(value: f64, from: f64, to: f64) -> i32 {
    let share = if to > from { (value - from) / (to - from) } else { 0.0 };
    (share.clamp(0.0, 1.0) * f64::from(WIDTH)).round() as i32
}

/// Shares with their intervals; the longest interval ends at the right. Nothing is drawn behind the bars: a track would
/// look like the whole of which they are parts.
pub(super) fn shares(all: &[Row<(Ink, Estimate)>]) -> Result<Drawing, Error> {
    let most = all.iter().map(|row| row.drawn.1.high).fold(0.0, f64::max);
    rows(all, 0, |area, top, (ink, estimate)| {
        fill(area, *ink, (0, top + BAR.0), (place(estimate.value, 0.0, most), top + BAR.1))?;
        let ends = (place(estimate.low, 0.0, most), place(estimate.high, 0.0, most));
        whisker(area, ends.0, ends.1, top + (BAR.0 + BAR.1) / 2)
    })
}

/// Parts of a whole, one after another.
pub(super) fn stacks(all: &[Row<Vec<(Ink, u64)>>]) -> Result<Drawing, Error> {
    rows(all, 0, |area, top, parts| {
        let whole = parts.iter().map(|(_, count)| count).sum::<u64>() as f64;
        let mut before = 0;
        for (ink, count) in parts.iter().filter(|(_, count)| *count > 0) {
            let from = place(before as f64, 0.0, whole);
            before += count;
            // A gap of one unit keeps parts apart where colours are not seen.
            let to = (place(before as f64, 0.0, whole) - 1).max(from + 1);
            fill(area, *ink, (from, top + BAR.0), (to, top + BAR.1))?;
        }
        Ok(())
    })
}

/// Values to the left and to the right of the middle.
pub(super) fn sides(all: &[Row<f64>]) -> Result<Drawing, Error> {
    let most = all.iter().map(|row| row.drawn.abs()).fold(0.0, f64::max);
    rows(all, 0, |area, top, value| {
        fill(area, Ink::Faint, (0, top + BAR.0), (WIDTH, top + BAR.1))?;
        let (middle, end) = (WIDTH / 2, place(*value, -most, most));
        let ink = if *value < 0.0 { Ink::Negative } else { Ink::Positive };
        fill(area, ink, (middle.min(end), top + BAR.0), (middle.max(end), top + BAR.1))?;
        line(area, Ink::Text, (middle, top + BAR.0 - 3), (middle, top + BAR.1 + 3), 1)
    })
}

/// Scores on a scale from −1 to 1, which is written below them, with their intervals.
pub(super) fn dots(all: &[Row<Option<Estimate>>]) -> Result<Drawing, Error> {
    let bottom = ROW * all.len() as i32;
    rows(all, SCALE, |area, top, estimate| {
        if top == 0 {
            write(area, "−1", (0, bottom + SCALE / 2), Side::Left)?;
            write(area, "0", (WIDTH / 2, bottom + SCALE / 2), Side::Middle)?;
            write(area, "+1", (WIDTH, bottom + SCALE / 2), Side::Right)?;
        }
        let y = top + (BAR.0 + BAR.1) / 2;
        fill(area, Ink::Faint, (0, y - 2), (WIDTH, y + 2))?;
        line(area, Ink::Text, (WIDTH / 2, y - 7), (WIDTH / 2, y + 7), 1)?;
        let Some(estimate) = estimate else { return Ok(()) };
        whisker(area, place(estimate.low, -1.0, 1.0), place(estimate.high, -1.0, 1.0), y)?;
        let ink = if estimate.value < 0.0 { Ink::Negative } else { Ink::Positive };
        // The dot stays inside when the score is at an end of the scale.
        let x = place(estimate.value, -1.0, 1.0).clamp(6, WIDTH - 6);
        area.draw(&plotters::element::Circle::new((x, y), 6, plotters::style::Color::filled(&ink.code())))
            .map_err(internal)
    })
}
