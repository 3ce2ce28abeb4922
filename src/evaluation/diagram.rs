//! A reliability diagram as SVG: probabilities against frequencies, and how many predictions each bin holds.

use plotters::prelude::*;

use super::report::{Reliability, Report};
use crate::error::Error;

/// Width and height, in pixels.
const SIZE: (u32, u32) = (560, 640);
/// Height of the histogram below, in pixels.
const HISTOGRAM: u32 = 150;
/// Where the bars of the histogram begin, as a logarithm to the base 10, so that a bin with one prediction is seen.
const FLOOR: f64 = -0.3;
const INK: RGBColor = RGBColor(51, 58, 68);
const FAINT: RGBColor = RGBColor(214, 219, 226);
const BAR: RGBColor = RGBColor(170, 184, 204);
const LINE: RGBColor = RGBColor(38, 96, 164);

/// Draws the report's calibration.
pub fn reliability(report: &Report) -> Result<String, Error> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(internal)?;
        let (upper, lower) = root.split_vertically(SIZE.1 - HISTOGRAM);
        let caption = format!("{}, ECE {:.4}", report.title(), report.ece());
        frequencies(&upper, &caption, report.reliability())?;
        counts(&lower, report.reliability())?;
        root.present().map_err(internal)?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn frequencies(area: &Area<'_>, caption: &str, reliability: &Reliability) -> Result<(), Error> {
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 17).into_font().color(&INK))
        .margin(14)
        .x_label_area_size(38)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)
        .map_err(internal)?;
    chart
        .configure_mesh()
        .x_desc(format!("mean probability of {}", reliability.of))
        .y_desc("share that came true")
        .label_style(("sans-serif", 13).into_font().color(&INK))
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT)
        .axis_style(INK)
        .draw()
        .map_err(internal)?;
    let ideal = LineSeries::new([(0.0, 0.0), (1.0, 1.0)], INK.mix(0.45));
    chart.draw_series(ideal).map_err(internal)?;
    let points: Vec<(f64, f64)> =
        reliability.bins.iter().map(|bin| (bin.probability, bin.frequency)).collect();
    chart.draw_series(LineSeries::new(points.clone(), LINE.stroke_width(2))).map_err(internal)?;
    let dots = points.into_iter().map(|point| Circle::new(point, 4, LINE.filled()));
    chart.draw_series(dots).map_err(internal)?;
    Ok(())
}

/// The counts on a logarithmic scale: most predictions of rare labels lie in the first bin.
fn counts(area: &Area<'_>, reliability: &Reliability) -> Result<(), Error> {
    let highest = reliability.bins.iter().map(|bin| bin.count.log10()).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .margin(14)
        .x_label_area_size(22)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..1.0, FLOOR..highest * 1.05)
        .map_err(internal)?;
    chart
        .configure_mesh()
        .y_desc("predictions")
        .y_labels(4)
        .y_label_formatter(&|height: &f64| format!("{:.0}", 10f64.powf(*height)))
        .label_style(("sans-serif", 13).into_font().color(&INK))
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT)
        .axis_style(INK)
        .draw()
        .map_err(internal)?;
    let bars = reliability.bins.iter().map(|bin| {
        let corners = [(bin.from + 0.004, FLOOR), (bin.to - 0.004, bin.count.log10())];
        Rectangle::new(corners, BAR.filled())
    });
    chart.draw_series(bars).map_err(internal)?;
    Ok(())
}

fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal(error)
}

#[cfg(test)]
mod tests {
    use super::super::Task;
    use super::super::report::tests::report;
    use super::super::scores::tests::multi_label;
    use super::*;

    #[test]
    fn a_diagram_is_a_whole_svg_with_its_title_and_axes_and_nothing_from_elsewhere() {
        let report =
            report(multi_label(&[&[(0.9, true), (0.4, false)], &[(0.1, false), (0.6, true)]]), Task::Cues);
        let svg = reliability(&report).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
        for expected in ["attune-en-small", "share that came true", "<circle", "<rect"] {
            assert!(svg.contains(expected), "{expected}");
        }
        assert!(!svg.contains("href") && !svg.contains("url("), "{svg}");
    }
}
