//! Times of exports in milliseconds: dates since 1970, clocks since midnight or since the call's start.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Longest piece of text that can be a time; a date with nanoseconds and a zone's name has fewer bytes.
pub(super) const TIME_BYTES: usize = 64;

/// A time as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// With a date: since 1970. Without a zone it counts as UTC, since only differences matter.
    Date(i64),
    /// `10:02`: hours and minutes, or minutes and seconds; the file as a whole tells which.
    Pair(i64, i64),
    /// `10:02:33`: since midnight or since the start.
    Clock(i64),
}

/// A date with a time, in RFC 3339 or with a blank between them.
pub(super) fn date(text: &str) -> Option<i64> {
    if text.len() > TIME_BYTES || !text.is_ascii() {
        return None;
    }
    let zoned = || text.parse::<Timestamp>().ok();
    // A date alone says no time of day.
    let local = || text.contains(':').then(|| text.parse::<DateTime>().ok()).flatten();
    let utc = |local: DateTime| local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    zoned().or_else(|| local().and_then(utc)).map(|at| at.as_millisecond())
}

/// A date, or a clock with an optional `am` or `pm`.
pub(super) fn stamp(text: &str) -> Option<Stamp> {
    let text = text.trim();
    if text.len() > TIME_BYTES || !text.is_ascii() {
        return None;
    }
    clock(text).or_else(|| date(text).map(Stamp::Date))
}

fn clock(text: &str) -> Option<Stamp> {
    let small = text.to_ascii_lowercase();
    let half = [("am", false), ("pm", true)]
        .into_iter()
        .find_map(|(mark, after)| Some((small.strip_suffix(mark)?.trim_end(), after)));
    let Some((text, afternoon)) = half else { return fields(text) };
    let within = |hour: i64| (1..=12).contains(&hour).then_some(hour % 12 + if afternoon { 12 } else { 0 });
    match fields(text)? {
        Stamp::Pair(hour, minute) => Some(Stamp::Clock(within(hour)? * HOUR_MS + minute * MINUTE_MS)),
        Stamp::Clock(ms) => Some(Stamp::Clock(within(ms / HOUR_MS)? * HOUR_MS + ms % HOUR_MS)),
        Stamp::Date(_) => None,
    }
}

fn fields(text: &str) -> Option<Stamp> {
    let (whole, fraction) = text.split_once(['.', ',']).map_or((text, None), |(w, f)| (w, Some(f)));
    let mut parts = whole.split(':');
    let (first, second, third) = (number(parts.next()?, 1..=3)?, below_sixty(parts.next()?)?, parts.next());
    match (third, parts.next(), fraction) {
        (None, None, None) => Some(Stamp::Pair(first, second)),
        (Some(third), None, fraction) => {
            let ms = below_sixty(third)? * 1000 + fraction.map_or(Some(0), milliseconds)?;
            Some(Stamp::Clock(first * HOUR_MS + second * MINUTE_MS + ms))
        }
        _ => None,
    }
}

fn number(digits: &str, length: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let sound = length.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    sound.then(|| digits.parse().ok()).flatten()
}

fn below_sixty(digits: &str) -> Option<i64> {
    number(digits, 2..=2).filter(|value| *value < 60)
}

fn milliseconds(digits: &str) -> Option<i64> {
    number(digits, 1..=9)?;
    format!("{digits:0<3}").get(..3)?.parse().ok()
}

/// A cue's time: `01:02.003` or `01:02:03.004`, in milliseconds.
pub(super) fn cue(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.')?;
    let ms = number(fraction, 3..=3)?;
    let mut parts = whole.rsplit(':');
    let (seconds, minutes) = (below_sixty(parts.next()?)?, below_sixty(parts.next()?)?);
    let hours = parts.next().map_or(Some(0), |hours| number(hours, 2..=6))?;
    parts.next().is_none().then_some(hours * HOUR_MS + minutes * MINUTE_MS + seconds * 1000 + ms)
}

/// Turns a file's times into milliseconds that ascend over midnight.
#[derive(Debug, Default)]
pub(super) struct Ascending {
    /// Whether `10:02` means minutes and seconds.
    minutes: bool,
    /// Milliseconds at which the current day began.
    day: i64,
    last: Option<i64>,
}

impl Ascending {
    /// `10:02` counts as hours and minutes unless a first field of the file is above 23.
    pub(super) fn of(stamps: impl IntoIterator<Item = Stamp>) -> Self {
        let minutes = stamps.into_iter().any(|stamp| matches!(stamp, Stamp::Pair(first, _) if first > 23));
        Self { minutes, ..Self::default() }
    }

    /// The time in milliseconds. A clock that falls back by an hour or more is the next day's; a smaller step back is
    /// two people who spoke at once.
    pub(super) fn at(&mut self, stamp: Stamp) -> i64 {
        let of_day = match stamp {
            Stamp::Date(at) => {
                self.day = at - at.rem_euclid(DAY_MS);
                at - self.day
            }
            Stamp::Pair(first, second) if self.minutes => first * MINUTE_MS + second * 1000,
            Stamp::Pair(first, second) => first * HOUR_MS + second * MINUTE_MS,
            Stamp::Clock(ms) => ms,
        };
        let dated = matches!(stamp, Stamp::Date(_));
        if !dated && self.last.is_some_and(|last| self.day + of_day + HOUR_MS <= last) {
            self.day += DAY_MS;
        }
        self.last = Some(self.day + of_day);
        self.day + of_day
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_forms_in_which_tools_write_them() {
        for (text, expected) in [
            ("10:02", Some(Stamp::Pair(10, 2))),
            ("10:02:33", Some(Stamp::Clock(36_153_000))),
            ("00:01:12.5", Some(Stamp::Clock(72_500))),
            ("12:05 AM", Some(Stamp::Clock(300_000))),
            ("1:05:10pm", Some(Stamp::Clock(47_110_000))),
            ("2026-03-02 10:02:33", Some(Stamp::Date(1_772_445_753_000))),
            ("2026-03-02T10:02:33Z", Some(Stamp::Date(1_772_445_753_000))),
            ("2026-03-02T11:02:33.25+01:00", Some(Stamp::Date(1_772_445_753_250))),
            ("10:62", None),
            ("2026-03-02", None),
            ("10", None),
            ("13:00 pm", None),
            ("Agent", None),
        ] {
            assert_eq!(stamp(text), expected, "{text}");
        }
        for (text, expected) in
            [("00:01.500", Some(1500)), ("100:00:01.000", Some(360_001_000)), ("1:2.3", None)]
        {
            assert_eq!(cue(text), expected, "{text}");
        }
    }

    #[test]
    fn clocks_ascend_over_midnight_and_small_steps_back_stay() {
        let read = |texts: &[&str]| {
            let stamps: Vec<Stamp> = texts.iter().map(|text| stamp(text).unwrap()).collect();
            let mut times = Ascending::of(stamps.clone());
            stamps.into_iter().map(|stamp| times.at(stamp) / 1000).collect::<Vec<_>>()
        };
        assert_eq!(read(&["23:59", "00:01", "00:00"]), [86_340, 86_460, 86_400]);
        assert_eq!(read(&["59:30", "61:30"]), [3570, 3690]);
        let dated = read(&["2026-03-02 23:50:00", "00:10:00", "2026-03-03 00:20:00"]);
        assert_eq!((dated[1] - dated[0], dated[2] - dated[1]), (1200, 600));
    }
}
