//! Counts what a model reads, tenant by tenant, and tells how far it has drifted from the model's baseline.
//!
//! Three kinds of stream are watched: all texts together, the texts of each tenant, and those of the tenants for which there
//! is no room. What is held of a text is its share of counts.

mod gauges;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use self::gauges::Gauges;
use super::analyzer::{Analyzer, Call};
use super::models::ModelName;
use super::options::AnalysisOptions;
use crate::drift::{Level, Observation, Reference, Report, Span, Tenant, Watch};
use crate::error::Error;
use crate::model::{Baseline, Manifest};
use crate::telemetry::metrics;

/// Bounds of what is held.
#[derive(Debug, Clone, Copy)]
pub struct DriftSettings {
    /// Texts of a window.
    pub texts: u32,
    /// How far back it reaches.
    pub time: Duration,
    /// Tenants that are told apart.
    pub tenants: usize,
}

/// What is watched apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All texts that the model reads.
    All,
    /// Those of a tenant, or those without one.
    Tenant(Tenant),
    /// Those of all tenants for which there is no room.
    Others,
}

/// Watches what one model reads.
pub struct DriftMonitor {
    gauges: Gauges,
    reference: Reference,
    span: Span,
    most: usize,
    all: Mutex<Watch>,
    others: Mutex<Watch>,
    tenants: RwLock<HashMap<Tenant, Arc<Mutex<Watch>>>>,
    /// Before this time no tenant can have been silent for long enough to make room for another.
    room_ms: AtomicI64,
    /// Tenants at [`Level::Watch`] and at [`Level::Alarm`].
    drifting: [AtomicI64; 2],
}

impl DriftMonitor {
    /// For a model with a baseline; `None` for one without, with which nothing can be compared.
    pub fn new(manifest: &Manifest, settings: DriftSettings) -> Option<Self> {
        let reference = manifest.baseline.clone()?;
        let time_ms = i64::try_from(settings.time.as_millis()).unwrap_or(i64::MAX);
        Some(Self {
            gauges: Gauges::new(ModelName::of(manifest).to_string()),
            span: Span { texts: settings.texts, time_ms },
            most: settings.tenants,
            all: Mutex::new(Watch::new(&reference)),
            others: Mutex::new(Watch::new(&reference)),
            tenants: RwLock::default(),
            room_ms: AtomicI64::new(i64::MIN),
            drifting: [AtomicI64::new(0), AtomicI64::new(0)],
            reference,
        })
    }

    /// Counts a text of a tenant.
    pub fn observe(&self, tenant: Tenant, seen: &Observation, now_ms: i64) {
        let known = self.tenants.read().get(&tenant).map(Arc::clone);
        match known.or_else(|| self.admit(tenant, now_ms)) {
            Some(own) => self.observe_in(&own, seen, now_ms),
            None => self.observe_in(&self.others, seen, now_ms),
        }
        let mut all = self.all.lock();
        if all.observe(&self.reference, seen, self.span, now_ms) {
            self.publish(&all);
        }
    }

    fn observe_in(&self, watch: &Mutex<Watch>, seen: &Observation, now_ms: i64) {
        let mut watch = watch.lock();
        let before = watch.level();
        if watch.observe(&self.reference, seen, self.span, now_ms) {
            self.moved(before, watch.level());
        }
    }

    /// Room for a tenant that is not known; `None` for one of the others.
    fn admit(&self, tenant: Tenant, now_ms: i64) -> Option<Arc<Mutex<Watch>>> {
        if tenant == Tenant::OTHER {
            return None;
        }
        // What is full stays full until the one that has been silent longest is forgotten: no look at all of them before.
        if now_ms < self.room_ms.load(Ordering::Relaxed) {
            return None;
        }
        let mut tenants = self.tenants.write();
        if let Some(own) = tenants.get(&tenant) {
            return Some(Arc::clone(own));
        }
        if tenants.len() >= self.most {
            self.make_room(&mut tenants, now_ms);
        }
        if tenants.len() >= self.most {
            return None;
        }
        let own = Arc::new(Mutex::new(Watch::new(&self.reference)));
        tenants.insert(tenant, Arc::clone(&own));
        Some(own)
    }

    /// Forgets the tenants whose windows are too old to say anything.
    fn make_room(&self, tenants: &mut HashMap<Tenant, Arc<Mutex<Watch>>>, now_ms: i64) {
        let mut oldest = i64::MAX;
        tenants.retain(|_, watch| {
            let watch = watch.lock();
            let last = watch.last_ms().unwrap_or(i64::MIN);
            let stays = now_ms.saturating_sub(last) <= self.span.time_ms;
            if stays {
                oldest = oldest.min(last);
            } else {
                self.moved(watch.level(), Level::Ok);
            }
            stays
        });
        let room_ms =
            if tenants.len() < self.most { i64::MIN } else { oldest.saturating_add(self.span.time_ms) };
        self.room_ms.store(room_ms, Ordering::Relaxed);
    }

