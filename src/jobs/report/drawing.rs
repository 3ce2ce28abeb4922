//! Charts as SVG that takes its colours from the page, so that they follow light, dark and print.
//!
//! plotters writes a colour into each shape. Here colours are only names: each of them has a code of its own, which
//! becomes a class of the shape when the drawing is done. Charts are 420 units wide, so that their text is readable on a
//! phone.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::Error;

/// Width of every chart.
pub(super) const WIDTH: i32 = 420;
/// Text of charts; plotters divides it by 1.24.
const TEXT: f64 = 17.4;

/// A colour's name. The colours themselves stand in `report.css`; they are those of Okabe and Ito ("Color universal
/// design", 2008), which people of every colour vision tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Text,
    Faint,
    Negative,
    Mixed,
    Neutral,
    Positive,
    Plain,
}

impl Ink {
    const ALL: [Self; 7] =
        [Self::Text, Self::Faint, Self::Negative, Self::Mixed, Self::Neutral, Self::Positive, Self::Plain];

    /// The class of shapes and swatches.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Faint => "faint",
            Self::Negative => "negative",
            Self::Mixed => "mixed",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
            Self::Plain => "plain",
        }
    }

    /// The code that stands for it until the drawing is done.
    pub(super) fn code(self) -> RGBColor {
        let place = Self::ALL.iter().position(|ink| *ink == self).unwrap_or(0);
        RGBColor(1, 2, place as u8)
    }
}

/// A chart without its outermost tag, which the page writes with a name for people who can't see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Drawing {
    pub(super) height: i32,
    pub(super) shapes: String,
}

/// Where a chart is drawn.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws a chart of this height.
pub(super) fn draw(height: i32, on: impl FnOnce(&Area<'_>) -> Result<(), Error>) -> Result<Drawing, Error> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32)).into_drawing_area();
        on(&area)?;
        area.present().map_err(internal)?;
    }
    Ok(Drawing { height, shapes: named(&svg) })
}

/// The shapes of a drawing, with classes in place of codes. Text can't be mistaken for one: its quotes are escaped.
fn named(svg: &str) -> String {
    let from = svg.find('>').map_or(0, |at| at + 1);
    let to = svg.rfind("</svg>").unwrap_or(svg.len());
    let mut shapes = svg[from..to].trim().to_owned();
    for ink in Ink::ALL {
        let RGBColor(r, g, b) = ink.code();
        for (attribute, class) in [("fill", "f"), ("stroke", "s")] {
            let code = format!("{attribute}=\"#{r:02X}{g:02X}{b:02X}\"");
            shapes = shapes.replace(&code, &format!("class=\"{class}-{}\"", ink.class()));
        }
    }
    shapes.replace(" font-family=\"sans-serif\"", "").replace(" opacity=\"1\"", "")
}

pub(super) fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal(error)
}

/// Where a text ends or begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Middle,
    Right,
}

/// Writes a text with its baseline's middle at `at`.
pub(super) fn write(area: &Area<'_>, text: &str, at: (i32, i32), side: Side) -> Result<(), Error> {
    let place = match side {
        Side::Left => HPos::Left,
        Side::Middle => HPos::Center,
        Side::Right => HPos::Right,
    };
    let style = text_style().pos(Pos::new(place, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style)).map_err(internal)
}

/// The style of all text.
pub(super) fn text_style() -> TextStyle<'static> {
    ("sans-serif", TEXT).into_font().color(&Ink::Text.code())
}

/// Fills a rectangle between two corners.
pub(super) fn fill(area: &Area<'_>, ink: Ink, from: (i32, i32), to: (i32, i32)) -> Result<(), Error> {
    area.draw(&Rectangle::new([from, to], ink.code().filled())).map_err(internal)
}

/// Draws a line of this width.
pub(super) fn line(
    area: &Area<'_>,
    ink: Ink,
    from: (i32, i32),
    to: (i32, i32),
    width: u32,
) -> Result<(), Error> {
    area.draw(&PathElement::new([from, to], ink.code().stroke_width(width))).map_err(internal)
}

/// Draws an interval: a line with a small bar at each end.
pub(super) fn whisker(area: &Area<'_>, from: i32, to: i32, y: i32) -> Result<(), Error> {
    line(area, Ink::Text, (from, y), (to, y), 2)?;
    [from, to].into_iter().try_for_each(|x| line(area, Ink::Text, (x, y - 4), (x, y + 4), 2))
}

/// A text of at most so many characters, cut with an ellipsis.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_names_instead_of_colours_and_text_is_escaped() {
        let drawing = draw(40, |area| {
            fill(area, Ink::Negative, (0, 0), (9, 9))?;
            whisker(area, 1, 2, 3)?;
            write(area, "<script> fill=\"#010202\" &", (0, 20), Side::Left)
        });
        let shapes = drawing.unwrap().shapes;
        assert!(shapes.contains("class=\"f-negative\"") && shapes.contains("class=\"s-text\""), "{shapes}");
        assert!(shapes.contains("&lt;script&gt; fill=&quot;#010202&quot; &amp;"), "{shapes}");
        assert!(
            !shapes.contains("=\"#") && !shapes.contains("<script") && !shapes.contains("svg"),
            "{shapes}"
        );
    }
}
