//! The number that a respondent gave, beside what the comment says.

use serde::{Deserialize, Serialize};

use super::split::Split;
use crate::domain::{Sentiment, SentimentLabel};
use crate::jobs::ScoreKind;

/// What the numbers measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Scale {
    /// 0 to 10: 0 to 6 detractors, 7 and 8 passives, 9 and 10 promoters (Reichheld, "The one number you need to grow",
    /// Harvard Business Review 2003).
    Nps,
    /// 1 to this number: the lowest and the highest quarter of the scale are dissatisfied and satisfied.
    Csat(u8),
}

impl Scale {
    pub(super) fn of(kind: ScoreKind) -> Self {
        match kind {
            ScoreKind::Nps => Self::Nps,
            ScoreKind::Csat(most) => Self::Csat(most),
        }
    }

    /// Names of the bands, from low to high.
    pub(super) fn names(self) -> [&'static str; 3] {
        match self {
            Self::Nps => ["detractors", "passives", "promoters"],
            Self::Csat(_) => ["dissatisfied", "in between", "satisfied"],
        }
    }

    /// The scores of each band, for people.
    pub(super) fn ranges(self) -> [String; 3] {
        let of = |band| {
            let mut values = (0..=self.most()).filter(|value| self.band(*value) == Some(band));
            let first = values.next().unwrap_or(0);
            values.next_back().map_or_else(|| first.to_string(), |last| format!("{first} to {last}"))
        };
        [of(0), of(1), of(2)]
    }

    fn most(self) -> u8 {
        match self {
            Self::Nps => 10,
            Self::Csat(most) => most,
        }
    }

    fn band(self, value: u8) -> Option<usize> {
        match self {
            Self::Nps => match value {
                0..=6 => Some(0),
                7 | 8 => Some(1),
                9 | 10 => Some(2),
                _ => None,
            },
            Self::Csat(most) if (1..=most).contains(&value) => {
                let place = 4.0 * f64::from(value - 1) / f64::from(most.max(2) - 1);
                Some(if place <= 1.0 { 0 } else { 1 + usize::from(place >= 3.0) })
            }
            Self::Csat(_) => None,
        }
    }
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    Nothing,
    Band(usize),
    Unreadable,
}

/// Rows by band, and their comments' sentiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Scores {
    pub(super) scale: Scale,
    /// Rows per band, with or without a comment.
    pub(super) bands: [u64; 3],
    /// Rows without a score.
    pub(super) missing: u64,
    /// Rows of which the score is no number of the scale.
    pub(super) unreadable: u64,
    /// Comments per band.
    pub(super) comments: [Split; 3],
    /// Negative comments with a high score, and positive ones with a low score.
    pub(super) conflicts: [u64; 2],
}

impl Scores {
    pub(super) fn new(scale: Scale) -> Self {
        let comments = [Split::default(), Split::default(), Split::default()];
        Self { scale, bands: [0; 3], missing: 0, unreadable: 0, comments, conflicts: [0; 2] }
    }

    /// Reads and counts a row's cell.
    pub(super) fn row(&mut self, cell: &str) -> Given {
        let given = self.read(cell);
        match given {
            Given::Nothing => self.missing += 1,
            Given::Unreadable => self.unreadable += 1,
            Given::Band(band) => self.bands[band] += 1,
        }
        given
    }

    /// A number at the beginning, `9`, `9.0`, `9/10`, `10 - Extremely likely`, or what the readers take for a score.
    fn read(&self, cell: &str) -> Given {
        let cell = cell.trim();
        if cell.is_empty() {
            return Given::Nothing;
        }
        let digits = cell.len() - cell.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = cell.split_at(digits);
        let rest = match rest.strip_prefix(['.', ',']) {
            // `9.0` and `9,00`, but not `1,000`.
            Some(more) if more.len() - more.trim_start_matches('0').len() <= 2 => {
                more.trim_start_matches('0')
            }
            _ => rest,
        };
        let whole = !rest.starts_with(|c: char| c.is_alphanumeric());
        let value = number.parse::<u8>().ok().filter(|_| whole).or_else(|| crate::jobs::read::score(cell));
        let band = value.and_then(|value| self.scale.band(value));
        band.map_or(Given::Unreadable, Given::Band)
    }

    /// Counts a comment of a row in this band, and says whether the two contradict each other.
    pub(super) fn comment(&mut self, band: usize, sentiment: &Sentiment) -> bool {
        self.comments[band].push(sentiment);
        let conflict = match (band, sentiment.label) {
            (2, SentimentLabel::Negative) => Some(0),
            (0, SentimentLabel::Positive) => Some(1),
            _ => None,
        };
        conflict.map(|kind| self.conflicts[kind] += 1).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_as_survey_tools_write_them() {
        for (scale, cell, expected) in [
            (Scale::Nps, "9", Given::Band(2)),
            (Scale::Nps, " 10 - Extremely likely", Given::Band(2)),
            (Scale::Nps, "7.0", Given::Band(1)),
            (Scale::Nps, "8/10", Given::Band(1)),
            (Scale::Nps, "0", Given::Band(0)),
            (Scale::Nps, "", Given::Nothing),
            (Scale::Nps, "6.5", Given::Unreadable),
            (Scale::Nps, "11", Given::Unreadable),
            (Scale::Nps, "-1", Given::Unreadable),
            (Scale::Nps, "9th", Given::Unreadable),
            (Scale::Csat(5), "4", Given::Band(2)),
            (Scale::Csat(5), "3", Given::Band(1)),
            (Scale::Csat(5), "2", Given::Band(0)),
            (Scale::Csat(5), "0", Given::Unreadable),
            (Scale::Csat(2), "2", Given::Band(2)),
            (Scale::Csat(1), "1", Given::Band(0)),
        ] {
            assert_eq!(Scores::new(scale).row(cell), expected, "{scale:?} {cell}");
        }
        assert_eq!(Scale::Nps.ranges(), ["0 to 6", "7 to 8", "9 to 10"]);
        assert_eq!(Scale::Csat(5).ranges(), ["1 to 2", "3", "4 to 5"]);
        assert_eq!(Scale::Csat(7).ranges(), ["1 to 2", "3 to 5", "6 to 7"]);
    }
}
