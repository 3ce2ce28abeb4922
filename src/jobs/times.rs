//! The moment that a cell names, in milliseconds since 1970.
//!
//! Read are RFC 3339, `2024-03-31` (and `20240331`), `2024-03-31 10:02`, `2024-03-31 10:02:33.5`, each also with ` UTC` or an offset behind
//! it, and seconds or milliseconds since 1970. What names no zone is UTC, a day without a time its beginning. Notations that
//! leave it open whether day or month comes first are not read: a wrong moment is worse than none.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Longest cell that can be a time; a date with nanoseconds and an offset has fewer bytes.
const TIME_BYTES: usize = 64;
/// What a message calls the notations.
pub const EXPECTED: &str =
    "expected a time such as 2024-03-31T10:02:00Z, 2024-03-31 10:02, 2024-03-31, or seconds since 1970";

/// Reads a cell; `None` for what is no time, or before 1970.
pub fn moment(cell: &str) -> Option<i64> {
    let cell = cell.trim();
    if cell.is_empty() || cell.len() > TIME_BYTES || !cell.is_ascii() {
        return None;
    }
    since_1970(cell).or_else(|| written(cell)).filter(|at_ms| *at_ms >= 0)
}

fn since_1970(cell: &str) -> Option<i64> {
    let (whole, fraction) = cell.split_once('.').unwrap_or((cell, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let value: i64 = whole.parse().ok()?;
    match whole.len() {
        9 | 10 => Some(value * 1000),
        12 | 13 => Some(value),
        _ => None,
    }
}

fn written(cell: &str) -> Option<i64> {
    let cell = cell.strip_suffix("UTC").or_else(|| cell.strip_suffix("utc")).unwrap_or(cell).trim_end();
    let joined = joined(cell);
    if let Ok(at) = joined.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    let local = joined.parse::<DateTime>().ok().filter(|_| joined.contains(':'));
    let local = local.or_else(|| joined.parse::<Date>().ok().map(|day| day.at(0, 0, 0, 0)))?;
    Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

/// Without the blank that some put between a time and its offset.
fn joined(cell: &str) -> String {
    match cell.rsplit_once(' ') {
        Some((time, offset)) if offset.starts_with(['+', '-']) => format!("{time}{offset}"),
        _ => cell.to_owned(),
    }
}

/// A moment in RFC 3339, to the second.
pub fn written_out(at_ms: i64) -> String {
    Timestamp::from_second(at_ms.div_euclid(1000)).map_or_else(|_| at_ms.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_crms_write_them() {
        // 2024-03-31T10:02:33Z is second 1,711,879,353.
        for (cell, expected) in [
            ("2024-03-31T10:02:33Z", Some(1_711_879_353_000)),
            ("2024-03-31T12:02:33.250+02:00", Some(1_711_879_353_250)),
            (" 2024-03-31 10:02:33 ", Some(1_711_879_353_000)),
            ("2024-03-31 10:02:33 UTC", Some(1_711_879_353_000)),
            ("2024-03-31 12:02:33 +0200", Some(1_711_879_353_000)),
            ("2024-03-31 10:02", Some(1_711_879_320_000)),
            ("2024-03-31T10:02", Some(1_711_879_320_000)),
            ("2024-03-31", Some(1_711_843_200_000)),
            ("1711879353", Some(1_711_879_353_000)),
            ("1711879353.75", Some(1_711_879_353_000)),
            ("1711879353250", Some(1_711_879_353_250)),
            ("1969-12-31", None),
            ("2024-02-30", None),
            ("03/04/2024", None),
            ("31.03.2024", None),
            ("10:02", None),
            ("2024", None),
            ("20240331", Some(1_711_843_200_000)),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(moment(cell), expected, "{cell}");
        }
        assert_eq!(written_out(1_711_879_353_250), "2024-03-31T10:02:33Z");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_out_is_read_back(second in 0..=253_402_300_799_i64) {
            proptest::prop_assert_eq!(moment(&written_out(second * 1000)), Some(second * 1000));
        }

        #[test]
        fn no_cell_ends_the_run(cell in ".{0,70}") {
            let _ = moment(&cell);
        }
    }
}
