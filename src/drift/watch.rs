//! One stream of texts against the baseline: the window, and how far each feature of it has drifted.

use super::alarm::{Level, Track};
use super::divergence::{Divergence, term, total};
use super::layout::Feature;
use super::observation::Observation;
use super::reference::Reference;
use super::window::{Span, Window};

/// What a feature must have in the window before it is measured.
pub const LEAST: u64 = 100;
/// Bins that a report names for a feature.
const SHIFTS: usize = 3;

/// The last texts of a stream, and what they say.
#[derive(Debug, Clone)]
pub struct Watch {
    window: Window,
    tracks: Vec<Track>,
}

/// How a stream stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Texts in the window.
    pub texts: u32,
    /// As of when the first and the last of them came, in milliseconds since 1970.
    pub reach_ms: Option<(i64, i64)>,
    /// The worst of the features.
    pub level: Level,
    /// Those of the layout that the baseline has, in its order.
    pub features: Vec<FeatureReport>,
}

/// How a feature stands.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureReport {
    /// Its name.
    pub name: String,
    /// What the window counts of it: texts, or in `label.*` reports.
    pub count: u64,
    /// `None` while the window counts fewer than [`LEAST`].
    pub divergence: Option<Divergence>,
    /// How far it has drifted.
    pub level: Level,
    /// Since when it has been at its level; `None` when that was never another than `Ok`.
    pub since_ms: Option<i64>,
    /// The bins that moved most, most first.
    pub shifts: Vec<Shift>,
}

/// A bin that moved.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    /// What it holds.
    pub bin: String,
    /// Its share of the baseline, in [0, 1].
    pub baseline: f64,
    /// Its share of the window, in [0, 1].
    pub window: f64,
}

impl Watch {
    /// Before the first text.
    pub fn new(reference: &Reference) -> Self {
        let layout = reference.layout();
        Self { window: Window::new(layout.bins()), tracks: vec![Track::default(); layout.features().len()] }
    }

    /// Counts a text; true when that led to a new measurement.
    pub fn observe(&mut self, reference: &Reference, seen: &Observation, span: Span, now_ms: i64) -> bool {
        let measure = self.window.add(reference.layout(), seen, span, now_ms);
        if measure {
            self.measure(reference, now_ms);
        }
        measure
    }

    fn measure(&mut self, reference: &Reference, now_ms: i64) {
        for (feature, track) in reference.layout().features().iter().zip(&mut self.tracks) {
            track.step(divergence(reference, &self.window, feature).as_ref(), now_ms);
        }
    }

    /// The worst of the features.
    pub fn level(&self) -> Level {
        self.tracks.iter().map(Track::level).max().unwrap_or_default()
    }

    /// Texts in the window.
    pub fn texts(&self) -> u32 {
        self.window.texts()
    }

    /// As of when the last text came, in milliseconds since 1970.
    pub fn last_ms(&self) -> Option<i64> {
        self.window.reach_ms().map(|(_, last)| last)
    }

    /// Name, distance and level of each feature that the baseline has.
    pub fn measured<'a>(
        &'a self,
        reference: &'a Reference,
    ) -> impl Iterator<Item = (&'a Feature, Option<Divergence>, Level)> {
        let all = reference.layout().features().iter().zip(&self.tracks);
        all.filter(|(feature, _)| total(&reference.counts()[feature.range.clone()]) > 0)
            .map(|(feature, track)| (feature, divergence(reference, &self.window, feature), track.level()))
    }

    /// How it stands now; what is too old is forgotten first.
    pub fn report(&mut self, reference: &Reference, span: Span, now_ms: i64) -> Report {
        if self.window.forget(span, now_ms) {
            self.measure(reference, now_ms);
        }
        let since = |feature: &Feature| {
            let place = reference.layout().features().iter().position(|f| f.range == feature.range);
            place.and_then(|place| self.tracks[place].since_ms())
        };
        let report = |(feature, divergence, level): (&Feature, Option<Divergence>, Level)| FeatureReport {
            name: feature.name.clone(),
            count: total(&self.window.counts()[feature.range.clone()]),
            shifts: divergence.map_or_else(Vec::new, |_| self.shifts(reference, feature)),
            divergence,
            level,
            since_ms: since(feature),
        };
        Report {
            texts: self.window.texts(),
            reach_ms: self.window.reach_ms(),
            level: self.level(),
            features: self.measured(reference).map(report).collect(),
        }
    }

    fn shifts(&self, reference: &Reference, feature: &Feature) -> Vec<Shift> {
        let counts = [reference.counts(), self.window.counts()].map(|all| &all[feature.range.clone()]);
        let totals = counts.map(|counts| total(counts).max(1) as f64);
        let shares = |bin: usize| [0, 1].map(|side: usize| f64::from(counts[side][bin]) / totals[side]);
        let mut shifts: Vec<(f64, Shift)> = feature
            .bins
            .iter()
            .enumerate()
            .map(|(at, bin)| {
                let [baseline, window] = shares(at);
                (term(baseline, window), Shift { bin: bin.clone(), baseline, window })
            })
            .filter(|(moved, _)| *moved > 0.0)
            .collect();
        shifts.sort_by(|a, b| b.0.total_cmp(&a.0));
        shifts.into_iter().take(SHIFTS).map(|(_, shift)| shift).collect()
    }
}

/// How far a feature is from the baseline; `None` where either has too little of it.
fn divergence(reference: &Reference, window: &Window, feature: &Feature) -> Option<Divergence> {
    let counts = &window.counts()[feature.range.clone()];
    if total(counts) < LEAST {
        return None;
    }
    Divergence::of(&reference.counts()[feature.range.clone()], counts)
}
