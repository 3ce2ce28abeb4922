//! A customer's interactions in one order, each once, however they came.

use std::cmp::Ordering;

use super::observation::Observation;

/// The interactions, oldest first, then by id. Of those with one id only one is left: the newest, and of equally new ones the
/// same whatever the order in which they came.
pub fn in_order(observations: &[Observation]) -> Vec<&Observation> {
    let mut all: Vec<&Observation> = observations.iter().collect();
    all.sort_by(|a, b| a.id.cmp(&b.id).then_with(|| b.at_ms.cmp(&a.at_ms)).then_with(|| contents(a, b)));
    all.dedup_by(|a, b| a.id == b.id);
    all.sort_by(|a, b| a.at_ms.cmp(&b.at_ms).then_with(|| a.id.cmp(&b.id)));
    all
}

/// Any order of what two interactions with one id and time say, as long as it is total.
fn contents(a: &Observation, b: &Observation) -> Ordering {
    let number = |a: Option<f64>, b: Option<f64>| a.map(f64::to_bits).cmp(&b.map(f64::to_bits));
    let cues = |o: &Observation| -> Vec<(String, u64)> {
        o.cues.iter().map(|(name, strength)| (name.clone(), strength.to_bits())).collect()
    };
    (a.channel.cmp(&b.channel))
        .then_with(|| number(a.score, b.score))
        .then_with(|| cues(a).cmp(&cues(b)))
        .then_with(|| a.nps.cmp(&b.nps))
        .then_with(|| number(a.csat, b.csat))
        .then_with(|| a.escalation.to_bits().cmp(&b.escalation.to_bits()))
        .then_with(|| a.recovered.cmp(&b.recovered))
}
