//! The shapes of telephone numbers, over groups of digits.
//!
//! E.164 gives a number at most 15 digits; the national shapes are those of the North American plan (3-3-4, no part
//! beginning with 0 or 1) and of plans with a trunk 0. Dates, opening hours and decimals have such digits too.

use std::ops::Range;

use super::context::Hint;

/// Digits of an international number (ITU-T E.164); shorter ones behind a plus are amounts.
const INTERNATIONAL: Range<usize> = 8..16;
/// Digits of a number with an international prefix 00.
const PREFIXED: Range<usize> = 10..18;
/// Digits of a national number with its trunk 0.
const TRUNK: Range<usize> = 9..13;
/// Digits of a number that words announce.
const ANNOUNCED: Range<usize> = 7..16;
/// Digits after which a slash begins another number.
const SLASH: usize = 7;

/// Groups of digits from one on to the end of a run.
pub(super) struct Run<'t> {
    groups: Vec<&'t str>,
    /// What stands behind each group but the last.
    gaps: Vec<&'t str>,
    plus: bool,
}

impl<'t> Run<'t> {
    /// The groups at these ranges of the text; `plus` says whether one stands before them.
    pub(super) fn new(text: &'t str, groups: &[Range<usize>], plus: bool) -> Self {
        // No shape has more groups than digits of the longest number.
        let groups = &groups[..groups.len().min(PREFIXED.end)];
        let gaps = groups.windows(2).map(|pair| &text[pair[0].end..pair[1].start]).collect();
        Self { groups: groups.iter().map(|range| &text[range.clone()]).collect(), gaps, plus }
    }

    /// How many groups can belong together within the most digits, and how many digits those have.
    fn greedy(&self, digits: &Range<usize>) -> Option<usize> {
        let (mut total, mut count) = (0, 0);
        for (at, group) in self.groups.iter().enumerate() {
            let gap = at.checked_sub(1).and_then(|before| self.gaps.get(before)).copied().unwrap_or("");
            let ends = (gap.contains('.') && gap.contains(' ')) || (gap.contains('/') && total >= SLASH);
            // A single digit behind a blank is "2 times" or the next sentence's.
            let stray = group.len() == 1 && gap == " " && at + 1 == self.groups.len();
            if ends || stray || total + group.len() >= digits.end {
                break;
            }
            (total, count) = (total + group.len(), at + 1);
        }
        digits.contains(&total).then_some(count)
    }

    fn lengths(&self, expected: &[usize]) -> bool {
        self.groups.len() >= expected.len()
            && self.groups.iter().zip(expected).all(|(group, length)| group.len() == *length)
    }

    /// Whether the first three groups are a date.
    pub(super) fn is_date(&self) -> bool {
        let ([a, b, c, ..], [first, second, ..]) = (&self.groups[..], &self.gaps[..]) else { return false };
        let year = |group: &str| group.len() == 4 && (group.starts_with("19") || group.starts_with("20"));
        let short = |group: &str| group.len() <= 2;
        let two_digits = short(c) && self.gaps.get(2).is_some_and(|gap| gap != second);
        // With blanks between them only on its own, for numbers for calling are written so.
        let within =
            |group: &str, most: u8| group.parse().is_ok_and(|number: u8| (1..=most).contains(&number));
        let blanks = *first == " " && self.groups.len() == 3 && year(c) && within(a, 31) && within(b, 12);
        first == second
            && (blanks || matches!(*first, "-" | "." | "/"))
            && ((year(a) && short(b) && short(c)) || (short(a) && short(b) && (year(c) || two_digits)))
    }

    /// Whether the groups are two times of day, as in "0900-1700".
    fn is_hours(&self) -> bool {
        let time = |group: &&str| {
            let clock = group.split_at_checked(2).filter(|_| group.len() == 4);
            clock.is_some_and(|(hour, minute)| hour < "25" && minute < "60")
        };
        self.groups.len() == 2 && self.groups.iter().all(time)
    }
}

/// How many groups from the first on are a telephone number.
pub(super) fn reach(run: &Run<'_>, hint: Hint) -> Option<usize> {
    let first = run.groups.first()?;
    if run.plus && !first.starts_with('0') {
        return run.greedy(&if *first == "1" { 11..12 } else { INTERNATIONAL });
    }
    if hint == Hint::Naming || run.is_date() {
        return None;
    }
    let announced = hint == Hint::Calling;
    prefixed(run, announced)
        .or_else(|| north_american(run))
        .or_else(|| trunk(run))
        .or_else(|| run.greedy(&ANNOUNCED).filter(|_| announced && !run.is_hours()))
}

/// `00` and a country code; an unbroken row of digits with two zeros may be anything.
fn prefixed(run: &Run<'_>, announced: bool) -> Option<usize> {
    let code = run.groups[0].strip_prefix("00").or_else(|| {
        let second = run.groups.get(1).copied();
        second.filter(|_| run.groups[0] == "00")
    })?;
    let broken = run.groups.len() > 1;
    run.greedy(&PREFIXED).filter(|_| code.starts_with(|c| ('1'..='9').contains(&c)) && (broken || announced))
}

fn north_american(run: &Run<'_>) -> Option<usize> {
    let plan = |at: usize| run.groups.get(at).is_some_and(|group| !group.starts_with(['0', '1']));
    if run.groups[0] == "1" && run.lengths(&[1, 3, 3, 4]) && plan(1) && plan(2) {
        return Some(4);
    }
    (run.lengths(&[3, 3, 4]) && plan(0) && plan(1)).then_some(3)
}

/// A trunk 0 and two or more groups, or a British mobile in one.
fn trunk(run: &Run<'_>) -> Option<usize> {
    let first = run.groups[0].as_bytes();
    let starts = first[0] == b'0' && first.get(1).is_some_and(|digit| *digit != b'0');
    let mobile = first.len() == 11 && run.groups[0].starts_with("07");
    run.greedy(&TRUNK).filter(|count| starts && (*count > 1 || mobile))
}
