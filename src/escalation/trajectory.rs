//! How a customer fares: the level, the trend, the lowest point, where it turned, and whether they recovered.
//!
//! Computed from one participant's turns alone. Scores are P(positive) − P(negative), in [−1, 1].

use super::policy::RecoveryRule;

/// Customer turns after which a score counts half in the end-weighted level.
const HALF_LIFE_TURNS: f64 = 2.0;
/// Difference between the means before and after from which on a conversation has turned.
const TURNED: f64 = 0.5;
/// Strength of a confirmed resolution, or of relief, from which on the customer has said so.
const SAID: f64 = 0.5;
/// Turns back to which a confirmed resolution or relief may lie.
const LATE_TURNS: usize = 3;
/// What the latest turn counts at the end, the one before it the rest.
const LATEST: f64 = 0.7;

/// One turn of the participant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Its place among all turns.
    pub turn: usize,
    /// In [−1, 1].
    pub score: f64,
    /// Strength of a confirmed resolution, in [0, 1].
    pub resolved: f64,
    /// Strength of gratitude, relief or joy, in [0, 1].
    pub relief: f64,
}

/// A participant's turns in their order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trajectory {
    points: Vec<Point>,
}

/// A negative peak that a better end has followed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recovery {
    /// Place of the lowest turn.
    pub peak_turn: usize,
    /// Its score.
    pub peak: f64,
    /// The score of the end: mostly the latest turn's.
    pub end: f64,
    /// Place of the turn that confirms a resolution, when one does.
    pub resolved_turn: Option<usize>,
}

impl Trajectory {
    /// Adds the participant's next turn.
    pub fn push(&mut self, point: Point) {
        self.points.push(point);
    }

    /// The turns.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Mean of the scores, recent ones weighing more; `None` before the first turn.
    pub fn level(&self) -> Option<f64> {
        let newest = self.points.iter().rev().enumerate();
        let (sum, weights) = newest.fold((0.0, 0.0), |(sum, weights), (age, point)| {
            let weight = 0.5f64.powf(age as f64 / HALF_LIFE_TURNS);
            (sum + weight * point.score, weights + weight)
        });
        (weights > 0.0).then(|| sum / weights)
    }

    /// Plain mean of the scores.
    pub fn mean(&self) -> Option<f64> {
        (!self.points.is_empty()).then(|| mean(&self.points))
    }

    /// Change of the score from the first turn to the last along the straight line of least squares, in [−2, 2] but for
    /// outliers; 0 for fewer than two turns.
    pub fn trend(&self) -> f64 {
        let n = self.points.len() as f64;
        if n < 2.0 {
            return 0.0;
        }
        let (middle, mean) = ((n - 1.0) / 2.0, mean(&self.points));
        let (mut top, mut bottom) = (0.0, 0.0);
        for (x, point) in self.points.iter().enumerate() {
            let x = x as f64 - middle;
            top += x * (point.score - mean);
            bottom += x * x;
        }
        top / bottom * (n - 1.0)
    }

    /// The turn with the lowest score; of equal ones the first.
    pub fn lowest(&self) -> Option<Point> {
        self.points.iter().copied().reduce(|low, point| if point.score < low.score { point } else { low })
    }

    /// The turn from which on the mean is most unlike the mean before, and by how much, when that is a turn worth the name.
    pub fn turned(&self) -> Option<(usize, f64)> {
        let total: f64 = self.points.iter().map(|p| p.score).sum();
        let (mut before, mut best) = (0.0, None);
        for (n, point) in self.points.iter().enumerate() {
            if n > 0 {
                let after = (total - before) / (self.points.len() - n) as f64;
                let change = after - before / n as f64;
                if best.is_none_or(|(_, most): (usize, f64)| change.abs() > most.abs()) {
                    best = Some((point.turn, change));
                }
            }
            before += point.score;
        }
        best.filter(|(_, change)| change.abs() >= TURNED)
    }

    /// Whether the participant was clearly negative and is better now.
    pub fn recovery(&self, rule: &RecoveryRule) -> Option<Recovery> {
        let peak = self.lowest()?;
        let (latest, earlier) = self.points.split_last()?;
        if latest.turn <= peak.turn {
            return None;
        }
        let before = earlier.last().filter(|p| p.turn > peak.turn).map_or(latest.score, |p| p.score);
        let end = LATEST * latest.score + (1.0 - LATEST) * before;
        let late = || self.points.iter().rev().take(LATE_TURNS).filter(|p| p.turn > peak.turn);
        let resolved = late().find(|p| p.resolved >= SAID);
        // A polite good-bye is no recovery: somebody must have said that it is settled, or been glad.
        let good = match resolved {
            Some(_) => end >= rule.end_when_resolved,
            None => end >= rule.end && late().any(|p| p.relief >= SAID),
        };
        let recovered = peak.score <= rule.peak && end - peak.score >= rule.lift && good;
        recovered.then(|| Recovery {
            peak_turn: peak.turn,
            peak: peak.score,
            end,
            resolved_turn: resolved.map(|p| p.turn),
        })
    }
}

fn mean(points: &[Point]) -> f64 {
    points.iter().map(|p| p.score).sum::<f64>() / points.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(scores: &[f64]) -> Trajectory {
        let points = scores.iter().enumerate();
        Trajectory {
            points: points
                .map(|(n, score)| Point {
                    turn: 2 * n,
                    score: *score,
                    resolved: 0.0,
                    relief: f64::from(*score > 0.5),
                })
                .collect(),
        }
    }

    const RULE: RecoveryRule = RecoveryRule { peak: -0.4, lift: 0.5, end: 0.1, end_when_resolved: -0.2 };

    #[test]
    fn a_straight_line_has_the_trend_from_its_start_to_its_end() {
        assert!((of(&[-0.5, 0.0, 0.5]).trend() - 1.0).abs() < 1e-9);
        assert!((of(&[0.9, 0.1]).trend() + 0.8).abs() < 1e-9);
        assert_eq!(of(&[0.9]).trend(), 0.0);
    }

    #[test]
    fn the_level_leans_to_the_end_and_the_lowest_point_is_the_first_of_equals() {
        let trajectory = of(&[-0.8, -0.8, 0.6]);
        assert!(trajectory.level() > trajectory.mean());
        assert_eq!(trajectory.lowest().map(|p| p.turn), Some(0));
    }

    #[test]
    fn a_conversation_turns_where_the_means_differ_most() {
        let (turn, change) = of(&[0.1, 0.0, 0.1, -0.9, -0.8]).turned().unwrap();
        assert_eq!(turn, 6);
        assert!(change < -0.8);
        assert_eq!(of(&[0.1, 0.0, 0.1, 0.0]).turned(), None);
    }

    #[test]
    fn a_customer_recovers_from_a_peak_to_a_better_end_and_from_nothing_else() {
        let recovered = |scores: &[f64]| of(scores).recovery(&RULE).is_some();
        assert!(recovered(&[-0.8, -0.2, 0.7]));
        assert!(!recovered(&[-0.2, 0.7]), "no peak");
        assert!(!recovered(&[-0.8, 0.7, -0.9]), "the peak is the end");
        assert!(!recovered(&[-0.8, -0.1]), "no good end");
        assert!(!recovered(&[-0.8, 0.4]), "polite, but neither settled nor glad");
        let mut quiet_end = of(&[-0.8, -0.1]);
        quiet_end.points[1].resolved = 0.9;
        assert_eq!(quiet_end.recovery(&RULE).and_then(|r| r.resolved_turn), Some(2));
    }
}
