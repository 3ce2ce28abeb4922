//! The newest answer to "how likely are you to recommend us", and whether its comment says the same.
//!
//! Bands are those of the Net Promoter Score (F. Reichheld, *The One Number You Need to Grow*, Harvard Business Review,
//! December 2003): 9 and 10 promote, 7 and 8 are passive, 0 to 6 detract. The comment contradicts a promoter as much as its
//! normalised score is below 0, and a detractor as much as it is above; a passive answer can't be contradicted.

use serde::{Deserialize, Serialize};

use super::level::Felt;
use super::observation::Observation;

/// Days after which an answer counts half: surveys are asked about once a quarter.
pub const NPS_DAYS: f64 = 90.0;
/// Days after which a contradiction is half as much worth looking into: nobody remembers what they meant.
pub const CONFLICT_DAYS: f64 = 30.0;
/// How far a comment must be on the other side for the answer to be in doubt.
pub const IN_DOUBT: f64 = 0.4;
/// The highest answer.
const MOST: u8 = 10;

/// Where an answer lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// 9 and 10.
    Promoter,
    /// 7 and 8.
    Passive,
    /// 0 to 6.
    Detractor,
}

impl Band {
    /// The band of an answer from 0 to 10.
    pub fn of(nps: u8) -> Self {
        match nps {
            9.. => Self::Promoter,
            7..=8 => Self::Passive,
            _ => Self::Detractor,
        }
    }

    /// The band's name in events and exports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Promoter => "promoter",
            Self::Passive => "passive",
            Self::Detractor => "detractor",
        }
    }
}

/// The newest answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Nps {
    /// 0 to 10.
    pub answer: u8,
    /// Where that lies.
    pub band: Band,
    /// How much the comment contradicts it, in [0, 1].
    pub conflict: f64,
    /// The interaction.
    pub id: String,
    /// When it took place, in milliseconds since 1970.
    pub at_ms: i64,
}

impl Nps {
    /// The newest answer of a timeline; answers above 10 are none.
    pub fn newest(timeline: &[&Observation], felt: &[Option<Felt>]) -> Option<Self> {
        let answers = timeline.iter().zip(felt).rev();
        let answers = answers.filter_map(|(o, felt)| Some((o, felt, o.nps.filter(|nps| *nps <= MOST)?)));
        answers.map(|(observation, felt, answer)| Self::of(observation, *felt, answer)).next()
    }

    fn of(observation: &Observation, felt: Option<Felt>, answer: u8) -> Self {
        let band = Band::of(answer);
        // Only words contradict an answer; a satisfaction is another answer.
        let comment = felt.filter(|_| observation.score.is_some()).map_or(0.0, |felt| felt.value);
        let conflict = match band {
            Band::Promoter => (-comment).max(0.0),
            Band::Passive => 0.0,
            Band::Detractor => comment.max(0.0),
        };
        Self { answer, band, conflict, id: observation.id.clone(), at_ms: observation.at_ms }
    }

    /// How much a detractor: from 1/7 for a 6 to 1 for a 0; 0 for others.
    pub fn detracts(&self) -> f64 {
        f64::from(7u8.saturating_sub(self.answer)) / 7.0
    }

    /// How much a promoter that its comment does not put in doubt: 1/2 for a 9, 1 for a 10; 0 for others.
    pub fn promotes(&self) -> f64 {
        if self.conflict >= IN_DOUBT { 0.0 } else { f64::from(self.answer.saturating_sub(8)) / 2.0 }
    }
}
