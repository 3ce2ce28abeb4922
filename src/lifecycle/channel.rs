//! What is usual in a channel, so that a customer is not called unhappy for the channel that they chose.
//!
//! People write more harshly where they speak to everybody, or where they were asked what they think, than where they speak
//! to a person. The baselines below are choices, not measured facts: they put neutral at "as most customers sound there".
//! A score `s` in a channel with baseline `b` becomes
//!
//! ```text
//! (s − b) / (1 − b)   for s ≥ b          (s − b) / (1 + b)   for s < b
//! ```
//!
//! so the baseline becomes 0, the ends −1 and 1 stay where they are, and more is never less.

use crate::domain::Channel;

/// Where an interaction took place: a conversation's channel, or a survey, which is no conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Medium {
    /// A message or a conversation.
    Talk(Channel),
    /// An answer to a survey.
    Survey,
}

impl Medium {
    /// The survey's name; a conversation's channel has its own.
    pub const SURVEY: &'static str = "survey";

    /// Every medium.
    pub fn all() -> impl Iterator<Item = Self> {
        Channel::ALL.into_iter().map(Self::Talk).chain([Self::Survey])
    }

    /// The medium's name in observations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Talk(channel) => channel.name(),
            Self::Survey => Self::SURVEY,
        }
    }

    /// The medium of that name; an unknown name is the unknown channel.
    pub fn named(name: &str) -> Self {
        match name {
            Self::SURVEY => Self::Survey,
            name => Self::Talk(Channel::of_name(name).unwrap_or_default()),
        }
    }
}

/// The score of an ordinary interaction, in [−1, 1]. Support is mostly about trouble, so all are below 0; a mail is written
/// at leisure and a call to a person; a post has an audience; a comment field is filled in by those who have a complaint.
pub fn baseline(medium: Medium) -> f64 {
    match medium {
        Medium::Talk(Channel::Phone) => -0.05,
        Medium::Talk(Channel::Chat | Channel::Sms | Channel::Unknown) => -0.10,
        Medium::Talk(Channel::Email) => -0.15,
        Medium::Survey => -0.20,
        Medium::Talk(Channel::Social) => -0.30,
    }
}

/// A score against what is usual in its medium, in [−1, 1]; 0 is usual.
pub fn against_usual(score: f64, medium: Medium) -> f64 {
    let usual = baseline(medium);
    let apart = score.clamp(-1.0, 1.0) - usual;
    if apart >= 0.0 { apart / (1.0 - usual) } else { apart / (1.0 + usual) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_is_zero_the_ends_stay_and_more_is_more() {
        for channel in Medium::all() {
            assert_eq!(against_usual(baseline(channel), channel), 0.0);
            assert_eq!((against_usual(-1.0, channel), against_usual(1.0, channel)), (-1.0, 1.0));
            let scores: Vec<f64> = (-20..=20).map(|n| against_usual(f64::from(n) / 20.0, channel)).collect();
            assert!(scores.is_sorted() && scores.iter().all(|s| (-1.0..=1.0).contains(s)), "{channel:?}");
        }
        assert!(against_usual(-0.3, Medium::named("social")) > against_usual(-0.3, Medium::named("phone")));
        assert_eq!(Medium::named("carrier pigeon"), Medium::Talk(Channel::Unknown));
        assert!(Medium::all().all(|medium| Medium::named(medium.name()) == medium));
    }
}
