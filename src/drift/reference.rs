//! What texts are compared with: the histograms of the model's own, as its manifest has them.

use std::collections::BTreeMap;

use super::divergence::total;
use super::layout::{FORM, Layout};
use super::observation::Observation;

/// Histograms of a model's baseline, bin by bin of its layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    layout: Layout,
    counts: Box<[u32]>,
    texts: u64,
}

/// What is wrong with a baseline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Made by a build with other bins.
    #[error(
        "form: is {0}, and this build compares form {FORM}; take the table out, and make it again with `attune drift baseline`"
    )]
    Form(u32),
    /// The model has no such feature.
    #[error(
        "features.{0:?}: the model has no such feature; take the table out, and make it again with `attune drift baseline`"
    )]
    Unknown(String),
    /// The feature has other bins.
    #[error(
        "features.{name:?}: has {found} counts for {expected} bins; take the table out, and make it again with `attune drift baseline`"
    )]
    Bins {
        /// The feature.
        name: String,
        /// Counts that are there.
        found: usize,
        /// Bins that the feature has.
        expected: usize,
    },
    /// Nothing was counted.
    #[error("features.{0:?}: all counts are 0; leave it out")]
    Empty(String),
    /// Too little to compare with.
    #[error("texts: has {0}, expected at least {LEAST}")]
    TooFew(u64),
}

/// Texts below which chance decides what a baseline looks like.
pub const LEAST: u64 = 200;

impl Reference {
    /// Texts that were counted one by one.
    pub fn of<'a>(layout: Layout, seen: impl IntoIterator<Item = &'a Observation>) -> Self {
        let mut reference = Self { counts: vec![0; layout.bins()].into(), layout, texts: 0 };
        seen.into_iter().for_each(|seen| reference.add(seen));
        reference
    }

    /// Counts one more text.
    pub fn add(&mut self, seen: &Observation) {
        let counts = &mut self.counts;
        self.layout.hits(seen, |bin| counts[bin] = counts[bin].saturating_add(1));
        self.texts += 1;
    }

    /// Out of counts by feature; a feature that is left out is not compared.
    pub fn try_new(
        layout: Layout,
        (form, texts): (u32, u64),
        features: &BTreeMap<String, Vec<u32>>,
    ) -> Result<Self, ReferenceError> {
        if form != FORM {
            return Err(ReferenceError::Form(form));
        }
        if texts < LEAST {
            return Err(ReferenceError::TooFew(texts));
        }
        let mut all = vec![0; layout.bins()];
        for (name, counts) in features {
            let feature = layout.features().iter().find(|feature| feature.name == *name);
            let feature = feature.ok_or_else(|| ReferenceError::Unknown(name.clone()))?;
            let (found, expected) = (counts.len(), feature.bins.len());
            if found != expected {
                return Err(ReferenceError::Bins { name: name.clone(), found, expected });
            }
            if total(counts) == 0 {
                return Err(ReferenceError::Empty(name.clone()));
            }
            all[feature.range.clone()].copy_from_slice(counts);
        }
        Ok(Self { layout, counts: all.into(), texts })
    }

    /// The features and their bins.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How often each bin of the axis was hit.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Texts behind it.
    pub fn texts(&self) -> u64 {
        self.texts
    }

    /// Name and counts of the features that have any.
    pub fn features(&self) -> impl Iterator<Item = (&str, &[u32])> {
        let all = self.layout.features().iter().map(|f| (f.name.as_str(), &self.counts[f.range.clone()]));
        all.filter(|(_, counts)| total(counts) > 0)
    }
}
