//! Precision and recall by threshold, of one policy or of two side by side, as SVG.

use plotters::prelude::*;

use super::Backtest;
use crate::domain::ranking::at_threshold;
use crate::error::Error;

/// Width and height, in pixels.
const SIZE: (u32, u32) = (720, 480);
/// Points of a line.
const STEPS: u32 = 200;
const INK: RGBColor = RGBColor(51, 58, 68);
const FAINT: RGBColor = RGBColor(214, 219, 226);
/// Of the current policy, then of the candidate.
const LINES: [RGBColor; 2] = [RGBColor(38, 96, 164), RGBColor(196, 88, 24)];

/// Draws the current policy, and the candidate when there is one. Precision is a full line, recall a faint one.
pub fn precision_and_recall(tests: &[&Backtest]) -> Result<String, Error> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(internal)?;
        draw(&root, tests)?;
        root.present().map_err(internal)?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw(area: &Area<'_>, tests: &[&Backtest]) -> Result<(), Error> {
    let mut chart = ChartBuilder::on(area)
        .caption(title(tests), ("sans-serif", 17).into_font().color(&INK))
        .margin(14)
        .x_label_area_size(38)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)
        .map_err(internal)?;
    chart
        .configure_mesh()
        .x_desc("threshold of the risk, as a probability")
        .y_desc("precision, recall")
        .label_style(("sans-serif", 13).into_font().color(&INK))
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT)
        .axis_style(INK)
        .draw()
        .map_err(internal)?;
    for (label, points, style) in tests.iter().zip(LINES).flat_map(|(test, colour)| lines(test, colour)) {
        let line = chart.draw_series(LineSeries::new(points, style)).map_err(internal)?;
        line.label(label).legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
    }
    let labels = ("sans-serif", 13).into_font().color(&INK);
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(FAINT)
        .label_font(labels)
        .draw()
        .map_err(internal)
}

fn title(tests: &[&Backtest]) -> String {
    let conversations = tests.first().map_or(0, |test| test.conversations);
    format!("Escalations among {conversations} conversations, by highest risk")
}

type Line = (String, Vec<(f64, f64)>, ShapeStyle);

fn lines(test: &Backtest, colour: RGBColor) -> [Line; 2] {
    let at = (0..=STEPS).map(|n| f64::from(n) / f64::from(STEPS));
    let at = at.map(|threshold| (threshold, at_threshold(&test.ranked, threshold)));
    let (precision, recall) = at.map(|(t, (precision, recall))| ((t, precision), (t, recall))).unzip();
    [
        (format!("precision, {}", test.version), precision, colour.stroke_width(2)),
        (format!("recall, {}", test.version), recall, colour.mix(0.45).stroke_width(2)),
    ]
}

fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal(error)
}
