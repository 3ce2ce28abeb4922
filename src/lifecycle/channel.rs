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

/// The score of an ordinary interaction, in [−1, 1]. Support is mostly about trouble, so all are below 0; a mail is written
/// at leisure and a call to a person; a post has an audience; a comment field is filled in by those who have a complaint.
pub fn baseline(channel: Channel) -> f64 {
    match channel {
        Channel::Phone => -0.05,
        Channel::Chat | Channel::Sms | Channel::Unknown => -0.10,
        Channel::Email => -0.15,
        Channel::Survey => -0.20,
        Channel::Social => -0.30,
    }
}

/// The channel of that name; an unknown name is the unknown channel.
pub fn named(name: &str) -> Channel {
    Channel::of_name(name).unwrap_or_default()
}

/// A score against what is usual in its channel, in [−1, 1]; 0 is usual.
pub fn against_usual(score: f64, channel: Channel) -> f64 {
    let usual = baseline(channel);
    let apart = score.clamp(-1.0, 1.0) - usual;
    if apart >= 0.0 { apart / (1.0 - usual) } else { apart / (1.0 + usual) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_is_zero_the_ends_stay_and_more_is_more() {
        for channel in Channel::ALL {
            assert_eq!(against_usual(baseline(channel), channel), 0.0);
            assert_eq!((against_usual(-1.0, channel), against_usual(1.0, channel)), (-1.0, 1.0));
            let scores: Vec<f64> = (-20..=20).map(|n| against_usual(f64::from(n) / 20.0, channel)).collect();
            assert!(scores.is_sorted() && scores.iter().all(|s| (-1.0..=1.0).contains(s)), "{channel:?}");
        }
        assert!(against_usual(-0.3, Channel::Social) > against_usual(-0.3, Channel::Phone));
        assert_eq!(named("carrier pigeon"), Channel::Unknown);
    }
}
