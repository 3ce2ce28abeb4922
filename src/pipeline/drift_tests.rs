//! How much is held, and of whom.

use proptest::prelude::*;

use super::*;
use crate::drift::{HeadSaid, Language, Said};
use crate::model::ModelBundle;

const HOUR_MS: i64 = 3_600_000;
const SETTINGS: DriftSettings = DriftSettings { texts: 500, time: Duration::from_secs(3600), tenants: 3 };

fn ordinary() -> Observation {
    let mut said = Said::default();
    said.note(0, HeadSaid::new(std::iter::once(1), 0.5));
    said.note(1, HeadSaid::new([0, 3].into_iter(), 0.7));
    said.note(2, HeadSaid::new(std::iter::empty(), 0.1));
    Observation::read(Some(Language::OfModel), 12, 0, 9, said)
}

fn monitor() -> DriftMonitor {
    let mut manifest = ModelBundle::load_embedded().unwrap().manifest;
    let texts = vec![ordinary(); 1000];
    manifest.baseline = Some(Reference::of(manifest.drift_layout(), &texts));
    DriftMonitor::new(&manifest, SETTINGS).unwrap()
}

fn scopes(monitor: &DriftMonitor, now_ms: i64) -> Vec<(Scope, u32)> {
    monitor.reports(None, now_ms).into_iter().map(|(scope, report)| (scope, report.texts)).collect()
}

fn tenant(name: &str) -> Scope {
    Scope::Tenant(Tenant::of(name))
}

#[test]
fn a_model_without_a_baseline_is_not_watched() {
    let mut manifest = ModelBundle::load_embedded().unwrap().manifest;
    manifest.baseline = None;
    assert!(DriftMonitor::new(&manifest, SETTINGS).is_none());
}

#[test]
fn tenants_beyond_the_bound_are_counted_together_until_one_has_been_silent() {
    let monitor = monitor();
    for name in ["b", "a", "", "d", "e", "a"] {
        monitor.observe(Tenant::of(name), &ordinary(), 0);
    }
    monitor.observe(Tenant::OTHER, &ordinary(), 0);
    let expected = [(Scope::All, 7), (tenant(""), 1), (tenant("a"), 2), (tenant("b"), 1), (Scope::Others, 3)];
    assert_eq!(scopes(&monitor, 0), expected);
    monitor.observe(Tenant::of("a"), &ordinary(), HOUR_MS);
    monitor.observe(Tenant::of("d"), &ordinary(), HOUR_MS + 1);
    let later = scopes(&monitor, HOUR_MS + 1);
    assert_eq!(later, [(Scope::All, 2), (tenant("a"), 1), (tenant("d"), 1)]);
    assert_eq!(monitor.reports(Some(Tenant::of("d")), HOUR_MS + 1).len(), 1);
    assert!(monitor.reports(Some(Tenant::of("nobody")), HOUR_MS + 1).is_empty());
}

#[test]
fn one_tenant_that_drifts_does_not_make_another_drift() {
    let monitor = monitor();
    for at in 0..400 {
        monitor.observe(Tenant::of("calm"), &ordinary(), at);
        monitor.observe(Tenant::of("new"), &Observation::unsupported(Some(Language::Other)), at);
    }
    let levels: Vec<(Scope, Level)> =
        monitor.reports(None, 400).into_iter().map(|(scope, report)| (scope, report.level)).collect();
    let expected = [(Scope::All, Level::Alarm), (tenant("calm"), Level::Ok), (tenant("new"), Level::Alarm)];
    assert_eq!(levels, expected);
    assert_eq!(monitor.drifting[1].load(Ordering::Relaxed), 1);
    assert!(monitor.reports(None, 400 + 2 * HOUR_MS).is_empty());
    assert_eq!(monitor.drifting[1].load(Ordering::Relaxed), 0);
}

proptest! {
    #[test]
    fn however_many_tenants_come_no_more_are_held_than_there_is_room_for(
        texts in prop::collection::vec((0u32..2000, 0i64..HOUR_MS), 1..400),
    ) {
        let (monitor, mut now_ms) = (monitor(), 0);
        for (name, later_ms) in texts {
            now_ms += later_ms;
            monitor.observe(Tenant::of(&name.to_string()), &ordinary(), now_ms);
            prop_assert!(monitor.tenants.read().len() <= SETTINGS.tenants);
        }
        let reports = monitor.reports(None, now_ms);
        let held: u32 = reports[1..].iter().map(|(_, report)| report.texts).sum();
        prop_assert!(reports.len() <= SETTINGS.tenants + 2 && held >= reports[0].1.texts.min(1));
    }
}