    /// A tenant went from one level to another.
    fn moved(&self, before: Level, after: Level) {
        if before == after {
            return;
        }
        for (level, by) in [(before, -1), (after, 1)] {
            let count = match level {
                Level::Ok => continue,
                Level::Watch => &self.drifting[0],
                Level::Alarm => &self.drifting[1],
            };
            let now = count.fetch_add(by, Ordering::Relaxed) + by;
            self.gauges.set(|model| metrics::drifting_tenants(model, level.name(), now));
        }
    }

    fn publish(&self, all: &Watch) {
        self.gauges.set(|model| {
            metrics::drift_window(model, all.texts());
            for (feature, divergence, level) in all.measured(&self.reference) {
                let Some(found) = divergence else { continue };
                metrics::drift(model, &feature.name, (found.psi, found.js), level == Level::Alarm);
            }
        });
    }

    /// What texts are compared with.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// How far back a window reaches.
    pub fn span(&self) -> Span {
        self.span
    }

    /// How everything stands that has texts: all of them first, then tenants in the order of their names, then the others.
    /// With a tenant, that one alone.
    pub fn reports(&self, only: Option<Tenant>, now_ms: i64) -> Vec<(Scope, Report)> {
        let tenants: Vec<(Tenant, Arc<Mutex<Watch>>)> = {
            let tenants = self.tenants.read();
            let wanted = tenants.iter().filter(|(tenant, _)| only.is_none_or(|only| only == **tenant));
            wanted.map(|(tenant, watch)| (*tenant, Arc::clone(watch))).collect()
        };
        let mut reports: Vec<(Scope, Report)> = tenants
            .iter()
            .map(|(tenant, watch)| (Scope::Tenant(*tenant), self.report(watch, now_ms)))
            .collect();
        reports.sort_by(|(a, _), (b, _)| name(a).cmp(&name(b)));
        if only.is_none() {
            let all = self.all.lock().report(&self.reference, self.span, now_ms);
            reports.insert(0, (Scope::All, all));
            reports.push((Scope::Others, self.report(&self.others, now_ms)));
        }
        reports.retain(|(_, report)| report.texts > 0);
        reports
    }

    /// The model is no longer loaded: its gauges go to 0 for good, though calls and jobs that hold it may read on.
    fn end(&self) {
        let features = self.reference.features().map(|(name, _)| name);
        self.gauges.end(features, [Level::Watch, Level::Alarm].map(Level::name));
    }

    fn report(&self, watch: &Mutex<Watch>, now_ms: i64) -> Report {
        let mut watch = watch.lock();
        let before = watch.level();
        let report = watch.report(&self.reference, self.span, now_ms);
        self.moved(before, report.level);
        report
    }
}

fn name(scope: &Scope) -> Option<&str> {
    match scope {
        Scope::All | Scope::Others => None,
        Scope::Tenant(tenant) => tenant.name(),
    }
}

impl Drop for DriftMonitor {
    /// A model that is gone must not leave an alarm behind.
    fn drop(&mut self) {
        self.end();
    }
}

impl Analyzer {
    /// Has what it reads counted.
    #[must_use]
    pub fn with_drift(mut self, drift: Option<DriftMonitor>) -> Self {
        self.drift = drift;
        self
    }

    /// What was counted; `None` where nothing is.
    pub fn drift(&self) -> Option<&DriftMonitor> {
        self.drift.as_ref()
    }

    /// Says that no call finds it any more.
    pub(super) fn end_drift(&self) {
        if let Some(drift) = &self.drift {
            drift.end();
        }
    }

    /// What drift would see of a text; it is not counted. Errors: as [`Analyzer::analyze`].
    pub async fn observe(
        &self,
        text: &str,
        language: Option<&str>,
        call: Call,
    ) -> Result<Observation, Error> {
        let options = AnalysisOptions { evidence: false, ..AnalysisOptions::default() };
        let options = options.resolve(self.manifest())?;
        Ok(self.read_text(text, language, (&options, None), call).await?.seen)
    }

    /// A baseline of nothing yet, for texts that are [observed](Self::observe).
    pub fn empty_reference(&self) -> Reference {
        Reference::of(self.manifest().drift_layout(), [])
    }
}

/// A baseline as the table of a manifest or an overlay, and that table put into such a file's text.
pub fn baseline_toml(counted: &Reference, source: &str, into: Option<&str>) -> String {
    let baseline = Baseline::of(counted, source);
    into.map_or_else(|| baseline.to_toml(), |text| baseline.written_into(text))
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
