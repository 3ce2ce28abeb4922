//! Sentiment over time: by day as long as there is room, by month after that.
//!
//! Dates such as 03/04/2024 are kept under both readings until the end: one 25/04/2024 in the file decides for all. What
//! comes out does not depend on the order of the rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::dates::{When, date, month_of, week_of};
use super::split::Split;

/// Days that are kept apart, eleven years of them; with more, months are.
const MOST_DAYS: usize = 4000;
/// Points up to which a chart is readable; weeks, months or years are shown when there are more.
const POINTS: i32 = 62;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Days {
    by_month: bool,
    splits: BTreeMap<i32, Split>,
}

impl Days {
    fn push(&mut self, day: i32, split: &Split) {
        let at = if self.by_month { month_of(day) } else { day };
        self.splits.entry(at).or_default().merge(split);
        if self.splits.len() > MOST_DAYS && !self.by_month {
            self.by_month = true;
            self.splits = grouped(&self.splits, month_of);
        }
    }

    fn merge(&mut self, other: &Self) {
        other.splits.iter().for_each(|(day, split)| self.push(*day, split));
        if other.by_month && !self.by_month {
            self.by_month = true;
            self.splits = grouped(&self.splits, month_of);
        }
    }
}

fn grouped(splits: &BTreeMap<i32, Split>, of: impl Fn(i32) -> i32) -> BTreeMap<i32, Split> {
    let mut groups: BTreeMap<i32, Split> = BTreeMap::new();
    splits.iter().for_each(|(day, split)| groups.entry(of(*day)).or_default().merge(split));
    groups
}

/// Comments by the day of their row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Series {
    sure: Days,
    day_first: Days,
    month_first: Days,
    /// Rows that show that days, and that months, come first.
    shown: [u64; 2],
    /// Rows that could be either.
    either: u64,
    /// Rows without a time.
    pub(super) missing: u64,
    unreadable: u64,
}

/// What a chart shows.
pub(super) struct Shown {
    /// `day`, `week`, `month` or `year`.
    pub(super) grain: &'static str,
    /// By the first day of each.
    pub(super) points: BTreeMap<i32, Split>,
}

impl Series {
    /// Counts a row by its cell, with what its comments say together.
    pub(super) fn row(&mut self, cell: &str, split: &Split) {
        if cell.trim().is_empty() {
            self.missing += 1;
            return;
        }
        match super::dates::read(cell) {
            Some(When::Day(day)) => self.sure.push(day, split),
            Some(When::DayFirst(day)) => self.dated(0, day, split),
            Some(When::MonthFirst(day)) => self.dated(1, day, split),
            Some(When::Either(day_first, month_first)) => {
                self.either += 1;
                self.day_first.push(day_first, split);
                self.month_first.push(month_first, split);
            }
            None => self.unreadable += 1,
        }
    }

    fn dated(&mut self, order: usize, day: i32, split: &Split) {
        self.shown[order] += 1;
        self.sure.push(day, split);
    }

    /// The order that the file's dates show; `None` when they show none or both.
    fn order(&self) -> Option<usize> {
        match self.shown.map(|rows| rows > 0) {
            [true, false] => Some(0),
            [false, true] => Some(1),
            _ => None,
        }
    }

    /// Rows of which the time could not be read, those that could be either and stay so included.
    pub(super) fn unreadable(&self) -> u64 {
        self.unreadable + if self.order().is_none() { self.either } else { 0 }
    }

    /// The points in the finest grain that a chart can show.
    pub(super) fn shown(&self) -> Shown {
        let mut days = self.sure.clone();
        match self.order() {
            Some(0) => days.merge(&self.day_first),
            Some(_) => days.merge(&self.month_first),
            None => {}
        }
        days.splits.retain(|_, split| split.count() > 0);
        let ends = (days.splits.first_key_value(), days.splits.last_key_value());
        let length = if let (Some((first, _)), Some((last, _))) = ends { last - first + 1 } else { 0 };
        let year_of = |day| day - i32::from(date(day).day_of_year()) + 1;
        let (grain, points) = match (days.by_month, length) {
            (false, ..=POINTS) => ("day", days.splits),
            (false, l) if l <= 7 * POINTS => ("week", grouped(&days.splits, week_of)),
            (_, l) if l <= 31 * POINTS => ("month", grouped(&days.splits, month_of)),
            _ => ("year", grouped(&days.splits, year_of)),
        };
        Shown { grain, points }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Probability, Sentiment};

    fn one() -> Split {
        let p = |value| Probability::try_new(value).unwrap();
        let mut split = Split::default();
        split.push(&Sentiment::new(p(0.2), p(0.3), p(0.5)));
        split
    }

    fn series(cells: impl IntoIterator<Item = String>) -> Series {
        let mut series = Series::default();
        cells.into_iter().for_each(|cell| series.row(&cell, &one()));
        series
    }

    #[test]
    fn one_date_that_is_clear_decides_how_all_are_read() {
        let first = |cells: &[&str]| {
            let series = series(cells.iter().map(|cell| (*cell).to_owned()));
            let points = series.shown().points;
            (points.into_keys().map(|day| date(day).to_string()).collect::<Vec<_>>(), series.unreadable())
        };
        let dates = |dates: &[&str]| dates.iter().map(|d| (*d).to_owned()).collect::<Vec<_>>();
        assert_eq!(first(&["03/04/2024", "25/04/2024"]), (dates(&["2024-04-03", "2024-04-25"]), 0));
        assert_eq!(first(&["04/25/2024", "04/03/2024"]), (dates(&["2024-04-03", "2024-04-25"]), 0));
        assert_eq!(first(&["03/04/2024", "x", ""]), (dates(&[]), 2));
        assert_eq!(first(&["03/04/2024", "25/04/2024", "04/25/2024"]), (dates(&["2024-04-25"]), 1));
    }

    #[test]
    fn the_grain_follows_the_length_and_the_order_of_rows_makes_no_difference() {
        let days =
            |count: i32, step: usize| (0..count).step_by(step).map(|day| date(19_000 + day).to_string());
        for (count, step, grain, points) in
            [(40, 1, "day", 40), (200, 1, "week", 30), (1500, 1, "month", 50), (5000, 1, "year", 14)]
        {
            let forth = series(days(count, step));
            let back = series(days(count, step).collect::<Vec<_>>().into_iter().rev());
            let shown = forth.shown();
            assert_eq!((shown.grain, shown.points.len()), (grain, points), "{count}");
            assert_eq!(forth, back);
            assert_eq!(shown.points.values().map(Split::count).sum::<u64>(), count as u64 / step as u64);
        }
    }
}
