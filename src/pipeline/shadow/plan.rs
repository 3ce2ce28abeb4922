//! Which labels of two models are compared: those that both have, in a head that both have.

use std::collections::BTreeSet;

use crate::model::manifest::Head;
use crate::model::{Activation, HeadKind, Manifest};

/// What is compared, and what is not.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Heads that both models have under one name, with the same activation.
    pub heads: Vec<HeadPlan>,
    /// Heads, and labels as `head.label`, that only one of them has.
    pub not_compared: Vec<String>,
}

/// A head of both models.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadPlan {
    /// Its name.
    pub name: String,
    /// How its logits become probabilities, in both.
    pub activation: Activation,
    /// Whether it is a sentiment head in both, whose labels are negative, neutral and positive.
    pub sentiment: bool,
    /// Its ranges of the two label axes.
    pub ranges: [std::ops::Range<usize>; 2],
    /// Labels of both.
    pub labels: Vec<LabelPlan>,
}

/// A label of both models.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelPlan {
    /// Its name.
    pub name: String,
    /// Its places on the two label axes.
    pub places: [usize; 2],
    /// The probabilities from which each model reports it.
    pub thresholds: [f64; 2],
}

impl Plan {
    /// What `model` and `candidate` have in common.
    pub fn of(model: &Manifest, candidate: &Manifest) -> Self {
        let (mut heads, mut left) = (Vec::new(), BTreeSet::new());
        let others: Vec<_> = candidate.heads_with_ranges().collect();
        for (head, range) in model.heads_with_ranges() {
            let other = others.iter().find(|(o, _)| o.name == head.name && o.activation == head.activation);
            let plan = other.map(|(other, its)| HeadPlan::of([head, other], [range, its.clone()]));
            match plan.filter(|plan| !plan.labels.is_empty()) {
                Some(plan) => heads.push(plan),
                None => left.extend([head.name.clone()]),
            }
        }
        let compared = |name: &str| heads.iter().find(|head| head.name == name);
        for head in model.heads.iter().chain(&candidate.heads) {
            match compared(&head.name) {
                None => left.extend([head.name.clone()]),
                Some(plan) => left.extend(plan.only_in(head)),
            }
        }
        Self { heads, not_compared: left.into_iter().collect() }
    }
}

impl HeadPlan {
    fn of(heads: [&Head; 2], ranges: [std::ops::Range<usize>; 2]) -> Self {
        let [model, candidate] = heads;
        let label = |(own, name): (usize, &String)| {
            let other = candidate.labels.iter().position(|label| label == name)?;
            Some(LabelPlan {
                name: name.clone(),
                places: [ranges[0].start + own, ranges[1].start + other],
                thresholds: [model.thresholds[own].get(), candidate.thresholds[other].get()],
            })
        };
        Self {
            name: model.name.clone(),
            activation: model.activation,
            sentiment: heads.iter().all(|head| head.kind == HeadKind::Sentiment),
            labels: model.labels.iter().enumerate().filter_map(label).collect(),
            ranges,
        }
    }

    fn only_in(&self, head: &Head) -> Vec<String> {
        let both = |name: &&String| self.labels.iter().any(|label| label.name == **name);
        head.labels.iter().filter(|name| !both(name)).map(|name| format!("{}.{name}", head.name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelBundle;

    #[test]
    fn what_both_have_is_compared_by_name_and_the_rest_is_named() {
        let model = ModelBundle::load_embedded().unwrap().manifest;
        let mut candidate = model.clone();
        candidate.heads.rotate_left(1);
        let cues = candidate.heads.iter_mut().find(|head| head.kind == HeadKind::Cue).unwrap();
        (cues.labels[0], cues.labels[1]) = ("new_cue".into(), cues.labels[0].clone());
        let emotions = candidate.heads.iter_mut().find(|head| head.kind == HeadKind::Emotion).unwrap();
        emotions.name = "feeling".into();
        let plan = Plan::of(&model, &candidate);
        let names: Vec<&str> = plan.heads.iter().map(|head| head.name.as_str()).collect();
        assert_eq!(names, ["sentiment", "cue", "escalation"]);
        let cue = &plan.heads[1];
        let labels = &model.heads.iter().find(|head| head.name == "cue").unwrap().labels;
        assert_eq!(cue.labels.len(), labels.len() - 1);
        assert_eq!(cue.labels[0].name, labels[0]);
        assert_eq!(cue.labels[0].places, [cue.ranges[0].start, cue.ranges[1].start + 1]);
        let mut missing =
            ["cue.new_cue".to_owned(), format!("cue.{}", labels[1]), "emotion".into(), "feeling".into()];
        missing.sort_unstable();
        assert_eq!(plan.not_compared, missing);
    }
}
