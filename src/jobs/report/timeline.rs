//! The chart of sentiment over time: the mean with its interval, and below it how many comments there are.

use plotters::prelude::*;

use super::dates::date;
use super::drawing::{Area, Drawing, Ink, Side, WIDTH, draw, internal, text_style, write};
use super::figures::Estimate;
use crate::error::Error;

const HEIGHT: i32 = 360;
/// Height of the bars below.
const BARS: i32 = 116;
/// Space for the figures at the left.
const LEFT: i32 = 52;
/// Space for the words above each part.
const ABOVE: i32 = 26;
/// Space for half the lowest figure of the upper part.
const BELOW: i32 = 8;
/// Space at the right.
const RIGHT: i32 = 6;
/// Least range of the scale, so that a quiet year does not look like a storm.
const LEAST: f64 = 0.2;
/// Days in a step of each grain, for the width of a bar.
const STEPS: [(&str, f64); 4] = [("day", 1.0), ("week", 7.0), ("month", 30.0), ("year", 365.0)];

/// A step of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    /// Its first day, since 1970.
    pub(super) day: i32,
    pub(super) mean: Estimate,
    pub(super) comments: u64,
}

/// Draws points, which ascend; there is at least one.
pub(super) fn timeline(points: &[Point], grain: &str) -> Result<Drawing, Error> {
    let step = STEPS.iter().find(|(name, _)| *name == grain).map_or(1.0, |(_, days)| *days);
    let days = points.iter().map(|point| f64::from(point.day));
    let (first, last) = (days.clone().fold(f64::MAX, f64::min), days.fold(f64::MIN, f64::max));
    let range = first - step / 2.0..last + step / 2.0;
    draw(HEIGHT, |area| {
        let (upper, lower) = area.split_vertically(HEIGHT - BARS);
        write(&upper, "Mean sentiment", (0, 9), Side::Left)?;
        write(&lower, "Comments", (0, 9), Side::Left)?;
        means(&upper, points, range.clone())?;
        volumes(&lower, points, range, step)
    })
}

/// Both ends of the scale: the intervals, at least [`LEAST`] apart, within [−1, 1].
fn scale(points: &[Point]) -> (f64, f64) {
    let low = points.iter().map(|point| point.mean.value).fold(1.0, f64::min);
    let high = points.iter().map(|point| point.mean.value).fold(-1.0, f64::max);
    // Intervals of single comments are as wide as the scale; the line counts, and half as much room around it.
    let room = ((high - low) / 2.0).max(LEAST / 2.0);
    ((low - room).max(-1.0), (high + room).min(1.0))
}

fn means(area: &Area<'_>, points: &[Point], range: std::ops::Range<f64>) -> Result<(), Error> {
    let (low, high) = scale(points);
    let mut chart = ChartBuilder::on(area)
        .margin_top(ABOVE)
        .margin_right(RIGHT)
        .margin_bottom(BELOW)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(range, low..high)
        .map_err(internal)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_labels(5)
        .y_label_formatter(&|value: &f64| super::format::signed(*value))
        .label_style(text_style())
        .light_line_style(TRANSPARENT)
        .bold_line_style(Ink::Faint.code())
        .axis_style(Ink::Faint.code())
        .draw()
        .map_err(internal)?;
    let means = points.iter().map(|point| (f64::from(point.day), point.mean.value));
    let line = LineSeries::new(means.clone(), Ink::Plain.code().stroke_width(2));
    chart.draw_series([band(points, low, high)]).map_err(internal)?;
    chart.draw_series(line).map_err(internal)?;
    let dots = means.map(|place| Circle::new(place, 3, Ink::Plain.code().filled()));
    chart.draw_series(dots).map_err(internal)?;
    Ok(())
}

/// The intervals, cut where the scale ends.
fn band(points: &[Point], low: f64, high: f64) -> Polygon<(f64, f64)> {
    let at = |point: &Point, value: f64| (f64::from(point.day), value.clamp(low, high));
    let over = points.iter().map(|point| at(point, point.mean.high));
    let under = points.iter().rev().map(|point| at(point, point.mean.low));
    Polygon::new(over.chain(under).collect::<Vec<_>>(), Ink::Plain.code().mix(0.22))
}

fn volumes(area: &Area<'_>, points: &[Point], range: std::ops::Range<f64>, step: f64) -> Result<(), Error> {
    let most = points.iter().map(|point| point.comments).max().unwrap_or(1) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin_top(ABOVE)
        .margin_right(RIGHT)
        .x_label_area_size(26)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(range.clone(), 0.0..most * 1.1)
        .map_err(internal)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_labels(3)
        .y_label_formatter(&|count: &f64| super::format::count(*count as u64))
        .label_style(text_style())
        .light_line_style(TRANSPARENT)
        .bold_line_style(Ink::Faint.code())
        .axis_style(Ink::Faint.code())
        .draw()
        .map_err(internal)?;
    let half = step * 0.4;
    let bars = points.iter().map(|point| {
        let day = f64::from(point.day);
        Rectangle::new([(day - half, 0.0), (day + half, point.comments as f64)], Ink::Neutral.code().filled())
    });
    chart.draw_series(bars).map_err(internal)?;
    dates(area, points, range)
}

/// The first, the middle and the last date, below the bars.
fn dates(area: &Area<'_>, points: &[Point], range: std::ops::Range<f64>) -> Result<(), Error> {
    let text = |point: Option<&Point>| point.map_or_else(String::new, |point| date(point.day).to_string());
    let y = BARS - 9;
    write(area, &text(points.first()), (LEFT, y), Side::Left)?;
    if points.len() > 1 {
        write(area, &text(points.last()), (WIDTH, y), Side::Right)?;
    }
    let middle = points.get(points.len() / 2).filter(|_| points.len() > 4);
    if let Some(point) = middle {
        let share = (f64::from(point.day) - range.start) / (range.end - range.start);
        // Where most points lie at one end, there is no room for a third date.
        if (0.36..0.64).contains(&share) {
            let x = f64::from(LEFT) + share * f64::from(WIDTH - RIGHT - LEFT);
            write(area, &text(Some(point)), (x.round() as i32, y), Side::Middle)?;
        }
    }
    Ok(())
}
