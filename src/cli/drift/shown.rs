//! Drift as a table for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::super::paint::{BOLD, DIM, styled, visible};
use crate::api::grpc::v1;

/// Features at their usual level that are listed all the same: those that are nearest to another.
const NEAREST: usize = 3;

pub(super) fn table(answer: &v1::GetDriftResponse, all: bool) -> String {
    let mut out = String::new();
    for model in &answer.models {
        // Writing into a String can't fail.
        let _ = write_model(model, all, &mut out);
    }
    out
}

fn write_model(model: &v1::ModelDrift, all: bool, out: &mut String) -> std::fmt::Result {
    let reference = model.model.clone().unwrap_or_default();
    write!(out, "{} {}: ", styled(BOLD, &visible(&reference.id)), visible(&reference.version))?;
    match model.state() {
        v1::DriftState::Watched => writeln!(
            out,
            "windows of {} texts against a baseline of {}",
            model.window_texts, model.baseline_texts
        )?,
        v1::DriftState::NoBaseline => {
            writeln!(out, "no baseline, so nothing to compare with; `attune drift baseline` makes one")?;
        }
        v1::DriftState::Off => writeln!(out, "not watched; set drift.enabled = true")?,
        v1::DriftState::Unspecified => writeln!(out, "unknown")?,
    }
    model.scopes.iter().try_for_each(|scope| write_scope(scope, all, out))
}

fn write_scope(scope: &v1::DriftScope, all: bool, out: &mut String) -> std::fmt::Result {
    let name = match scope.kind() {
        v1::DriftScopeKind::All => "all texts".to_owned(),
        v1::DriftScopeKind::Tenant if scope.tenant.is_empty() => "without a tenant".to_owned(),
        v1::DriftScopeKind::Tenant => format!("tenant {}", visible(&scope.tenant)),
        v1::DriftScopeKind::OtherTenants => "other tenants".to_owned(),
        v1::DriftScopeKind::Unspecified => "unknown".to_owned(),
    };
    writeln!(out, "\n  {}  {}  {} texts", level(scope.level()), styled(BOLD, &name), scope.texts)?;
    let mut features: Vec<&v1::DriftFeature> = scope.features.iter().collect();
    let rank = |feature: &v1::DriftFeature| (i32::from(feature.level()), feature.psi.unwrap_or(-1.0));
    features.sort_by(|a, b| rank(b).0.cmp(&rank(a).0).then(rank(b).1.total_cmp(&rank(a).1)));
    let drifted = features.iter().filter(|feature| feature.level() != v1::DriftLevel::Ok).count();
    let most = if all { features.len() } else { drifted.max(NEAREST) };
    writeln!(
        out,
        "  {}",
        styled(DIM, "       feature               PSI    JS   what moved (baseline → window)")
    )?;
    features.into_iter().take(most).try_for_each(|feature| write_feature(feature, out))
}

fn write_feature(feature: &v1::DriftFeature, out: &mut String) -> std::fmt::Result {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    let shift = |s: &v1::DriftShift| {
        format!("{} {:.1} → {:.1} %", visible(&s.bin), s.baseline * 100.0, s.window * 100.0)
    };
    let shifts: Vec<String> = feature.shifts.iter().map(shift).collect();
    writeln!(
        out,
        "  {}  {:<20} {:>5} {:>5}   {}",
        level(feature.level()),
        visible(&feature.name),
        number(feature.psi),
        number(feature.js_distance),
        styled(DIM, &shifts.join(", "))
    )
}

fn level(level: v1::DriftLevel) -> String {
    let (name, color) = match level {
        v1::DriftLevel::Ok => ("ok   ", AnsiColor::Green),
        v1::DriftLevel::Watch => ("watch", AnsiColor::Yellow),
        v1::DriftLevel::Alarm => ("ALARM", AnsiColor::Red),
        v1::DriftLevel::Unspecified => ("?    ", AnsiColor::White),
    };
    styled(Style::new().fg_color(Some(color.into())), name)
}
