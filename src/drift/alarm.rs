//! From which index on a feature has drifted, told without flapping.
//!
//! The borders are the usual ones: .10 is worth a look, .25 is another population (Siddiqi 2006). Beside them the index must
//! stand out of chance, for a small window has a large one by itself. A level is left only clearly below its border, and
//! changes when two measurements in a row ask for it.

use super::divergence::Divergence;

/// How far a feature has drifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub enum Level {
    /// As the baseline, as far as can be told.
    #[default]
    Ok,
    /// Worth a look.
    Watch,
    /// Another population.
    Alarm,
}

impl Level {
    /// Its name in answers and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Watch => "watch",
            Self::Alarm => "alarm",
        }
    }
}

/// Borders of a level.
struct Border {
    /// Index from which it begins.
    raise: f64,
    /// Index below which it ends.
    clear: f64,
}

const WATCH: Border = Border { raise: 0.10, clear: 0.07 };
const ALARM: Border = Border { raise: 0.25, clear: 0.18 };

/// Standard deviations of chance that an index must be beside that. A χ² has a long tail: with 4, a young window
/// of 150 ordinary texts was at `Watch`. In a window of 500 texts the borders are mostly higher than this.
const DEVIATIONS: f64 = 8.0;

impl Border {
    fn holds(&self, held: bool, found: &Divergence) -> bool {
        if held { found.psi >= self.clear } else { found.psi >= self.raise.max(DEVIATIONS * found.noise) }
    }
}

/// One feature's level over time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Track {
    level: Level,
    /// What the measurement before asked for, where that was another level.
    asked: Option<Level>,
    since_ms: Option<i64>,
}

impl Track {
    /// How far the feature has drifted.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Since when it has been at its level; `None` while that is `Ok`, and was never another.
    pub fn since_ms(&self) -> Option<i64> {
        self.since_ms
    }

    /// Takes a measurement in; `None` when the window holds too little to measure, which ends every level.
    pub fn step(&mut self, found: Option<&Divergence>, now_ms: i64) {
        let Some(found) = found else {
            self.asked = None;
            return self.set(Level::Ok, now_ms);
        };
        let asked = if ALARM.holds(self.level == Level::Alarm, found) {
            Level::Alarm
        } else if WATCH.holds(self.level >= Level::Watch, found) {
            Level::Watch
        } else {
            Level::Ok
        };
        let agreed = match self.asked {
            Some(before) if before > self.level && asked > self.level => before.min(asked),
            Some(before) if before < self.level && asked < self.level => before.max(asked),
            _ => self.level,
        };
        self.set(agreed, now_ms);
        self.asked = (asked != self.level).then_some(asked);
    }

    fn set(&mut self, level: Level, now_ms: i64) {
        if level != self.level {
            (self.level, self.since_ms) = (level, Some(now_ms));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn levels(values: &[f64], noise: f64) -> Vec<Level> {
        let mut track = Track::default();
        let step = |(at, psi): (usize, &f64)| {
            track.step(Some(&Divergence { psi: *psi, noise, js: 0.0 }), at as i64);
            track.level()
        };
        values.iter().enumerate().map(step).collect()
    }

    #[test]
    fn a_level_begins_at_its_border_the_second_time_and_ends_clearly_below_it() {
        use Level::{Alarm, Ok, Watch};
        let cases: [(&[f64], &[Level]); 5] = [
            (&[0.3, 0.0, 0.3, 0.0], &[Ok, Ok, Ok, Ok]),
            (&[0.3, 0.26, 0.2, 0.2, 0.2], &[Ok, Alarm, Alarm, Alarm, Alarm]),
            (&[0.3, 0.3, 0.15, 0.15, 0.08, 0.01, 0.01], &[Ok, Alarm, Alarm, Watch, Watch, Watch, Ok]),
            (&[0.12, 0.4, 0.4], &[Ok, Watch, Alarm]),
            (&[0.09, 0.09, 0.09], &[Ok, Ok, Ok]),
        ];
        for (values, expected) in cases {
            assert_eq!(levels(values, 0.001), expected, "{values:?}");
        }
    }

    #[test]
    fn an_index_that_chance_explains_is_no_news_however_large() {
        assert_eq!(levels(&[0.5; 4], 0.07), [Level::Ok; 4]);
        assert_eq!(levels(&[0.5; 2], 0.06), [Level::Ok, Level::Alarm]);
    }

    #[test]
    fn a_window_with_too_little_in_it_ends_every_level_and_says_since_when() {
        let mut track = Track::default();
        let far = Divergence { psi: 2.0, noise: 0.01, js: 0.5 };
        track.step(Some(&far), 1);
        track.step(Some(&far), 2);
        assert_eq!((track.level(), track.since_ms()), (Level::Alarm, Some(2)));
        track.step(None, 3);
        assert_eq!((track.level(), track.since_ms()), (Level::Ok, Some(3)));
    }

    proptest! {
        #[test]
        fn an_index_that_keeps_inside_a_band_changes_the_level_at_most_twice(
            values in prop::collection::vec(0.19f64..0.31, 1..200),
        ) {
            let told = levels(&values, 0.001);
            let changes = told.windows(2).filter(|pair| pair[0] != pair[1]).count();
            prop_assert!(changes <= 2, "{changes}: {told:?}");
        }
    }
}
