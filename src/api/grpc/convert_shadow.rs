//! From a candidate's differences to protobuf.

use super::v1;
use crate::model::Activation;
use crate::pipeline::shadow::{HeadPlan, HeadTally, LabelPlan, LabelTally, Report};

pub(super) fn report(from: &Report) -> v1::ShadowReport {
    let [model, candidate] = from.names.clone().map(|name| name.to_string());
    let [model_seconds_per_text, candidate_seconds_per_text] = from.tally.seconds();
    let heads = from.plan.heads.iter().zip(&from.tally.heads);
    v1::ShadowReport {
        model,
        candidate,
        share: from.share,
        started_at_ms: from.started_ms,
        compared: from.tally.compared,
        dropped: from.dropped,
        failed: from.tally.failed,
        heads: heads.map(|(plan, tally)| head(plan, tally, from.tally.compared)).collect(),
        not_compared: from.plan.not_compared.clone(),
        model_seconds_per_text,
        candidate_seconds_per_text,
    }
}

fn head(plan: &HeadPlan, tally: &HeadTally, texts: u64) -> v1::ShadowHead {
    let [mean_difference, largest_difference] = tally.difference(texts);
    let activation = match plan.activation {
        Activation::Softmax => v1::Activation::Softmax,
        Activation::Sigmoid => v1::Activation::Sigmoid,
    };
    v1::ShadowHead {
        name: plan.name.clone(),
        activation: activation.into(),
        agreed: tally.agreed,
        labels: plan.labels.iter().zip(&tally.labels).map(|(plan, one)| label(plan, one, texts)).collect(),
        mean_difference,
        largest_difference,
        confusion: if plan.sentiment { tally.confusion.to_vec() } else { Vec::new() },
    }
}

fn label(plan: &LabelPlan, tally: &LabelTally, texts: u64) -> v1::ShadowLabel {
    v1::ShadowLabel {
        name: plan.name.clone(),
        gained: tally.gained,
        lost: tally.lost,
        mean_difference: tally.mean(texts),
        largest_difference: tally.largest,
    }
}
