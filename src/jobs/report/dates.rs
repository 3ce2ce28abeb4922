//! The day that a cell names, as days since 1970; what order a file writes its days and months in is found out.
//!
//! A date counts as it is written: one with an offset is the day at that place. Years outside 1970 to 2100 are not read.

use jiff::civil::Date;

/// Longest cell that can be a time.
const TIME_BYTES: usize = 64;
/// Years that are read; others are typing errors, and would make a chart of nothing.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2100;
const EPOCH: Date = jiff::civil::date(1970, 1, 1);
const DAY_SECONDS: i64 = 86_400;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// What a cell says; days since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// A day.
    Day(i32),
    /// A day, in a notation that shows that the file writes the day first.
    DayFirst(i32),
    /// A day, in a notation that shows that the file writes the month first.
    MonthFirst(i32),
    /// `03/04/2024`: the day if days come first, and if months do.
    Either(i32, i32),
}

/// Reads a cell: RFC 3339, `2024-03-31 10:00`, `2024/03/31`, `31.03.2024`, `31 Mar 2024`, `March 31, 2024`, seconds or
/// milliseconds since 1970, and dates with slashes.
pub(super) fn read(cell: &str) -> Option<When> {
    let cell = cell.trim();
    if cell.len() > TIME_BYTES {
        return None;
    }
    since_1970(cell).or_else(|| {
        let parts: Vec<&str> = cell.split([' ', 'T', 't', ',']).filter(|part| !part.is_empty()).collect();
        let first = parts.first()?;
        numbers(first, '-')
            .or_else(|| numbers(first, '/'))
            .or_else(|| numbers(first, '.'))
            .or_else(|| with_month(&parts))
    })
}

fn since_1970(cell: &str) -> Option<When> {
    let whole = cell.split_once('.').map_or(cell, |(whole, _)| whole);
    let value = whole.parse::<i64>().ok().filter(|_| whole.bytes().all(|b| b.is_ascii_digit()))?;
    let seconds = match whole.len() {
        9 | 10 => value,
        12 | 13 => value / 1000,
        _ => return None,
    };
    i32::try_from(seconds / DAY_SECONDS).ok().map(When::Day)
}

/// Three numbers with the same separator; only slashes and hyphens leave it open whether day or month comes first.
fn numbers(text: &str, separator: char) -> Option<When> {
    let fields: Vec<&str> = text.split(separator).collect();
    let [a, b, c] = fields[..] else { return None };
    if a.len() == 4 {
        return day(year(a)?, field(b)?, field(c)?).map(When::Day);
    }
    let (a, b, year) = (field(a)?, field(b)?, year(c)?);
    let (day_first, month_first) = (day(year, b, a), day(year, a, b));
    match (day_first, month_first) {
        (Some(day), _) if separator == '.' => Some(When::Day(day)),
        (Some(one), Some(other)) if one == other => Some(When::Day(one)),
        (Some(one), Some(other)) => Some(When::Either(one, other)),
        (Some(day), None) => Some(When::DayFirst(day)),
        (None, Some(day)) if separator != '.' => Some(When::MonthFirst(day)),
        _ => None,
    }
}

/// `31 Mar 2024` or `March 31 2024`, English names.
fn with_month(parts: &[&str]) -> Option<When> {
    let [a, b, c, ..] = parts else { return None };
    let (month_name, day_number) = if a.starts_with(|c: char| c.is_ascii_digit()) { (b, a) } else { (a, b) };
    let name = month_name.get(..3)?.to_ascii_lowercase();
    let month = MONTHS.iter().position(|month| *month == name)?;
    let number = day_number.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    day(year(c)?, i8::try_from(month + 1).ok()?, field(number)?).map(When::Day)
}

fn field(digits: &str) -> Option<i8> {
    digits.parse().ok().filter(|_| digits.len() <= 2 && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Two digits are of this century.
fn year(digits: &str) -> Option<i16> {
    let value = digits.parse::<i16>().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
    match digits.len() {
        4 => Some(value),
        2 => Some(2000 + value),
        _ => None,
    }
}

fn day(year: i16, month: i8, day: i8) -> Option<i32> {
    let date = Date::new(year, month, day).ok().filter(|_| YEARS.contains(&year))?;
    Some(date.duration_since(EPOCH).as_hours() as i32 / 24)
}

/// The date of a day since 1970.
pub(super) fn date(day: i32) -> Date {
    let span = jiff::SignedDuration::from_hours(i64::from(day) * 24);
    EPOCH.saturating_add(span)
}

/// The day on which a date's month begins.
pub(super) fn month_of(at: i32) -> i32 {
    let date = date(at);
    at - i32::from(date.day()) + 1
}

/// The Monday of a date's week.
pub(super) fn week_of(at: i32) -> i32 {
    at - i32::from(date(at).weekday().to_monday_zero_offset())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_in_the_forms_in_which_tools_write_them() {
        // 2024-03-31 is day 19,813.
        for (cell, expected) in [
            ("2024-03-31", Some(When::Day(19_813))),
            ("2024-03-31T23:59:59+09:00", Some(When::Day(19_813))),
            ("2024-03-31 10:02", Some(When::Day(19_813))),
            (" 2024-03-31 10:02:33.5 ", Some(When::Day(19_813))),
            ("2024/03/31", Some(When::Day(19_813))),
            ("31.03.2024 10:00", Some(When::Day(19_813))),
            ("31 Mar 2024", Some(When::Day(19_813))),
            ("March 31st, 2024 10:00 AM", Some(When::Day(19_813))),
            ("1711843200", Some(When::Day(19_813))),
            ("1711843200000", Some(When::Day(19_813))),
            ("31/03/2024", Some(When::DayFirst(19_813))),
            ("3/31/24 9:05", Some(When::MonthFirst(19_813))),
            ("04/03/2024", Some(When::Either(19_786, 19_816))),
            ("03/03/2024", Some(When::Day(19_785))),
            ("2024-02-30", None),
            ("31.13.2024", None),
            ("03.31.2024", None),
            ("1024-01-01", None),
            ("yesterday", None),
            ("12345", None),
            ("-1711843200", None),
            ("", None),
        ] {
            assert_eq!(read(cell), expected, "{cell}");
        }
    }

    #[test]
    fn days_know_their_week_and_month() {
        assert_eq!(date(19_813).to_string(), "2024-03-31");
        assert_eq!((month_of(19_813), week_of(19_813)), (19_783, 19_807));
    }
}
