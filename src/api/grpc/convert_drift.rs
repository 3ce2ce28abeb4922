//! From reports of drift to messages.

use super::v1;
use crate::drift::{FeatureReport, Level, Report, Shift, Tenant};
use crate::error::Error;
use crate::model::Manifest;
use crate::pipeline::drift::{DriftMonitor, Scope};

/// Longest tenant, in bytes.
const TENANT_BYTES: usize = 256;

/// The tenant that is asked for alone. Errors: `InvalidInput`.
pub(super) fn tenant(from: Option<String>) -> Result<Option<Tenant>, Error> {
    let Some(name) = from else { return Ok(None) };
    if name.len() > TENANT_BYTES {
        let problem = format!("has {} bytes, at most {TENANT_BYTES} are taken", name.len());
        return Err(Error::invalid("tenant", problem));
    }
    Ok(Some(Tenant::of(&name)))
}

/// How a model stands. `drift` is `None` where nothing is counted.
pub(super) fn model(
    manifest: &Manifest,
    drift: Option<&DriftMonitor>,
    only: Option<Tenant>,
    now_ms: i64,
) -> v1::ModelDrift {
    let state = match (drift, &manifest.baseline) {
        (Some(_), _) => v1::DriftState::Watched,
        (None, None) => v1::DriftState::NoBaseline,
        (None, Some(_)) => v1::DriftState::Off,
    };
    let reports = drift.map_or_else(Vec::new, |drift| drift.reports(only, now_ms));
    v1::ModelDrift {
        model: Some(v1::ModelReference { id: manifest.id.clone(), version: manifest.version.clone() }),
        state: state.into(),
        baseline_texts: manifest.baseline.as_ref().map_or(0, |baseline| baseline.texts()),
        window_texts: drift.map_or(0, |drift| drift.span().texts),
        scopes: reports.into_iter().map(scope).collect(),
    }
}

fn scope((scope, report): (Scope, Report)) -> v1::DriftScope {
    let (kind, tenant) = match &scope {
        Scope::All => (v1::DriftScopeKind::All, None),
        Scope::Tenant(tenant) => (v1::DriftScopeKind::Tenant, tenant.name()),
        Scope::Others => (v1::DriftScopeKind::OtherTenants, None),
    };
    let (from_ms, to_ms) = report.reach_ms.unwrap_or_default();
    v1::DriftScope {
        kind: kind.into(),
        tenant: tenant.unwrap_or_default().to_owned(),
        texts: report.texts,
        from_ms,
        to_ms,
        level: level(report.level).into(),
        features: report.features.into_iter().map(feature).collect(),
    }
}

fn feature(from: FeatureReport) -> v1::DriftFeature {
    v1::DriftFeature {
        name: from.name,
        count: from.count,
        psi: from.divergence.map(|found| found.psi),
        js_distance: from.divergence.map(|found| found.js),
        level: level(from.level).into(),
        since_ms: from.since_ms.unwrap_or_default(),
        shifts: from.shifts.into_iter().map(shift).collect(),
    }
}

fn shift(from: Shift) -> v1::DriftShift {
    v1::DriftShift { bin: from.bin, baseline: from.baseline, window: from.window }
}

fn level(from: Level) -> v1::DriftLevel {
    match from {
        Level::Ok => v1::DriftLevel::Ok,
        Level::Watch => v1::DriftLevel::Watch,
        Level::Alarm => v1::DriftLevel::Alarm,
    }
}
